"""Lesson sheets, ``book/instructor/lesson-NN.md``: what a teacher asks, shows, leaves out and will hear.

A sheet has one form, so that it can be checked against its chapter, and so that slides can quote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from mdit_py_plugins.anchors.index import slugify

from bookkit.chapters import number_of
from bookkit.course import prose
from bookkit.errors import BookError
from bookkit.files import read_text
from bookkit.sections import FENCED

FOLDER = Path("book/instructor")
#: Lengths of a lesson in minutes, in the order of the columns of a sheet.
LENGTHS = (90, 45)
PARTS = ("Collect before you show", "Three questions for the room", "Minutes", "What you will hear")
#: Sections that a sheet may leave out.
OPTIONAL = ("Quiz", "Exercises", "References", "Where the stored results come from")
ROW = re.compile(
    r"^\| \[(?P<section>.+?)\]\((?P<page>[^)#]+)#(?P<anchor>[^)]*)\) \| (?P<long>\d+|-) \| (?P<short>\d+|-) "
    r"\| (?P<say>.+) \|$",
    re.MULTILINE,
)
QUESTION = re.compile(r"^\d\. \*(.+?\?)\* (.+)$", re.MULTILINE)
HEARD = re.compile(r"^\| (?!they say|---)(.+?) \| (.+?) \|$", re.MULTILINE)
SECTION = re.compile(r"^## +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """A section of a chapter in the plan of a lesson.

    Attributes
    ----------
    section, page, anchor : str
        Title, and where its link leads.
    minutes : tuple of int
        For each of `LENGTHS`; 0 where it is left out.
    say : str
        What the teacher does.
    """

    section: str
    page: str
    anchor: str
    minutes: tuple[int, ...]
    say: str


@dataclass(frozen=True)
class Lesson:
    """One sheet, its Markdown taken apart.

    Attributes
    ----------
    collect : str
        The prediction that is collected before anything is shown.
    questions, heard : tuple of (str, str)
        Questions with our answers; what students say, with what to say to it.
    plan : tuple of Row
    """

    collect: str
    questions: tuple[tuple[str, str], ...]
    plan: tuple[Row, ...]
    heard: tuple[tuple[str, str], ...]


def lesson_of(root: Path, chapter: str) -> Lesson | None:
    """The sheet of a chapter, if it has one.

    Raises
    ------
    BookError
        If a part of it is missing.
    """
    path = root / FOLDER / f"lesson-{number_of(chapter)}.md"
    return read_lesson(read_text(path), path.name) if path.exists() else None


def read_lesson(text: str, name: str) -> Lesson:
    """Take a sheet apart.

    Raises
    ------
    BookError
        If a part of it is missing.
    """
    parts = dict(zip(SECTION.findall(text), SECTION.split(text)[2::2], strict=True))
    if missing := [part for part in PARTS if part not in parts]:
        raise BookError(f"{name}: has no part `## {missing[0]}`")
    collect, questions, minutes, heard = (parts[part] for part in PARTS)
    plan = tuple(
        Row(
            found["section"],
            found["page"],
            found["anchor"],
            tuple(0 if found[column] == "-" else int(found[column]) for column in ("long", "short")),
            found["say"],
        )
        for found in ROW.finditer(minutes)
    )
    return Lesson(collect.strip(), tuple(QUESTION.findall(questions)), plan, tuple(HEARD.findall(heard)))


def lesson_findings(lesson: Lesson, notebook: nbformat.NotebookNode, chapter: str) -> Iterator[str]:
    """What is wrong with a sheet, beside its chapter."""
    if "*" not in lesson.collect or "?" not in lesson.collect:
        yield "asks for no prediction: a question in *italics* under `## Collect before you show`"
    if len(lesson.questions) != 3:
        yield f"has {len(lesson.questions)} questions `1. *Why?* Because.`, there must be 3"
    if len(lesson.heard) < 3:
        yield f"has {len(lesson.heard)} wrong answers and what to say, at least 3 are asked for"
    for k, length in enumerate(LENGTHS):
        if (total := sum(row.minutes[k] for row in lesson.plan)) != length:
            yield f"its column of {length} minutes adds up to {total}"
    sections = SECTION.findall(FENCED.sub("", prose(notebook)))
    for row in lesson.plan:
        if row.section not in sections:
            yield f"plans a section {row.section!r}, which the chapter does not have"
        elif (row.page, row.anchor) != (f"../../notebooks/{chapter}.ipynb", slugify(row.section)):
            yield f"the link of {row.section!r} leads to {row.page}#{row.anchor}"
    planned = {row.section for row in lesson.plan}
    for section in sections:
        if section not in planned and section not in OPTIONAL:
            yield f"does not say what becomes of the section {section!r}; a dash leaves it out"
