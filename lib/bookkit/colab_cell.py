"""The cell that installs what a chapter needs where nothing is installed, as on Colab.

It is the same in every chapter and written by `make pair`; the pages of the book leave it out.
"""

import re
from itertools import pairwise
from pathlib import Path

from bookkit.chapters import chapters, dig
from bookkit.errors import BookError
from bookkit.files import read_text, write_atomically
from bookkit.yaml_files import read_yaml

TAG = "set-up"
HEADER = f'# %% tags=["{TAG}", "remove-cell"]\n'
TEMPLATE = """import importlib.util

if not importlib.util.find_spec("funcsim"):  # not installed, as on Colab
    import os
    import subprocess
    import sys

    book = "{url}"
    subprocess.run(["git", "clone", "--depth=1", book, "book"], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--editable", "book[text,widgets]"], check=True)
    sys.path.insert(0, os.path.abspath("book/lib"))
    os.chdir("book/notebooks")
"""
A_CELL = re.compile(r"^# %%.*$", re.MULTILINE)


def colab_cell(root: Path) -> str:
    """The cell's source, for the repository that `_config.yml` names."""
    url = dig(read_yaml(root / "_config.yml"), "repository", "url")
    if not isinstance(url, str):
        raise BookError(
            f"{root / '_config.yml'}: names no repository; write `repository: {{url: https://...}}`"
        )
    return TEMPLATE.format(url=url)


def write_colab_cells(root: Path) -> None:
    """Put the cell behind the parameters of every chapter, where it is missing or another."""
    cell = colab_cell(root)
    for source in chapters(root):
        text = read_text(source)
        changed = with_cell(text, cell, source.name)
        if changed != text:
            write_atomically(source, changed)
            print(f"{source.relative_to(root)}: set-up cell written")


def with_cell(text: str, cell: str, name: str) -> str:
    """The text of a chapter with this set-up cell and no other.

    Raises
    ------
    BookError
        If no cell is tagged `parameters`.
    """
    parts = [part for part in split_cells(text) if not part.startswith(HEADER)]
    for place, part in enumerate(parts):
        if part.startswith("# %%") and '"parameters"' in part.splitlines()[0]:
            parts.insert(place + 1, f"{HEADER}{cell}\n")
            return "".join(parts)
    raise BookError(f"{name}: no cell is tagged `parameters`, so the set-up cell has no place")


def split_cells(text: str) -> list[str]:
    """What is before the first cell, and each cell with its first line."""
    starts = [0, *(match.start() for match in A_CELL.finditer(text)), len(text)]
    return [text[a:b] for a, b in pairwise(starts)]
