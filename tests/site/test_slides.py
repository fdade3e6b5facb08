"""Slides in a browser: nothing overflows at 16:9, keys turn them, nothing is fetched."""

import base64
import struct
import zlib

import nbformat
import pytest

from bookkit.lessons import read_lesson
from bookkit.slides import PAGE, of_chapter

SHEET = (
    "# L\n\n## Collect before you show\n\n*How many?*\n\n## Three questions for the room\n\n"
    "## Minutes\n\n## What you will hear\n\n"
)


def png(width, height):
    """A grey picture."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    return base64.b64encode(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    ).decode()


def chapter():
    new = nbformat.v4
    long = "A sentence of some length that says what can be seen here. " * 8

    def figure(width, height):
        output = new.new_output("display_data", {"image/png": png(width, height)})
        how = {"mystnb": {"image": {"alt": "Grey."}, "figure": {"caption": long, "name": "x"}}}
        return new.new_code_cell("x", outputs=[output], metadata=how)

    wide = "| " + " | ".join(["quite a few words"] * 9) + " |\n"
    table = f":::{{table}} {long.strip()}\n:name: t\n\n{wide}{'| --- ' * 9}|\n{wide * 9}:::"
    rows = "".join(f"| C{k:02d}: {'word ' * 30} | ours | agrees {'word ' * 20} | 1 |\n" for k in range(12))
    frames = "".join(f'<img alt="{k}" src="data:image/png;base64,{png(60, 40)}">' for k in range(2))
    notebook = new.new_notebook(
        cells=[
            new.new_markdown_cell("# 01 T\n\nWhy?"),
            new.new_markdown_cell("## S"),
            figure(600, 300),
            figure(300, 900),
            new.new_markdown_cell(table),
            new.new_code_cell(
                "x",
                outputs=[
                    new.new_output(
                        "display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "box"}}
                    )
                ],
            ),
            new.new_markdown_cell(f"## What we found\n\n{rows}\n**Before you go**: think."),
        ]
    )
    values = [frame + ">" for frame in frames.split(">") if frame]
    models = {"box": {"state": {"children": ["a", "b"]}}} | {
        name: {"state": {"value": value}} for name, value in zip("ab", values, strict=True)
    }
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": models}}
    return notebook


@pytest.fixture
def page(browser, tmp_path):
    slides = "\n".join(of_chapter(chapter(), "01-a", read_lesson(SHEET, "l")))
    path = tmp_path / "slides.html"
    text = PAGE.read_text().replace("<!-- slides -->", slides)
    path.write_text(text.replace('<script defer src="mathjax.js"></script>', ""))
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.fetched = []
    page.on("request", lambda request: page.fetched.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.close()


OVER = """() => [...document.querySelectorAll("section")].map(slide => {
  const box = slide.getBoundingClientRect();
  const parts = [...slide.querySelectorAll(":scope > :not(aside), td, img")].filter(e => e.offsetParent);
  return Math.max(...parts.map(e => {
    const b = e.getBoundingClientRect();
    return Math.max(b.bottom - box.bottom, box.top - b.top, b.right - box.right);
  }));
})"""


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_nothing_overflows_at_16_to_9(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    over = page.evaluate(OVER)
    assert len(over) >= 8
    assert max(over) <= 1
    sizes = page.evaluate(
        "[...document.querySelectorAll('p, td')].filter(e => e.offsetParent)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) > size[1] / 65


def test_keys_turn_slides_a_slider_shows_frames_and_n_shows_notes(page):
    at = "Math.round(scrollY / innerHeight)"
    for key, now in (("ArrowRight", 1), ("PageDown", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        page.wait_for_function(f"{at} === {now}")
    assert not page.locator("aside").first.is_visible()
    page.keyboard.press("n")
    page.keyboard.press("ArrowLeft")
    assert page.locator("aside").first.is_visible()
    slider = page.locator(".film input")
    slider.focus()
    page.keyboard.press("ArrowRight")  # moves the slider, and turns no slide
    shown = page.evaluate("[...document.querySelectorAll('.frames > div')].map(box => box.hidden)")
    assert shown == [True, False]
    assert [url for url in page.fetched if not url.startswith(("file:", "data:"))] == []
