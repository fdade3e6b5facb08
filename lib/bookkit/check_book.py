"""Whether every chapter is where readers look for it, and has what every chapter is to have.

How much is asked for stands in `[tool.bookkit]` of `pyproject.toml`; see :mod:`bookkit.settings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nbformat

from bookkit.chapters import chapters, is_deeper, number_of, read_chapter, tags
from bookkit.claims import CLAIMS, load_claims
from bookkit.course import exercises_in, minutes_to_read, prose
from bookkit.errors import BookError, report
from bookkit.files import read_text
from bookkit.lessons import FOLDER, lesson_findings, lesson_of
from bookkit.scorecard import GLUED, found_in
from bookkit.settings import Settings, settings
from bookkit.stage import toc_files

QUIZ = "## Quiz\n"
QUESTION = re.compile(r"^\*\*\d\. (.+\?)\*\*$", re.MULTILINE)
OPTION = re.compile(r"^<details><summary>([a-z])\. (.+)</summary>(.+)</details>$", re.MULTILINE)
VERDICT = re.compile(r"^(No(?=: )|Right(?=[:.])).*$")


def check_book(root: Path) -> None:
    """Fail with one line for each thing that a chapter lacks."""
    asked, sources = settings(root), chapters(root)
    pages = {name: read_text(root / name).splitlines() for name in asked.named_in}
    contents = toc_files(root)
    known = set(load_claims(root / CLAIMS)) if (root / CLAIMS).exists() else None
    if unknown := sorted(set(asked.closing) - {number_of(source.stem) for source in sources}):
        raise BookError(f"closing of [tool.bookkit] names {', '.join(unknown)}: no such chapter")
    findings = []
    for source in sources:
        notebook = read_chapter(source)
        if is_deeper(source.stem):  # needs no more than its place in the contents
            findings += [f"{source.name}: {one}" for one in _in_contents(source.stem, contents)]
            continue
        if number_of(source.stem) in asked.closing:
            found = [*_places(source.stem, asked, contents, pages), *time_findings(notebook)]
            findings += [f"{source.name}: {one}" for one in found]
            continue
        found = [
            *_places(source.stem, asked, contents, pages),
            *quiz_findings(notebook, asked.questions),
            *exercise_findings(notebook, asked.exercises),
            *_answers(notebook, source.stem, asked.answers, known),
            *_lesson(root, notebook, source.stem, contents),
        ]
        findings += [f"{source.name}: {finding}" for finding in found]
    report(findings, f"what {len(sources)} chapters are to have")


def _lesson(root: Path, notebook: nbformat.NotebookNode, name: str, contents: list[str]) -> Iterator[str]:
    """What is wrong with the lesson sheet of a chapter that has one."""
    if (lesson := lesson_of(root, name)) is None:
        return
    page = f"{FOLDER.as_posix()}/lesson-{number_of(name)}"
    if page not in contents:
        yield f"its lesson sheet is not in _toc.yml; add `- file: {page}`"
    for finding in lesson_findings(lesson, notebook, name):
        yield f"its lesson sheet {finding}"


def _places(name: str, asked: Settings, contents: list[str], pages: dict[str, list[str]]) -> Iterator[str]:
    yield from _in_contents(name, contents)
    for page, form in asked.named_in.items():
        wanted = form.replace("{number}", number_of(name)).replace("{name}", name)
        if not any(wanted in line for line in pages[page]):
            yield f"is not in {page}; add a line with `{wanted.strip()}`"


def _in_contents(name: str, contents: list[str]) -> Iterator[str]:
    if f"notebooks/{name}" not in contents:
        yield f"is not in _toc.yml, so the site leaves it out; add `- file: notebooks/{name}`"


def quiz_findings(notebook: nbformat.NotebookNode, least: int) -> Iterator[str]:
    """What is wrong with the quiz of a chapter: questions, and answers of which one is right."""
    text = prose(notebook)
    if text.count(QUIZ) != 1:
        if least or QUIZ in text:
            yield f"has {text.count(QUIZ)} headings `## Quiz`, there must be one, with {least} questions"
        return
    parts = QUESTION.split(text.split(QUIZ)[1].split("\n## ")[0])[1:]
    if len(parts) // 2 < least:
        yield f"its quiz has {len(parts) // 2} questions (`**1. ...?**`), at least {least} are asked for"
    for question, body in zip(parts[::2], parts[1::2], strict=True):
        options = OPTION.findall(body)
        if [letter for letter, *_ in options] != list("abc"):
            yield f"the question {question!r} must have the answers a, b and c, each folded, on its own line"
        elif sorted(VERDICT.sub(r"\1", answer) for *_, answer in options) != ["No", "No", "Right"]:
            yield f"the question {question!r} must say `Right:` to one answer and `No:` to two"


def time_findings(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Whether a chapter says how long it takes to read."""
    if minutes_to_read(notebook) is None:
        yield "does not say how many minutes it takes to read: `**Time**: 20 minutes to read, ...`"


def exercise_findings(notebook: nbformat.NotebookNode, least: int) -> Iterator[str]:
    """What is wrong with the exercises of a chapter: how hard, how long, two hints, a folded solution."""
    written, found = prose(notebook).count(":::{exercise}"), len(exercises_in(notebook))
    if found < written:
        yield (
            f"of {written} exercises {found} have a label and a line "
            "`*Difficulty 2 of 4, importance 5 of 5, 10 minutes.*`"
        )
    if found < least:
        yield f"has {found} exercises, {least} are asked for"
    if found:
        yield from time_findings(notebook)
    solutions = 0
    for before, cell in pairwise(notebook.cells):
        if "solution" not in tags(cell):
            continue
        solutions += 1
        for part in (":::{exercise}", "Hint 1", "Hint 2"):
            if part not in before.source:
                yield f"the cell before solution {solutions} has no `{part}`"
        if "hide-input" not in tags(cell):
            yield f"solution {solutions} is not folded; tag its cell `hide-input`"
    if solutions < least:
        yield f"has {solutions} cells tagged `solution`, {least} are asked for"


def _answers(
    notebook: nbformat.NotebookNode, name: str, heading: str, known: set[str] | None
) -> Iterator[str]:
    if not heading:
        return
    plain = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(GLUED.sub("1", prose(notebook)))])
    if f"## {heading}\n" not in plain.cells[0].source:
        yield f"has no table of answers: a heading `## {heading}`, rows `| C07: ... | ours | agrees | ... |`"
        return
    try:
        rows = found_in(plain, name)
    except BookError as error:
        yield str(error).removeprefix(f"{name}: ")
        return
    if not rows:
        yield f"the table below `## {heading}` has no row `| C07: ... | ours | agrees | ... |`"
    for row in rows:
        if known is not None and row.id not in known:
            yield f"answers {row.id}, which {CLAIMS} does not have"
