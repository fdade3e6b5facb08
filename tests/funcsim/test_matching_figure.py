"""Clouds to solve in a page: what the page is given, and the picture that stands there without scripts."""

import json
import re

import numpy as np
import pytest

import funcsim as fs
from funcsim.errors import DegenerateLayerError
from funcsim.geometry import distance_matrix
from funcsim.gromov.coupling import as_permutation
from funcsim.viz import interactive

RNG = np.random.default_rng(0)
PLANE = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 2))
LAYERS = RNG.normal(size=(5, 9)), RNG.normal(size=(5, 4))


def pairs_in(page):
    return json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])["pairs"]


def test_clouds_in_the_plane_keep_their_shape():
    (pair,) = pairs_in(interactive.matching({"two": PLANE}, "alt").data)
    assert set(pair) == {"name", "left", "right"}
    for side, cloud in zip(("left", "right"), PLANE, strict=True):
        assert np.allclose(distance_matrix(pair[side]), distance_matrix(cloud), atol=1e-4)
        places = np.array(pair[side])
        assert (places >= 0).all()
        assert (places <= [300, 260]).all()
        assert places[:, 1].argmin() == cloud[:, 1].argmax()  # upwards is upwards


def test_layers_bring_their_distances():
    (pair,) = pairs_in(interactive.matching({"layers": LAYERS}, "alt").data)
    for side, cloud in zip(("left", "right"), LAYERS, strict=True):
        above = distance_matrix(cloud)[np.triu_indices(5, k=1)]
        assert np.allclose(pair["distances"][side], above, atol=1e-6)
        assert np.shape(pair[side]) == (5, 2)


def test_the_picture_shows_the_matching_of_the_library():
    page = interactive.matching({"two": PLANE, "layers": LAYERS}, "alt").data
    found = fs.gw(*PLANE)
    assert f"distance {found.distance:.4f}, lower bound {found.lower_bound:.4f}" in page
    lines = re.findall(r'<line x1="(.*?)" y1="(.*?)" x2="(.*?)" y2="(.*?)"/>', page)
    pair = pairs_in(page)[0]
    for i, (x1, y1, x2, y2) in enumerate(np.array(lines, dtype=float)):
        assert np.allclose([x1, y1], pair["left"][i], atol=1e-3)
        partner = pair["right"][as_permutation(found.plan)[i]]
        assert np.allclose([x2 - 320, y2], partner, atol=1e-3)
    assert page.count("<circle") == 12


def test_names_and_descriptions_are_escaped():
    page = interactive.matching({"</script><b>": PLANE}, 'an "alt" <i>', "a <b> c").data
    assert 'aria-label="an &quot;alt&quot; &lt;i&gt;"' in page
    assert page.count("</script>") == 2  # its own two, not the name's
    assert pairs_in(page)[0]["name"] == "</script><b>"
    assert "a &lt;b&gt; c</figcaption>" in page


def test_the_script_leaves_no_global_name_and_fetches_nothing():
    page = interactive.matching({"two": PLANE}, "alt").data
    script = page.rsplit("<script>", 1)[1]
    assert script.lstrip().startswith("(function (figure) {")
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\(|window\.\w+ =", page)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ({}, "pairs is empty"),
        ({"a": (PLANE[0], PLANE[1][:5])}, "'a' has clouds of 6 and 5 points"),
        ({"a": (PLANE[0][:2], PLANE[1][:2])}, "from 3 to 40"),
        ({"a": (np.eye(41), np.eye(41))}, "'a' has clouds of 41 and 41 points"),
    ],
)
def test_clouds_that_a_page_cannot_solve_are_refused(pairs, words):
    with pytest.raises(ValueError, match=words):
        interactive.matching(pairs, "alt")


def test_a_cloud_without_extent_is_named():
    with pytest.raises(DegenerateLayerError, match="still, right"):
        interactive.matching({"still": (PLANE[0], np.ones((6, 2)))}, "alt")
