"""What the chapters found on every claim and every doubt: the rows of their tables, with their numbers.

Nothing is typed here. A row is one of the table "What we found" of a chapter,
`| C07: ... | ours | agrees | evidence |` or `| D01: ... | - | open | evidence |`, with its numbers filled in
from the cells that computed them. :mod:`bookkit.answers` makes one answer of all rows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import nbformat

from bookkit.chapters import dig
from bookkit.claims import CLAIM_ID
from bookkit.errors import BookError
from bookkit.sections import Section, cells_with_sections
from bookkit.verdicts import CONDITIONS, RESULTS

GLUED = re.compile(r"\{glue:text\}`([^`:]+)(?::([^`]*))?`")
MARK = "application/papermill.record/"


@dataclass(frozen=True)
class Row:
    """One row of a chapter's table.

    Attributes
    ----------
    id : str
        Of the claim or doubt.
    claim, condition, result, evidence : str
        The four columns, as Markdown, with numbers in place.
    section : Section
        Where the first number of the evidence was computed; without a number, the table itself.
    """

    id: str
    claim: str
    condition: str
    result: str
    evidence: str
    section: Section

    @property
    def word(self) -> str:
        """What it says, in one word."""
        return _first_word(self.result)


def found_in(notebook: nbformat.NotebookNode, chapter: str) -> list[Row]:
    """The rows about claims and doubts in an executed notebook.

    Raises
    ------
    BookError
        If a row has not four columns, names no condition, begins its result with another word than those of
        :mod:`bookkit.verdicts`, or quotes a number that no cell has noted.
    """
    numbers, found = noted(notebook), []
    places = sections_of(notebook, chapter)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for line in text.splitlines():
        columns = [column.strip() for column in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not columns or not CLAIM_ID.match(columns[0]):
            continue
        key = columns[0][:3]
        if len(columns) != 4:
            raise BookError(f"{chapter}: the row of {key} has {len(columns)} columns, not four")
        name, condition, result, evidence = (fill_in(column, numbers, chapter) for column in columns)
        for said, words in ((condition, _conditions(key)), (_first_word(result), RESULTS[key[0]])):
            if said not in words:
                raise BookError(
                    f"{chapter}: the row of {key} has {said!r} where one of {', '.join(words)} belongs"
                )
        claim = re.sub(r"^[:,]\s*", "", name[3:])
        quoted = [*GLUED.findall(columns[3]), *GLUED.findall(columns[2])]
        section = places[quoted[0][0]] if quoted else Section(chapter, "What we found")
        found.append(Row(key, claim, condition, result, evidence, section))
    return found


def _conditions(key: str) -> tuple[str, ...]:
    return CONDITIONS if key.startswith("C") else ("-",)


def _first_word(result: str) -> str:
    return re.split(r"[\s,:;]", result, maxsplit=1)[0]


def noted(notebook: nbformat.NotebookNode) -> dict[str, float | str]:
    """What the cells of an executed notebook have noted, by name."""
    return {name: _value(written) for cell in notebook.cells for name, written in _noted_by(cell)}


def _value(written: str) -> float | str:
    return float(written) if written in ("nan", "inf", "-inf") else ast.literal_eval(written)


def sections_of(notebook: nbformat.NotebookNode, chapter: str) -> dict[str, Section]:
    """In which section each of these was computed, by name."""
    return {
        name: section
        for cell, section in cells_with_sections(notebook, chapter)
        for name, _ in _noted_by(cell)
    }


def _noted_by(cell: nbformat.NotebookNode) -> Iterator[tuple[str, str]]:
    for output in cell.get("outputs", []):
        name = dig(output, "metadata", "scrapbook", "name")
        written = dig(output, "data", f"{MARK}text/plain")
        picture = dig(output, "data", f"{MARK}image/png") is not None  # of `keep_figure`
        if isinstance(name, str) and isinstance(written, str) and not picture:
            yield name, written


def fill_in(text: str, numbers: Mapping[str, float | str], chapter: str) -> str:
    """A text with what was noted in the place of its name."""

    def value(match: re.Match[str]) -> str:
        name, form = match.groups()
        if name not in numbers:
            raise BookError(f"{chapter}: {name!r} is quoted, but no cell notes it")
        return format(numbers[name], form or "")

    return GLUED.sub(value, text)
