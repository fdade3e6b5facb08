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
        nbformat.v4.new_code_cell(SOLUTION, metadata={"tags": ["solution", "hide-input"]}),
        nbformat.v4.new_markdown_cell("Because.", metadata={"tags": ["answer"]}),
        nbformat.v4.new_code_cell("twice(2)"),
    ]
    chapter = nbformat.v4.new_notebook(cells=cells)
    title, task, last = without_solutions(chapter).cells
    assert (title.source, last.source) == ("# A", "twice(2)")
    assert "2 * x" not in task.source
    assert task.metadata["tags"] == ["solution"]
    assert "2 * x" in chapter.cells[1].source  # the chapter itself stays as it is


def test_the_edition_is_written_for_every_chapter(tmp_path, capsys):
    (tmp_path / "notebooks").mkdir()
    body = '# %% [markdown]\n# # A\n\n# %% tags=["solution", "hide-input"]\n' + SOLUTION
    (tmp_path / "notebooks/01-a.py").write_text(body)
    (written,) = student(tmp_path, tmp_path / "out")
    assert written == tmp_path / "out/01-a.ipynb"
    assert "raise NotImplementedError" in nbformat.read(written, as_version=4).cells[1].source
    assert "1 chapters" in capsys.readouterr().out
