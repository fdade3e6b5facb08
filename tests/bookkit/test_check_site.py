"""The rules for built pages; each is seen to be broken once."""

import json

import pytest

from bookkit.__main__ import main
from bookkit.check_site import check_site
from bookkit.errors import BookError

STATE = '<script type="application/vnd.jupyter.widget-state+json">{}</script>'
OUTPUT = '<div class="cell {}"><div class="cell_output">{}</div></div>'
ERROR = OUTPUT.format("", "<pre>Traceback (most recent call last)\nValueError: no</pre>")
STDERR = OUTPUT.replace("{}</div>", '<div class="output stderr"><pre>careful</pre></div></div>')


def test_good_page(site, capsys):
    folder = site(
        '<a href="other.html#there">o</a><a href="#here">h</a><p id="here"><img src="a.png" alt="A line"></p>'
        '<a href="https://example.org/x">elsewhere</a><img src="data:image/png;base64,AA" alt="A dot">'
        + STDERR.format("tag_allow-stderr"),
        other='<html lang="en"><title>O</title><h1 id="there">O</h1><a href="page.html">back</a></html>',
        index='<html><meta http-equiv="Refresh" content="0; url=page.html"></html>',
    )
    (folder / "a.png").write_bytes(b"x")
    check_site(folder)
    assert "no finding in 3 pages" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<img src="data:,x">', "picture without an alt text: data:,x"),
        ('<img src="data:,x" alt=" ">', "picture without an alt text: data:,x"),
        (
            '<img src="data:,x" alt="../_images/a.png">',
            "picture whose alt text is a file name: ../_images/a.png",
        ),
        (STATE.format(json.dumps({"v": '<img src="data:,x">'})), "picture without an alt text: data:,x"),
        ('<a href="gone.html">x</a>', "dead link: gone.html"),
        ('<a href="#gone">x</a>', "dead anchor: #gone"),
        ('<img src="gone.png" alt="A line">', "dead link: gone.png"),
        ('<script src="https://cdn.example/x.js"></script>', "loads a remote file: https://cdn.example/x.js"),
        ('<script src="//cdn.example/x.js"></script>', "loads a remote file: //cdn.example/x.js"),
        (
            '<img src="http://example.org/a.png" alt="A line">',
            "loads a remote file: http://example.org/a.png",
        ),
        (
            '<img srcset="https://e.org/a.png 2x" src="data:," alt="A">',
            "loads a remote file: https://e.org/a.png",
        ),
        (
            '<link rel="stylesheet" href="https://cdn.example/x.css">',
            "loads a remote file: https://cdn.example/x.css",
        ),
        ('<p style="background: url(https://e.org/b.png)">x</p>', "loads a remote file: https://e.org/b.png"),
        ("<style>@import 'https://e.org/f.css';</style>", "loads a remote file: https://e.org/f.css"),
        (ERROR, "shows an error output: ValueError: no"),
        (STDERR.format(""), "shows an error output: stderr: careful"),
        (
            '<span id="papermill-error-cell"></span>',
            "shows an error output: a partial notebook of a failed run",
        ),
        ("<h1>Two</h1>", "has 2 top headings (h1), there must be one"),
    ],
)
def test_broken_rule(site, body, message):
    with pytest.raises(BookError) as error:
        check_site(site(body))
    assert f"page.html: {message}" in str(error.value)
    assert "1 finding in" in str(error.value)


def test_dead_anchor_of_another_page(site):
    folder = site(
        '<a href="other.html#gone">x</a>', other='<html lang="en"><title>O</title><h1>O</h1></html>'
    )
    with pytest.raises(BookError, match=r"page.html: dead anchor: other.html#gone"):
        check_site(folder)


def test_forward_to_nowhere(site):
    folder = site(index='<html><meta http-equiv="Refresh" content="0; url=gone.html"></html>')
    with pytest.raises(BookError, match=r"index.html: dead link: gone.html"):
        check_site(folder)


def test_remote_font_in_a_style_sheet(site):
    folder = site()
    (folder / "style.css").write_text('@font-face { src: url("https://fonts.example/f.woff2") }')
    with pytest.raises(BookError, match=r"style.css: loads a remote file: https://fonts.example/f.woff2"):
        check_site(folder)


def test_language_and_title(site):
    with pytest.raises(BookError, match="has no lang"):
        check_site(site(html="<html>"))
    with pytest.raises(BookError, match="has no title"):
        check_site(site(title=" "))


def test_weight_counts_the_pictures(site):
    folder = site('<img src="a.png" alt="A heavy line">')
    (folder / "a.png").write_bytes(b"x" * 50_000)
    check_site(folder, budget=60_000)
    with pytest.raises(BookError, match=r"page.html: weighs 0.1 MB with its pictures, the budget is 0.0 MB"):
        check_site(folder, budget=40_000)


def test_command_exits_non_zero_with_the_message(site, capsys):
    folder = site('<a href="gone.html">x</a>')
    assert main(["check-site", str(folder)]) == 1
    assert "dead link: gone.html" in capsys.readouterr().err
    assert main(["check-site", str(folder / "nothing")]) == 1
    assert "holds no page" in capsys.readouterr().err
