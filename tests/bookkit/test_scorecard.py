"""The scorecard says what the chapters say, with their numbers, and leaves nothing out."""

import re
from pathlib import Path

import nbformat
import pytest

from bookkit.errors import BookError
from bookkit.scorecard import answers, load_claims, noted, scorecard

ROOT = Path(__file__).resolve().parents[2]
TABLE = """| claim | our answer | evidence |
| --- | --- | --- |
| C01: a line (3.1) | holds | {glue:text}`r2:.2f` of [this](01-a.ipynb) |
| C01, without scale | differs, {glue:text}`word` | \\|x\\| is {glue:text}`n:d` |
| D02: a doubt | cannot tell | none |

Not a row: | a | b |"""


def notebook(text=TABLE, **values):
    cell = nbformat.v4.new_code_cell("note()")
    for name, value in values.items():
        data = {"application/papermill.record/text/plain": repr(value)}
        cell.outputs.append(
            nbformat.v4.new_output("display_data", data, metadata={"scrapbook": {"name": name}})
        )
    return nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_markdown_cell(text)])


NUMBERS = {"r2": 0.934, "word": "barely", "n": 3}


def test_rows_are_read_with_their_numbers():
    executed = notebook(**NUMBERS)
    assert noted(executed) == NUMBERS
    first, second, doubt = answers(executed, "01-a")
    assert (first.id, first.claim, first.verdict) == ("C01", "a line (3.1)", "holds")
    assert first.evidence == "0.93 of [this](01-a.ipynb)"
    assert (second.claim, second.verdict) == ("without scale", "differs, barely")
    assert second.evidence == "\\|x\\| is 3"
    assert (doubt.id, doubt.verdict) == ("D02", "cannot tell")


def test_every_claim_has_its_row_answered_or_not():
    claims = {
        "C01": {"id": "C01", "said": "One.", "where": "3.1"},
        "C02": {"id": "C02", "said": "Two.", "where": "4"},
        "D02": {"id": "D02", "said": "Why?"},
    }
    found = answers(notebook(**NUMBERS), "01-a")
    lines = scorecard(claims, found, "C").splitlines()[2:]
    link = "[chapter 01](../notebooks/01-a.ipynb)"
    assert lines == [
        f"| C01 | One. (3.1) | holds | 0.93 of [this](../notebooks/01-a.ipynb) | {link} |",
        f"|  | without scale | differs, barely | \\|x\\| is 3 | {link} |",
        "| C02 | Two. (4) | not answered yet | | |",
    ]
    assert scorecard(claims, found, "D").count("\n") == 3
    with pytest.raises(BookError, match=r"01-a: answers D02, which data/claims\.yaml does not have"):
        scorecard({"C01": claims["C01"]}, found, "C")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("| C01: a | holds |", "the row of C01 has 2 columns"),
        ("| C01: a | perhaps | b |", "says none of cannot tell, differs, holds"),
        ("| C01: a | holds | {glue:text}`missing` |", "'missing' is quoted, but no cell notes it"),
    ],
)
def test_a_row_that_says_nothing_is_refused(text, message):
    with pytest.raises(BookError, match=message):
        answers(notebook(text), "01-a")


def test_the_list_is_complete():
    claims = load_claims(ROOT / "data/claims.yaml")
    assert list(claims) == [f"C{n:02d}" for n in range(1, 37)] + [f"D{n:02d}" for n in range(1, 18)]
    assert all(len(row["said"]) > 20 for row in claims.values())


def test_an_id_that_stands_there_twice_is_refused(tmp_path):
    path = tmp_path / "claims.yaml"
    for ids in (("C01", "C01"), ("C1", "C02")):
        path.write_text("claims:\n" + "".join(f"  - {{id: {i}, said: a}}\n" for i in ids) + "doubts: []\n")
        with pytest.raises(BookError, match="is no id, or stands there twice"):
            load_claims(path)


@pytest.mark.parametrize(
    "source", sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")), ids=lambda p: p.stem
)
def test_every_chapter_has_rows_that_can_be_read(source):
    text = "\n".join(c.source for c in nbformat.read(source, 4).cells if c.cell_type == "markdown")
    plain = re.sub(r"\{glue:text\}`[^`]*`", "1", text)
    found = answers(notebook(plain), source.stem)
    assert found
    known = load_claims(ROOT / "data/claims.yaml")
    assert {answer.id for answer in found} <= known.keys()
