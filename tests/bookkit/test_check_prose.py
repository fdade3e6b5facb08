"""How a chapter is written: each rule is seen to be broken once."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from bookkit.chapters import read_chapter
from bookkit.check_prose import RULES, check_prose, read_as_reader
from bookkit.errors import BookError
from bookkit.outputs import uncaptioned
from bookkit.prose import Text, main_text, numbers, words
from bookkit.settings import ProseSettings
from bookkit.terms import glossary_terms, unknown, unlinked

ROOT = Path(__file__).resolve().parents[2]
HEADER = """\
# %% [markdown]
# # 01 A chapter
#
# How far is it?
#
# ## In short
#
# It is {glue:text}`far:.1f` miles, and a {term}`boundary` is crossed.

# %% tags=["parameters"]
profile = "laptop"

# %% [markdown]
# ## The way
#
# The boundary is near.

# %% tags=["fig"] mystnb={"image": {"alt": "One line goes up steadily"}, "figure": {"caption": "A line."}}
draw()

# %% [markdown]
# ## What we found
#
# | claim | condition | result | evidence |
# | --- | --- | --- | --- |
# | C01: a way | paper | agrees | it |
#
# ## Quiz
#
# The table of the boundaries says anew what a layer knows.
"""
ASKED = ProseSettings(
    words=60,
    sentence=12,
    numbers=2,
    least_sections=1,
    most_sections=2,
    short="In short",
    banned=("anew", "layers? knows?"),
    plumbing=("note", "origin"),
)
TABLE = "\n# | a | b |\n# | --- | --- |\n# | 1 | 2 |\n"
GLOSSARY = """# Glossary

```{glossary}
:sorted:

boundary
  Where it ends.

change point
  Where it changes.

keys, queries, values
  Three of them.

Gromov-Wasserstein distance
  One.

Wasserstein distance
  Another.

MLP
  Layers.
```
"""


def reading(write, old="", new="", name="01-a"):
    text = HEADER.replace(old, new, 1) if old else HEADER
    assert not old or old in HEADER
    notebook = read_chapter(write(name, text, header=""))
    return read_as_reader(notebook, name, ASKED, "What we found", ["boundary"])


def test_a_good_chapter_breaks_no_rule_and_is_counted(write):
    found = reading(write)
    assert tuple(found.findings) == RULES
    assert not any(found.findings.values())
    assert (found.words, found.pictures, found.lines) == (17, 1, 2)
    assert found.minutes == pytest.approx(17 / 150 + 20 / 60 + 2 * 3 / 60)


@pytest.mark.parametrize(
    ("rule", "old", "new", "message"),
    [
        ("words", "How far is it?", "Far. " * 60, "has 73 words of main text, at most 60"),
        ("banned", "How far is it?", "We measure anew.", "says 'anew', for which there is a plainer word"),
        ("banned", "A line.", "The layer knows it.", "says 'layer knows'"),
        ("long", "How far is it?", "How " + "very " * 12 + "far?", "14 words, at most 12: How very"),
        ("long", "A line.", "A " + "long " * 12 + "line.", "a sentence of 14 words"),
        ("numbers", "is near.", "is 1, 2.5 or 3 % off.", "a sentence with 3 numbers, at most 2"),
        ("tables", "How far is it?\n#", TABLE, "a table without caption (:::{table} ...): | a | b |"),
        ("figures", ', "figure": {"caption": "A line."}', "", "the figure of `draw()` has no caption"),
        ("wide", "draw()", "draw(" + 72 * "a" + ")", "a line of code of 78 characters, at most 76"),
        ("plumbing", "draw()", "note(r2=1)", "`note(r2=1)` ... shows 'note', which serves the text"),
        ("plumbing", "draw()", "print(x.origin)", "shows 'origin'"),
        ("plumbing", "draw()", "from bookkit.glue import note", "shows 'note'"),
        ("terms", "How far is it?", "Is a boundary far?", "uses `boundary` before it links it"),
        ("form", "# 01 A", "# A", "its title does not begin with its number: `# 01 ...`"),
        ("form", "## In short", "## The question", "its first heading is not `## In short`"),
        ("form", "## The way", "### The way", "has 0 sections between `In short` and `What we found`, 1"),
        ("form", "## The way", "## A\n# ## B\n# ## C", "has 3 sections"),
        ("form", "## The way", "## Quiz\n#\n# ## The way", "`## What we found` stands behind the quiz"),
    ],
)  # fmt: skip
def test_each_rule_is_broken(write, rule, old, new, message):
    found = reading(write, old, new).findings
    assert message in found.pop(rule)[0]
    assert not any(found.values()) or "Quiz" in new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("draw()", "x = 1"),
        ("How far is it?\n#", "```{table} A caption\n#" + TABLE + "# ```\n#"),
        (
            'tags=["parameters"]\n',
            'tags=["parameters"]\n\n# %% tags=["remove-cell"]\nnote(' + "a" * 80 + ")\n",
        ),
        ("How far is it?", "```python\n# anew = 1\n# ```"),
        ("How far is it?", "$$\n# anew\n# $$"),
        ("is near.", "of chapters 05 and 06, Figure 10 and C07."),
        ("How far is it?", "See [the boundary](x.md)?".replace("boundary", "end")),
    ],
)
def test_what_breaks_no_rule(write, old, new):
    assert not any(reading(write, old, new).findings.values())


def test_a_page_that_goes_deeper_has_no_form_but_its_number(write):
    assert reading(write, "# 01 A", "# 01b A", name="01b-a").findings["form"] == []
    assert len(reading(write, "## In short", "## One", name="01b-a").findings["form"]) == 1


def test_sentences_words_and_numbers():
    text = Text(
        "", "Of *n* inputs, {glue:text}`a:d` (Gao et al. {cite:p}`g`) are $x_i$. See `f(x)` [here](y)."
    )
    assert text.sentences == ["Of n inputs, \x01 (Gao et al) are \x02.", "See \x02 here."]
    assert [words(one) for one in text.sentences] == [9, 3]
    assert numbers("It took 1,024 inputs, 3.5 % and \x01 of block B2 in chapter 06.") == 3


def test_main_text_leaves_out_code_tables_and_sections(write):
    notebook = read_chapter(
        write("01-a", "# %% [markdown]\n# ## Quiz\n#\n# Text.\n#\n# ## On\n#\n# - One.\n# - Two.\n")
    )
    assert [text.written for text in main_text(notebook, ("Quiz",))] == ["One.", "Two."]


def test_terms_of_the_glossary():
    entries = glossary_terms(GLOSSARY)
    assert entries[:3] == ["boundary", "change point", "keys, queries, values"]

    def missing(*texts, everyday=()):
        return unlinked([Text("", text) for text in texts], entries, everyday)

    assert missing("The Gromov-Wasserstein distance.") == ["Gromov-Wasserstein distance"]
    assert (
        missing("The {term}`distance <Gromov-Wasserstein distance>`, the Gromov-Wasserstein distance.") == []
    )
    assert missing("Two change points.", "A {term}`change point`.") == ["change point"]
    assert missing("Its values.") == ["keys, queries, values"]
    assert missing("Its values.", everyday=("values",)) == []
    assert missing("An mlp, no MLP-Mixer; `boundary` and [x](boundary.md).") == ["MLP"]


def test_links_to_terms_that_the_glossary_does_not_have():
    entries = glossary_terms(GLOSSARY)
    assert (
        unknown("{term}`Boundary`, {term}`both <change\npoint>`, {term}`keys, queries, values`.", entries)
        == []
    )
    assert unknown("{term}`boundaries`, {term}`boundary <border>`, {term}`border`.", entries) == [
        "boundaries",
        "border",
    ]


def test_tables_of_cells_need_a_caption():
    table = new_output("execute_result", {"text/html": '<table class="dataframe">'}, execution_count=1)
    cell = new_code_cell("frame", outputs=[table])
    assert "cell `frame` shows a table without a caption" in uncaptioned(new_notebook(cells=[cell]))[0]
    cell.metadata["mystnb"] = {"figure": {"caption": "A table."}}
    assert uncaptioned(new_notebook(cells=[cell])) == []


SETTINGS = (
    '[tool.bookkit]\nanswers = "What we found"\n[tool.bookkit.prose]\nshort = "In short"\nbanned = ["anew"]\n'
)


def test_the_command_prints_all_and_fails_for_those_that_are_held_to_it(book, write, capsys):
    (book / "pyproject.toml").write_text(SETTINGS + 'not_yet = ["02"]\n')
    write("01-a", HEADER, header="")
    write("02-b", HEADER.replace("# 01", "# 02").replace("How", "Anew"), header="")
    check_prose(book)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["chapter", "01", "02", "no"]
    assert lines[2].endswith("not yet")
    assert lines[2].split()[3] == "1"
    write("01-a", HEADER.replace("How", "Anew"), header="")
    with pytest.raises(BookError, match=r"01-a.py: says 'Anew'(?s:.*)1 finding in how 1 of 2"):
        check_prose(book)


def test_the_list_of_exceptions_shrinks(book, write):
    (book / "pyproject.toml").write_text(SETTINGS + 'not_yet = ["01"]\n')
    write("01-a", HEADER, header="")
    with pytest.raises(BookError, match="breaks no rule any more; take 01 off the list not_yet"):
        check_prose(book)
    (book / "pyproject.toml").write_text(SETTINGS + 'not_yet = ["07"]\n')
    with pytest.raises(BookError, match="names 07: no such chapter"):
        check_prose(book)


@pytest.mark.parametrize(
    ("old", "new", "name", "title"),
    [
        ("How far is it?", "Is {term}`it <distance>` far?", "distance", "02-b.py"),
        ("The table", "The {term}`table`", "table", "02-b.py"),
        ('"A line."', '"A {term}`line`."', "line", "02-b.py"),
        ("", "", "border", "book/plan/days.md"),
    ],
)
def test_no_page_links_a_term_that_is_not_there(book, write, old, new, name, title):
    """Not in a quiz, a caption or a page without code, nor in a chapter that is still to be rewritten."""
    (book / "pyproject.toml").write_text(SETTINGS + 'not_yet = ["02"]\nglossary = "book/glossary.md"\n')
    (book / "book" / "plan").mkdir(parents=True)
    (book / "book" / "glossary.md").write_text(GLOSSARY)
    page = book / "book" / "plan" / "days.md"
    page.write_text("A {term}`boundary`.\n")
    write("01-a", HEADER, header="")
    second = HEADER.replace("# 01", "# 02").replace("## In short", "## Short")
    write("02-b", second, header="")
    check_prose(book)
    write("02-b", second.replace(old, new, 1), header="")
    if title.endswith(".md"):
        page.write_text("A {term}`border`.\n")
    with pytest.raises(BookError, match=f"{title}: links the term {name!r}, which book/glossary.md does not"):
        check_prose(book)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[tool.bookkit]\nprose = "short"\n', "prose must be a table of its own"),
        ("[tool.bookkit.prose]\nwords = '9'\n", r"\[tool.bookkit.prose\] words must be a number"),
        ("[tool.bookkit.prose]\nlength = 9\n", "knows no 'length'"),
    ],
)
def test_a_setting_that_is_none_is_refused(book, write, text, message):
    write("01-a")
    (book / "pyproject.toml").write_text(text)
    with pytest.raises(BookError, match=message):
        check_prose(book)


def test_this_book_is_written_so():
    check_prose(ROOT)
