"""The scorecard says what the chapters say, with their numbers, and leaves nothing out."""

import csv
import json
import math
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import nbformat
import pytest

from bookkit.answers import answers
from bookkit.claims import load_claims, load_figures
from bookkit.errors import BookError
from bookkit.paper_map import paper_map
from bookkit.placeholders import asks, fill
from bookkit.scorecard import found_in, noted
from bookkit.scorecard_files import write_scorecard
from bookkit.scorecard_page import SHAPES, count, folds, picture
from bookkit.verdicts import ANSWERS

ROOT = Path(__file__).resolve().parents[2]
TABLE = """| claim | condition | result | evidence |
| --- | --- | --- | --- |
| C01: a line (3.1) | paper | agrees | {glue:text}`r2:.2f` of [this](01-a.ipynb) |
| C01, without scale | ours | disagrees, {glue:text}`word` | \\|x\\| is {glue:text}`n:d` |
| D02: a doubt | - | open: why | none |

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


def test_a_picture_that_a_cell_keeps_is_no_number():
    executed = notebook(r2=0.5)
    kept = {f"application/papermill.record/{kind}": "<Figure>" for kind in ("image/png", "text/plain")}
    output = nbformat.v4.new_output("display_data", kept, metadata={"scrapbook": {"name": "it"}})
    executed.cells[1].outputs.append(output)
    assert noted(executed) == {"r2": 0.5}


def test_rows_are_read_with_their_numbers():
    executed = notebook(**NUMBERS, none=float("nan"))
    assert {key: noted(executed)[key] for key in NUMBERS} == NUMBERS
    assert math.isnan(noted(executed)["none"])
    first, second, doubt = found_in(executed, "01-a")
    assert (first.id, first.claim, first.condition, first.result) == (
        "C01",
        "a line (3.1)",
        "paper",
        "agrees",
    )
    assert first.evidence == "0.93 of [this](01-a.ipynb)"
    assert (second.claim, second.result, second.word) == ("without scale", "disagrees, barely", "disagrees")
    assert second.evidence == "\\|x\\| is 3"
    assert (doubt.id, doubt.result, doubt.word) == ("D02", "open: why", "open")
    places = [row.section.title for row in (first, second, doubt)]
    assert places == ["Where it is computed", "Where it is computed", "What we found"]


CLAIMS = {
    "C01": {"id": "C01", "said": "One.", "where": "3.1"},
    "C02": {"id": "C02", "said": "Two <b>.", "where": "4"},
    "D02": {"id": "D02", "said": "Why?"},
}
LINK = "[chapter 01, Where it is computed](../notebooks/01-a.ipynb#where-it-is-computed)"


def answered(claims=CLAIMS):
    return answers(claims, found_in(notebook(**NUMBERS), "01-a"))


def test_every_claim_has_one_answer_and_its_rows_under_a_fold():
    found = answered()
    assert folds(found, "C").splitlines() == [
        "::::{dropdown} **C01** *cannot tell*: One. (3.1)",
        ":name: c01",
        ":class-container: answer answer-cannot-tell",
        "",
        "**Cannot tell**: under conditions of our own a row disagrees.",
        "",
        "| what was tested | result | evidence | where |",
        "| --- | --- | --- | --- |",
        f"| a line (3.1) | paper: agrees | 0.93 of [this](../notebooks/01-a.ipynb) | {LINK} |",
        f"| without scale | ours: disagrees, barely | \\|x\\| is 3 | {LINK} |",
        "::::",
        "",
        "::::{dropdown} **C02** *cannot tell*: Two <b>. (4)",
        ":name: c02",
        ":class-container: answer answer-cannot-tell",
        "",
        "**Cannot tell**: no chapter tests it.",
        "::::",
    ]
    doubts = folds(found, "D")
    assert doubts.startswith("::::{dropdown} **D02** *open*: Why?\n:name: d02\n")
    assert "| a doubt | open: why | none | [chapter 01, What we found]" in doubts
    assert count(found, "C") == "2 claims: holds 0, differs 0, cannot tell 2"
    assert count(found, "D") == "1 doubts: justified 0, answered 0, open 1"
    with pytest.raises(BookError, match=r"01-a: answers D02, which book/claims\.yaml does not have"):
        answered({"C01": CLAIMS["C01"]})


def test_a_link_of_a_chapter_leads_there_from_the_scorecard_in_every_column():
    rows = found_in(
        notebook("| C01: [a](01-a.ipynb) | paper | agrees, [b](02-b.ipynb) | [c](03-c.ipynb) |"), "01-a"
    )
    page = folds(answers({"C01": CLAIMS["C01"]}, rows), "C")
    for target in (
        "[a](../notebooks/01-a.ipynb)",
        "[b](../notebooks/02-b.ipynb)",
        "[c](../notebooks/03-c.ipynb)",
    ):
        assert target in page


def test_the_answer_follows_from_the_rows_of_all_chapters():
    agrees, disagrees = ("| C01: a | paper | agrees | b |", "| C01: a | paper | disagrees | b |")
    for rows, answer in (((agrees,), "holds"), ((agrees, disagrees), "differs")):
        found = [row for k, text in enumerate(rows) for row in found_in(notebook(text), f"0{k}b-a")]
        (one,) = answers({"C01": CLAIMS["C01"]}, found)
        assert (one.verdict.answer, one.chapter) == (answer, "00")


def test_the_picture_has_a_mark_for_each_that_leads_to_its_fold():
    page = picture(answered())
    inside = page[page.index("<svg") : page.index("</svg>") + 6]
    root = ElementTree.fromstring(inside)
    links = {link.get("href"): link for link in root.iter("a")}
    assert set(links) == {"#c01", "#c02", "#d02"}
    assert links["#c01"].find("title").text == "C01: cannot tell"
    assert {link.get("class") for link in links.values()} == {"square"}
    assert root.get("aria-label").startswith("2 claims: holds 0, differs 0, cannot tell 2; 1 doubts")
    chapters = [text.text for text in root.iter("text") if text.get("class") == "chapter"]
    assert chapters == ["01", "none"]
    ys = {key: float(link.find("rect").get("y")) for key, link in links.items()}
    assert ys["#c01"] < ys["#d02"]


@pytest.mark.parametrize("kind", ["C", "D"])
def test_every_answer_has_a_shape(kind):
    assert set(ANSWERS[kind]) <= set(SHAPES)
    assert len({SHAPES[word] for word in ANSWERS[kind]}) == 3


def test_the_files_follow_their_schema_and_hold_every_row(tmp_path):
    found = answered()
    write_scorecard(tmp_path, found)
    schema = json.loads((tmp_path / "scorecard.schema.json").read_text())
    content = json.loads((tmp_path / "scorecard.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    assert [len(answer["rows"]) for answer in content["answers"]] == [2, 0, 1]
    assert content["answers"][0]["rows"][0]["evidence"] == "0.93 of [this](01-a.ipynb)"
    rows = list(csv.DictReader((tmp_path / "scorecard.csv").open()))
    assert [(row["id"], row["answer"], row["chapters"]) for row in rows] == [
        ("C01", "cannot tell", "01-a"),
        ("C02", "cannot tell", ""),
        ("D02", "open", "01-a"),
    ]
    content["answers"][0]["answer"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("| C01: a | holds | b |", "the row of C01 has 3 columns, not four"),
        (
            "| C01: a | ours | holds | b |",
            "C01 has 'holds' where one of agrees, disagrees, undecided belongs",
        ),
        ("| C01: a | ours | not agrees | b |", "C01 has 'not' where one of agrees"),
        ("| C01: a | theirs | agrees | b |", "C01 has 'theirs' where one of paper, ours belongs"),
        ("| D01: a | ours | open | b |", "D01 has 'ours' where one of - belongs"),
        ("| D01: a | - | agrees | b |", "D01 has 'agrees' where one of justified, answered, open belongs"),
        ("| C01: a | ours | agrees | {glue:text}`missing` |", "'missing' is quoted, but no cell notes it"),
    ],
)
def test_a_row_that_says_nothing_is_refused(text, message):
    with pytest.raises(BookError, match=message):
        found_in(notebook(text), "01-a")


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
    page = "# A page\n\n<!-- scorecard picture -->\n\n<!-- scorecard counts -->\n\n<!-- scorecard C -->\n"
    page += "\nAnd\n\n<!-- paper-map -->\n"
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
    executed(tmp_path / "out/01-a.ipynb", notebook("| C01 | paper | agrees | {glue:text}`n:d` |", n=3))
    executed(
        tmp_path / "out/02-b.ipynb", notebook("| C07 | ours | agrees | a chapter that is no longer there |")
    )
    filled = fill(page, tmp_path, tmp_path / "out")
    assert "::::{dropdown} **C01** *holds*: One.\n" in filled
    assert "|  | paper: agrees | 3 | [chapter 01, Where it is computed]" in filled
    assert "- 1 claims: holds 1, differs 0, cannot tell 0\n" in filled
    assert 'href="#c01"' in filled
    assert "| Figure 5 | A map. | not yet |" in filled
    assert "<!--" not in filled


@pytest.fixture
def summary(tmp_path, executed):
    """A book whose chapter 15 notes a number and has a cell that shows HTML."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/15-a.py").write_text("")
    (tmp_path / "out").mkdir()
    made = notebook("Text.", share=0.934)
    cell = nbformat.v4.new_code_cell("maps", metadata={"tags": ["shown-maps"]})
    page = "<div>\n\n*not* Markdown ``` {glue:text}</div>\n"
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": page, "text/plain": "<HTML>"})]
    made.cells.append(cell)
    executed(tmp_path / "out/15-a.ipynb", made)
    return tmp_path


def test_a_page_quotes_and_shows_what_a_chapter_has(summary):
    assert not asks("Numbers appear as `{glue:text}` in a chapter, as {glue:text}`share:.2f` does.")
    page = "# A page\n\nOne of {glue:text}`15/share:.2f`.\n\n<!-- shown 15 maps -->\n\nEnd.\n"
    assert asks(page)
    shown = "``````{raw} html\n<div>\n\n*not* Markdown ``` {glue:text}</div>\n``````"
    assert fill(page, summary, summary / "out") == f"# A page\n\nOne of 0.93.\n\n{shown}\n\nEnd.\n"


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("{glue:text}`15/other:.2f`", "quotes chapter 15: 'other' is quoted, but no cell notes it"),
        ("{glue:text}`14/share:.2f`", "something of chapter 14, which was not run"),
        ("<!-- shown 14 maps -->", "something of chapter 14, which was not run"),
        ("<!-- shown 15 map -->", "shows 'map' of chapter 15: 0 cells tagged `shown-map` give HTML"),
    ],
)
def test_a_page_that_asks_for_what_is_not_there_is_refused(summary, page, message):
    with pytest.raises(BookError, match=message):
        fill(page, summary, summary / "out")
