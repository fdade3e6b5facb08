"""The student edition: the chapters without their solutions, by two rules.

In a cell tagged `solution`, every function keeps its name, its arguments and its docstring; its body
becomes ``raise NotImplementedError``. A cell tagged `answer` is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import nbformat

from bookkit.chapters import chapters, read_chapter, tags
from bookkit.errors import BookError
from bookkit.files import write_if_different

FOLDED = "hide-input"


def student(root: Path, out: Path) -> list[Path]:
    """Write a notebook for every chapter into `out`, and say which."""
    written = []
    for source in chapters(root):
        path = out / f"{source.stem}.ipynb"
        write_if_different(path, nbformat.writes(without_solutions(read_chapter(source))) + "\n")
        written.append(path)
    print(f"student edition: {len(written)} chapters in {out}")
    return written


def without_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of a chapter with stubs in the place of solutions, unfolded, and without answers.

    Raises
    ------
    BookError
        If a cell tagged `solution` defines no function.
    """
    cells = []
    for cell in notebook.cells:
        if "answer" in tags(cell):
            continue
        copied = nbformat.from_dict(cell)
        if "solution" in tags(cell):
            copied.source = stub(cell.source)
            copied.metadata["tags"] = [tag for tag in tags(cell) if tag != FOLDED]
        cells.append(copied)
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def stub(source: str) -> str:
    """A solution with the bodies of its functions taken out."""
    lines = source.splitlines()
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    if not functions:
        raise BookError(f"a cell tagged `solution` defines no function:\n{source}")
    for node in reversed(functions):
        first = 1 if ast.get_docstring(node) is not None else 0
        start = node.body[0].end_lineno if first else node.body[0].lineno - 1
        lines[start : node.end_lineno] = ["    raise NotImplementedError  # your turn"]
    return "\n".join(lines)


def exercises(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str]]:
    """The name of the first function of every solution, and the cell's source."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and "solution" in tags(cell):
            found = [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
            yield found[0].name, cell.source
