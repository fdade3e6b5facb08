"""Every right answer passes its check; every stub and plausible wrong answer fails it, in a sentence."""

import ast
import importlib.util
from pathlib import Path

import pytest

from bookkit.chapters import chapters, read_chapter
from bookkit.student import exercises, stub
from exercises import NotYetError
from exercises.asking import array, arrays, between, call, number, numbers, outcome

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = {
    (source.stem[:2], name): cell
    for source in chapters(ROOT)
    for name, cell in exercises(read_chapter(source))
}


def wrong_answers(chapter):
    path = ROOT / f"tests/exercises/wrong_answers/chapter_{chapter}.py"
    spec = importlib.util.spec_from_file_location(f"wrong_{chapter}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WRONG = {
    (chapter, name, k): answer
    for chapter in sorted({chapter for chapter, _ in SOLUTIONS})
    for name, answers in wrong_answers(chapter).WRONG.items()
    for k, answer in enumerate(answers)
}
RIGHT = {
    (chapter, name, k): answer
    for chapter in sorted({chapter for chapter, _ in SOLUTIONS})
    for name, answers in getattr(wrong_answers(chapter), "RIGHT", {}).items()
    for k, answer in enumerate(answers)
}


def with_imports(chapter, cell):
    """What a reader has when the cell is run: the chapter's imports, and the names of the cell."""
    (source,) = (path for path in chapters(ROOT) if path.stem.startswith(f"{chapter}-"))
    code = "\n".join(other.source for other in read_chapter(source).cells if other.cell_type == "code")
    imported = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {}
    exec(ast.unparse(imported), names)
    exec(cell, names)
    return names


@pytest.mark.parametrize(("chapter", "name"), SOLUTIONS)
def test_the_solution_passes(chapter, name, capsys):
    with_imports(chapter, SOLUTIONS[chapter, name])
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("chapter", "name"), SOLUTIONS)
def test_the_stub_fails(chapter, name):
    with pytest.raises(NotYetError, match=f"`{name}` is still empty: write its body"):
        with_imports(chapter, stub(SOLUTIONS[chapter, name]))


@pytest.mark.parametrize(("chapter", "name", "k"), WRONG)
def test_a_wrong_answer_fails(chapter, name, k):
    answer, says = WRONG[chapter, name, k]
    check = vars(importlib.import_module(f"exercises.chapter_{chapter}"))[name]
    answers = answer if isinstance(answer, tuple) else (answer,)
    with pytest.raises(NotYetError, match=says) as refused:
        check(*answers)
    own = any(getattr(one, "__name__", "") == "<lambda>" for one in answers)
    assert own or "<lambda>" not in str(refused.value), "a name that the reader never gave"


@pytest.mark.parametrize(("chapter", "name", "k"), RIGHT)
def test_another_right_answer_passes(chapter, name, k, capsys):
    vars(importlib.import_module(f"exercises.chapter_{chapter}"))[name](RIGHT[chapter, name, k])
    assert capsys.readouterr().out.startswith("Right. ")


def test_every_exercise_has_a_wrong_answer():
    assert {(chapter, name) for chapter, name, _ in WRONG} == set(SOLUTIONS)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda x: None, "returns nothing"),
        (lambda x: 1 / 0, "stopped with ZeroDivisionError: division by zero"),
        (lambda x: "many", "should return one number, and returns str"),
        (lambda x: float("nan"), "returns nan, which is no finite number"),
    ],
)
def test_what_is_no_number_is_said_in_a_sentence(answer, says):
    with pytest.raises(NotYetError, match=says):
        number(answer, 1)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda x: x[:2], r"of shape \(3,\), and returns \(2,\)"),
        (lambda x: ["a", "b", "c"], "should return an array, and returns list"),
        (lambda x: [1.0, float("inf"), 2.0], "not finite"),
    ],
)
def test_what_is_no_array_is_said_in_a_sentence(answer, says):
    with pytest.raises(NotYetError, match=says):
        array(answer, (3,), [1.0, 2.0, 3.0])


def test_what_is_wrong_under_a_key_is_named_by_it():
    def spread(x):
        raise AssertionError

    assert numbers({"0": 1}, spread) == {"0": 1.0}
    with pytest.raises(NotYetError, match=r"^'1' of `spread` should be one number, and is list\.$"):
        numbers({"0": 1, "1": [2, 3]}, spread)
    with pytest.raises(
        NotYetError, match=r"^'1' of `spread` should be an array of shape \(2,\), and is \(3,\)"
    ):
        arrays({"0": [1, 2], "1": [1, 2, 3]}, (2,), spread)


def test_a_check_keeps_its_own_data_and_its_error_is_one_line():
    data = [1.0]
    assert call(lambda x: x.append(2.0) or x, data) == [1.0, 2.0]
    assert data == [1.0]
    assert NotYetError("Try again.")._render_traceback_() == ["Not yet. Try again."]


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (50, "First predict the share as two numbers"),
        (("a", "b"), "First predict the share as two numbers"),
        ((60, 50), "from 0 to 100, the smaller one first"),
        ((-1, 5), "from 0 to 100, the smaller one first"),
        ((90, 101), "from 0 to 100, the smaller one first"),
        ((10, 30.5), "too wide to be wrong. Your ends may be 20 apart"),
    ],
)
def test_a_prediction_can_be_wrong(said, says):
    with pytest.raises(NotYetError, match=says):
        between(said, "the share", widest=20)


def test_what_was_predicted_stands_beside_what_was_found():
    said = between((10, 30), "the share", widest=20)
    shown = [outcome("Share", said, found) for found in (9.94, 10, 30, 30.1)]
    assert [one.rsplit(" ", 1)[1] for one in shown] == ["below.", "inside.", "inside.", "above."]
    assert shown[0] == "Share: you predicted 10 to 30 % and found 9.9 %, below."
