"""Every chapter asks some questions, each with one right answer, and says why the others are not."""

import re
from pathlib import Path

import pytest

from bookkit.chapters import chapters, read_chapter

ROOT = Path(__file__).resolve().parents[2]
QUESTION = re.compile(r"^\*\*\d\. (.+\?)\*\*$", re.MULTILINE)
OPTION = re.compile(r"^<details><summary>([a-z])\. (.+)</summary>(.+)</details>$", re.MULTILINE)


@pytest.mark.parametrize("source", chapters(ROOT), ids=lambda path: path.stem)
def test_a_quiz_can_be_read_and_has_one_answer_to_each_question(source):
    text = "\n".join(cell.source for cell in read_chapter(source).cells if cell.cell_type == "markdown")
    assert text.count("## Quiz\n") == 1, f"{source.stem} has no quiz: a heading '## Quiz' and questions"
    quiz = text.split("## Quiz\n")[1].split("\n## ")[0]
    parts = QUESTION.split(quiz)[1:]
    questions, options = parts[::2], [OPTION.findall(part) for part in parts[1::2]]
    assert len(questions) >= 2
    for question, choices in zip(questions, options, strict=True):
        assert [letter for letter, *_ in choices] == list("abc"), question
        verdicts = [answer.split()[0] for *_, answer in choices]
        assert sorted(verdicts) == ["No:", "No:", "Right:"] or sorted(verdicts) == ["No:", "No:", "Right."], (
            question
        )


def test_the_right_answer_is_not_always_in_the_same_place():
    text = "\n".join(source.read_text() for source in chapters(ROOT))
    places = [letter for letter, _, answer in OPTION.findall(text.replace("\n# ", "\n")) if answer[0] == "R"]
    assert max(places.count(letter) for letter in "abc") < 0.6 * len(places)
