"""The scorecard says what the chapters say, with their numbers, and leaves nothing out."""

import math
from pathlib import Path

import nbformat
import pytest

from bookkit.claims import load_claims, load_figures
from bookkit.errors import BookError
from bookkit.paper_map import paper_map
from bookkit.placeholders import asks, fill
from bookkit.scorecard import answers, noted, scorecard

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
    above = nbformat.v4.new_markdown_cell(
        "# A title\n\n```\n# no heading\n```\n\n## Where it is computed\n\nHere:"
    )
    return nbformat.v4.new_notebook(cells=[above, cell, nbformat.v4.new_markdown_cell(text)])


NUMBERS = {"r2": 0.934, "word": "barely", "n": 3}


def test_rows_are_read_with_their_numbers():
    executed = notebook(**NUMBERS, none=float("nan"))
    assert {key: noted(executed)[key] for key in NUMBERS} == NUMBERS
    assert math.isnan(noted(executed)["none"])
    first, second, doubt = answers(executed, "01-a")
    assert (first.id, first.claim, first.verdict) == ("C01", "a line (3.1)", "holds")
    assert first.evidence == "0.93 of [this](01-a.ipynb)"
    assert (second.claim, second.verdict) == ("without scale", "differs, barely")
    assert second.evidence == "\\|x\\| is 3"
    assert (doubt.id, doubt.verdict) == ("D02", "cannot tell")
    places = [answer.section.title for answer in (first, second, doubt)]
    assert places == ["Where it is computed", "Where it is computed", "What we found"]


def test_every_claim_has_its_row_answered_or_not():
    claims = {
        "C01": {"id": "C01", "said": "One.", "where": "3.1"},
        "C02": {"id": "C02", "said": "Two.", "where": "4"},
        "D02": {"id": "D02", "said": "Why?"},
    }
    found = answers(notebook(**NUMBERS), "01-a")
    lines = scorecard(claims, found, "C").splitlines()[2:]
    link = "[chapter 01, Where it is computed](../notebooks/01-a.ipynb#where-it-is-computed)"
    assert lines == [
        f"| C01 | One. (3.1) | holds | 0.93 of [this](../notebooks/01-a.ipynb) | {link} |",
        f"|  | without scale | differs, barely | \\|x\\| is 3 | {link} |",
        "| C02 | Two. (4) | not answered yet | | |",
    ]
    assert scorecard(claims, found, "D").count("\n") == 3
    with pytest.raises(BookError, match=r"01-a: answers D02, which book/claims\.yaml does not have"):
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
    claims = load_claims(ROOT / "book/claims.yaml")
    assert list(claims) == [f"C{n:02d}" for n in range(1, 37)] + [f"D{n:02d}" for n in range(1, 18)]
    assert all(len(row["said"]) > 20 for row in claims.values())


def test_an_id_that_stands_there_twice_is_refused(tmp_path):
    path = tmp_path / "claims.yaml"
    for ids in (("C01", "C01"), ("C1", "C02")):
        path.write_text("claims:\n" + "".join(f"  - {{id: {i}, said: a}}\n" for i in ids) + "doubts: []\n")
        with pytest.raises(BookError, match="is no id, or stands there twice"):
            load_claims(path)


def tagged(*names):
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": list(names)})
    texts = "# A title", "## First $c_1$", "No heading."
    return nbformat.v4.new_notebook(cells=[*(nbformat.v4.new_markdown_cell(text) for text in texts), cell])


def test_the_paper_map_leads_to_the_tagged_cells():
    figures = {
        "F01": {"id": "F01", "name": "Figure 1", "said": "An idea.", "instead": "a sketch"},
        "T02": {"id": "T02", "name": "Table 2", "said": "Numbers."},
        "R18": {"id": "R18", "name": "Figure 18", "said": "Maps."},
    }
    lines = paper_map(figures, {"05-a": tagged("fig", "paper-T02"), "06-b": tagged("paper-T02")}).splitlines()
    links = [f"[chapter {n[:2]}, First $c_1$](../notebooks/{n}.ipynb#first-c_1)" for n in ("05-a", "06-b")]
    assert lines[2:] == [
        "| Figure 1 | An idea. | a sketch |",
        f"| Table 2 | Numbers. | {links[0]}; {links[1]} |",
        "| Figure 18 | Maps. | not yet |",
    ]
    with pytest.raises(BookError, match=r"05-a: redoes F03, which book/claims\.yaml does not have"):
        paper_map(figures, {"05-a": tagged("paper-F03")})


def test_every_figure_and_table_of_the_paper_is_listed():
    figures = load_figures(ROOT / "book/claims.yaml")
    wanted = [f"F{n:02d}" for n in range(1, 14)] + [f"T{n:02d}" for n in range(1, 5)]
    assert list(figures) == [*wanted, "R09", *(f"R{n}" for n in range(15, 21)), "S07"]


def test_a_list_with_an_id_twice_is_refused(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text("figures: [{id: F01, name: a, said: b}, {id: F01, name: a, said: b}]")
    with pytest.raises(BookError, match="'F01' is no id of a figure, or stands there twice"):
        load_figures(path)


def test_a_page_asks_for_its_tables(tmp_path, executed):
    assert not asks("Text with <!-- scorecard C --> inside a line")
    page = "# A page\n\n<!-- scorecard C -->\n\nAnd\n\n<!-- paper-map -->\n"
    assert asks(page)
    with pytest.raises(BookError, match=r"book/claims\.yaml, which is not there"):
        fill(page, tmp_path, tmp_path / "out")
    (tmp_path / "book").mkdir()
    (tmp_path / "book/claims.yaml").write_text(
        "claims: [{id: C01, said: One.}]\ndoubts: []\nfigures: [{id: F05, name: Figure 5, said: A map.}]"
    )
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/01-a.py").write_text("")
    (tmp_path / "out").mkdir()
    executed(tmp_path / "out/01-a.ipynb", notebook("| C01 | holds | {glue:text}`n:d` |", n=3))
    executed(tmp_path / "out/02-b.ipynb", notebook("| C07 | holds | a chapter that is no longer there |"))
    filled = fill(page, tmp_path, tmp_path / "out")
    assert "| C01 | One. | holds | 3 | [chapter 01, Where it is computed]" in filled
    assert "| Figure 5 | A map. | not yet |" in filled
    assert "<!--" not in filled
