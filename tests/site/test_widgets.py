"""Figures with a slider must move without a kernel, by keyboard."""

import json

import pytest

VIEW = "application/vnd.jupyter.widget-view+json"
VISIBLE = """() => [...document.querySelectorAll('.jupyter-widgets img')]
    .filter(i => i.offsetParent !== null).map(i => i.alt)"""


@pytest.fixture(scope="session")
def widget_pages(site):
    """Name of each page with widgets -> how many."""
    counts = {
        path.relative_to(site).as_posix(): path.read_text().count(VIEW)
        for path in site.glob("notebooks/*.html")
    }
    return {name: count for name, count in counts.items() if count}


def test_the_book_has_a_widget(widget_pages):
    assert widget_pages


def test_every_saved_widget_is_drawn(widget_pages, visit):
    for name, count in widget_pages.items():
        page = visit().open(name)
        page.locator(".widget-subarea").first.wait_for()
        assert page.locator(".widget-subarea").count() == count, name


def test_arrow_keys_move_the_figure(widget_pages, visit):
    for name in widget_pages:
        seen = visit(viewport={"width": 1200, "height": 900})
        page = seen.open(name)
        handle = page.locator(".noUi-handle").first
        handle.wait_for()
        before = page.evaluate(VISIBLE)
        assert before, f"{name}: no picture is visible in the widget"
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)
        after = page.evaluate(VISIBLE)
        assert len(after) == len(before)
        assert after != before, f"{name}: the slider moved and the picture did not"
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(300)
        assert page.evaluate(VISIBLE) == before
        assert handle.get_attribute("aria-label"), f"{name}: the slider has no name"
        assert seen.blocked == []
        assert seen.page_errors == []


def test_the_explorer_names_what_it_is_pointed_at(site, visit):
    """By mouse, by touch and by keyboard, on every page that has one."""
    pages = [path for path in site.glob("notebooks/*.html") if "layer-explorer" in path.read_text()]
    assert pages
    for path in pages:
        seen = visit(viewport={"width": 1200, "height": 900}, has_touch=True)
        page = seen.open(path.relative_to(site).as_posix())
        figure = page.locator(".layer-explorer").first
        data = json.loads(figure.locator("script").first.text_content())
        caption, chart = figure.locator("output"), figure.locator("[tabindex]")
        last = len(data["rows"]) - 1
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 1)
        expected = f"{data['rows'][0]} and {data['columns'][last]}: {data['values'][0][last]:g}"
        assert caption.text_content() == expected
        page.touchscreen.tap(box["x"] + 1, box["y"] + box["height"] - 1)
        assert caption.text_content().startswith(f"{data['rows'][last]} and {data['columns'][0]}: ")
        chart.focus()
        page.keyboard.press("ArrowRight")
        assert f" and {data['columns'][1]}: " in caption.text_content()
        assert seen.blocked == seen.page_errors == []
