"""Slides for a lesson: one for each figure of the book, with its caption or the sentences that follow it.

One page that needs no network; printed, it has a slide on each sheet. What is said is what the
chapters say, with their numbers.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt

from bookkit.chapters import alt_text, chapters, dig, number_of, title_of
from bookkit.errors import BookError
from bookkit.executed import read_executed
from bookkit.files import write_atomically
from bookkit.scorecard import MARK, fill_in, noted
from bookkit.sections import cells_with_sections

MATHJAX = Path(".vendor/site/mathjax/tex-svg-full.js")
ROLE = re.compile(r"\{(?:cite(?::\w+)?|ref|doc)\}`[^`]*`")
TERM = re.compile(r"\{term\}`([^`<]+?)(?:\s*<[^>`]+>)?`")
FIGURE = re.compile(r"\{numref\}`[^`]*`")
KEPT = re.compile(
    r"^:::\{glue:figure\} (\S+)\n(?::.*\n)*?:alt: (.+)\n(?::.*\n)*\n((?:.+\n)+?):::$", re.MULTILINE
)
THEOREM = re.compile(r"\{prf:ref\}`[^`]*`")
SENTENCES = re.compile(r"(?:.+?[.?!](?=\s|$)){1,2}")
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
PAGE = Path(__file__).with_suffix(".html")


def slides(root: Path, out: Path) -> Path:
    """Write ``slides.html`` into `out`, from the executed chapters.

    Raises
    ------
    BookError
        If no chapter was executed, or one is not as its record says.
    """
    executed = root / "_build" / "src" / "notebooks"
    paths = [path for source in chapters(root) if (path := executed / f"{source.stem}.ipynb").exists()]
    if not paths:
        raise BookError("there is no executed chapter to take slides from; run `make book`")
    found = [slide for path in paths for slide in of_chapter(read_executed(path), path.stem)]
    write_atomically(out / "slides.html", PAGE.read_text().replace("<!-- slides -->", "\n".join(found)))
    if (root / MATHJAX).exists():
        shutil.copyfile(root / MATHJAX, out / "mathjax.js")
    print(f"{len(found)} slides: {out / 'slides.html'}")
    return out / "slides.html"


def of_chapter(notebook: nbformat.NotebookNode, chapter: str) -> Iterator[str]:
    """The slides of one executed chapter: its title, its figures, what was found."""
    numbers = noted(notebook)
    opening = notebook.cells[0].source.partition("\n")[2] if notebook.cells else ""
    yield _slide(
        f"<h1>{number_of(chapter)} {escape(title_of(notebook, chapter))}</h1>",
        _opening_sentences(opening, numbers, chapter),
    )
    for alt, image, caption in _kept(notebook):
        yield _slide(_picture(alt, image), f"<p>{_inline(caption, numbers, chapter)}</p>")
    after = dict(zip((cell["id"] for cell in notebook.cells), notebook.cells[1:], strict=False))
    for cell, section in cells_with_sections(notebook, chapter):
        picture = next(
            (data for o in cell.outputs if isinstance(data := dig(o, "data", "image/png"), str)), None
        )
        follows, caption = after.get(cell["id"]), dig(cell.metadata, "mystnb", "figure", "caption")
        if picture is None:
            continue
        if isinstance(caption, str):
            said = f"<p>{_inline(caption, numbers, chapter)}</p>"
        elif follows is not None and follows.cell_type == "markdown":
            said = _opening_sentences(follows.source, numbers, chapter)
        else:
            continue
        yield _slide(
            f"<h2>{escape(section.title)}</h2>",
            _picture(alt_text(cell), picture),
            said or f"<p>{escape(alt_text(cell))}</p>",
        )
    rows = [cell.source for cell in notebook.cells if "## What we found" in cell.source]
    answered = re.findall(r"^\| ([CD]\d\d.*?) \| (.*?) \| (.*?) \|", rows[-1], re.MULTILINE) if rows else []
    if answered:
        body = "".join(
            "<tr>" + "".join(f"<td>{_inline(part, numbers, chapter)}</td>" for part in row) + "</tr>"
            for row in answered
        )
        yield _slide(f"<h2>{number_of(chapter)}: what we found</h2>", f"<table>{body}</table>")


def _kept(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str, str]]:
    """Alt text, image and caption of each figure that a page shows in another place than its cell."""
    images = {
        dig(output, "metadata", "scrapbook", "name"): dig(output, "data", f"{MARK}image/png")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    }
    for cell in notebook.cells:
        for name, alt, caption in KEPT.findall(cell.source if cell.cell_type == "markdown" else ""):
            if isinstance(image := images.get(name), str):
                yield alt, image, " ".join(caption.split())


def _picture(alt: str, image: str) -> str:
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{"".join(image.split())}">'


def _opening_sentences(text: str, numbers: Mapping[str, float | str], chapter: str) -> str:
    """The first two sentences of a Markdown cell, as a paragraph."""
    prose = next((part for part in text.strip().split("\n\n") if part[:1] not in "#|:`-<"), "")
    found = SENTENCES.match(" ".join(prose.split()))
    return f"<p>{_inline(found[0], numbers, chapter)}</p>" if found else ""


def _inline(text: str, numbers: Mapping[str, float | str], chapter: str) -> str:
    named = FIGURE.sub("the figure", re.sub(rf"^{FIGURE.pattern}", "The figure", text))
    words = TERM.sub(r"\1", LINK.sub(r"\1", named))
    plain = ROLE.sub("", THEOREM.sub("a theorem", fill_in(words, numbers, chapter)))
    return MarkdownIt("commonmark", {"html": False}).renderInline(plain).replace("()", "")


def _slide(*parts: str) -> str:
    return "<section>\n" + "\n".join(part for part in parts if part) + "\n</section>"
