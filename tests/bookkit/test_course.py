"""The teacher's tables say what the chapters say."""

import nbformat
import pytest

from bookkit.course import exercise_table, exercises_in, timings
from bookkit.errors import BookError

TASK = """:::{exercise} A share
:label: ex-01-share

*Difficulty 2 of 4, importance 5 of 5, 10 minutes.* Write `share(x)`.
:::"""


def notebook(*texts):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in texts])


CHAPTER = notebook("# A title\n\nText.\n\n**Time**: 20 minutes to read, one to run.", TASK, TASK)


def test_exercises_are_read():
    task, _ = exercises_in(CHAPTER)
    assert (task.title, task.label) == ("A share", "ex-01-share")
    assert (task.difficulty, task.importance, task.minutes) == (2, 5, 10)


def test_minutes_are_added_up():
    table = timings({"01-a": CHAPTER, "02-b": CHAPTER}, {"01-a": 31.4, "02-b": 60.0})
    assert "| 01 [A title](../../notebooks/01-a.ipynb) | 20 min | 31 s | 2, 20 min |" in table
    assert table.endswith("| all | 40 min | 2 min | 40 min |\n")


def test_each_exercise_has_a_link():
    table = exercise_table({"01-a": CHAPTER})
    assert "| 01.1 {ref}`A share <ex-01-share>` | 2 | 5 | 10 |" in table
    assert "| 01.2 {ref}`A share <ex-01-share>` | 2 | 5 | 10 |" in table


def test_a_chapter_must_say_how_long_it_takes():
    with pytest.raises(BookError, match="01-a: does not say how many minutes"):
        timings({"01-a": notebook("# A title")}, {"01-a": 1.0})
