"""The scorecard: every claim and every doubt with one answer, and the rows of the chapters it follows from.

Nothing is typed here. What is claimed stands in `book/claims.yaml`; a row is one of the table "What we
found" of a chapter, `| C07: ... | ours | agrees | evidence |` or `| D01: ... | - | open | evidence |`, with
its numbers filled in from the cells that computed them. The rule is in :mod:`bookkit.verdicts`.
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
from bookkit.verdicts import ANSWERS, CONDITIONS, RESULTS, Verdict, on_claim, on_doubt

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


def scorecard(claims: Mapping[str, Mapping[str, str]], found: list[Row], kind: str) -> str:
    """Two tables in Markdown, of all claims (kind "C") or doubts ("D"): how often each answer is given; and
    each with its answer, and below it the rows that the answer follows from.

    Raises
    ------
    BookError
        If a chapter has a row on what nobody asked.
    """
    for row in found:
        if row.id not in claims:
            raise BookError(f"{row.section.chapter}: answers {row.id}, which book/claims.yaml does not have")
    asked = [key for key in claims if key.startswith(kind)]
    rows = {key: [row for row in found if row.id == key] for key in asked}
    verdicts = {key: verdict_on(rows[key], kind) for key in asked}
    lines = [f"| answer | how many of {len(asked)} | which |", "| --- | --- | --- |"]
    for answer in ANSWERS[kind]:
        which = [key for key in asked if verdicts[key].answer == answer]
        lines.append(f"| **{answer}** | {len(which)} | {', '.join(which)} |")
    lines += [
        "",
        "| | what was said | answer | why, and the evidence | where |",
        "| --- | --- | --- | --- | --- |",
    ]
    for key in asked:
        said = claims[key]["said"] + (f" ({claims[key]['where']})" if "where" in claims[key] else "")
        lines.append(f"| **{key}** | **{said}** | **{verdicts[key].answer}** | {verdicts[key].why} | |")
        for row in rows[key]:
            tested = row.result if row.condition == "-" else f"{row.condition}: {row.result}"
            shown = " | ".join((row.claim, tested, row.evidence)).replace("](", "](../notebooks/")
            lines.append(f"| | {shown} | {row.section.link} |")
    return "\n".join(lines) + "\n"


def verdict_on(rows: list[Row], kind: str) -> Verdict:
    """The one answer that follows from all rows about a claim (kind "C") or a doubt ("D")."""
    if kind == "C":
        return on_claim([(row.condition, row.word) for row in rows])
    return on_doubt([row.word for row in rows])
