"""The scorecard can be searched without a network, and its marks open what they stand for."""

import json

PAGE = "book/scorecard.html"


def shown(page):
    return page.locator("details.answer:not([hidden])").count()


def test_words_and_answers_choose_what_is_shown(visit, site):
    seen = visit(viewport={"width": 390, "height": 844})
    page = seen.open(PAGE)
    answers = json.loads((site / "book/scorecard.json").read_text())["answers"]
    assert shown(page) == len(answers) > 40
    page.get_by_role("searchbox", name="Search claims and doubts").fill("triangle inequality")
    few = shown(page)
    assert 0 < few < 10
    assert page.locator("#scorecard-filter [role=status]").text_content() == f"{few} of {len(answers)} shown"
    page.get_by_role("searchbox", name="Search claims and doubts").fill("")
    for word in ("holds", "differs", "cannot tell", "justified", "answered", "open"):
        box = page.get_by_label(word, exact=True)
        box.check()
        assert shown(page) == sum(answer["answer"] == word for answer in answers), word
        box.uncheck()
    assert shown(page) == len(answers)
    assert seen.page_errors == []
    assert seen.blocked == []


def test_a_mark_opens_its_fold_and_is_reached_by_keyboard(visit):
    page = visit(viewport={"width": 1200, "height": 900}).open(PAGE)
    mark = page.locator('svg.scorecard a[href="#c08"]')
    fold = page.locator("details#c08, details:has(#c08), #c08 details").first
    assert fold.get_attribute("open") is None
    mark.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert page.evaluate("() => location.hash") == "#c08"
    opened = page.locator("details.answer[open]")
    assert opened.count() == 1
    assert "C08" in opened.locator("summary").text_content()
    page.goto(page.url.replace("#c08", "#d03"))
    page.reload()
    page.wait_for_timeout(300)
    assert "D03" in page.locator("details.answer[open] summary").first.text_content()
