"""Chapters in plain Markdown: every construct has its form, and no chapter has one without."""

import re
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from bookkit.chapters import chapters, read_chapter
from bookkit.downloads import readable
from bookkit.errors import BookError
from bookkit.plain import Plain, kept_figures, site_url

ROOT = Path(__file__).parents[2]
SITE = "https://functional-similarity.github.io/sub-networks/"
MARKUP = re.compile(r"^ *:{3,}|\{[a-z:]+\}`|^:[\w-]+:|^ *```\{", re.MULTILINE)


def markdown(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source) for source in sources])


def turned(*sources, **told):
    told.setdefault("beside", ("02-gromov-wasserstein", "03-ten-measures"))
    notebook = Plain(ROOT, "02-gromov-wasserstein", **told).notebook(markdown(*sources))
    return "\n\n".join(cell.source for cell in notebook.cells)


def test_an_admonition_is_a_block_quote():
    assert turned(":::{admonition} What you *learn*\n:class: tip\n- one;\n- two.\n:::\n\nText.") == (
        "> **What you *learn***\n>\n> - one;\n> - two.\n\n\nText."
    )


def test_a_formula_is_not_quoted_because_jupyterlab_would_read_the_marks_into_it():
    text = turned(":::{prf:definition} Distance\n:label: def-d\n\n$$\nx\n$$\n:::")
    assert text == "**Definition 02.1: Distance.**\n\n$$\nx\n$$"


def test_exercises_are_numbered_and_hints_fold():
    text = turned(
        ":::{exercise} First\n:label: ex-a\n\nDo it.\n\n```{dropdown} Hint 1\nUse `np.sum`.\n```\n:::",
        ":::{exercise} Second\n:label: ex-b\n\nMore.\n:::",
    )
    assert text.startswith("### Exercise 02.1: First\n\nDo it.\n\n<details><summary>Hint 1</summary>\n\nUse")
    assert "### Exercise 02.2: Second\n\nMore." in text


def test_code_stays_as_it_is():
    source = "```python\n{term}`x` and :::{exercise} y\n```\n\n`:::` too"
    assert turned(source) == source


def test_what_is_referred_to_has_its_number_wherever_it_stands():
    text = turned(
        "By {prf:ref}`thm-p`, {numref}`tab-a` and {numref}`its picture <fig-a>`.",
        ":::{table} A caption.\n:name: tab-a\n\n| a |\n| - |\n:::",
        ":::{glue:figure} kept\n:name: fig-a\n:alt: A line.\n\nWhat it *shows*.\n:::",
        ":::{prf:theorem}\n:label: thm-p\n\nTrue.\n:::\n:::{prf:proof}\nSo.\n:::",
        figures={"kept": "aGk="},
    )
    assert text.startswith("By Theorem 02.1, Table 02.1 and its picture.")
    assert "*Table 02.1.* A caption.\n\n| a |" in text
    assert '<img alt="A line." src="data:image/png;base64,aGk=">\n\n*Figure 02.1.* What it *shows*.' in text
    assert "> **Theorem 02.1.**\n>\n> True." in text
    assert "<details><summary>Proof</summary>\n\nSo.\n\n</details>" in text


def test_captions_of_figures_follow_their_cell_and_count():
    figure = {"figure": {"name": "fig-b", "caption": "What {term}`GW <Gromov-Wasserstein distance>` sees."}}
    notebook = markdown("See {numref}`fig-b`.")
    notebook.cells.append(nbformat.v4.new_code_cell("plot()", metadata={"mystnb": figure}))
    text, _, caption = Plain(ROOT, "02-gromov-wasserstein").notebook(notebook).cells
    assert text.source == "See Figure 02.1."
    assert caption.source == (
        f"*Figure 02.1.* What [GW]({SITE}book/glossary.html#term-Gromov-Wasserstein-distance) sees."
    )


def test_citations_are_words_and_their_references_are_listed():
    text = turned(
        "As {cite:t}`maron2018probably` show {cite:p}`flamary2021pot, memoli2011gromov`.\n",
        "```{bibliography}\n```",
    )
    said, *references = text.splitlines()
    assert said == "As Maron and Lipman (2018) show (Flamary et al., 2021; Mémoli, 2011)."
    assert [line[:9] for line in references if line] == ["- Flamary", "- Maron H", "- Mémoli "]
    assert "Python Optimal Transport" in text
    assert "et al. (2021)" in text


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("03-ten-measures.ipynb#scale", "03-ten-measures.ipynb#scale"),
        ("13-is-the-boundary-real.ipynb", f"{SITE}notebooks/13-is-the-boundary-real.html"),
        ("../book/scorecard.md#claims", f"{SITE}book/scorecard.html#claims"),
        ("https://arxiv.org/abs/2410.16484", "https://arxiv.org/abs/2410.16484"),
        ("#here", "#here"),
    ],
)
def test_links_lead_to_notebooks_beside_or_to_the_site(link, leads):
    assert turned(f"[there]({link})") == f"[there]({leads})"


def test_a_heading_has_the_anchor_that_the_chapter_links_to():
    text = turned("[Back](#why-one-line).", "## Why *one* line?\n\nSo.\n\n## Other", "# Why")
    assert text == (
        '[Back](#why-one-line).\n\n<a id="why-one-line"></a>\n\n## Why *one* line?\n\nSo.'
        "\n\n## Other\n\n# Why"
    )


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (":::{tab-set}\n:::", "directive 'tab-set' has no plain form"),
        ("{abbr}`GW`", "role 'abbr' has no plain form"),
        (":::{admonition} A\ntext", "does not end"),
        ("{cite:p}`nobody1900`", "has no 'nobody1900'"),
        ("{numref}`fig-x`", "nothing is labelled 'fig-x'"),
        (":::{glue:figure} gone\n:::", "figure 'gone' is shown, but no cell keeps it"),
    ],
)
def test_what_has_no_plain_form_is_named(source, says):
    with pytest.raises(BookError, match=says):
        turned(source)


def test_a_book_that_names_no_site_is_told_how(tmp_path):
    (tmp_path / "_config.yml").write_text("title: A\n")
    with pytest.raises(BookError, match="names no site; write `html"):
        site_url(tmp_path)


def test_figures_that_a_cell_keeps_are_found():
    output = nbformat.v4.new_output(
        "display_data",
        {"application/papermill.record/image/png": "aGk=\n"},
        metadata={"scrapbook": {"name": "kept", "mime_prefix": "application/papermill.record/"}},
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    assert kept_figures(notebook) == {"kept": "aGk="}


class Any(dict):
    """A picture for every name."""

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return "aGk="


SOURCES = chapters(ROOT)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_chapter_keeps_any_markup(source):
    notebook = read_chapter(source)
    for cell in notebook.cells:
        cell.source = re.sub(r"\{glue:text\}`[^`]*`", "7", cell.source)
    plain = Plain(ROOT, source.stem, Any(), tuple(path.stem for path in SOURCES)).notebook(notebook)
    nbformat.validate(plain)
    text = "\n\n".join(cell.source for cell in plain.cells if cell.cell_type == "markdown")
    assert MARKUP.findall(re.sub(r"`[^`]*`(?!`)", "", text)) == []
    assert text.count("### Exercise") == sum(c.source.count(":::{exercise}") for c in notebook.cells)
    assert [name for name in re.findall(r"\]\(#([^)]+)\)", text) if f'<a id="{name}"></a>' not in text] == []
    page, _ = HTMLExporter().from_notebook_node(plain)
    assert page.count("<details>") == text.count("<details>")


def test_numbers_come_before_markup():
    cell = nbformat.v4.new_code_cell("note(x=2.5)")
    metadata = {"scrapbook": {"name": "x", "mime_prefix": "application/papermill.record/"}}
    data = {"application/papermill.record/text/plain": "2.5"}
    cell.outputs = [nbformat.v4.new_output("display_data", data, metadata=metadata)]
    notebook = markdown(":::{admonition} Costs {glue:text}`x:.2f`\nIt is {glue:text}`x:.1f`.\n:::")
    notebook.cells.append(cell)
    notebook.cells.append(nbformat.v4.new_code_cell("plot()", metadata={"tags": ["hide-input"]}))
    solved = {"tags": ["solution", "hide-cell"]}
    notebook.cells.append(nbformat.v4.new_code_cell("check()", metadata=solved))
    text, noted, folded, answered = readable(notebook, ROOT, "02-gromov-wasserstein").cells
    assert "jupyter" not in noted.metadata
    assert folded.metadata["jupyter"] == {"source_hidden": True}
    assert answered.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    assert text.source == "> **Costs 2.50**\n>\n> It is 2.5."
