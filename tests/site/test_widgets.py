"""Figures with a slider must move without a kernel, by keyboard."""

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
