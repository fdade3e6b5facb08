"""From one end of a page to the other with the tab key alone."""

# How each place of a page looks before anything has the focus. Nothing fades: it is looked at, at once.
BEFORE = """() => {
    document.head.insertAdjacentHTML('beforeend', '<style>* { transition: none !important; }</style>');
    const look = (e, part) => {
        const s = getComputedStyle(e, part);
        const ring = s.outlineStyle === 'none' ? '' : s.outline;
        return [ring, s.boxShadow, s.borderColor, s.backgroundColor].join();
    };
    window.looks = e => [
        look(e), look(e, '::before'), look(e, '::after'), ...[...e.children].map(child => look(child))
    ].join();
    window.before = new Map([...document.querySelectorAll('*')].map(e => [e, window.looks(e)]));
}"""
STOP = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const box = e.getBoundingClientRect();
    return {
        what: e.outerHTML.slice(0, 120),
        shown: e.checkVisibility({opacityProperty: true, visibilityProperty: true}),
        near: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        marked: window.looks(e) !== window.before.get(e),
    };
}"""


def walk(page, most=1000):
    """Every place where the tab key stops, until it leaves the page."""
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None and stops:
            return stops
        if stop is not None:
            stops.append(stop)
    raise AssertionError(f"the tab key does not leave the page, after {most} times; last at {stops[-1:]}")


def test_the_tab_key_goes_everywhere_and_is_seen(visit, page_name):
    page = visit(viewport={"width": 1440, "height": 900}).open(page_name)
    page.evaluate(BEFORE)
    stops = walk(page)
    assert "Skip to main content" in stops[0]["what"]
    for fault in ("shown", "near", "marked"):
        assert [stop["what"] for stop in stops if not stop[fault]] == [], f"not {fault} when it has the focus"
