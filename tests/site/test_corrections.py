"""Every section has a link that opens an issue about it, and a page calls nothing for that."""

from urllib.parse import parse_qs, urlsplit

PAGE = "notebooks/02-gromov-wasserstein.html"


def test_each_heading_leads_to_an_issue_about_it(visit):
    seen = visit()
    page = seen.open(PAGE)
    headings = page.locator("article :is(h1, h2, h3):has(> a.headerlink)")
    links = page.locator("article a.correction")
    assert links.count() == headings.count() > 10
    for k in range(links.count()):
        link, anchor = links.nth(k), headings.nth(k).locator("a.headerlink").get_attribute("href")
        address = urlsplit(link.get_attribute("href"))
        assert address.netloc == "github.com"
        assert address.path.endswith("/issues/new")
        asked = {name: value for name, (value,) in parse_qs(address.query).items()}
        title = headings.nth(k).evaluate(
            "h => [...h.childNodes].filter(n => !n.matches?.('a')).map(n => n.textContent).join('')"
        )
        assert asked["title"] == f"Correction: {title} (notebooks/02-gromov-wasserstein)"
        assert f"{PAGE}{anchor}\n" in asked["body"]
        assert link.get_attribute("aria-label") == f"Suggest a correction: {title}"
    assert seen.blocked == seen.page_errors == []


def test_the_link_shows_when_it_is_meant(visit):
    page = visit().open(PAGE)
    page.add_style_tag(content="* { transition: none !important }")
    link = page.locator("#the-definition > h2 > a.correction")
    opacity = "a => Number(getComputedStyle(a).opacity)"
    assert link.evaluate(opacity) == 0
    page.locator("#the-definition > h2").hover()
    assert link.evaluate(opacity) == 1
    page.mouse.move(0, 0)
    link.focus()
    assert link.evaluate(opacity) == 1
