"""Slides say what the chapters say, and carry their pictures with them."""

import base64

import nbformat
import pytest
from bs4 import BeautifulSoup

from bookkit.errors import BookError
from bookkit.lessons import read_lesson
from bookkit.slide_parts import plain
from bookkit.slides import of_chapter, slides

WIDE, TALL = (
    base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + w.to_bytes(4, "big") + h.to_bytes(4, "big")).decode()
    for w, h in ((4, 3), (3, 4))
)
PIXEL = f"{WIDE}\n"


def chapter():
    new = nbformat.v4
    number = new.new_output(
        "display_data",
        {"application/papermill.record/text/plain": "0.934"},
        metadata={"scrapbook": {"name": "r2"}},
    )
    figure = new.new_output("display_data", {"image/png": PIXEL})
    alt = {"mystnb": {"image": {"alt": 'A "curve" that falls.'}}}
    return new.new_notebook(
        cells=[
            new.new_markdown_cell("# Title & all\n\nWhy is that? Because. And more."),
            new.new_code_cell("note()", outputs=[number]),
            new.new_markdown_cell("## Section\n\nText."),
            new.new_code_cell("plot()", outputs=[figure], metadata=alt),
            new.new_markdown_cell(
                "The next cell draws it once more, so that one can see it better. The curve explains "
                "{glue:text}`r2:.2f` of [this](x.md), $a_b < b_a$, by {prf:ref}`thm-x` "
                "{cite:p}`k`. Three.\n\n## Another section\n\n"
                "A sentence of {glue:text}`r2:.2f` about something else altogether."
            ),
            new.new_code_cell("plot()", outputs=[figure], metadata=alt),
            new.new_markdown_cell(
                "## What we found\n\n| C01: a claim | ours | agrees | 1 |\n| D01: a doubt | - | open | 2 |"
            ),
        ]
    )


@pytest.fixture
def sections():
    return BeautifulSoup("".join(of_chapter(chapter(), "01-a")), "html.parser").find_all("section")


def test_title_figures_and_answers_in_order(sections):
    title, first, second, found = sections
    assert title.h1.text == "01 Title & all"
    assert title.p.text == "Why is that? Because."
    assert first.h2.text == "Section"
    assert first.img["alt"] == 'A "curve" that falls.'
    assert first.img["src"] == f"data:image/png;base64,{WIDE}"
    said = ['A "curve" that falls.', "The curve explains 0.93 of this, $a_b < b_a$, by a theorem."]
    assert [p.text for p in first.find_all("p")] == said
    assert second.h2.text == "Another section"
    assert second.p.text == 'A "curve" that falls.'  # nothing is said after it but a heading
    shown = [cell.text for cell in found.find_all("td")]
    assert shown == ["C01: a claim", "ours", "agrees", "D01: a doubt", "-", "open"]


def test_a_caption_is_said_and_a_kept_picture_is_shown():
    new, lesson = nbformat.v4, chapter()
    lesson.cells[3].metadata["mystnb"]["figure"] = {
        "caption": "A {term}`curve <line>` of {glue:text}`r2:.1f`."
    }
    lesson.cells[5].metadata["mystnb"]["figure"] = {"caption": "{numref}`fig-x` again."}
    data = {f"application/papermill.record/{kind}": PIXEL for kind in ("image/png", "text/plain")}
    kept = new.new_output("display_data", data, metadata={"scrapbook": {"name": "in_short"}})
    lesson.cells[1].outputs.append(kept)
    shown = ":::{glue:figure} in_short\n:name: fig-x\n:alt: It falls.\n\nA long\ncaption.\n:::"
    lesson.cells[2].source = f"## In short\n\nShort.\n\n{shown}"
    page = BeautifulSoup("".join(of_chapter(lesson, "01-a")), "html.parser")
    assert [p.text for p in page.find_all("p")][1:] == [
        "A long caption.",
        "A curve of 0.9.",
        "The curve explains 0.93 of this, $a_b < b_a$, by a theorem.",
        "The figure again.",
    ]
    assert page.find_all("section")[1].img["alt"] == "It falls."


def test_one_page_with_nothing_remote(book, write, executed):
    write("01-a")
    executed(book / "_build/src/notebooks/01-a.ipynb", chapter())
    page = slides(book, book / "out").read_text()
    assert page.count("<section") == 4
    assert "http:" not in page
    assert "https:" not in page


def test_without_executed_chapters(book, write):
    write("01-a")
    with pytest.raises(BookError, match="no executed chapter to take slides from; run `make book`"):
        slides(book, book / "out")


def cells(*sources):
    """A chapter with these cells after its title; a string is Markdown."""
    new = nbformat.v4
    made = [new.new_markdown_cell(one) if isinstance(one, str) else one for one in ("# T\n\nWhy?", *sources)]
    return new.new_notebook(cells=made)


def shown(notebook, lesson=None):
    page = BeautifulSoup("".join(of_chapter(notebook, "01-a", lesson)), "html.parser")
    return page.find_all("section")[1:]


def code(tags=(), caption=None, **data):
    kinds = {"png": "image/png", "html": "text/html", "view": "application/vnd.jupyter.widget-view+json"}
    output = nbformat.v4.new_output("display_data", {kinds[kind]: value for kind, value in data.items()})
    metadata = {"tags": list(tags), "mystnb": {"image": {"alt": "It falls."}}}
    if caption:
        metadata["mystnb"]["figure"] = {"caption": caption, "name": "x"}
    return nbformat.v4.new_code_cell("x", outputs=[output], metadata=metadata)


def test_definitions_and_short_tables_stand_under_their_own_heading():
    text = (
        "## First\n\nText.\n\n:::{prf:definition} Distance\n:label: d\n\nLet $x_1$ be *a* {term}`point`.\n\n"
        "$$\nx_{ik} \\, T_{kl}\n$$\n:::\n\n## Second\n\n:::{table} Two rows.\n:name: t\n\n"
        "| a | b |\n| --- | --- |\n| $c_1$ | 2 |\n:::\n\n## Third\n"
    )
    defined, table = shown(cells(text))
    assert defined.h2.text == "First: Distance"
    assert "Let $x_1$ be a point." in defined.text
    assert "$$x_{ik} \\, T_{kl}$$" in defined.text  # formulas stay as they are
    assert table.h2.text == "Second"
    assert [cell.text for cell in table.find_all(["th", "td"])] == ["a", "b", "$c_1$", "2"]
    assert table.p.text == "Two rows."


def test_tables_that_are_long_or_folded_are_not_shown():
    rows = "<table>" + "<tr><td>1</td></tr>" * 10 + "</table>"
    short = "<style>x</style><table><tr><th>n</th></tr><tr><td>1</td></tr></table>"
    one = shown(
        cells(
            "## S",
            code(caption="Short.", html=short),
            code(caption="Long.", html=rows + "<table><tr></tr></table>"),
            code(caption="Wide.", html=f"<table><tr>{'<th>n</th>' * 13}</tr></table>"),
            code(("hide-output",), "Folded.", html=short),
            code(html=short),  # without a caption
            code(("solution",), "Solved.", html=short),
        )
    )
    assert [slide.p.text for slide in one] == ["Short."]
    assert one[0].find("style") is None


def test_a_film_shows_one_frame_and_a_moving_figure_has_a_frame_of_its_own():
    film = code(view={"model_id": "box"})
    live = code(html='<figure class="m"></figure><script>let a = "<b>";</script>')
    notebook = cells("## S", film, live)
    frames = [f'<img alt="{k}" src="data:image/png;base64,{WIDE}">' for k in range(3)]
    models = {
        "box": {"state": {"children": ["IPY_MODEL_bar", "IPY_MODEL_stack"]}},
        "bar": {"state": {"value": 0}},
        "stack": {"state": {"children": [f"IPY_MODEL_{k}" for k in range(3)]}},
        **{str(k): {"state": {"value": frame}} for k, frame in enumerate(frames)},
    }
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": models}}
    first, second = shown(notebook)
    assert [image["alt"] for image in first.find_all("img")] == ["0", "1", "2"]
    assert [box.has_attr("hidden") for box in first.select(".frames > div")] == [False, True, True]
    assert first.input["max"] == "2"
    assert second.iframe["title"] == "It falls."
    assert '<script>let a = "<b>";</script>' in second.iframe["srcdoc"]


def test_text_stands_beside_a_tall_picture():
    assert [slide["data-kind"] for slide in shown(cells("## S", code(png=WIDE), code(png=TALL)))] == [
        "picture",
        "tall",
    ]


def test_many_rows_are_spread_over_slides_and_the_last_sentence_has_its_own():
    rows = "".join(f"| C{k:02d}: {'long ' * 40} | ours | agrees | 1 |\n" for k in range(9))
    found = shown(cells(f"## What we found\n\n{rows}\n**Before you go**: think."))
    counts = [len(slide.find_all("tr")) for slide in found]
    assert sum(counts) == 9
    assert max(counts) == 4
    assert found[-1].p.text == "Before you go: think."


SHEET = """# L

## Collect before you show

*How many?* It is {glue:text}`01/x:.1f`, and {glue:text}`02/y:d` there.

## Three questions for the room

1. *Why?* So.

## Minutes

| [S](p.ipynb#s) | 10 | - | Show `x()`. |
| [Code](p.ipynb#code) | 15 | 5 | Run it. |
| [Later](p.ipynb#later) | - | - | At home. |
| [What we found](p.ipynb#what-we-found) | 5 | - | Read. |
| [Exercises](p.ipynb#exercises) | - | - | 01.3 at home. |

## What you will hear

| All. | None. |
"""


def test_notes_come_from_the_lesson_sheet():
    found = "## What we found\n\n| C01: a claim | ours | agrees | 1 |\n\n**Before you go**: think."
    notebook = cells("## S", code(png=WIDE), code(png=WIDE), "## Later\n\nNot now.", found)
    data = {"application/papermill.record/text/plain": "0.25"}
    noted = nbformat.v4.new_output("display_data", data, metadata={"scrapbook": {"name": "x"}})
    notebook.cells[2].outputs.append(noted)
    page = BeautifulSoup("".join(of_chapter(notebook, "01-a", read_lesson(SHEET, "l"))), "html.parser")
    notes = [[p.text for p in slide.select("aside p")] for slide in page.find_all("section")]
    assert notes == [
        ["Collect: How many? It is 0.2, and (see the sheet) there.", "Ask: Why? So."],
        ["Minutes: 10 of 90, none of 45. Show x()."],
        [],
        ["Minutes: 5 of 90, none of 45. Read."],
        ["Exercises. Minutes: none of 90, none of 45. 01.3 at home.", "If they say: All. Say: None."],
    ]


def test_a_section_with_minutes_and_no_figure_has_a_slide_of_its_own():
    sheet = read_lesson(SHEET.replace("01/x:.1f", "02/x:.1f"), "l")
    notebook = cells(
        "## S", code(png=WIDE), "## Code\n\nWhich? This. More.\n\n### Within\n\n## Later\n\nNot."
    )
    first, own = shown(notebook, sheet)
    assert (first.h2.text, own.h1.text) == ("S", "Code")
    assert [p.text for p in own.find_all("p")] == ["Which? This.", "Minutes: 15 of 90, 5 of 45. Run it."]


def test_no_sentence_leans_on_one_that_is_not_shown():
    said = "At [CLS] they have {glue:text}`r2:.2f` of all {glue:text}`r2:.2f` that one can see here. "
    notebook = chapter()
    notebook.cells[
        4
    ].source = f"It explains {said}{said}The curve falls by {{glue:text}}`r2:.2f`, as one can see."
    first = BeautifulSoup("".join(of_chapter(notebook, "01-a")), "html.parser").find_all("section")[1]
    assert first.find_all("p")[-1].text == "The curve falls by 0.93, as one can see."


def test_a_citation_that_is_part_of_a_sentence_becomes_a_name():
    text = "So {cite:t}`gao2024x` read ({cite:p}`gao2024x`) what `f()` does {cite:p}`gao2024x`."
    assert plain(text, {}, "01-a") == "So Gao et al. read what `f()` does."
