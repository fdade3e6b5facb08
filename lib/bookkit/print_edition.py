"""The whole book on one page, to print or to keep: from the built site, with nothing folded.

The page carries its pictures with it and needs no script but the one that sets mathematics. Where
Chromium is installed, it is printed into a PDF as well.
"""

from __future__ import annotations

import base64
import os
import posixpath
import shutil
import subprocess
import tempfile
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from bookkit.errors import BookError
from bookkit.files import read_text, write_atomically
from bookkit.slides import MATHJAX
from bookkit.stage import toc_files

TEMPLATE = Path(__file__).with_name("print_edition.html")
SLIDER = "Here the page on the screen has a figure with a slider."
#: What only makes sense on a screen.
OF_THE_SCREEN = "a.headerlink, a.correction, button, input, style, link, .toctree-wrapper"

#: A browser without a window that reaches no network: no name is known, and the way out is a closed port.
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-pdf-header-footer",
    "--virtual-time-budget=120000",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def print_edition(root: Path, out: Path) -> list[Path]:
    """Write ``book.html``, and ``book.pdf`` where Chromium is installed, into `out`.

    Raises
    ------
    BookError
        If the site was not built, or a page of the table of contents is not in it.
    """
    site, names = root / "_build" / "html", toc_files(root)
    missing = [name for name in names if not (site / f"{name}.html").exists()]
    if missing:
        raise BookError(f"the site has no {', '.join(missing)}; run `make book`")
    articles = [_article(site, name, names) for name in names]
    contents = "\n".join(
        f'<li><a href="#{_slug(name)}">{article.h1.get_text()}</a></li>'
        for name, article in zip(names, articles, strict=True)
    )
    page = TEMPLATE.read_text().replace("<!-- contents -->", contents)
    page = page.replace("<!-- pages -->", "\n".join(map(str, articles)))
    written = [out / "book.html"]
    write_atomically(written[0], page)
    if (root / MATHJAX).exists():
        shutil.copyfile(root / MATHJAX, out / "mathjax.js")
    written += _as_pdf(written[0])
    for path in written:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return written


def _article(site: Path, name: str, names: list[str]) -> Tag:
    """The text of a page, with anchors and links that hold on the one page."""
    path = site / f"{name}.html"
    article = BeautifulSoup(read_text(path), "html.parser").find("article")
    if not isinstance(article, Tag) or article.h1 is None:
        raise BookError(f"{path}: has no article with a heading; run `make book`")
    for script in article("script"):
        if "widget-view" in script.get("type", ""):
            note = BeautifulSoup(f"<p><em>{SLIDER}</em></p>", "html.parser")
            script.insert_before(note)
        script.decompose()
    for tag in article.select(OF_THE_SCREEN):
        tag.decompose()
    for folded in article("details"):
        folded["open"] = ""
    for image in article("img", src=True):
        image["src"] = _embedded(image["src"], (site / name).parent)
    for tag in article(id=True):
        tag["id"] = f"{_slug(name)}-{tag['id']}"
    for link in article("a", href=True):
        link["href"] = _moved(link["href"], name, names)
    article["id"] = _slug(name)
    return article


def _slug(name: str) -> str:
    return name.replace("/", "-")


def _embedded(source: str, folder: Path) -> str:
    if source.startswith(("data:", "http:", "https:")):
        return source
    path = folder / source
    kind = "svg+xml" if path.suffix == ".svg" else path.suffix[1:]
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _moved(href: str, name: str, names: list[str]) -> str:
    """Where a link of a page leads on the one page; links out of the book stay."""
    if "://" in href or href.startswith("mailto:"):
        return href
    target, _, anchor = href.partition("#")
    page = posixpath.normpath(f"{posixpath.dirname(name)}/{target.removesuffix('.html')}") if target else name
    if page not in names:
        return f"#{_slug(name)}"
    return f"#{_slug(page)}-{anchor}" if anchor else f"#{_slug(page)}"


def _as_pdf(page: Path) -> list[Path]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("no chromium on the path, so there is no PDF; print the page from any browser")
        return []
    target = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory() as profile:
        command = [chromium, *FLAGS, f"--user-data-dir={profile}", f"--print-to-pdf={target.resolve()}"]
        command += ["--no-sandbox"] if os.geteuid() == 0 else []  # as root it does not start with one
        command += [page.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode or not target.exists():
        raise BookError(f"Chromium could not print {page}: {done.stderr[-500:]}")
    return [target]
