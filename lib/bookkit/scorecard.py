"""The scorecard: every claim and every doubt, with the answers that the executed chapters give.

Nothing is typed here. What is claimed stands in `book/claims.yaml`; an answer is a row of the table
"What we found" of a chapter, `| C07: ... | holds | evidence |`, with its numbers filled in from the
cells that computed them.
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

GLUED = re.compile(r"\{glue:text\}`([^`:]+)(?::([^`]*))?`")
#: The words that an answer is made of, in the order in which they are looked for.
VERDICTS = ("cannot tell", "differs", "holds")
MARK = "application/papermill.record/"


@dataclass(frozen=True)
class Answer:
    """One row of a chapter's table.

    Attributes
    ----------
    id : str
        Of the claim or doubt.
    claim, verdict, evidence : str
        The three columns, as Markdown, with numbers in place.
    section : Section
        Where the first number of the evidence was computed; without a number, the table itself.
    """

    id: str
    claim: str
    verdict: str
    evidence: str
    section: Section


def answers(notebook: nbformat.NotebookNode, chapter: str) -> list[Answer]:
    """The rows about claims and doubts in an executed notebook.

    Raises
    ------
    BookError
        If a row has not three columns, gives no verdict, or quotes a number that no cell has noted.
    """
    numbers, found = noted(notebook), []
    places = sections_of(notebook, chapter)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for line in text.splitlines():
        columns = [column.strip() for column in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not columns or not CLAIM_ID.match(columns[0]):
            continue
        if len(columns) != 3:
            raise BookError(f"{chapter}: the row of {columns[0][:3]} has {len(columns)} columns, not three")
        filled = [fill_in(column, numbers, chapter) for column in columns]
        if not any(word in filled[1] for word in VERDICTS):
            raise BookError(f"{chapter}: the row of {columns[0][:3]} says none of {', '.join(VERDICTS)}")
        claim = re.sub(r"^[:,]\s*", "", filled[0][3:])
        quoted = [*GLUED.findall(columns[2]), *GLUED.findall(columns[1])]
        section = places[quoted[0][0]] if quoted else Section(chapter, "What we found")
        found.append(Answer(filled[0][:3], claim, filled[1], filled[2], section))
    return found


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
        if isinstance(name, str) and isinstance(written, str):
            yield name, written


def fill_in(text: str, numbers: Mapping[str, float | str], chapter: str) -> str:
    """A text with what was noted in the place of its name."""

    def value(match: re.Match[str]) -> str:
        name, form = match.groups()
        if name not in numbers:
            raise BookError(f"{chapter}: {name!r} is quoted, but no cell notes it")
        return format(numbers[name], form or "")

    return GLUED.sub(value, text)


def scorecard(claims: Mapping[str, Mapping[str, str]], found: list[Answer], kind: str) -> str:
    """A table in Markdown: all claims (kind "C") or doubts ("D"), one row for each answer.

    Raises
    ------
    BookError
        If a chapter answers what nobody asked.
    """
    for answer in found:
        if answer.id not in claims:
            raise BookError(
                f"{answer.section.chapter}: answers {answer.id}, which book/claims.yaml does not have"
            )
    lines = ["| | what was said | our answer | evidence | where |", "| --- | --- | --- | --- | --- |"]
    for key, row in claims.items():
        if not key.startswith(kind):
            continue
        whole = row["said"] + (f" ({row['where']})" if "where" in row else "")
        given = [answer for answer in found if answer.id == key]
        for k, answer in enumerate(given):  # the further answers say which part they are about
            name, claim = (key, whole) if k == 0 else ("", answer.claim)
            evidence = answer.evidence.replace("](", "](../notebooks/")
            lines.append(f"| {name} | {claim} | {answer.verdict} | {evidence} | {answer.section.link} |")
        if not given:
            lines.append(f"| {key} | {whole} | not answered yet | | |")
    return "\n".join(lines) + "\n"
