"""What a teacher asks of the chapters: how long each takes, and what its exercises train."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import nbformat

from bookkit.chapters import number_of, title_of
from bookkit.errors import BookError

EXERCISE = re.compile(
    r"^:::\{exercise\} (?P<title>.+)\n:label: (?P<label>\S+)\n\n"
    r"\*Difficulty (?P<difficulty>[1-4]) of 4, importance (?P<importance>\d) of 5, "
    r"(?P<minutes>\d+) minutes\.\*",
    re.MULTILINE,
)
READING = re.compile(r"^\*\*Time\*\*: (\d+) minutes to read", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """One exercise, as its chapter describes it; `minutes` to solve it."""

    title: str
    label: str
    difficulty: int
    importance: int
    minutes: int


def exercises_in(notebook: nbformat.NotebookNode) -> list[Exercise]:
    """The exercises of a chapter, in order."""
    return [
        Exercise(
            found["title"], found["label"], *map(int, found.group("difficulty", "importance", "minutes"))
        )
        for found in EXERCISE.finditer(prose(notebook))
    ]


def minutes_to_read(notebook: nbformat.NotebookNode) -> int | None:
    """As the chapter says, if it does."""
    found = READING.search(prose(notebook))
    return int(found[1]) if found else None


def timings(notebooks: Mapping[str, nbformat.NotebookNode], seconds: Mapping[str, float]) -> str:
    """A table in Markdown: minutes to read, seconds to run as measured, exercises and their minutes.

    Raises
    ------
    BookError
        If a chapter does not say how long it takes to read.
    """
    lines = ["| chapter | to read | to run | exercises |", "| --- | --- | --- | --- |"]
    total = [0, 0.0, 0]
    for name, notebook in notebooks.items():
        reading, tasks = minutes_to_read(notebook), exercises_in(notebook)
        if reading is None:
            raise BookError(f"{name}: does not say how many minutes it takes to read")
        minutes = sum(task.minutes for task in tasks)
        row = (reading, seconds[name], minutes)
        total = [a + b for a, b in zip(total, row, strict=True)]
        lines.append(
            f"| {_link(name, notebook)} | {row[0]} min | {row[1]:.0f} s | {len(tasks)}, {minutes} min |"
        )
    lines.append(f"| all | {total[0]} min | {total[1] / 60:.0f} min | {total[2]} min |")
    return "\n".join(lines) + "\n"


def exercise_table(notebooks: Mapping[str, nbformat.NotebookNode]) -> str:
    """A table in Markdown of all exercises, each with a link."""
    lines = ["| exercise | difficulty | importance | minutes |", "| --- | --- | --- | --- |"]
    for name, notebook in notebooks.items():
        lines += [
            f"| {number_of(name)}.{k} {{ref}}`{task.title} <{task.label}>` | {task.difficulty} | "
            f"{task.importance} | {task.minutes} |"
            for k, task in enumerate(exercises_in(notebook), 1)
        ]
    return "\n".join(lines) + "\n"


def _link(name: str, notebook: nbformat.NotebookNode) -> str:
    return f"{number_of(name)} [{title_of(notebook, name)}](../../notebooks/{name}.ipynb)"


def prose(notebook: nbformat.NotebookNode) -> str:
    """All Markdown of a chapter."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
