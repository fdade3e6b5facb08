"""The archives of a release."""

import os
import subprocess
import zipfile

import nbformat
import pytest

from bookkit.archive import archive
from bookkit.errors import BookError

NUMBER = {"application/papermill.record/text/plain": "0.126"}
NOTED = nbformat.v4.new_output("display_data", NUMBER, metadata={"scrapbook": {"name": "r2"}})
CHAPTER = nbformat.v4.new_notebook(
    cells=[
        nbformat.v4.new_code_cell("note(r2=r2)", id="one", outputs=[NOTED]),
        nbformat.v4.new_markdown_cell("It explains {glue:text}`r2:.2f`.", id="two"),
    ]
)


@pytest.fixture
def built(tmp_path, executed):
    for name, text in {
        "html/index.html": "<h1>Book</h1>",
        "html/_static/a.css": "a {}",
    }.items():
        path = tmp_path / "_build" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    executed(tmp_path / "_build/src/notebooks/01-a.ipynb", CHAPTER)
    return tmp_path


def test_the_site_and_the_executed_chapters_are_packed(built, tmp_path):
    site, chapters, _ = archive(built, tmp_path / "out")
    with zipfile.ZipFile(site) as packed:
        assert packed.namelist() == ["_static/a.css", "index.html"]
        assert packed.read("index.html") == b"<h1>Book</h1>"
    with zipfile.ZipFile(chapters) as packed:
        assert packed.namelist() == ["01-a.ipynb"]
        chapter = nbformat.reads(packed.read("01-a.ipynb").decode(), as_version=4)
    assert [cell.source for cell in chapter.cells] == ["note(r2=r2)", "It explains 0.13."]


def test_the_benchmark_is_packed_with_all_seeds_that_are_here(built, tmp_path):
    for name in ("known/chains/seed-0/stream.bin", "known/chains/seed-3/inner.bin", "boundaries/table.csv"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(name)
    (tmp_path / "data" / "other.csv").write_text("not of the benchmark")
    *_, benchmark, sums = archive(built, tmp_path / "out")
    with zipfile.ZipFile(benchmark) as packed:
        assert sorted(packed.namelist()) == [
            "data/boundaries/table.csv",
            "data/known/chains/seed-0/stream.bin",
            "data/known/chains/seed-3/inner.bin",
        ]
    assert "known-boundaries.zip" in sums.read_text()


def test_checksums_hold(built, tmp_path):
    out = archive(built, tmp_path / "out")[0].parent
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=out, check=True)


def test_packed_again_it_is_the_same(built, tmp_path):
    first = [path.read_bytes() for path in archive(built, tmp_path / "one")]
    os.utime(built / "_build/html/index.html", (1, 1))
    assert [path.read_bytes() for path in archive(built, tmp_path / "two")] == first


def test_without_a_book_nothing_is_packed(tmp_path):
    with pytest.raises(BookError, match="no built book to pack; run `make book`"):
        archive(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
