"""Fill the pages that are made of the chapters: their tables, their figures, and numbers in their sentences.

A page asks for a table by a line of its own, such as ``<!-- scorecard C -->``, and for what a cell of a
chapter shows by ``<!-- shown 15 four-maps -->``; that cell is tagged `shown-four-maps`. A number that a
chapter notes is quoted as in the chapter itself, with the chapter's number before its name:
``{glue:text}`15/share:.0f` ``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import nbformat

from bookkit.answers import KINDS, Answer, answers_of
from bookkit.chapters import chapters, dig, number_of, tags
from bookkit.claims import CLAIMS, load_figures
from bookkit.course import exercise_table, timings
from bookkit.errors import BookError
from bookkit.executed import read_executed, read_record
from bookkit.paper_map import paper_map
from bookkit.scorecard import fill_in, noted
from bookkit.scorecard_page import count, folds, picture

TABLE = re.compile(
    r"^<!-- (scorecard (?:[CD]|picture|counts)|paper-map|course (?:timings|exercises)) -->$", re.MULTILINE
)
SHOWN = re.compile(r"^<!-- shown (\w+) ([\w-]+) -->$", re.MULTILINE)
QUOTED = re.compile(r"\{glue:text\}`(\w+)/([^`]+)`")


def asks(text: str) -> bool:
    """Whether a page has such a line, or quotes a number of a chapter."""
    return any(pattern.search(text) for pattern in (TABLE, SHOWN, QUOTED))


def fill(text: str, root: Path, executed: Path) -> str:
    """The page with its tables, figures and numbers, from the chapters in the folder `executed`.

    Raises
    ------
    BookError
        If a table cannot be made: see :mod:`bookkit.answers` and :mod:`bookkit.paper_map`. If there is no
        such chapter, or it has no such cell or number.
    """
    if TABLE.search(text) and not (root / CLAIMS).exists():
        raise BookError(f"a page asks for the answers to {CLAIMS}, which is not there")
    found = {source.stem: executed / f"{source.stem}.ipynb" for source in chapters(root)}
    notebooks = {name: read_executed(path) for name, path in found.items() if path.exists()}
    by_number = {number_of(name): notebook for name, notebook in notebooks.items()}
    text = SHOWN.sub(lambda match: _shown(_chapter(by_number, match[1]), match[1], match[2]), text)
    text = QUOTED.sub(lambda match: _number(_chapter(by_number, match[1]), match[1], match[2]), text)
    return _tables(text, root, executed, notebooks) if TABLE.search(text) else text


def _tables(text: str, root: Path, executed: Path, notebooks: Mapping[str, nbformat.NotebookNode]) -> str:
    def seconds() -> dict[str, float]:
        return {name: read_record(executed / f"{name}.ipynb")["seconds"] for name in notebooks}

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
    return TABLE.sub(lambda match: tables[match[1]](), text)


def _chapter(notebooks: Mapping[str, nbformat.NotebookNode], number: str) -> nbformat.NotebookNode:
    if number not in notebooks:
        raise BookError(f"a page asks for something of chapter {number}, which was not run")
    return notebooks[number]


def _shown(notebook: nbformat.NotebookNode, number: str, name: str) -> str:
    """The HTML that a cell shows, fenced, so that nothing in it is read as Markdown."""
    cells = [cell for cell in notebook.cells if f"shown-{name}" in tags(cell)]
    pages = [dig(output, "data", "text/html") for cell in cells for output in cell.get("outputs", [])]
    found = [page for page in pages if isinstance(page, str)]
    if len(found) != 1:
        raise BookError(
            f"a page shows {name!r} of chapter {number}: {len(found)} cells tagged `shown-{name}` give HTML, "
            "there must be one"
        )
    return f"``````{{raw}} html\n{found[0].strip()}\n``````"


def _number(notebook: nbformat.NotebookNode, number: str, quoted: str) -> str:
    return fill_in(f"{{glue:text}}`{quoted}`", noted(notebook), f"a page that quotes chapter {number}")
