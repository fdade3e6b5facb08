"""The student edition: the chapters without their solutions, by three rules.

In a cell tagged `solution`, every function keeps its name, its arguments and its docstring; its body
becomes ``raise NotImplementedError``. What the solution drew stands below it, folded, as a picture to
compare with. A cell tagged `answer` is left out.

Sentences hold their numbers, and all is plain Markdown, so that it reads well wherever notebooks open.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path

import nbformat

from bookkit.chapters import alt_text, chapters, dig, read_chapter, tags
from bookkit.downloads import FOLDED, readable
from bookkit.errors import BookError
from bookkit.executed import read_executed
from bookkit.files import write_if_different

LOOKS_LIKE = "<details><summary>Your figure should look like this</summary>\n\n{}\n\n</details>"


def student(root: Path, out: Path) -> list[Path]:
    """Write a notebook for every chapter into `out`, and say which.

    Raises
    ------
    BookError
        If a chapter cannot be read, or was not executed: its sentences quote numbers.
    """
    sources, executed = chapters(root), root / "_build" / "src" / "notebooks"
    for source in sources:
        read_chapter(source)
    missing = [source.stem for source in sources if not (executed / f"{source.stem}.ipynb").exists()]
    if missing:
        raise BookError(
            f"the sentences of {', '.join(missing)} quote numbers that nobody has computed; run `make book`"
        )
    beside, written = tuple(source.stem for source in sources), []
    for name in beside:
        edition = readable(read_executed(executed / f"{name}.ipynb"), root, name, beside)
        path = out / f"{name}.ipynb"
        write_if_different(path, nbformat.writes(without_outputs(without_solutions(edition))) + "\n")
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
            copied.metadata["tags"] = [tag for tag in tags(cell) if tag not in FOLDED]
            copied.metadata.pop("jupyter", None)
        cells.append(copied)
        if "solution" in tags(cell) and (pictures := drawn(cell)):
            cells.append(nbformat.v4.new_markdown_cell(LOOKS_LIKE.format("\n".join(pictures))))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def without_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The same notebook, as if it had never run."""
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in tags(cell)]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("execution", None)
    for name in ("papermill", "widgets"):
        notebook.metadata.pop(name, None)
    return notebook


def drawn(cell: nbformat.NotebookNode) -> list[str]:
    """The pictures that a cell has drawn, in HTML."""
    alt = escape(alt_text(cell) or "What the solution draws.", quote=True)
    images = (dig(output.get("data", {}), "image/png") for output in cell.get("outputs", ()))
    return [
        f'<img alt="{alt}" src="data:image/png;base64,{"".join(image.split())}">'
        for image in images
        if isinstance(image, str)
    ]


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
