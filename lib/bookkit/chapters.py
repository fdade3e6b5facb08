"""A chapter is one file `notebooks/NN-slug.py` in the py:percent format."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import jupytext
import nbformat

from bookkit.errors import BookError
from bookkit.files import read_text


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
    text = read_text(source)
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # whatever its readers of YAML and JSON raise
        raise BookError(f"{source}: the header or a cell's metadata cannot be read ({error})") from None
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata.pop("jupytext", None)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha256(f"{number}\n{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    return notebook


def declared_data(root: Path, source: Path, notebook: nbformat.NotebookNode) -> list[Path]:
    """The folders below `data/` that the header names as `bookkit: {data: [...]}`; each must exist."""
    names = dig(notebook.metadata, "bookkit", "data") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BookError(f"{source.stem}: the header must name data as a list: `data: [folder, folder]`")
    folders = [root / "data" / name for name in names]
    for name, folder in zip(names, folders, strict=True):
        if not folder.is_dir():
            raise BookError(f"{source.stem}: declares data {name!r}, but there is no folder data/{name}")
    return folders


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell."""
    found = cell.metadata.get("tags", [])
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def dig(thing: object, *names: str) -> object:
    """What lies below these names, one inside the other; None where there is nothing."""
    for name in names:
        thing = thing.get(name) if isinstance(thing, Mapping) else None
    return thing


def alt_text(cell: nbformat.NotebookNode) -> str:
    """The alternative text that the author gave to the picture of a cell, or an empty string."""
    text = dig(cell.metadata, "mystnb", "image", "alt")
    return text.strip() if isinstance(text, str) else ""


def first_line(cell: nbformat.NotebookNode) -> str:
    """The first line of a cell that is not blank, for messages."""
    return next((line.strip() for line in cell.source.splitlines() if line.strip()), "(empty cell)")
