"""The cell that installs the book where there is none."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bookkit.colab_cell import HEADER, colab_cell, with_cell
from bookkit.errors import BookError
from bookkit.pairing import pair, pair_check

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """The commands that the cell gives, in a folder of its own; none is run."""
    given = []

    def run(command, check):
        assert check
        given.append(command)
        if command[0] == "git":
            (tmp_path / command[-1] / "notebooks").mkdir(parents=True)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return given


def test_nothing_happens_where_the_library_is_installed(asked, tmp_path):
    exec(colab_cell(ROOT), {})
    assert asked == []
    assert os.getcwd() == str(tmp_path)


def test_elsewhere_the_book_is_fetched_and_installed(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(colab_cell(ROOT), {})
    clone, install = asked
    assert clone[:2] == ["git", "clone"]
    assert clone[-2].startswith("https://github.com/")
    assert install[:4] == [sys.executable, "-m", "pip", "install"]
    assert install[-1] == "book[text,widgets]"
    assert sys.path[0] == str(tmp_path / "book/lib")
    assert os.getcwd() == str(tmp_path / "book/notebooks")


def test_pair_writes_it_once_and_behind_the_parameters(book, write):
    source = write("01-a", "# %% [markdown]\n# Text.\n")
    pair(book)
    text = source.read_text()
    assert text.count(HEADER) == 1
    assert text.index('tags=["parameters"]') < text.index(HEADER) < text.index("# Text.")
    assert '"https://example.org/book"' in text
    pair(book)
    assert source.read_text() == text


def test_another_cell_is_found_and_replaced(book, write):
    source = write("01-a")
    pair(book)
    text = source.read_text()
    source.write_text(text.replace("--depth=1", "--depth=2"))
    with pytest.raises(BookError, match=r"01-a.py: its set-up cell is missing or another; run `make pair`"):
        pair_check(book)
    pair(book)
    assert source.read_text() == text


def test_without_parameters_it_has_no_place():
    with pytest.raises(BookError, match=r"x.py: no cell is tagged `parameters`"):
        with_cell("# %%\n1\n", "2\n", "x.py")
