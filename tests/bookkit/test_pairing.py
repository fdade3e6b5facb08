"""The .ipynb beside each chapter."""

import nbformat
import pytest

from bookkit.errors import BookError
from bookkit.pairing import pair, pair_check


@pytest.fixture
def paired(book, write):
    source = write("01-a", '# %% tags=["fig"] mystnb={"image": {"alt": "A line"}}\nx = 1\n')
    pair(book)
    return source.with_suffix(".ipynb")


def change(path, how) -> None:
    notebook = nbformat.read(path, as_version=4)
    how(notebook)
    nbformat.write(notebook, path)


def test_pair_passes_its_check_and_is_deterministic(book, paired, capsys):
    pair_check(book)
    first = paired.read_bytes()
    paired.unlink()
    pair(book)
    assert paired.read_bytes() == first
    capsys.readouterr()
    pair(book)
    assert "01-a.ipynb: unchanged" in capsys.readouterr().out


def test_pair_keeps_metadata(paired):
    notebook = nbformat.read(paired, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.cells[-1].metadata == {"tags": ["fig"], "mystnb": {"image": {"alt": "A line"}}}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            lambda nb: nb.cells[-1].update(source="x = 2"),
            r"01-a.ipynb: cell 4 \(`x = 1`\) is not that of the .py",
        ),
        (lambda nb: nb.cells[-1].metadata.update(tags=[]), "01-a.ipynb: cell 4"),
        (lambda nb: nb.cells.pop(), "01-a.ipynb: has 3 cells, 01-a.py 4"),
        (lambda nb: nb.metadata.kernelspec.update(name="julia"), "its kernelspec differs"),
        (
            lambda nb: nb.cells[-1].outputs.append(nbformat.v4.new_output("stream", text="1")),
            "01-a.ipynb: cell 4 holds outputs",
        ),
        (lambda nb: nb.cells[-1].update(execution_count=4), "01-a.ipynb: cell 4 holds outputs"),
    ],
    ids=["source", "metadata", "count", "kernel", "outputs", "execution-count"],
)
def test_difference_is_found(book, paired, how, message):
    change(paired, how)
    with pytest.raises(BookError, match=message):
        pair_check(book)


def test_missing_partner(book, paired):
    paired.unlink()
    with pytest.raises(BookError, match=r"01-a.py: has no 01-a.ipynb; run `make pair`"):
        pair_check(book)


def test_orphan_is_found_and_removed(book, write, paired):
    write("02-b")
    paired.with_suffix(".py").unlink()
    pair(book)
    assert not paired.exists()
    paired.write_text("{}")
    with pytest.raises(BookError, match=r"01-a.ipynb: has no .py beside it"):
        pair_check(book)
