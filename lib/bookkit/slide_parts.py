"""What a slide is made of: Markdown with its numbers, pictures, films, tables and figures that move."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from bookkit.chapters import alt_text, dig, tags
from bookkit.scorecard import MARK, fill_in

Numbers = Mapping[str, float | str]
CITED = re.compile(r"\{cite:t\}`([a-z]+)[^`]*`")
#: What is left out, with the round brackets that hold nothing else.
ROLE = re.compile(r"(?P<open> ?\()?\{(?:cite(?::\w+)?|ref|doc)\}`[^`]*`(?(open)\))")
TERM = re.compile(r"\{term\}`([^`<]+?)(?:\s*<[^>`]+>)?`")
FIGURE = re.compile(r"\{numref\}`[^`]*`")
PROVED = re.compile(r"\{prf:ref\}`[^`]*`")
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
KEPT = re.compile(
    r"^:::\{glue:figure\} (\S+)\n(?::.*\n)*?:alt: (.+)\n(?::.*\n)*\n((?:.+\n)+?):::$", re.MULTILINE
)
STATED = re.compile(r"^:::\{prf:(definition|theorem)\} ?(.*)\n(?::.*\n)*\n((?:.*\n)+?):::$", re.MULTILINE)
WRITTEN = re.compile(r"^:::\{table\} (.+)\n(?::.*\n)*\n((?:\|.*\n)+):::$", re.MULTILINE)
#: A frame makes its figure as large as it can.
FIT = (
    "addEventListener('load', () => { const html = document.documentElement; let z = 1.6; "
    "do document.body.style.zoom = z -= .05; while (z > .3 && html.scrollHeight > innerHeight) })"
)
#: More rows or columns than these are for reading, not for showing.
MOST_ROWS, MOST_COLUMNS = 9, 12
#: Height of a picture by its width from which text stands beside it.
TALL = 0.85
FOLDED = ("hide-output", "hide-cell", "remove-cell", "remove-output")
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
MARKDOWN.use(dollarmath_plugin, renderer=lambda text, how: escape(f"{_dollars(how)}{text}{_dollars(how)}"))


def _dollars(how: Mapping[str, Any]) -> str:
    return "$$" if how["display_mode"] else "$"


@dataclass(frozen=True)
class Part:
    """What a slide shows, in HTML, and what it says about it, in Markdown.

    Attributes
    ----------
    shown, said : str
    name : str
        By which sentences refer to it.
    kind : str
        "picture", "tall", "film", "live", "table" or "statement".
    title : str
        Its own title, if it has one.
    at : int
        Where in its cell it stands, in characters.
    """

    shown: str
    said: str
    name: str = ""
    kind: str = "picture"
    title: str = ""
    at: int = 0


def plain(text: str, numbers: Numbers, chapter: str) -> str:
    """MyST as Markdown: numbers filled in, terms and links in words, citations left out.

    One that is part of a sentence becomes a name: each key begins with that of the first author.
    """
    named = FIGURE.sub("the figure", re.sub(rf"^{FIGURE.pattern}", "The figure", text))
    words = TERM.sub(r"\1", LINK.sub(r"\1", named))
    cited = CITED.sub(lambda found: f"{found[1].capitalize()} et al.", words)
    told = ROLE.sub("", PROVED.sub("a theorem", fill_in(cited, numbers, chapter)))
    return re.sub(r" +([.,;:])", r"\1", told)


def inline(text: str, numbers: Numbers, chapter: str) -> str:
    """A sentence in HTML."""
    return str(MARKDOWN.renderInline(plain(text, numbers, chapter)))


def block(text: str, numbers: Numbers, chapter: str) -> str:
    """Paragraphs, formulas and tables in HTML."""
    return str(MARKDOWN.render(plain(text, numbers, chapter)))


def parts_of(
    cell: nbformat.NotebookNode, notebook: nbformat.NotebookNode, numbers: Numbers, chapter: str
) -> Iterator[Part]:
    """What a cell has to show, in its order."""
    if cell.cell_type == "markdown":
        yield from _in_text(cell.source, notebook, numbers, chapter)
    elif cell.cell_type == "code" and not {"solution", *FOLDED} & set(tags(cell)):
        yield from _of_code(cell, notebook)


def _in_text(source: str, notebook: nbformat.NotebookNode, numbers: Numbers, chapter: str) -> Iterator[Part]:
    found: list[Part] = []
    for match in KEPT.finditer(source):
        if image := _kept_image(notebook, match[1]):
            said = " ".join(match[3].split())
            found.append(Part(picture(match[2], image), said, kind=shape(image), at=match.start()))
    for match in STATED.finditer(source):
        title = match[2].strip() or match[1].capitalize()
        shown = f'<div class="statement">{block(match[3], numbers, chapter)}</div>'
        found.append(Part(shown, "", kind="statement", title=title, at=match.start()))
    for match in WRITTEN.finditer(source):
        if match[2].count("\n") - 2 <= MOST_ROWS:
            shown = f'<div class="table">{block(match[2], numbers, chapter)}</div>'
            found.append(Part(shown, match[1], kind="table", at=match.start()))
    yield from sorted(found, key=lambda part: part.at)


def _of_code(cell: nbformat.NotebookNode, notebook: nbformat.NotebookNode) -> Iterator[Part]:
    figure = dig(cell.metadata, "mystnb", "figure") or {}
    said, name, alt = str(figure.get("caption", "")), str(figure.get("name", "")), alt_text(cell)
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        image, page = dig(data, "image/png"), dig(data, "text/html")
        view = dig(data, "application/vnd.jupyter.widget-view+json", "model_id")
        if isinstance(image, str):
            yield Part(picture(alt, image), said or alt, name, shape(image))
        elif isinstance(view, str) and (frames := _frames(notebook, view)):
            yield Part(film(frames), said, name, "film")
        elif isinstance(page, str) and "<script" in page:
            yield Part(live(page, alt), said or alt, name, "live")
        elif isinstance(page, str) and said and (table := _table(page)):
            yield Part(f'<div class="table">{table}</div>', said, name, "table")


def picture(alt: str, image: str) -> str:
    """An image in the page itself."""
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{"".join(image.split())}">'


def shape(image: str) -> str:
    """How a slide is laid out around a PNG: text below a wide one, and beside a tall one."""
    head = base64.b64decode("".join(image.split())[:32])
    width, height = (int.from_bytes(head[k : k + 4], "big") for k in (16, 20))
    return "tall" if height > TALL * width else "picture"


def film(frames: list[str]) -> str:
    """Pictures, of which a slider shows one."""
    last = len(frames) - 1
    stack = "\n".join(f"<div{'' if k == 0 else ' hidden'}>{frame}</div>" for k, frame in enumerate(frames))
    slider = f'<input type="range" min="0" max="{last}" value="0" aria-label="frame, 0 to {last}">'
    return f'<div class="film">\n<div class="frames">{stack}</div>\n{slider}\n</div>'


def live(page: str, alt: str) -> str:
    """A figure that moves, with its own scripts, in a frame of its own."""
    inner = (
        "<!doctype html><meta charset=utf-8><style>body{margin:0;font-family:system-ui,sans-serif}"
        f"</style><body>{page}<script>{FIT}</script>"
    )
    return f'<iframe title="{escape(alt)}" srcdoc="{escape(inner)}"></iframe>'


def _table(page: str) -> str:
    """The table alone, without the style that a data frame brings along; nothing of one that is too large."""
    rows = page.count("<tr") - 1
    table = BeautifulSoup(page, "html.parser").find("table") if rows <= MOST_ROWS else None
    columns = len(first.find_all(["td", "th"])) if table and (first := table.find("tr")) else 0
    return str(table) if columns <= MOST_COLUMNS and table else ""


def _kept_image(notebook: nbformat.NotebookNode, name: str) -> str | None:
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if dig(output, "metadata", "scrapbook", "name") == name:
                image = dig(output, "data", f"{MARK}image/png")
                return image if isinstance(image, str) else None
    return None


def _frames(notebook: nbformat.NotebookNode, view: str) -> list[str]:
    """The pictures of a stepper, from what its widgets have stored."""
    kind = "application/vnd.jupyter.widget-state+json"
    models = dig(notebook.metadata, "widgets", kind, "state") or {}

    def below(name: str) -> Iterator[str]:
        state = dig(models, name.removeprefix("IPY_MODEL_"), "state") or {}
        value = state.get("value")
        if isinstance(value, str) and value.startswith("<img "):
            yield value
        for child in state.get("children", ()):
            yield from below(child)

    return list(below(view))
