"""axe-core over each page, by day and by night: nothing critical, nothing serious."""

from pathlib import Path

import pytest

AXE = Path(__file__).resolve().parents[2] / ".vendor" / "test" / "axe.min.js"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_violation(visit, page_name, scheme):
    seen = visit(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = seen.open(page_name)
    assert page.evaluate("() => document.documentElement.dataset.theme") == scheme
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    serious = [
        f"{rule['impact']} {rule['id']}: {node['html'][:160]}"
        for rule in found
        if rule["impact"] in ("critical", "serious")
        for node in rule["nodes"]
    ]
    assert serious == []
