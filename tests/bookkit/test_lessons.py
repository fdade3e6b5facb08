"""A lesson sheet fits its chapter, or a line says where it does not."""

import nbformat
import pytest

from bookkit.errors import BookError
from bookkit.lessons import lesson_findings, read_lesson

SHEET = """# Lesson 01: A title

## Collect before you show

*How many per cent?* Write it down.

## Three questions for the room

1. *Why?* Because.
2. *What?* That.
3. *How?* So.

## Minutes

| section | of 90 | of 45 | what you do |
| --- | --- | --- | --- |
| [In short](../../notebooks/01-a.ipynb#in-short) | 30 | 45 | Collect. |
| [A layer?](../../notebooks/01-a.ipynb#a-layer) | 60 | - | Show `x`. |

## What you will hear

| they say | you say |
| --- | --- |
| All. | None. |
| None. | All. |
| Some. | Which? |
"""
CHAPTER = nbformat.v4.new_notebook(
    cells=[nbformat.v4.new_markdown_cell("# A title\n\n## In short\n\n## A layer?\n\nText.\n\n## Quiz\n")]
)


def findings(sheet, chapter=CHAPTER):
    return list(lesson_findings(read_lesson(sheet, "lesson-01.md"), chapter, "01-a"))


def test_a_sheet_is_taken_apart():
    lesson = read_lesson(SHEET, "lesson-01.md")
    assert lesson.collect == "*How many per cent?* Write it down."
    assert lesson.questions == (("Why?", "Because."), ("What?", "That."), ("How?", "So."))
    assert [(row.section, row.minutes, row.say) for row in lesson.plan] == [
        ("In short", (30, 45), "Collect."),
        ("A layer?", (60, 0), "Show `x`."),
    ]
    assert lesson.heard == (("All.", "None."), ("None.", "All."), ("Some.", "Which?"))
    assert findings(SHEET) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("*How many per cent?* ", "", "asks for no prediction"),
        ("3. *How?* So.\n", "", "has 2 questions"),
        ("| Some. | Which? |\n", "", "has 2 wrong answers"),
        ("| 60 | - |", "| 55 | - |", "its column of 90 minutes adds up to 85"),
        ("| 30 | 45 |", "| 30 | 40 |", "its column of 45 minutes adds up to 40"),
        ("[A layer?]", "[A block?]", "plans a section 'A block?', which the chapter does not have"),
        ("#a-layer", "#layer", "the link of 'A layer?' leads to ../../notebooks/01-a.ipynb#layer"),
        ("01-a.ipynb#a-layer", "02-b.ipynb#a-layer", "leads to ../../notebooks/02-b.ipynb#a-layer"),
    ],
)
def test_what_does_not_fit_is_said(old, new, says):
    assert old in SHEET
    assert any(says in finding for finding in findings(SHEET.replace(old, new)))


def test_every_section_has_its_place():
    longer = nbformat.from_dict(CHAPTER)
    longer.cells[0].source += "\n## A new one\n"
    assert findings(SHEET, longer) == [
        "does not say what becomes of the section 'A new one'; a dash leaves it out"
    ]


def test_a_part_that_is_missing_is_named():
    with pytest.raises(BookError, match=r"lesson-01\.md: has no part `## Minutes`"):
        read_lesson(SHEET.replace("## Minutes", "## Times"), "lesson-01.md")
