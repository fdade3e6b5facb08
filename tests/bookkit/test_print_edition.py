"""The book on one page: links that hold there, pictures inside, nothing folded."""

import base64
import shutil
import threading

import pytest
from bs4 import BeautifulSoup

from bookkit import print_edition as module
from bookkit.errors import BookError
from bookkit.print_edition import print_edition
from bookkit.serve import make_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

ONE = """<html><body><article><section id="one"><h1>One<a class="headerlink" href="#one">#</a></h1>
<p><a href="#one">here</a> <a href="../notebooks/02-b.html#there">there</a>
<a href="../genindex.html">index</a> <a href="https://example.org/x#y">out</a></p>
<details><summary>Hint</summary>Open me.</details><button>Copy</button>
<img alt="A dot" src="../_images/dot.png"><script>alert(1)</script>
<script type="application/vnd.jupyter.widget-view+json">{}</script></section></article></body></html>"""
TWO = '<html><body><article><section id="there"><h1>Two</h1></section></article></body></html>'


@pytest.fixture
def built(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    (tmp_path / "_toc.yml").write_text("root: book/index\nchapters:\n- file: notebooks/02-b\n")
    for name, content in {
        "book/index.html": ONE,
        "notebooks/02-b.html": TWO,
        "_images/dot.png": "dot",
    }.items():
        path = tmp_path / "_build/html" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


@pytest.fixture
def page(built):
    (path,) = print_edition(built, built / "out")
    return BeautifulSoup(path.read_text(), "html.parser")


def test_links_lead_to_anchors_of_the_same_page(page):
    here, there, index, out = (link["href"] for link in page.select("article p a"))
    assert here == "#book-index-one"
    assert there == "#notebooks-02-b-there"
    assert index == "#book-index"  # pages that are not printed: back to this one
    assert out == "https://example.org/x#y"
    anchors = {tag["id"] for tag in page(id=True)}
    for link in page("a", href=True):
        assert link["href"].startswith("https:") or link["href"][1:] in anchors


def test_nothing_is_folded_and_nothing_is_of_the_screen(page):
    assert page.details.has_attr("open")
    assert page("button") == page.select("article script") == []
    assert "figure with a slider" in page.article.get_text()


def test_pictures_travel_with_the_page(page):
    assert page.img["src"] == "data:image/png;base64," + base64.b64encode(b"dot").decode()


def test_contents_in_reading_order(page):
    assert [(link["href"], link.text) for link in page.nav("a")] == [
        ("#book-index", "One"),
        ("#notebooks-02-b", "Two"),
    ]


@pytest.mark.parametrize("user", [0, 1000])
def test_the_browser_reaches_no_network_and_keeps_its_sandbox(built, monkeypatch, user):
    chromium = built / "bin/chromium"
    chromium.parent.mkdir()
    chromium.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >{built}/asked\n'
        'for a; do case "$a" in --print-to-pdf=*) echo pdf >"${a#*=}";; esac; done\n'
    )
    chromium.chmod(0o755)
    monkeypatch.setattr(module.shutil, "which", lambda name: str(chromium))
    monkeypatch.setattr(module.os, "geteuid", lambda: user)
    page, pdf = print_edition(built, built / "out")
    assert pdf.read_text() == "pdf\n"
    asked = (built / "asked").read_text().splitlines()
    assert asked[-1] == page.as_uri()
    assert {"--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:9"} < set(asked)
    assert ("--no-sandbox" in asked) == (user == 0)


@pytest.mark.skipif(not CHROMIUM, reason="no chromium on the path")
def test_a_picture_from_elsewhere_is_not_fetched(built, monkeypatch):
    (built / "elsewhere").mkdir()
    (built / "elsewhere/index.html").write_text("x")
    asked = []
    monkeypatch.setattr(module.shutil, "which", lambda name: CHROMIUM)
    with make_server(built / "elsewhere", 0) as server:
        server.RequestHandlerClass = lambda *how: asked.append(how)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        image = f'<img alt="x" src="http://127.0.0.1:{server.server_address[1]}/x.png">'
        page = built / "_build/html/notebooks/02-b.html"
        page.write_text(TWO.replace("</section>", f"{image}</section>"))
        _, pdf = print_edition(built, built / "out")
        server.shutdown()
    assert pdf.read_bytes().startswith(b"%PDF")
    assert asked == []


def test_a_page_without_an_article_is_named(built):
    (built / "_build/html/notebooks/02-b.html").write_text("<p>")
    with pytest.raises(BookError, match=r"02-b.html: has no article with a heading; run `make book`"):
        print_edition(built, built / "out")


def test_a_page_must_be_built(built):
    (built / "_build/html/notebooks/02-b.html").unlink()
    with pytest.raises(BookError, match="the site has no notebooks/02-b; run `make book`"):
        print_edition(built, built / "out")
