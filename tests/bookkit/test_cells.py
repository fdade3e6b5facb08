"""The rules for cells; each is seen to be broken once."""

import pytest

from bookkit.cells import chapter_findings, check_cells
from bookkit.chapters import read_chapter
from bookkit.errors import BookError

TEXT = "# %% [markdown]\n# A sentence.\n"


def findings(path) -> list[str]:
    return chapter_findings(read_chapter(path))


def test_good_chapter(book, write, capsys):
    write(
        "01-a",
        "# %%\nimport os\n",
        TEXT,
        '# %% tags=["fig"] mystnb={"image": {"alt": "One line goes up steadily"}}\n1\n',
    )
    check_cells(book)
    assert "no finding in the cells of 1 chapters" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [TEXT, "# %%\n" + "x = 1\n" * 41, TEXT, "# %%\ny = 1\n"],
            "cell 4 (`x = 1`) has 41 lines, at most 40 are allowed",
        ),
        (
            [TEXT, "# %%\n" + "x = 1\n" * 30, TEXT, "# %%\n" + "y = 1\n" * 12],
            "the median code cell has 12 lines",
        ),
        (
            [TEXT, '# %%\n"""' + 79 * "a" + '"""\n'],
            "has a line of 85 characters, at most 84 are allowed",
        ),
        ([TEXT, '# %% tags=["fig"]\n1\n'], "cell 4 (`1`) draws a figure and needs an alt text"),
        (
            [TEXT, '# %% mystnb={"image": {"alt": "figure"}}\n1\n'],
            "cell 4 (`1`) draws a figure and needs an alt text",
        ),
        ([TEXT, '# %% mystnb={"image": {"alt": "A map in the file a b map.png"}}\n1\n'], "needs an alt text"),
        (["# %%\nx = 1\n"], "cell 3 (`x = 1`) has no Markdown cell before it"),
        ([TEXT, '# %% tags=["parameters"]\nz = 1\n'], "2 cells are tagged `parameters`"),
        ([TEXT, "# %%\n"], "cell 4 is empty"),
        (["# %% [markdown]\n# ```{bibliography}\n# ```\n"], "lists references and cites none"),
    ],
    ids=[
        "long",
        "median",
        "wide",
        "no-alt",
        "word-alt",
        "file-alt",
        "no-text",
        "parameters",
        "empty",
        "uncited",
    ],
)
def test_broken_rule(write, cells, message):
    found = findings(write("01-a", *cells))
    assert len(found) == 1
    assert message in found[0]


def test_header_and_title(write):
    found = findings(write("01-a", '# %% tags=["parameters"]\nx = 1\n', header=""))
    assert found == [
        "the header names no kernelspec `python3`",
        "the first cell is not a Markdown cell that begins with the title (`# ...`)",
    ]


def test_every_finding_names_its_chapter(book, write):
    write("01-a", "# %%\nx = 1\n")
    write("02-b", "# %%\ny = 1\n")
    with pytest.raises(BookError, match=r"(?s)01-a.py: cell 3 .*02-b.py: cell 3 .*2 findings"):
        check_cells(book)
