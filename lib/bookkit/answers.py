"""Every claim and every doubt with its one answer, and the rows of the chapters that it follows from.

What was said stands in `book/claims.yaml`; the rule is in :mod:`bookkit.verdicts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bookkit.chapters import chapters, number_of
from bookkit.claims import CLAIMS, load_claims
from bookkit.errors import BookError
from bookkit.executed import read_executed
from bookkit.scorecard import Row, found_in
from bookkit.verdicts import Verdict, on_claim, on_doubt

KINDS = {"C": "claim", "D": "doubt"}


@dataclass(frozen=True)
class Answer:
    """What this book answers.

    Attributes
    ----------
    id : str
        C01, ... of claims, D01, ... of doubts.
    said, where : str
        The claim or doubt in our words, as Markdown, and its place in the paper; maybe empty.
    verdict : Verdict
    rows : tuple of Row
        What it follows from, in the order of the chapters.
    """

    id: str
    said: str
    where: str
    verdict: Verdict
    rows: tuple[Row, ...]

    @property
    def kind(self) -> str:
        """C or D."""
        return self.id[0]

    @property
    def chapter(self) -> str:
        """The number of the first chapter that has a row, without the letter of a deeper page; else none."""
        return number_of(self.rows[0].section.chapter)[:2] if self.rows else ""


def answers(claims: Mapping[str, Mapping[str, str]], found: Iterable[Row]) -> list[Answer]:
    """One for each claim and doubt, in their order.

    Raises
    ------
    BookError
        If a chapter has a row on what nobody asked.
    """
    rows: dict[str, list[Row]] = {key: [] for key in claims}
    for row in found:
        if row.id not in claims:
            raise BookError(f"{row.section.chapter}: answers {row.id}, which book/claims.yaml does not have")
        rows[row.id].append(row)
    return [
        Answer(key, said["said"], said.get("where", ""), _verdict(key, rows[key]), tuple(rows[key]))
        for key, said in claims.items()
    ]


def answers_of(root: Path, executed: Path) -> list[Answer]:
    """The same for a book, from its executed chapters in a folder.

    Raises
    ------
    BookError
        If the list of claims is damaged, a chapter is not what its record says, or has a wrong row.
    """
    names = [source.stem for source in chapters(root)]
    there = [name for name in names if (executed / f"{name}.ipynb").exists()]
    rows = [row for name in there for row in found_in(read_executed(executed / f"{name}.ipynb"), name)]
    return answers(load_claims(root / CLAIMS), rows)


def _verdict(key: str, rows: list[Row]) -> Verdict:
    if key.startswith("C"):
        return on_claim([(row.condition, row.word) for row in rows])
    return on_doubt([row.word for row in rows])
