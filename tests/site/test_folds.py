"""Hints and solutions are folded at first, and open by mouse and by keyboard."""

import pytest

PAGE = "notebooks/02-gromov-wasserstein.html"


@pytest.mark.parametrize("kind", ["details.sd-dropdown", "details.hide"], ids=["hints", "solutions"])
def test_a_fold_is_closed_until_the_reader_opens_it(visit, kind):
    page = visit(viewport={"width": 1200, "height": 900}).open(PAGE)
    folds = page.locator(f"article {kind}")
    assert folds.count() >= 5
    assert page.locator(f"article {kind}[open]").count() == 0
    inside = folds.first.locator(":scope > :not(summary)").first
    summary = folds.first.locator("summary").first
    assert not inside.is_visible()
    summary.click()
    assert inside.is_visible()
    summary.press("Enter")
    assert not inside.is_visible()
    summary.press("Space")
    assert inside.is_visible()
