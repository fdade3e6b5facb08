"""From executed notebooks to a site, on a book of two pages."""

import os
import shutil
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from bookkit.archive import archive
from bookkit.build import build
from bookkit.check_site import check_site
from bookkit.errors import BookError
from bookkit.run import run
from bookkit.slides import slides
from bookkit.stage import stage, toc_files

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small(book, write):
    """The configuration of this repository, one prose page and one chapter."""
    shutil.copy(ROOT / "_config.yml", book)
    for name in ("_ext", "_static"):
        shutil.copytree(ROOT / "book" / name, book / "book" / name)
    shutil.copy(ROOT / "book" / "references.bib", book / "book")
    vendored = book / ".vendor" / "site" / "mathjax"
    vendored.mkdir(parents=True)
    (vendored / "tex-svg-full.js").write_text("// the mathematics\n")
    (book / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/01-a\n")
    (book / "book" / "index.md").write_text("# First\n\nSee {doc}`the chapter </notebooks/01-a>` and $x$.\n")
    write("01-a", "# %%\nprint('printed by the cell')\n")
    return book


@pytest.fixture
def out(small):
    return small / "_build" / "src"


def test_site_is_built_checked_and_says_how_it_was_run(small, out):
    run(small, out)
    site = build(small, out)
    assert site == small / "_build" / "html"
    page = (site / "notebooks" / "01-a.html").read_text()
    assert "printed by the cell" in page
    assert "profile <code>laptop</code>" in page
    assert "edit/main/notebooks/01-a.py" in page
    assert "blob/notebooks/notebooks/01-a.ipynb" in page  # the readable one, on its own branch
    assert (site / "_static" / "mathjax" / "tex-svg-full.js").exists()
    assert not list(site.rglob("*.map"))
    check_site(site)


def test_a_solution_has_one_fold_with_what_its_check_prints(small, out, write):
    told = '"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"'
    write(
        "01-a",
        f'# %% tags=["solution", "hide-input"] mystnb={{{told}}}\n'
        'def two():\n    return 2\n\n\nprint(two() * "ha")\n',
    )
    run(small, out)
    page = BeautifulSoup((build(small, out) / "notebooks/01-a.html").read_text(), "html.parser")
    (fold,) = page.select("article details.hide")
    assert fold.select_one("summary .collapsed").text == "Show the solution"
    assert "return 2" in fold.text
    assert "haha" in fold.text
    assert page.select_one("article").text.count("haha") == 1


def test_a_notebook_to_download_has_its_numbers(small, out, write):
    write(
        "01-a",
        "# %%\nfrom bookkit.glue import note\nnote(n=3)",
        "# %% [markdown]\n# There are {glue:text}`n:d`.\n",
    )
    run(small, out)
    site = build(small, out)
    assert "There are 3." in (site / "notebooks" / "01-a.html").read_text()
    assert "There are 3." in (site / "_sources" / "notebooks" / "01-a.ipynb").read_text()
    build(small, out)
    assert "There are 3." in (site / "_sources" / "notebooks" / "01-a.ipynb").read_text()


def test_second_build_reads_only_what_changed(small, out):
    run(small, out)
    site = build(small, out)
    before = {path: path.stat().st_mtime_ns for path in site.glob("*/*.html")}
    (small / "book" / "index.md").write_text(
        "# First, changed\n\nSee {doc}`the chapter </notebooks/01-a>`.\n"
    )
    build(small, out)
    assert "First, changed" in (site / "book" / "index.html").read_text()
    log = (small / "_build" / "build.log").read_text()
    assert "0 added, 1 changed, 0 removed" in log
    assert before.keys() == {*site.glob("*/*.html")}


def test_removed_page_leaves_the_site(small, out):
    run(small, out)
    (small / "book" / "more.md").write_text("# More\n")
    toc = (small / "_toc.yml").read_text()
    (small / "_toc.yml").write_text(toc + "  - file: book/more\n")
    assert (build(small, out) / "book" / "more.html").exists()
    (small / "_toc.yml").write_text(toc)
    (small / "book" / "more.md").unlink()
    assert not (build(small, out) / "book" / "more.html").exists()


def test_warning_is_an_error_with_its_place(small, out):
    run(small, out)
    (small / "book" / "index.md").write_text("# First\n\nSee {doc}`nowhere`.\n")
    with pytest.raises(BookError, match=r"(?s)could not be built.*index.md.*nowhere"):
        build(small, out)


def test_missing_page_is_named(small, out):
    with pytest.raises(BookError, match=r"pages that are not there .*: notebooks/01-a"):
        stage(small, out)


def test_stage_touches_only_what_differs(small, out):
    run(small, out)
    assert stage(small, out) > 0
    assert stage(small, out) == 0
    index = out / "book" / "index.md"
    before = index.stat().st_mtime_ns
    os.utime(small / "book" / "index.md")
    (small / "book" / "references.bib").write_text("% none\n")
    assert stage(small, out) == 1
    assert index.stat().st_mtime_ns == before


def test_stage_removes_what_is_gone(small, out):
    run(small, out)
    (small / "book" / "draft.md").write_text("# Draft\n")
    stage(small, out)
    assert (out / "book" / "draft.md").exists()
    (small / "book" / "draft.md").unlink()
    stage(small, out)
    assert not (out / "book" / "draft.md").exists()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("01-a.ipynb", lambda text: text.replace("printed by", "typed into"), "is not the notebook that"),
        ("01-a.run.json", None, "has no record 01-a.run.json beside it"),
        ("01-a.run.json", lambda text: text.replace('"seconds"', '"minutes"'), "'seconds' is missing"),
    ],
)
@pytest.mark.parametrize("command", [stage, slides, archive])
def test_an_executed_chapter_must_be_as_its_record_says(small, out, name, change, message, command):
    run(small, out)
    (small / "_build/html").mkdir()
    (small / "_build/html/index.html").write_text("x")
    path = out / "notebooks" / name
    path.write_text(change(path.read_text())) if change else path.unlink()
    with pytest.raises(BookError, match=rf"{message}.*run `python -m bookkit run`"):
        command(small, out if command is stage else small / "_build" / "other")


def test_a_claim_brings_no_html_of_its_own(small, out):
    claim = "One <script>alert(1)</script> <img src=x onerror=f()> of 2 < 3 & more.\n\n<script>f()</script>"
    row = {"id": "C01", "said": claim, "where": "<!-- 3 -->"}
    (small / "book/claims.yaml").write_text(yaml.safe_dump({"claims": [row], "doubts": [], "figures": []}))
    (small / "book/index.md").write_text("# First\n\n<!-- scorecard C -->\n\n{doc}`/notebooks/01-a`\n")
    run(small, out)
    stage(small, out)
    page = (out / "book/index.md").read_text()
    assert "<" not in page.replace("2 < 3", "")
    assert "One &lt;script>alert(1)" in page
    built = BeautifulSoup((build(small, out) / "book/index.html").read_text(), "html.parser")
    (shown,) = built.select("details.answer > summary")
    assert shown.find_all(["script", "img"]) == []
    assert "One <script>alert(1)</script>" in shown.get_text()
    assert "2 < 3 & more. <script>f()</script> (<!" in shown.get_text()


def test_a_site_that_was_not_built_here_is_left_alone(small, out):
    run(small, out)
    (small / "_build/html").mkdir()
    (small / "_build/html/mine.html").write_text("mine")
    with pytest.raises(BookError, match="holds a site that was not built here"):
        build(small, out)
    assert (small / "_build/html/mine.html").read_text() == "mine"


def test_toc_files(small):
    (small / "_toc.yml").write_text(
        "root: book/index\nparts:\n  - caption: A\n    chapters:\n      - file: a\n"
        "        sections:\n          - file: b\n"
    )
    assert toc_files(small) == ["book/index", "a", "b"]
