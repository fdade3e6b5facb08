"""In which section of an executed chapter a cell stands, and how a page of `book/` links to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import nbformat
from mdit_py_plugins.anchors.index import slugify

from bookkit.chapters import number_of

HEADING = re.compile(r"^##? +(.+?) *$", re.MULTILINE)
FENCED = re.compile(r"^(```|:::).*?^\1", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Section:
    """A heading of a chapter, of the first or second level.

    Attributes
    ----------
    chapter : str
        The file's stem.
    title : str
    """

    chapter: str
    title: str

    @property
    def link(self) -> str:
        """A Markdown link, for a page in `book/`."""
        anchor = slugify(self.title)
        return (
            f"[chapter {number_of(self.chapter)}, {self.title}](../notebooks/{self.chapter}.ipynb#{anchor})"
        )


def cells_with_sections(
    notebook: nbformat.NotebookNode, chapter: str
) -> Iterator[tuple[nbformat.NotebookNode, Section]]:
    """Every code cell, and the last heading above it."""
    title = chapter
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = HEADING.findall(FENCED.sub("", cell.source))
            title = found[-1] if found else title
        elif cell.cell_type == "code":
            yield cell, Section(chapter, title)
