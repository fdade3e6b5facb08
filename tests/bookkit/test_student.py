"""The student edition has no solution left in it, and everything else."""

import nbformat
import pytest

from bookkit.errors import BookError
from bookkit.student import stub, student, without_solutions

SOLUTION = '''def twice(x):
    """Twice a number."""
    if x == 0:
        return 0
    return 2 * x


def half(x):
    return x / 2


check.twice(twice)'''


def test_bodies_are_taken_out_and_docstrings_stay():
    assert (
        stub(SOLUTION)
        == '''def twice(x):
    """Twice a number."""
    raise NotImplementedError  # your turn


def half(x):
    raise NotImplementedError  # your turn


check.twice(twice)'''
    )
    with pytest.raises(BookError, match="tagged `solution` defines no function:\nx = 1"):
        stub("x = 1")


def test_a_chapter_without_its_solutions():
    cells = [
        nbformat.v4.new_markdown_cell("# A"),
        nbformat.v4.new_code_cell(SOLUTION, metadata={"tags": ["solution", "hide-cell"]}),
        nbformat.v4.new_markdown_cell("Because.", metadata={"tags": ["answer"]}),
        nbformat.v4.new_code_cell("twice(2)"),
    ]
    chapter = nbformat.v4.new_notebook(cells=cells)
    title, task, last = without_solutions(chapter).cells
    assert (title.source, last.source) == ("# A", "twice(2)")
    assert "2 * x" not in task.source
    assert task.metadata["tags"] == ["solution"]
    assert "2 * x" in chapter.cells[1].source  # the chapter itself stays as it is


PICTURE = nbformat.v4.new_output("display_data", {"image/png": "aGk=\n"})
NOTED = nbformat.v4.new_output(
    "display_data",
    {"application/papermill.record/text/plain": "0.126"},
    metadata={"scrapbook": {"name": "r2"}},
)


@pytest.fixture
def book(tmp_path, executed):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/01-a.py").write_text("# %% [markdown]\n# # A\n")
    cells = [
        nbformat.v4.new_markdown_cell("# A\n\nIt is {glue:text}`r2:.2f`.", id="title"),
        nbformat.v4.new_code_cell("seed = 1", id="told", metadata={"tags": ["injected-parameters"]}),
        nbformat.v4.new_code_cell("note(r2=0.126)", id="noted", outputs=[NOTED], execution_count=1),
        nbformat.v4.new_markdown_cell(":::{exercise} Twice\n:label: ex-01\n\nDo it.\n:::", id="task"),
        nbformat.v4.new_code_cell(
            SOLUTION, id="done", outputs=[PICTURE], metadata={"tags": ["solution", "hide-input"]}
        ),
    ]
    executed(tmp_path / "_build/src/notebooks/01-a.ipynb", nbformat.v4.new_notebook(cells=cells))
    return tmp_path


def test_the_edition_is_written_for_every_chapter(book, capsys):
    (written,) = student(book, book / "out")
    assert written == book / "out/01-a.ipynb"
    edition = nbformat.read(written, as_version=4)
    nbformat.validate(edition)
    title, noted, task, stub_of_it, picture = edition.cells
    assert title.source == "# A\n\nIt is 0.13."
    assert (noted.outputs, noted.execution_count) == ([], None)
    assert task.source == "### Exercise 01.1: Twice\n\nDo it."
    assert "raise NotImplementedError" in stub_of_it.source
    assert "jupyter" not in stub_of_it.metadata  # not folded
    assert "2 * x" not in written.read_text()
    assert picture.source.startswith("<details><summary>Your figure should look like this</summary>")
    assert '<img alt="What the solution draws." src="data:image/png;base64,aGk=">' in picture.source
    assert "1 chapters" in capsys.readouterr().out


def test_chapters_that_were_not_executed_are_named(book):
    (book / "notebooks/02-b.py").write_text("# %% [markdown]\n# # B\n")
    with pytest.raises(BookError, match=r"the sentences of 02-b quote numbers .* run `make book`"):
        student(book, book / "out")
    assert not (book / "out").exists()
