"""Read one built page: what it links to, what it loads, what it shows."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup, Tag

URL_IN_CSS = re.compile(r"""url\(\s*(['"]?)(.*?)\1\s*\)|@import\s+(['"])(.*?)\3""", re.IGNORECASE)
# Elements that make the browser fetch something, and the attribute that says what.
LOADS = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
    "embed": "src", "track": "src", "object": "data", "image": "href", "use": "href",
}  # fmt: skip
LINKS_THAT_LOAD = {
    "stylesheet",
    "icon",
    "shortcut",
    "preload",
    "modulepreload",
    "prefetch",
    "apple-touch-icon",
    "manifest",
}
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


@dataclass(frozen=True)
class Page:
    """What the checks need to know of one page."""

    path: Path
    title: str
    language: str
    headings: int
    is_forward: bool  # only sends the browser on to another page
    anchors: frozenset[str]
    links: tuple[str, ...]
    loads: tuple[str, ...]
    pictures: tuple[tuple[str, str | None], ...]  # (src, alt)
    errors: tuple[str, ...]  # texts of error outputs


def read_page(path: Path) -> Page:
    """Parse a page once and keep what the checks ask for."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    widgets = [BeautifulSoup(text, "html.parser") for text in _widget_html(soup)]
    forward = soup.find("meta", attrs={"http-equiv": re.compile("^refresh$", re.IGNORECASE)})
    links = [str(tag["href"]) for tag in soup.find_all(["a", "area"], href=True)]
    if forward:
        links.append(str(forward["content"]).split("url=", 1)[-1])
    return Page(
        path=path,
        title=soup.title.get_text(strip=True) if soup.title else "",
        language=str(soup.html.get("lang", "")) if soup.html else "",
        headings=len(soup.select("h1:not(#jb-print-docs-body h1)")),  # the theme repeats it for print
        is_forward=forward is not None,
        anchors=frozenset(
            str(tag.get("id") or tag.get("name"))
            for tag in soup.find_all(lambda t: t.get("id") or t.get("name"))
        ),
        links=tuple(links),
        loads=tuple(dict.fromkeys(url for part in [soup, *widgets] for url in _loads(part))),
        pictures=tuple(
            (str(tag.get("src", ""))[:80], tag.get("alt"))
            for part in [soup, *widgets]
            for tag in part.find_all("img")
            if tag.get("role") != "presentation" and tag.get("aria-hidden") != "true"
        ),
        errors=tuple(_errors(soup)),
    )


def urls_in_css(text: str) -> list[str]:
    """Every `url(...)` and `@import` of a style sheet."""
    return [match.group(2) or match.group(4) or "" for match in URL_IN_CSS.finditer(text)]


def _loads(soup: BeautifulSoup) -> Iterator[str]:
    for tag in soup.find_all(list(LOADS)):
        for attribute in {LOADS[tag.name], "xlink:href"} & set(tag.attrs):
            yield str(tag[attribute])
    for tag in soup.find_all(srcset=True):
        yield from (part.split()[0] for part in str(tag["srcset"]).split(", ") if part.strip())
    for tag in soup.find_all("link", href=True):
        if LINKS_THAT_LOAD & {str(rel).lower() for rel in tag.get("rel") or []}:
            yield str(tag["href"])
    for tag in soup.find_all(poster=True):
        yield str(tag["poster"])
    for style in [*soup.find_all("style")]:
        yield from urls_in_css(style.get_text())
    for tag in soup.find_all(style=True):
        yield from urls_in_css(str(tag["style"]))


def _errors(soup: BeautifulSoup) -> Iterator[str]:
    """Error outputs, tracebacks in any other output, and messages on stderr that were not allowed."""
    if soup.find(id="papermill-error-cell"):
        yield "a partial notebook of a failed run"
    for output in soup.select(".cell_output"):
        text = output.get_text()
        if output.select_one(".traceback") or "Traceback (most recent call last)" in text:
            yield text.strip().splitlines()[-1]
    for output in soup.select(".cell_output .stderr"):
        cell = output.find_parent(class_="cell")
        if not isinstance(cell, Tag) or "tag_allow-stderr" not in (cell.get("class") or []):
            yield "stderr: " + output.get_text().strip().splitlines()[0]


def _widget_html(soup: BeautifulSoup) -> Iterator[str]:
    """HTML inside the saved state of widgets, which the browser shows later."""

    def strings(node: object) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            yield from (text for value in node.values() for text in strings(value))
        elif isinstance(node, list):
            yield from (text for value in node for text in strings(value))

    for script in soup.find_all("script", type=WIDGET_STATE):
        yield from (
            text
            for text in strings(json.loads(script.get_text()))
            if re.search(r"<(img|script|link)\b", text)
        )
