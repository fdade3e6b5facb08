"""Slides for a lesson: definitions, figures, films and small tables of the book, and what was found.

One page that needs no network; printed, it has a slide on each sheet. What is said is what the
chapters say, with their numbers; what the speaker may say is taken from the lesson sheets.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path

import nbformat

from bookkit.chapters import chapters, number_of, title_of
from bookkit.errors import BookError
from bookkit.executed import read_executed
from bookkit.files import write_atomically
from bookkit.lessons import LENGTHS, Lesson, Row, lesson_of
from bookkit.scorecard import noted
from bookkit.slide_parts import Numbers, Part, inline, parts_of

MATHJAX = Path(".vendor/site/mathjax/tex-svg-full.js")
SENTENCES = re.compile(r"(?:.+?[.?!](?=\s|$)){1,2}")
SENTENCE = re.compile(r"\S.*?[.?!](?=\s|$)")
HEADING = re.compile(r"^##? +(.+?) *$", re.MULTILINE)
FENCED = re.compile(r"^(`{3,}|:{3,}).*?^\1$", re.MULTILINE | re.DOTALL)
OTHER = re.compile(r"\{glue:text\}`\w+/[^`]*`")
#: Sections of which nothing is shown.
UNSHOWN = ("Quiz", "Exercises", "References", "Where the stored results come from")
FOUND = "What we found"
#: Of the sentences below a figure: how many are looked at, how long one must be, how it does not begin.
MOST, SHORTEST = 5, 50
AHEAD = ("The next", "The same", "Now ", "Here is", "Read ", "Then ", "To see which")
#: A sentence that leans on the one before it.
LEANS = re.compile(
    r"(?:(?:On|In|Over|At|By|With|Under)\b[^,.?]*\b(?:it|they)\b|(?:It|Its|They|Their|Such|Others)\b)"
)
#: Characters of a table that one slide holds.
HOLDS = 900
PAGE = Path(__file__).with_suffix(".html")


def slides(root: Path, out: Path) -> Path:
    """Write ``slides.html`` into `out`, from the executed chapters.

    Raises
    ------
    BookError
        If no chapter was executed, or one is not as its record says; if a lesson sheet lacks a part.
    """
    executed = root / "_build" / "src" / "notebooks"
    paths = [path for source in chapters(root) if (path := executed / f"{source.stem}.ipynb").exists()]
    if not paths:
        raise BookError("there is no executed chapter to take slides from; run `make book`")
    found = [
        slide
        for path in paths
        for slide in of_chapter(read_executed(path), path.stem, lesson_of(root, path.stem))
    ]
    write_atomically(out / "slides.html", PAGE.read_text().replace("<!-- slides -->", "\n".join(found)))
    if (root / MATHJAX).exists():
        shutil.copyfile(root / MATHJAX, out / "mathjax.js")
    print(f"{len(found)} slides: {out / 'slides.html'}")
    return out / "slides.html"


def of_chapter(notebook: nbformat.NotebookNode, chapter: str, lesson: Lesson | None = None) -> Iterator[str]:
    """The slides of one executed chapter: its title, what its sections show, what was found."""
    numbers, planned = noted(notebook), {row.section: row for row in lesson.plan} if lesson else {}
    opening = notebook.cells[0].source.partition("\n")[2] if notebook.cells else ""
    yield _slide(
        f"<h1>{number_of(chapter)} {escape(title_of(notebook, chapter))}</h1>",
        _opening_sentences(opening, numbers, chapter),
        notes=_filled(_beginning(lesson), numbers, chapter),
    )
    made: dict[str, list[str]] = {section: [] for section in _sections(notebook)}
    title = ""
    for k, cell in enumerate(notebook.cells):
        for part in parts_of(cell, notebook, numbers, chapter):
            section = _section(cell, title, part.at)
            if section in (*UNSHOWN, FOUND):
                continue
            before = made.setdefault(section, [])
            notes = _filled(_plan(planned.get(section)) if not before else [], numbers, chapter)
            before.append(
                _of_part(part, _heading(part, section), _key(part, notebook, k), numbers, chapter, notes)
            )
        title = _section(cell, title, len(cell.source))
    for section, found in made.items():
        row = planned.get(section)
        if not found and row and any(row.minutes) and section not in (*UNSHOWN, FOUND):
            yield _bare(section, notebook, numbers, chapter, row)
        yield from found
    yield from _answers(notebook, numbers, chapter, lesson)


def _sections(notebook: nbformat.NotebookNode) -> list[str]:
    """All headings of a chapter, in their order."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return [heading for text in texts for heading in HEADING.findall(FENCED.sub("", text))]


def _bare(section: str, notebook: nbformat.NotebookNode, numbers: Numbers, chapter: str, row: Row) -> str:
    """A slide for a section that the lesson has minutes for, and of which there is nothing to show."""
    sources = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = next(text for source in sources for text in source.split(f"## {section}\n")[1:])
    opening = _opening_sentences(text.partition("\n#")[0], numbers, chapter)
    return _slide(f"<h1>{escape(section)}</h1>", opening, notes=_filled(_plan(row), numbers, chapter))


def _of_part(part: Part, heading: str, key: str, numbers: Numbers, chapter: str, notes: list[str]) -> str:
    said = [inline(text, numbers, chapter) for text in (part.said, key) if text]
    return _slide(
        f"<h2>{escape(heading)}</h2>",
        part.shown,
        *(f"<p>{text}</p>" for text in said),
        kind=part.kind,
        notes=notes,
    )


def _heading(part: Part, section: str) -> str:
    return f"{section}: {part.title}" if part.title and section != part.title else part.title or section


def _section(cell: nbformat.NotebookNode, title: str, at: int) -> str:
    """The heading above a place in a cell."""
    if cell.cell_type != "markdown":
        return title
    found = HEADING.findall(FENCED.sub("", cell.source[:at]))
    return found[-1] if found else title


def _key(part: Part, notebook: nbformat.NotebookNode, at: int) -> str:
    """One sentence of the same section about a figure: that with most numbers, or the first that names it."""
    if part.kind in ("statement", "table") or notebook.cells[at].cell_type == "markdown":
        return ""
    after = next((cell.source for cell in notebook.cells[at + 1 :] if cell.cell_type == "markdown"), "")
    text = FENCED.sub("", after[: found.start()] if (found := HEADING.search(after)) else after)
    paragraphs = [p for p in text.split("\n\n") if p.strip() and p.lstrip()[0] not in "|:-<#$`"]
    sentences = [s for p in paragraphs for s in SENTENCE.findall(" ".join(p.split()))]
    usable = [s for s in sentences[:MOST] if len(s) >= SHORTEST and s[-1] != "?" and not _leans(s)]
    best = max(usable, key=lambda s: s.count("{glue:text}"), default="")
    if "{glue:text}" in best:
        return best
    named = [s for s in usable if part.name and f"`{part.name}`" in s]
    return next(iter(named), "" if part.said else next(iter(usable), ""))


def _leans(sentence: str) -> bool:
    return sentence.startswith(AHEAD) or LEANS.match(sentence) is not None


def _answers(
    notebook: nbformat.NotebookNode, numbers: Numbers, chapter: str, lesson: Lesson | None
) -> Iterator[str]:
    """What was found, on as many slides as it takes."""
    rows = [cell.source for cell in notebook.cells if f"## {FOUND}" in cell.source]
    table = re.findall(r"^\| ([CD]\d\d.*?) \| (.*?) \| (.*?) \|", rows[-1], re.MULTILINE) if rows else []
    bold = re.findall(r"^(\*\*(?:Before|On) .+)$", rows[-1], re.MULTILINE) if rows else []
    heading = f"<h2>{number_of(chapter)}: what we found</h2>"
    planned = {row.section: row for row in lesson.plan} if lesson else {}
    for k, group in enumerate(_portions(table)):
        cells = (
            "<tr>" + "".join(f"<td>{inline(text, numbers, chapter)}</td>" for text in row) + "</tr>"
            for row in group
        )
        shown = f'<div class="table"><table>{"".join(cells)}</table></div>'
        notes = _filled(_plan(planned.get(FOUND)) if k == 0 else [], numbers, chapter)
        yield _slide(heading, shown, kind="table", notes=notes)
    if bold:
        said = f'<p class="last">{inline(bold[-1], numbers, chapter)}</p>'
        last = [f"Exercises. {text}" for text in _plan(planned.get("Exercises"))]
        yield _slide(heading, said, notes=_filled([*last, *_ending(lesson)], numbers, chapter))


def _portions(rows: list[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    """Rows that fit on a slide together."""
    portion: list[tuple[str, ...]] = []
    for row in rows:
        if portion and sum(len("".join(one)) for one in [*portion, row]) > HOLDS:
            yield portion
            portion = []
        portion.append(row)
    if portion:
        yield portion


def _beginning(lesson: Lesson | None) -> list[str]:
    if lesson is None:
        return []
    asked = [f"{question} {answer}" for question, answer in lesson.questions]
    return [f"Collect: {lesson.collect}", *(f"Ask: {text}" for text in asked)]


def _plan(row: Row | None) -> list[str]:
    if row is None:
        return []
    minutes = [f"{count or 'none'} of {length}" for count, length in zip(row.minutes, LENGTHS, strict=True)]
    return [f"Minutes: {', '.join(minutes)}. {row.say}"]


def _ending(lesson: Lesson | None) -> list[str]:
    return [f"If they say: {heard} Say: {answer}" for heard, answer in lesson.heard] if lesson else []


def _opening_sentences(text: str, numbers: Numbers, chapter: str) -> str:
    """The first two sentences of a text, as a paragraph."""
    prose = next((part for part in text.strip().split("\n\n") if part[:1] not in "#|:`-<1"), "")
    found = SENTENCES.match(" ".join(prose.split()))
    return f"<p>{inline(found[0], numbers, chapter)}</p>" if found else ""


def _slide(*parts: str, kind: str = "", notes: list[str] | None = None) -> str:
    """A slide, with what the speaker may say below it."""
    name = f' data-kind="{kind}"' if kind else ""
    inner = "\n".join(part for part in parts if part)
    told = "".join(f"<p>{text}</p>" for text in notes or ())
    aside = f'\n<aside aria-label="notes">{told}</aside>' if told else ""
    return f"<section{name}>\n{inner}{aside}\n</section>"


def _filled(notes: list[str], numbers: Numbers, chapter: str) -> list[str]:
    """Notes in HTML, with the numbers of their chapter; those of others stay on the lesson sheet."""
    own = f"{{glue:text}}`{number_of(chapter)}/"
    named = (text.replace(own, "{glue:text}`") for text in notes)
    return [inline(OTHER.sub("(see the sheet)", text), numbers, chapter) for text in named]
