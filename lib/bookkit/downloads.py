"""An executed chapter as readers get it as a file: with its numbers in its sentences, in plain Markdown.

A page of the book shows what its cells noted; JupyterLab and Colab would show the names.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

from bookkit.chapters import tags
from bookkit.executed import read_notebook
from bookkit.files import write_if_different
from bookkit.plain import Plain, kept_figures
from bookkit.scorecard import fill_in, noted

#: What JupyterLab and VS Code fold where the page does.
FOLDED = {
    "hide-input": ("source_hidden",),
    "hide-output": ("outputs_hidden",),
    "hide-cell": ("source_hidden", "outputs_hidden"),
}


def readable(
    notebook: nbformat.NotebookNode, root: Path, chapter: str, beside: tuple[str, ...] = ()
) -> nbformat.NotebookNode:
    """A copy of an executed chapter that can be read wherever notebooks can.

    Parameters
    ----------
    notebook : NotebookNode
    root : Path
        Of the book.
    chapter : str
        The file's stem.
    beside : tuple of str
        Chapters that lie beside it; links to others lead to the site.

    Raises
    ------
    BookError
        If a sentence quotes a number that no cell has noted, or something has no plain form.
    """
    numbers, copied = noted(notebook), nbformat.from_dict(notebook)
    for cell in copied.cells:
        if cell.cell_type == "markdown":
            cell.source = fill_in(cell.source, numbers, chapter)
        elif folded := {part: True for tag in tags(cell) for part in FOLDED.get(tag, ())}:
            cell.metadata["jupyter"] = folded
    return Plain(root, chapter, kept_figures(notebook), beside).notebook(copied)


def fill_downloads(site: Path, root: Path) -> None:
    """Do so with every notebook that the pages of a site offer to download."""
    for path in (site / "_sources" / "notebooks").glob("*.ipynb"):
        write_if_different(path, written(path, root))


def written(path: Path, root: Path) -> str:
    """The text of a readable copy of the executed notebook at `path`."""
    return nbformat.writes(readable(read_notebook(path), root, path.stem)) + "\n"
