"""The page solves a matching as the library does, by finger and keyboard; without scripts it shows one."""

import json
from itertools import permutations

import numpy as np
import pytest

import funcsim as fs
from funcsim.gromov import bounds
from funcsim.gromov.coupling import cost, from_permutation
from funcsim.gromov.solver import solve
from funcsim.gromov.space import prepare

PAGE = "notebooks/02-gromov-wasserstein.html"
FIGURE = ".gw-matching"
SAME = 1e-6


def opened(seen):
    """The figure of the page, once it can be used."""
    figure = seen.open(PAGE).locator(FIGURE)
    figure.get_by_text("One step").wait_for()
    return figure


def data_of(figure):
    return json.loads(figure.locator("script").first.text_content())["pairs"]


def square(upper):
    """A distance matrix (n, n) from what is above its diagonal, divided by its mean."""
    n = round((1 + np.sqrt(1 + 8 * len(upper))) / 2)
    D = np.zeros((n, n))
    D[np.triu_indices(n, k=1)] = upper
    D += D.T
    return D * n * (n - 1) / D.sum()


def matrices(pair):
    """The normalised distances of both clouds, as the library has them."""
    if "distances" in pair:
        return tuple(square(pair["distances"][side]) for side in ("left", "right"))
    return tuple(fs.geometry.distance_matrix(pair[side]) for side in ("left", "right"))


def drawn(figure):
    """The matching that the page shows, as it is read out."""
    labels = figure.locator("g.left circle").evaluate_all("all => all.map(c => c.getAttribute('aria-label'))")
    return np.array([int(label.rsplit(" ", 1)[1]) - 1 for label in labels])


def now(figure):
    """Upper and lower bound that the page shows."""
    return tuple(float(figure.get_attribute(f"data-{name}")) for name in ("high", "low"))


def press(figure, name):
    figure.locator(f"[data-part={name}]").click()


def points(figure, side):
    circles = figure.locator(f"g.{side} circle")
    places = circles.evaluate_all(
        "all => all.map(c => [Number(c.getAttribute('cx')), Number(c.getAttribute('cy'))])"
    )
    return np.array(places)


def exact(X, Y):
    """The distance by trying all matchings, and the library's normalised distances."""
    A, B = (fs.geometry.distance_matrix(cloud) for cloud in (X, Y))
    return np.sqrt(min(((A - B[np.ix_(s, s)]) ** 2).mean() for s in map(list, permutations(range(len(A))))))


def test_every_pair_ends_where_the_library_ends(visit):
    seen = visit(reduced_motion="reduce")
    figure = opened(seen)
    pairs, same = data_of(figure), 0
    for k, pair in enumerate(pairs):
        figure.locator("select").select_option(str(k))
        press(figure, "solve")
        (high, low), (A, B) = now(figure), matrices(pair)
        ours = solve(A, B)
        if "distances" not in pair:
            assert ours.distance == fs.gw(pair["left"], pair["right"]).distance
        assert low == pytest.approx(ours.lower_bound, rel=SAME, abs=SAME), pair["name"]
        assert high <= ours.distance * (1 + SAME), pair["name"]
        assert high == pytest.approx(np.sqrt(cost(A, B, from_permutation(drawn(figure)))), rel=SAME)
        same += high == pytest.approx(ours.distance, rel=SAME)
        if len(pair["left"]) <= 7:
            assert high == pytest.approx(exact(pair["left"], pair["right"]), rel=SAME)
        assert "Done, after" in figure.get_by_role("status").text_content()
    assert same >= len(pairs) // 2  # the page begins more often, and may end below the library
    assert any(len(pair["left"]) <= 7 for pair in pairs)
    assert any("distances" in pair for pair in pairs)
    assert seen.blocked == seen.page_errors == seen.console == []


def test_single_steps_narrow_the_gap(visit):
    figure = opened(visit(reduced_motion="reduce"))
    pair = data_of(figure)[1]
    figure.locator("select").select_option("1")
    a, b = (prepare(fs.geometry.distance_matrix(pair[side])) for side in ("left", "right"))
    values = [bound(a, b) for bound in (bounds.first_lower_bound, bounds.second_lower_bound)]
    values += [bounds.third_lower_bound(a, b), bounds.eigenvalue_bound(a, b)]
    before = now(figure)
    assert before[1] == 0
    for k in range(8):
        press(figure, "step")
        high, low = now(figure)
        assert low == pytest.approx(max(values[: k + 1]), rel=SAME)
        assert high <= before[0]
        before = high, low
    marks = [figure.locator(f"[data-part={name}]").bounding_box() for name in ("low", "high")]
    assert marks[0]["x"] < marks[1]["x"]


def test_the_keyboard_moves_points(visit):
    seen = visit(reduced_motion="reduce")
    figure = opened(seen)
    figure.locator("select").select_option(label="Seven points and seven others")
    press(figure, "solve")
    before, place = now(figure), points(figure, "left")
    figure.locator("g.left circle[tabindex='0']").focus()
    seen.page.keyboard.press("PageDown")
    for key in ("ArrowRight", "Shift+ArrowDown"):
        seen.page.keyboard.press(key)
    moved = points(figure, "left")
    assert np.abs(moved - place).max(axis=1).astype(bool).tolist() == [False, True, *[False] * 5]
    assert now(figure)[0] != before[0]
    assert "Moved." in figure.get_by_role("status").text_content()
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        "left point 2 of 7"
    )
    press(figure, "solve")
    assert now(figure)[0] == pytest.approx(exact(moved, points(figure, "right")), rel=SAME)


def test_points_come_and_go_in_pairs(visit):
    figure = opened(visit(reduced_motion="reduce"))
    figure.locator("select").select_option(label="Seven points and seven others")
    count = lambda: [len(points(figure, side)) for side in ("left", "right")]  # noqa: E731
    press(figure, "remove")
    assert count() == [6, 6]
    press(figure, "solve")
    assert now(figure)[0] == pytest.approx(
        exact(*(points(figure, side) for side in ("left", "right"))), rel=SAME
    )
    for _ in range(36):
        press(figure, "add")
    assert count() == [40, 40]
    assert "40 points; this is the most" in figure.get_by_role("status").text_content()


def test_a_finger_drags_on_a_narrow_screen(visit):
    seen = visit(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    figure = opened(seen)
    circle = figure.locator("g.right circle").nth(4)
    circle.scroll_into_view_if_needed()
    press(figure, "solve")
    circle.scroll_into_view_if_needed()
    before, place, box = now(figure), points(figure, "right")[4], circle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = seen.context.new_cdp_session(seen.page)
    for kind, touches in (
        ("touchStart", [{"x": x, "y": y}]),
        *(("touchMove", [{"x": x, "y": y - 5 * k}]) for k in range(1, 9)),
        ("touchEnd", []),
    ):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    figure.get_by_text("Moved.").wait_for()
    assert points(figure, "right")[4][1] < place[1] - 20
    assert now(figure)[0] != before[0]
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
    left, right = (figure.locator(f"g.{side} circle").first.bounding_box() for side in ("left", "right"))
    assert right["y"] > left["y"] + 100  # one below the other
    assert seen.page_errors == []


def test_solving_is_shown_step_by_step_and_can_be_stopped(visit):
    figure = opened(visit(reduced_motion="no-preference"))
    press(figure, "solve")
    assert figure.locator("[data-part=solve]").text_content() == "Stop"
    press(figure, "solve")
    figure.get_by_text("Stopped.").wait_for()
    press(figure, "solve")
    figure.get_by_text("Done, after").wait_for()


def test_a_page_without_scripts_shows_a_matching(visit):
    seen = visit(java_script_enabled=False)
    seen.page.goto(f"{seen.address}/{PAGE}")
    figure = seen.page.locator(FIGURE)
    picture = figure.get_by_role("img")
    assert picture.is_visible()
    assert len(picture.get_attribute("aria-label").split()) > 3
    assert figure.locator("line").count() == figure.locator("g.left circle").count() == 24
    assert (
        "the matching that the library found: distance 0." in figure.locator("[data-part=still]").inner_text()
    )
    assert not figure.locator("button").first.is_visible()
    assert not figure.locator("select").is_visible()
