"""The .ipynb beside each chapter."""

import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from bookkit.__main__ import main
from bookkit.chapters import chapters
from bookkit.errors import BookError
from bookkit.pairing import pair, pair_check, take_over

ROOT = Path(__file__).resolve().parents[2]


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


def git(folder, *command):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *command], cwd=folder, check=True, capture_output=True)


class TestWhichIsNewer:
    """The two files differ: what git and the dates say of it, and both ways to put it right."""

    @pytest.fixture(autouse=True)
    def committed(self, book, paired):
        git(book, "init")
        self.commit(book)
        os.utime(paired.with_suffix(".py"), (1, 1))
        os.utime(paired, (2, 2))

    def commit(self, book, at="2026-01-01T00:00:00"):
        os.environ["GIT_COMMITTER_DATE"] = at
        git(book, "add", "notebooks")
        git(book, "commit", "-m", "a")
        del os.environ["GIT_COMMITTER_DATE"]

    def finding(self, book):
        with pytest.raises(BookError) as error:
            pair_check(book)
        (line, _) = str(error.value).splitlines()
        assert "To keep the .py: `make pair`" in line
        assert "To keep the .ipynb: `python -m bookkit pair --from-ipynb 01`" in line
        return line

    def test_the_ipynb_was_edited(self, book, paired):
        change(paired, lambda nb: nb.cells[-1].update(source="x = 2"))
        line = self.finding(book)
        assert "Git: 01-a.ipynb was edited since the last commit, 01-a.py was not." in line
        assert "By the dates of the files, 01-a.ipynb is the newer." in line

    def test_the_py_was_edited(self, book, paired):
        source = paired.with_suffix(".py")
        source.write_text(source.read_text().replace("x = 1", "x = 2"))
        line = self.finding(book)
        assert "Git: 01-a.py was edited since the last commit, 01-a.ipynb was not." in line
        assert "By the dates of the files, 01-a.py is the newer." in line

    def test_both_were_edited(self, book, paired):
        source = paired.with_suffix(".py")
        source.write_text(source.read_text().replace("x = 1", "x = 2"))
        change(paired, lambda nb: nb.cells[-1].update(source="x = 3"))
        os.utime(source, (3, 3))
        os.utime(paired, (3, 3))
        line = self.finding(book)
        assert "Git: both were edited" in line
        assert "The dates of the files are equal." in line

    def test_one_was_committed_last(self, book, paired):
        change(paired, lambda nb: nb.cells[-1].update(source="x = 2"))
        self.commit(book, "2026-01-02T00:00:00")
        assert "Git: 01-a.ipynb was committed last." in self.finding(book)

    def test_both_were_committed_together(self, book, paired):
        source = paired.with_suffix(".py")
        source.write_text(source.read_text().replace("x = 1", "x = 2"))
        change(paired, lambda nb: nb.cells[-1].update(source="x = 3"))
        self.commit(book, "2026-01-02T00:00:00")
        assert "Git: both were committed together." in self.finding(book)

    def test_without_git_the_dates_remain(self, book, paired):
        shutil.rmtree(book / ".git")
        change(paired, lambda nb: nb.cells[-1].update(source="x = 2"))
        line = self.finding(book)
        assert "Git" not in line
        assert "By the dates of the files, 01-a.ipynb is the newer." in line


def test_an_edited_ipynb_is_taken_over(book, paired):
    source = paired.with_suffix(".py")
    header = source.read_text().partition("# %%")[0]

    def edit(nb):
        nb.cells[-1].update(source="x = 2\nx", outputs=[nbformat.v4.new_output("stream", text="2")])
        nb.cells.append(nbformat.v4.new_markdown_cell("What was seen: *é*."))
        nb.cells.append(nbformat.v4.new_code_cell("def f():\n    pass", metadata={"tags": ["b"], "other": 1}))

    change(paired, edit)
    assert main(["--root", str(book), "pair", "--from-ipynb", "01"]) == 0
    text = source.read_text()
    assert text.startswith(header)
    assert '# %% tags=["fig"] mystnb={"image": {"alt": "A line"}}\nx = 2\nx\n' in text
    assert "# %% [markdown]\n# What was seen: *é*.\n" in text
    assert '# %% tags=["b"]\ndef f():' in text
    pair_check(book)


@pytest.mark.parametrize("source", chapters(ROOT), ids=lambda path: path.stem)
def test_taking_over_an_ipynb_that_was_not_edited_changes_nothing(book, source):
    copies = [Path(shutil.copy(path, book / "notebooks")) for path in (source, source.with_suffix(".ipynb"))]
    take_over(book, source.stem)
    assert [copy.read_bytes() for copy in copies] == [
        path.read_bytes() for path in (source, source.with_suffix(".ipynb"))
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# é\n".encode("latin-1"), "not UTF-8 (line 15); save it in that encoding"),
        (None, "not plain UTF-8, it begins with a byte-order mark (BOM)"),
    ],
)
@pytest.mark.parametrize("command", ["pair", "pair-check", "check-cells", "check-book", "run", "student"])
def test_a_chapter_in_another_encoding_is_named(book, write, content, message, command, capsys):
    (book / "_toc.yml").write_text("root: book/index\nchapters: [{file: notebooks/01-a}]\n")
    source = write("01-a")
    text = source.read_bytes()
    source.write_bytes(text + content if content else b"\xef\xbb\xbf" + text)
    assert main(["--root", str(book), command]) == 1
    message_shown = capsys.readouterr().err
    assert f"{source}: {message}" in message_shown
    assert "Traceback" not in message_shown
