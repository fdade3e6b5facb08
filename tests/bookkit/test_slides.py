"""Slides say what the chapters say, and carry their pictures with them."""

import nbformat
import pytest
from bs4 import BeautifulSoup

from bookkit.errors import BookError
from bookkit.slides import of_chapter, slides

PIXEL = "iVBORw0KGgo=\n"


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
                "It explains {glue:text}`r2:.2f` of [this](x.md), $a < b$, by {prf:ref}`thm-x` {cite:p}`k`. "
                "Two. Three."
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
    assert first.img["src"] == "data:image/png;base64,iVBORw0KGgo="
    assert first.p.text == "It explains 0.93 of this, $a < b$, by a theorem . Two."
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
        "The figure again.",
    ]
    assert page.find_all("section")[1].img["alt"] == "It falls."


def test_one_page_with_nothing_remote(book, write, executed):
    write("01-a")
    executed(book / "_build/src/notebooks/01-a.ipynb", chapter())
    page = slides(book, book / "out").read_text()
    assert page.count("<section>") == 4
    assert "http:" not in page
    assert "https:" not in page


def test_without_executed_chapters(book, write):
    write("01-a")
    with pytest.raises(BookError, match="no executed chapter to take slides from; run `make book`"):
        slides(book, book / "out")
