"""Tiny books, made on the spot."""

import json
from pathlib import Path

import nbformat
import pytest

from bookkit.executed import sidecar
from bookkit.files import sha256

HEADER = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A chapter

# %% tags=["parameters"]
profile = "laptop"
size = 1
"""


@pytest.fixture
def book(tmp_path) -> Path:
    """A repository with no chapter yet."""
    for name in ("notebooks", "lib", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "lib" / "tool.py").write_text("ANSWER = 42\n")
    (tmp_path / "_config.yml").write_text("repository: {url: 'https://example.org/book'}\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.0\n")
    return tmp_path


@pytest.fixture
def write(book):
    """Write chapter `name` with these cells after the usual beginning."""

    def write(name: str, *cells: str, header: str = HEADER) -> Path:
        path = book / "notebooks" / f"{name}.py"
        path.write_text("\n".join([header, *cells]).lstrip())
        return path

    return write


def record(path: Path) -> None:
    """Write what a run would have written beside an executed notebook."""
    fields = {"key": "k", "sha256": sha256(path), "profile": "laptop", "parameters": {}, "seconds": 1.5}
    sidecar(path).write_text(json.dumps(fields | {"cells": {}, "python": "3.11.0"}))


@pytest.fixture(scope="session")
def executed():
    """Write a notebook as a run would have left it, with its record; or the record alone."""

    def executed(path: Path, notebook=None) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if notebook is not None:
            nbformat.write(notebook, path)
        record(path)
        return path

    return executed


@pytest.fixture
def site(tmp_path):
    """A site of one good page; `site(body)` writes it and returns the folder."""

    def site(body: str = "", html: str = '<html lang="en">', title: str = "T", **pages: str) -> Path:
        folder = tmp_path / "html"
        folder.mkdir(exist_ok=True)
        text = (
            f"<!doctype html>{html}<head><title>{title}</title></head><body><h1>One</h1>{body}</body></html>"
        )
        (folder / "page.html").write_text(text)
        for name, content in pages.items():
            (folder / f"{name}.html").write_text(content)
        return folder

    return site
