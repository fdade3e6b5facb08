"""The rules that every cell of a chapter keeps, so that it can be read, run and checked."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from bookkit.chapters import alt_text, chapters, dig, first_line, read_chapter, tags
from bookkit.colab_cell import TAG as COLAB_CELL
from bookkit.errors import report

LONGEST = 40
WIDEST = 84  # characters: what a page shows without scrolling; the formatter leaves docstrings as they are
LONGEST_MEDIAN = 8
SHORTEST_ALT = 5  # words: less than that is a label, not a sentence


def check_cells(root: Path) -> None:
    """Fail with one line for each rule that a chapter breaks."""
    sources = chapters(root)
    findings = [
        f"{source.name}: {finding}"
        for source in sources
        for finding in chapter_findings(read_chapter(source))
    ]
    report(findings, f"the cells of {len(sources)} chapters")


def chapter_findings(notebook: NotebookNode) -> list[str]:
    """Every broken rule of one chapter."""
    return [*_whole(notebook), *_each(notebook)]


def _whole(notebook: NotebookNode) -> Iterator[str]:
    if dig(notebook.metadata, "kernelspec", "name") != "python3":
        yield "the header names no kernelspec `python3`"
    if not notebook.cells or not notebook.cells[0].source.startswith("# "):
        yield "the first cell is not a Markdown cell that begins with the title (`# ...`)"
    text = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    if "{bibliography}" in text and "{cite:" not in text:
        yield "lists references and cites none"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    marked = sum("parameters" in tags(cell) for cell in code)
    if marked != 1:
        yield f"{marked} cells are tagged `parameters`, there must be exactly one"
    own = [length(cell) for cell in code if COLAB_CELL not in tags(cell)]
    if own and (median := statistics.median(own)) > LONGEST_MEDIAN:
        yield f"the median code cell has {median:g} lines, at most {LONGEST_MEDIAN} are allowed"


def _each(notebook: NotebookNode) -> Iterator[str]:
    before = None
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            where = f"cell {number} (`{first_line(cell)}`)"
            if length(cell) > LONGEST:
                yield f"{where} has {length(cell)} lines, at most {LONGEST} are allowed"
            if wide := next((line for line in cell.source.splitlines() if len(line) > WIDEST), None):
                yield f"{where} has a line of {len(wide)} characters, at most {WIDEST} are allowed: {wide}"
            if not cell.source.strip():
                yield f"cell {number} is empty"
            if cell.get("outputs"):
                yield f"{where} holds outputs"
            figure = "fig" in tags(cell) or dig(cell.metadata, "mystnb", "image") is not None
            if figure and not is_sentence(alt_text(cell)):
                yield (
                    f"{where} draws a figure and needs an alt text that states what it shows, in a sentence: "
                    'mystnb={"image": {"alt": "..."}}'
                )
            if before != "markdown" and not needs_no_text(cell):
                yield f"{where} has no Markdown cell before it that says what it is for"
        before = cell.cell_type


def length(cell: NotebookNode) -> int:
    """Number of lines of a cell."""
    return len(cell.source.splitlines())


def is_sentence(text: str) -> bool:
    """Whether an alt text says something: some words, a beginning, and not the name of a file."""
    starts = text[:1].isupper() or text[:1].isdigit()
    return starts and len(text.split()) >= SHORTEST_ALT and not text.lower().endswith((".png", ".svg"))


def needs_no_text(cell: NotebookNode) -> bool:
    """Whether a cell needs no sentence: the parameters, imports, and what no page shows."""
    if {"parameters", "remove-cell"} & set(tags(cell)):
        return True
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError:
        return False  # a magic command or broken code: neither is an import
    return bool(statements) and isinstance(statements[0], ast.Import | ast.ImportFrom)
