"""Fill the pages that are made of the chapters: the scorecard, the paper map, and the teacher's tables.

A page asks for a table by a line of its own, such as ``<!-- scorecard C -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bookkit.answers import KINDS, Answer, answers_of
from bookkit.chapters import chapters
from bookkit.claims import CLAIMS, load_figures
from bookkit.course import exercise_table, timings
from bookkit.errors import BookError
from bookkit.executed import read_executed, read_record
from bookkit.paper_map import paper_map
from bookkit.scorecard_page import count, folds, picture

MARK = re.compile(
    r"^<!-- (scorecard (?:[CD]|picture|counts)|paper-map|course (?:timings|exercises)) -->$", re.MULTILINE
)


def asks(text: str) -> bool:
    """Whether a page has such a line."""
    return MARK.search(text) is not None


def fill(text: str, root: Path, executed: Path) -> str:
    """The page with its tables, from the chapters in the folder `executed`.

    Raises
    ------
    BookError
        If a table cannot be made: see :mod:`bookkit.answers` and :mod:`bookkit.paper_map`.
    """
    if not (root / CLAIMS).exists():
        raise BookError(f"a page asks for the answers to {CLAIMS}, which is not there")
    found = {source.stem: executed / f"{source.stem}.ipynb" for source in chapters(root)}
    notebooks = {name: read_executed(path) for name, path in found.items() if path.exists()}

    def seconds() -> dict[str, float]:
        return {name: read_record(found[name])["seconds"] for name in notebooks}

    @cache
    def answers() -> list[Answer]:
        return answers_of(root, executed)

    tables: dict[str, Callable[[], str]] = {
        "scorecard C": lambda: folds(answers(), "C"),
        "scorecard D": lambda: folds(answers(), "D"),
        "scorecard picture": lambda: picture(answers()),
        "scorecard counts": lambda: "\n".join(f"- {count(answers(), kind)}" for kind in KINDS),
        "paper-map": lambda: paper_map(load_figures(root / CLAIMS), notebooks),
        "course timings": lambda: timings(notebooks, seconds()),
        "course exercises": lambda: exercise_table(notebooks),
    }
    return MARK.sub(lambda match: tables[match[1]](), text)
