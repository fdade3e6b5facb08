"""Whether the chapters can be read once, from their first line: what can be counted of it.

The limits stand in `[tool.bookkit.prose]` of `pyproject.toml`; see :class:`bookkit.settings.ProseSettings`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from bookkit.chapters import alt_text, chapters, dig, first_line, is_deeper, number_of, read_chapter, tags
from bookkit.course import prose
from bookkit.errors import BookError, report
from bookkit.files import read_text
from bookkit.prose import captions, main_text, numbers, words
from bookkit.settings import ProseSettings, prose_settings, settings
from bookkit.terms import glossary_terms, unknown, unlinked

HEADING = re.compile(r"^## +(.+?) *$", re.MULTILINE)
TABLE = re.compile(r"^(?:\|.*\n)+", re.MULTILINE)
CAPTIONED = re.compile(r"^(`{3,}|:{3,})\{table\} +\S.*?^\1$", re.MULTILINE | re.DOTALL)
FOLDED = re.compile(r"^(`{3,}|:{3,})\{(?:exercise|dropdown)\}.*?^\1$", re.MULTILINE | re.DOTALL)
#: Minutes: 150 words, 20 seconds for a figure, 3 seconds for a line of code.
WORDS_A_MINUTE, FIGURE, LINE = 150, 20 / 60, 3 / 60
#: The columns of the table: one for each rule.
RULES = ("words", "banned", "long", "numbers", "tables", "figures", "wide", "plumbing", "terms", "form")


@dataclass(frozen=True)
class Reading:
    """A chapter as its reader meets it.

    Attributes
    ----------
    words, pictures, lines : int
        Of main text, of figures, of visible code.
    findings : dict of str to list of str
        For each of :data:`RULES`, what breaks it.
    """

    words: int
    pictures: int
    lines: int
    findings: dict[str, list[str]] = field(default_factory=dict)

    @property
    def minutes(self) -> float:
        """What it takes to read, with its code."""
        return self.words / WORDS_A_MINUTE + self.pictures * FIGURE + self.lines * LINE


def check_prose(root: Path) -> None:
    """Print what was counted in each chapter; fail with one line for each rule that one breaks.

    A chapter that is named in `not_yet` may break them, and must break one. A term that the glossary does not
    have may be linked nowhere: Sphinx would find no place to lead to.
    """
    asked, answers = prose_settings(root), settings(root).answers
    entries = glossary_terms(read_text(root / asked.glossary)) if asked.glossary else []
    sources = chapters(root)
    if unknown := sorted(set(asked.not_yet) - {number_of(source.stem) for source in sources}):
        raise BookError(f"not_yet of [tool.bookkit.prose] names {', '.join(unknown)}: no such chapter")
    print(f"{'chapter':9}{'minutes':>8}" + "".join(f"{rule:>9}" for rule in RULES))
    findings = list(_lost_terms(root, sources, asked.glossary, entries)) if asked.glossary else []
    for source in sources:
        number = number_of(source.stem)
        reading = read_as_reader(read_chapter(source), source.stem, asked, answers, entries)
        broken = [f"{source.name}: {one}" for found in reading.findings.values() for one in found]
        counts = {rule: len(found) for rule, found in reading.findings.items()} | {"words": reading.words}
        waits = number in asked.not_yet
        print(
            f"{number:9}{reading.minutes:8.0f}"
            + "".join(f"{counts[rule]:9}" for rule in RULES)
            + ("   not yet" if waits else "")
        )
        if waits and not broken:
            findings.append(f"{source.name}: breaks no rule any more; take {number} off the list not_yet")
        findings += [] if waits else broken
    report(findings, f"how {len(sources) - len(asked.not_yet)} of {len(sources)} chapters are written")


def read_as_reader(
    notebook: nbformat.NotebookNode, name: str, asked: ProseSettings, answers: str, entries: list[str]
) -> Reading:
    """Count a chapter, and hold it to every rule."""
    texts = main_text(notebook, asked.outside)
    said = [*texts, *captions(notebook)]
    length = sum(words(text.read) for text in texts)
    shown = [cell for cell in notebook.cells if cell.cell_type == "code" and "remove-cell" not in tags(cell)]
    open_code = [cell for cell in shown if not {"hide-input", "remove-input", "hide-cell"} & set(tags(cell))]
    pictures = [cell for cell in notebook.cells if alt_text(cell)]
    findings = {
        "words": [f"has {length} words of main text, at most {asked.words}"] if length > asked.words else [],
        "banned": list(_banned([text.read for text in said], asked.banned)),
        "long": [
            f"a sentence of {words(one)} words, at most {asked.sentence}: {_shown(one)}"
            for text in said
            for one in text.sentences
            if words(one) > asked.sentence
        ],
        "numbers": [
            f"a sentence with {numbers(one)} numbers, at most {asked.numbers}: {_shown(one)}"
            for text in said
            for one in text.sentences
            if numbers(one) > asked.numbers
        ],
        "tables": list(_tables(notebook, (*asked.outside, answers))),
        "figures": [
            f"the figure of `{first_line(cell)}` has no caption: mystnb={{\"figure\": {{\"caption\": ...}}}}"
            for cell in pictures
            if not dig(cell.metadata, "mystnb", "figure", "caption")
        ],
        "wide": [
            f"a line of code of {len(line)} characters, at most {asked.code}: {line.strip()}"
            for cell in shown
            for line in cell.source.splitlines()
            if len(line) > asked.code
        ],
        "plumbing": list(_plumbing(shown, asked.plumbing)),
        "terms": [
            f"uses `{one}` before it links it to the glossary"
            for one in unlinked(texts, entries, asked.everyday)
        ],
        "form": list(_form(notebook, name, asked, answers)),
    }  # fmt: skip
    glued = prose(notebook).count("{glue:figure}")
    return Reading(
        length, len(pictures) + glued, sum(len(cell.source.splitlines()) for cell in open_code), findings
    )


def _banned(texts: Iterable[str], banned: tuple[str, ...]) -> Iterator[str]:
    for text in texts:
        for pattern in banned:
            for match in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE):
                around = text[max(match.start() - 30, 0) : match.end() + 30]
                yield f"says {match[0]!r}, for which there is a plainer word: ... {_shown(around)} ..."


def _tables(notebook: nbformat.NotebookNode, exempt: tuple[str, ...]) -> Iterator[str]:
    text = CAPTIONED.sub("", prose(notebook))
    parts = HEADING.split(text)
    for heading, body in zip(["", *parts[1::2]], parts[::2], strict=True):
        if heading not in exempt:
            for table in TABLE.findall(FOLDED.sub("", body) + "\n"):
                yield f"a table without caption (:::{{table}} ...): {table.splitlines()[0]}"


def _plumbing(cells: Iterable[nbformat.NotebookNode], names: tuple[str, ...]) -> Iterator[str]:
    for cell in cells:
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            continue  # a magic command: `check-cells` lets it pass too
        for node in ast.walk(tree):
            name = (
                node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                else node.attr if isinstance(node, ast.Attribute)
                else node.name if isinstance(node, ast.alias)
                else ""
            )  # fmt: skip
            if name in names and "hide-cell" not in tags(cell):
                yield f"`{first_line(cell)}` ... shows {name!r}, which serves the text: `remove-cell`"


def _form(notebook: nbformat.NotebookNode, name: str, asked: ProseSettings, answers: str) -> Iterator[str]:
    number, text = number_of(name), prose(notebook)
    if not text.startswith(f"# {number} "):
        yield f"its title does not begin with its number: `# {number} ...`"
    if not asked.short or is_deeper(name):
        return
    headings = HEADING.findall(text)
    if asked.short not in headings[:1]:
        yield f"its first heading is not `## {asked.short}`"
    if answers in headings and "Quiz" in headings and headings.index(answers) > headings.index("Quiz"):
        yield f"`## {answers}` stands behind the quiz"
    if asked.short in headings and answers in headings:
        between = headings.index(answers) - headings.index(asked.short) - 1
        if not asked.least_sections <= between <= asked.most_sections:
            yield (
                f"has {between} sections between `{asked.short}` and `{answers}`, "
                f"{asked.least_sections} to {asked.most_sections} are asked for"
            )


def _lost_terms(root: Path, sources: Iterable[Path], glossary: str, entries: list[str]) -> Iterator[str]:
    """Links to terms that are not there, in chapters, their captions, and the pages beside the glossary."""
    pages = (root / glossary).parent
    texts = {str(page.relative_to(root)): read_text(page) for page in sorted(pages.rglob("*.md"))}
    for source in sources:
        notebook = read_chapter(source)
        texts[source.name] = "\n\n".join([prose(notebook), *(text.written for text in captions(notebook))])
    for page, text in texts.items():
        for name in unknown(text, entries):
            yield f"{page}: links the term {name!r}, which {glossary} does not have"


def _shown(text: str) -> str:
    plain = text.replace("\x01", "#").replace("\x02", "_").strip()
    return plain if len(plain) < 120 else plain[:117] + "..."
