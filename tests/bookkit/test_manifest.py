"""What is written into a folder may be removed there; whatever else it holds is left alone."""

import subprocess
import sys

import pytest

from bookkit.__main__ import main

FOREIGN = [
    "book/index.md",
    "book/thesis.md",
    "_static/photo.png",
    "notebooks/01-mine.ipynb",
    "notebooks/99-mine.ipynb",
    "failed/01-a.ipynb",
    "letter.txt",
    ".hidden",
    ".letter.txt.123",
]


@pytest.fixture
def small(book, write):
    """A book of one page and one chapter, and where it is to be laid out: outside of it."""
    (book / "_toc.yml").write_text("root: book/index\nchapters: [{file: notebooks/01-a}]\n")
    for name in ("book/index.md", "book/more.md", "book/_static/a.css"):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).write_text("# A page\n")
    write("01-a", "# %%\nprint(1)\n")
    return book


@pytest.fixture
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("elsewhere") / "out"


def command(book, out, name):
    return main(["--root", str(book), name, "--out", str(out)])


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("name", ["run", "stage"])
def test_a_folder_with_foreign_content_is_refused_in_a_line(small, out, name, foreign, capsys):
    if name == "stage":
        assert command(small, out.parent / "first", "run") == 0
        (out.parent / "first").rename(out)
    (out / foreign).parent.mkdir(parents=True, exist_ok=True)
    (out / foreign).write_text("mine")
    capsys.readouterr()
    assert command(small, out, name) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{out}: holds {foreign}, not written by this command" in line
    assert (out / foreign).read_text() == "mine"


@pytest.mark.parametrize("name", ["run", "stage"])
def test_nothing_is_written_or_removed_through_a_link(small, out, name, tmp_path_factory, capsys):
    assert command(small, out, "run") == command(small, out, "stage") == 0
    other = tmp_path_factory.mktemp("other")
    (other / "index.md").write_text("mine")
    (out / "book/index.md").unlink()
    (out / "book/index.md").symlink_to(other / "index.md")
    assert command(small, out, name) == 1
    assert "holds book/index.md, not written" in capsys.readouterr().err
    assert (other / "index.md").read_text() == "mine"


def test_what_is_ours_is_brought_up_to_date(small, out, write):
    write("02-b", "# %%\nprint(2)\n")
    assert command(small, out, "run") == command(small, out, "stage") == 0
    (small / "book/more.md").unlink()
    (small / "notebooks/02-b.py").unlink()
    (out / "book/_ext/__pycache__").mkdir(parents=True)
    (out / "book/_ext/__pycache__/a.pyc").write_text("left by an import")
    (out / "book/.index.md.123").write_text("left by a run that was killed")
    assert command(small, out, "run") == command(small, out, "stage") == 0
    left = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {name for name in left if not name.rpartition("/")[2].startswith((".", "a.pyc"))} == {
        "_config.yml", "_toc.yml", "_static/a.css", "book/index.md",
        "notebooks/01-a.ipynb", "notebooks/01-a.run.json",
    }  # fmt: skip


def test_what_was_ours_once_is_not_ours_for_ever(small, out, capsys):
    assert command(small, out, "run") == command(small, out, "stage") == 0
    (small / "book/more.md").unlink()
    assert command(small, out, "stage") == 0
    (out / "book/more.md").write_text("mine")
    assert command(small, out, "stage") == 1
    assert "holds book/more.md, not written" in capsys.readouterr().err
    assert (out / "book/more.md").read_text() == "mine"


def test_a_failed_chapter_is_kept_in_the_same_folder(small, out, write):
    write("01-a", "# %%\n1 / 0\n")
    out.mkdir()
    (out.parent / "failed").mkdir()
    (out.parent / "failed/01-a.ipynb").write_text("mine")
    assert command(small, out, "run") == 1
    assert (out.parent / "failed/01-a.ipynb").read_text() == "mine"
    assert (out / "failed/01-a.ipynb").exists()
    write("01-a", "# %%\nprint(1)\n")
    assert command(small, out, "run") == 0
    assert not (out / "failed/01-a.ipynb").exists()


def test_two_at_once_do_not_take_each_other_for_strangers(small, out):
    assert command(small, out, "run") == 0
    stage = [sys.executable, "-m", "bookkit", "--root", str(small), "stage", "--out", str(out)]
    for _ in range(3):
        (small / "book/index.md").write_text(f"# A page {_}\n")
        running = [subprocess.Popen(stage, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        assert [(one.wait(), one.stderr.read()) for one in running] == [(0, "")] * 3
