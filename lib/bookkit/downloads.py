"""An executed chapter as readers get it as a file: with its numbers in its sentences.

A page of the book shows what its cells noted; JupyterLab and Colab would show the names.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

from bookkit.executed import read_notebook
from bookkit.files import write_if_different
from bookkit.scorecard import fill_in, noted


def with_numbers(path: Path) -> str:
    """The notebook at `path` with what its cells noted in the place of its name.

    Raises
    ------
    BookError
        If a sentence quotes a number that no cell has noted.
    """
    notebook = read_notebook(path)
    numbers = noted(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = fill_in(cell.source, numbers, path.stem)
    return nbformat.writes(notebook) + "\n"


def fill_downloads(site: Path) -> None:
    """Do so with every notebook that the pages of a site offer to download."""
    for path in (site / "_sources" / "notebooks").glob("*.ipynb"):
        write_if_different(path, with_numbers(path))
