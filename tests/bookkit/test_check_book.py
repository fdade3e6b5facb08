"""A chapter that is left out, or lacks what every chapter has, is named."""

from pathlib import Path

import pytest

from bookkit.chapters import chapters, read_chapter
from bookkit.check_book import OPTION, check_book
from bookkit.course import prose
from bookkit.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """[tool.bookkit]
questions = 2
exercises = 1
answers = "What we found"
named_in = { "README.md" = "| chapter {number}", "book/teachers.md" = "## {number} " }
"""
CHAPTER = """
# %% [markdown]
# **Time**: 20 minutes to read, one to run.
#
# ## Quiz
#
# **1. Why?**
#
# <details><summary>a. One</summary>No: one.</details>
# <details><summary>b. Two</summary>Right: two.</details>
# <details><summary>c. Three</summary>No: three.</details>
#
# **2. Which?**
#
# <details><summary>a. One</summary>Right. One.</details>
# <details><summary>b. Two</summary>No: two.</details>
# <details><summary>c. Three</summary>No: three.</details>
#
# ## Exercises
#
# :::{exercise} A share
# :label: ex-01-share
#
# *Difficulty 2 of 4, importance 5 of 5, 10 minutes.* Write `share(x)`. Hint 1. Hint 2.
# :::

# %% tags=["solution", "hide-input"]
def share(x):
    return x

# %% [markdown]
# ## What we found
#
# | claim | condition | result | evidence |
# | --- | --- | --- | --- |
# | C01: a line | paper | agrees | {glue:text}`r2:.2f` |
"""


@pytest.fixture
def whole(book, write):
    """A book of one chapter that has everything."""
    (book / "pyproject.toml").write_text(SETTINGS)
    (book / "_toc.yml").write_text("root: book/index\nchapters: [{file: notebooks/01-a}]\n")
    (book / "README.md").write_text("| what | where |\n| --- | --- |\n| all | chapter 01, here |\n")
    (book / "book").mkdir()
    (book / "book/teachers.md").write_text("# Chapters\n\n## 01 A chapter\n")
    (book / "book/claims.yaml").write_text("claims: [{id: C01, said: One.}]\ndoubts: []\nfigures: []\n")
    write("01-a", CHAPTER)
    return book


def test_a_whole_chapter_passes(whole, capsys):
    check_book(whole)
    assert "no finding in what 1 chapters are to have" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("page", "old", "message"),
    [
        ("_toc.yml", "notebooks/01-a", "is not in _toc.yml, so the site leaves it out; add `- file: "),
        ("README.md", "chapter 01", "is not in README.md; add a line with `| chapter 01`"),
        ("book/teachers.md", "01 A", "is not in book/teachers.md; add a line with `## 01`"),
        ("book/claims.yaml", "C01", "answers C01, which book/claims.yaml does not have"),
    ],
)  # fmt: skip
def test_a_chapter_that_a_page_does_not_know(whole, page, old, message):
    new = {"book/claims.yaml": "C02"}.get(page, "x")
    (whole / page).write_text((whole / page).read_text().replace(old, new))
    with pytest.raises(BookError) as error:
        check_book(whole)
    (line,) = str(error.value).splitlines()[:-1]
    assert line.startswith(f"01-a.py: {message}")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# ## Quiz\n", "#\n", "has 0 headings `## Quiz`, there must be one, with 2 questions"),
        ("# ## Quiz\n", "# ## Quiz\n# ## Quiz\n", "has 2 headings `## Quiz`"),
        ("**2. Which?**", "Which?", "its quiz has 1 questions"),
        ("b. Two</summary>No: two.", "d. Two</summary>No: two.", "'Which?' must have the answers a, b and c"),
        ("No: one.", "Right: one.", "'Why?' must say `Right:` to one answer and `No:` to two"),
        (":::{exercise} A share", ":::{note}", "has 0 exercises, 1 are asked for"),
        ("Difficulty 2 of 4", "Difficulty 5 of 4", "of 1 exercises 0 have a label and a line `*Difficulty 2"),
        ("Difficulty 2 of 4", "Difficulty 2 of 5", "of 1 exercises 0 have a label and a line `*Difficulty 2"),
        ("importance 5 of 5, ", "", "of 1 exercises 0 have a label and a line `*Difficulty 2"),
        (
            "# **Time**: 20 minutes to read, one to run.",
            "#",
            "does not say how many minutes it takes to read",
        ),
        ("Hint 2", "And", "the cell before solution 1 has no `Hint 2`"),
        ('"solution", "hide-input"', '"solution"', "solution 1 is not folded; tag its cell `hide-input`"),
        ('"solution", ', "", "has 0 cells tagged `solution`, 1 are asked for"),
        ("## What we found", "## What was found", "has no table of answers: a heading `## What we found`"),
        ("| C01: a line", "| a line", "the table below `## What we found` has no row"),
        (
            "| agrees |",
            "| perhaps |",
            "the row of C01 has 'perhaps' where one of agrees, disagrees, undecided",
        ),
    ],
)
def test_a_chapter_that_lacks_something(whole, write, old, new, message):
    assert CHAPTER.count(old) >= 1
    write("01-a", CHAPTER.replace(old, new, 1))
    with pytest.raises(BookError) as error:
        check_book(whole)
    assert any(line.startswith("01-a.py: ") and message in line for line in str(error.value).splitlines())


CLOSING = """
# %% [markdown]
# # 01 What came out
#
# **Time**: 5 minutes to read, one to run.
"""


def test_a_chapter_that_sums_up_needs_no_exercises(whole, write):
    write("01-a", CLOSING)
    with pytest.raises(BookError, match="has 0 headings `## Quiz`"):
        check_book(whole)
    (whole / "pyproject.toml").write_text(SETTINGS + 'closing = ["01"]\n')
    check_book(whole)
    write("01-a", CLOSING.replace("minutes to read", "minutes"))
    with pytest.raises(BookError, match=r"01-a\.py: does not say how many minutes it takes to read"):
        check_book(whole)


def test_a_chapter_that_sums_up_has_its_place_and_is_there(whole, write):
    write("01-a", CLOSING)
    (whole / "README.md").write_text("| all | x |\n")
    (whole / "pyproject.toml").write_text(SETTINGS + 'closing = ["01"]\n')
    with pytest.raises(BookError, match=r"01-a\.py: is not in README\.md"):
        check_book(whole)
    (whole / "pyproject.toml").write_text(SETTINGS + 'closing = ["02"]\n')
    with pytest.raises(BookError, match=r"closing of .* names 02: no such chapter"):
        check_book(whole)


def test_without_settings_a_chapter_needs_a_place_in_the_contents_alone(book, write):
    write("01-a", "# %%\n1\n")
    (book / "_toc.yml").write_text("root: book/index\nchapters: [{file: notebooks/01-a}]\n")
    check_book(book)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.bookkit]\nquizzes = 2\n", "knows no 'quizzes'; it knows shallow, questions"),
        ('[tool.bookkit]\nquestions = "2"\n', "questions must be a number"),
        ("[tool.bookkit]\nshallow = [1]\n", "shallow must be a list of texts"),
        ("[tool.bookkit\n", "no TOML"),
    ],
)
def test_a_setting_that_is_none_is_refused(book, write, text, message):
    write("01-a")
    (book / "pyproject.toml").write_text(text)
    with pytest.raises(BookError, match=message):
        check_book(book)


def test_this_book_has_everything():
    check_book(ROOT)


def test_the_right_answer_is_not_always_in_the_same_place():
    text = "\n".join(prose(read_chapter(source)) for source in chapters(ROOT))
    places = [letter for letter, _, answer in OPTION.findall(text) if answer[0] == "R"]
    assert max(places.count(letter) for letter in "abc") < 0.6 * len(places)
