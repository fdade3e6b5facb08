"""A chapter is one file `notebooks/NN-slug.py` in the py:percent format."""

import hashlib
from pathlib import Path

import jupytext
import nbformat

from bookkit.errors import BookError


def chapters(root: Path, only: str | None = None) -> list[Path]:
    """The chapters in reading order, or the one whose file name or slug is `only`."""
    found = sorted((root / "notebooks").glob("[0-9][0-9]-*.py"))
    if not found:
        raise BookError(f"no chapter notebooks/NN-slug.py below {root}")
    if only is None:
        return found
    chosen = [path for path in found if only in (path.stem, path.stem[:2], path.stem[3:])]
    if not chosen:
        raise BookError(f"no chapter {only!r}; there are: {', '.join(path.stem for path in found)}")
    return chosen


def read_chapter(source: Path) -> nbformat.NotebookNode:
    """Parse a chapter; cell ids follow from position and source, so the same text gives the same file."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata.pop("jupytext", None)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha256(f"{number}\n{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    return notebook


def declared_data(root: Path, source: Path, notebook: nbformat.NotebookNode) -> list[Path]:
    """The folders below `data/` that the header names as `bookkit: {data: [...]}`; each must exist."""
    names = notebook.metadata.get("bookkit", {}).get("data", [])
    folders = [root / "data" / name for name in names]
    for name, folder in zip(names, folders, strict=True):
        if not folder.is_dir():
            raise BookError(f"{source.stem}: declares data {name!r}, but there is no folder data/{name}")
    return folders


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def alt_text(cell: nbformat.NotebookNode) -> str:
    """The alternative text that the author gave to the picture of a cell, or an empty string."""
    text = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    return text.strip() if isinstance(text, str) else ""


def first_line(cell: nbformat.NotebookNode) -> str:
    """The first line of a cell that is not blank, for messages."""
    return next((line.strip() for line in cell.source.splitlines() if line.strip()), "(empty cell)")
