"""A chapter is one file `notebooks/NN-slug.py` in the py:percent format.

A page `NNb-slug.py` goes deeper than chapter NN: it is run and shown like a chapter, and has no quiz, no
exercises and no lesson of its own.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import jupytext
import nbformat

from bookkit.errors import BookError
from bookkit.files import read_text

#: What such a file is called, without its suffix.
NAME = "[0-9][0-9]*-*"


def number_of(chapter: str) -> str:
    """The number in the name of a chapter, `06`, or of a page that goes deeper, `06b`."""
    return chapter.partition("-")[0]


def is_deeper(chapter: str) -> bool:
    """Whether this is the name of a page that goes deeper than a chapter."""
    return number_of(chapter)[-1].isalpha()


def title_of(notebook: nbformat.NotebookNode, chapter: str) -> str:
    """The title of a chapter, without its number."""
    first = notebook.cells[0].source.partition("\n")[0] if notebook.cells else chapter
    return first.removeprefix("# ").removeprefix(f"{number_of(chapter)} ")


def chapters(root: Path, only: str | None = None) -> list[Path]:
    """The chapters and deeper pages in reading order, or the one whose name, number or slug is `only`."""
    found = sorted((root / "notebooks").glob(f"{NAME}.py"))
    if not found:
        raise BookError(f"no chapter notebooks/NN-slug.py below {root}")
    if only is None:
        return found
    chosen = [path for path in found if only in (path.stem, *path.stem.split("-", 1))]
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
