"""The paper map: every figure and table of the paper, and the cells that redo it.

A cell says so itself, by a tag such as ``paper-F05`` (Figure 5), ``paper-T02`` (Table 2) or
``paper-R18`` (Figure 18 of the revision that its reviews discuss).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import nbformat

from bookkit.chapters import tags
from bookkit.claims import FIGURE_ID
from bookkit.errors import BookError
from bookkit.sections import Section, cells_with_sections

TAG = re.compile(rf"paper-({FIGURE_ID.pattern})")


def redone(notebook: nbformat.NotebookNode, chapter: str) -> dict[str, list[Section]]:
    """The sections of a chapter whose cells are tagged, by figure, each once."""
    found: dict[str, list[Section]] = {}
    for cell, section in cells_with_sections(notebook, chapter):
        for match in filter(None, map(TAG.fullmatch, tags(cell))):
            where = found.setdefault(match[1], [])
            if section not in where:
                where.append(section)
    return found


def paper_map(
    figures: Mapping[str, Mapping[str, str]], notebooks: Mapping[str, nbformat.NotebookNode]
) -> str:
    """A table in Markdown, one row for each figure and table.

    Raises
    ------
    BookError
        If a chapter redoes a figure that nobody has listed.
    """
    where: dict[str, list[Section]] = {}
    for chapter, notebook in notebooks.items():
        for key, sections in redone(notebook, chapter).items():
            if key not in figures:
                raise BookError(f"{chapter}: redoes {key}, which book/claims.yaml does not have")
            where.setdefault(key, []).extend(sections)
    lines = ["| in the paper | what it shows | here |", "| --- | --- | --- |"]
    for key, row in figures.items():
        here = "; ".join(section.link for section in where.get(key, [])) or row.get("instead", "not yet")
        lines.append(f"| {row['name']} | {row['said']} | {here} |")
    return "\n".join(lines) + "\n"
