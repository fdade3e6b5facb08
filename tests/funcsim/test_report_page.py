"""The page that a person shows to colleagues: what is on it, and that it says what was found."""

import csv as csv_files
import json
import re
from dataclasses import replace

import numpy as np
import pytest

import funcsim as fs
from funcsim._intervals import Intervals
from funcsim.changes import Change
from funcsim.report import analyse, write_report
from funcsim.report.chance import beside_chance
from funcsim.report.checks import run_checks
from funcsim.report.cuts import possible_cuts
from funcsim.report.findings import group_sentence, sentences
from funcsim.report.page import MOST_LAYERS, thinned
from funcsim.report.steps import Steps, block_range, steps_of, steps_svg
from funcsim.report.tables import csv, defused
from funcsim.report.twin import check_of_twin


def chain(n_layers=10, cut=None, n=24, d=6, seed=0):
    """Layers that drift, with an abrupt step in front of `cut`."""
    rng = np.random.default_rng(seed)
    x, layers = rng.normal(size=(n, d)), {}
    for k in range(n_layers):
        x = x + 0.05 * rng.normal(size=x.shape)
        if k == cut:
            x = np.tanh(3 * x @ rng.normal(size=(d, d)))
        layers[f"encoder.layer.{k}"] = x
    return fs.Representations(layers)


@pytest.fixture(scope="module")
def found():
    return analyse(chain(cut=5), n_draws=4, progress=False)


@pytest.fixture(scope="module")
def folder(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "out"
    write_report(folder, found, "a chain", {"pool": "mean", "inputs": "40 texts"})
    return folder


def test_three_sentences_say_effect_then_test_then_what_survives(found):
    effect, test, checks = sentences(found)
    assert "leads into encoder.layer.5" in effect
    value = np.diag(found.map.values, k=1)[4]
    assert re.search(rf"{value:.3f} \(\S+ to \S+ on as many other inputs, at 95%\)", effect)
    assert "p =" not in effect
    change = found.partition.changes[0]
    low, high = change.effect_interval
    assert low < change.effect < high
    assert test == (
        f"The layers form 2 groups, [0, 5), [5, 10): the boundary is {change.effect:.1f} ({low:.1f} to "
        f"{high:.1f} on as many other inputs) times the larger step beside it (p < 0.001)."
    )
    assert re.search(r"holds in (all \d checks|\d of \d checks)", checks)


def test_a_single_layer_may_stand_apart_at_an_end():
    x = chain(8)
    end = fs.Representations({**x, "encoder.layer.8": np.tanh(9 * x["encoder.layer.7"])})
    _, test, _ = sentences(analyse(end, n_draws=2, progress=False))
    assert "2 groups, [0, 8), [8, 9): the boundary is" in test


def test_one_group_and_a_change_of_speed_are_said_in_words(found):
    one = fs.Partition(found.map.names, (0,) * 10, 0.4, "contiguous")
    assert group_sentence(one) == (
        "The test finds no step out of proportion to the others: the layers are one group (p = 0.400)."
    )
    faster = replace(one, p_value=1.0, changes=(Change("speed-up", 6, 9, 9, 3.21, 0.01),))
    assert group_sentence(faster).endswith(
        "From encoder.layer.6 to encoder.layer.9 the layers change 3.2 times as fast as beside it: a change "
        "of speed, no boundary."
    )
    wide = Change("transition", 4, 6, 5, 2.5, 0.01)
    two = replace(one, labels=(0,) * 5 + (1,) * 5, p_value=0.01, changes=(wide,))
    assert "2.5 times the larger step beside it, over 2 steps (p = 0.010)." in group_sentence(two)
    two = replace(two, changes=(replace(wide, effect_interval=(2.1, 2.9)),))
    assert "2.5 (2.1 to 2.9 on as many other inputs) times the larger step" in group_sentence(two)


def test_too_few_layers_are_not_tested_and_it_is_said(tmp_path):
    found = analyse(chain(5), n_draws=2, progress=False)
    assert sentences(found)[1] == "5 layers are too few for the test, which needs 6: one group."
    write_report(tmp_path / "o", found, "short", {"pool": "all"})
    page = (tmp_path / "o/report.html").read_text()
    assert page.count("The test: not made.") == 2
    assert "p = 1" not in page
    assert "5 layers; 24 inputs; not pooled; GW distance" in page
    assert "CKA, debiased</h3>" in page  # without a unit: no normalisation changes it
    assert json.loads((tmp_path / "o/report.json").read_text())["p_value"] is None


def test_even_steps_have_no_largest_to_speak_of():
    found = analyse(chain(6), n_draws=2, progress=False)
    assert steps_of(found.intervals).ratio < 1.5
    effect, test, _ = sentences(found)
    assert "are even" in effect
    assert any("6 layers are few for the test" in warning for warning in found.warnings)
    assert "one group" in test


def test_steps_are_those_of_the_map_under_both_measures(found):
    gw, cka = steps_of(found.intervals), steps_of(found.beside)
    assert np.array_equal(gw.values, np.diag(found.map.values, k=1))
    assert np.array_equal(cka.values, 1 - np.diag(found.beside.map.values, k=1))
    for steps in (gw, cka):
        assert (steps.low <= steps.values).all()
        assert (steps.values <= steps.high).all()
    assert gw.largest == cka.largest == 5


def untrained(found, steps, n=19):
    """A twin of the layers found, whose copies all have these steps."""
    m, places = found.map, np.cumsum([0.0, *steps])
    maps = np.repeat(np.abs(places[:, None] - places)[None], n, axis=0)
    return fs.UntrainedTwin(m.names, maps, m.measure, m.normalize, m.n_samples, False, tuple(range(n)))


def test_a_step_that_the_untrained_network_has_is_not_of_training(found):
    """In front of layer 5 the network found has a step; nine even steps, or one of ten in that place."""
    even, alike = untrained(found, [1.0] * 9), untrained(found, [1.0] * 4 + [99.0] + [1.0] * 4)
    for twin, survives, low in ((even, True, "11%"), (alike, False, "93%")):
        check = check_of_twin(found.intervals, twin)
        assert check.survives is survives
        assert f"in {0 if survives else 19} of 19" in check.outcome
        *_, last = sentences(replace(found, twin=twin))
        assert "The step into encoder.layer.5 makes" in last
        assert f"19 copies with fresh weights it makes {low} to {low}." in last
    assert len(sentences(found)) == 3
    assert (
        "19 copies or more would tell at 5%"
        in check_of_twin(found.intervals, untrained(found, [1.0] * 9, 5)).outcome
    )
    mixed = untrained(found, [1.0] * 9, 39)
    mixed.maps[0] = alike.maps[0]
    assert check_of_twin(found.intervals, mixed).survives  # 2 of 40 with the network itself
    cut = replace(found.partition, twin_p_values=(0.01, 0.04, 0.5) + (1.0,) * 36)
    check = check_of_twin(replace(found.intervals, partition=cut), mixed)
    assert check.outcome.endswith("the test finds groups in 2")
    assert check.survives is (cut.n_groups == 1)
    mixed.maps[1] = alike.maps[0]
    assert not check_of_twin(found.intervals, mixed).survives


def test_even_steps_are_set_beside_the_largest_of_each_copy():
    asked = {"measure": "rsm", "n_draws": 2, "progress": False}
    found = analyse(chain(6), **asked)
    assert steps_of(found.intervals).ratio < 1.5
    told = analyse(chain(6), twin=untrained(found, [1.0, 1, 6, 1, 1]), **asked)
    assert [check.name for check in told.checks] == [check.name for check in found.checks]
    assert sentences(told)[-1].endswith("in 19 copies with fresh weights the largest makes 60% to 60%.")
    found = analyse(chain(cut=5), **asked)
    assert analyse(chain(cut=5), twin=untrained(found, [1.0] * 9), **asked).checks[-1].name == "Training"


def test_half_of_the_way_is_the_shortest_run():
    steps = Steps(*(np.array([1.0, 1, 1, 5, 1, 1]),) * 3)
    assert steps.half_of_the_way == (3, 5)
    assert steps.largest == 4
    assert steps.ratio == 5
    assert Steps(*(np.array([1.0, 2, 3, 1, 1]),) * 3).half_of_the_way == (1, 4)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("h.0", "h.1", "h.2"), ("[1, 3)", True)),
        (("h.4", "h.5", "h.6"), ("[5, 7)", True)),
        (("h.0", "h.2", "h.3"), ("[1, 3)", False)),
        (("a.0", "b.1", "b.2"), ("[1, 3)", False)),
        (("x", "h.1", "h.2"), ("[1, 3)", False)),
    ],
)
def test_ranges_are_half_open_and_count_blocks_where_names_do(names, expected):
    assert block_range(names, 1, 3) == expected


def test_possible_cuts_are_counted_in_the_halves(found):
    two, three = possible_cuts(found.intervals)
    assert two.boundaries == (5,)
    assert two.same == two.near == 1.0
    assert len(three.boundaries) == 2
    assert three.same <= three.near


def test_the_halves_are_kept(found):
    assert found.intervals.draws.shape == (4, 10, 10)
    mean = found.intervals.draws.mean(axis=0) - found.map.values
    assert np.allclose(mean, found.intervals.bias)


def test_a_report_says_which_layers_are_no_more_alike_than_chance(found):
    assert (
        "By linear CKA, debiased all 45 pairs of layers are more alike than in each of 9 shuffles of the "
        "inputs."
    ) in found.warnings
    rng = np.random.default_rng(0)
    apart = fs.Representations({f"layer {k}": rng.normal(size=(24, 6)) for k in range(4)})
    said = beside_chance(apart, ("gw", "cka-debiased"), "mean", 0)
    assert re.match(r"By linear CKA, debiased [456] of 6 pairs of layers are no more alike", said[0])
    assert beside_chance(apart, ("gw",), "mean", 0) == []  # it would double the time


def test_shuffles_that_take_long_are_left_out(monkeypatch):
    monkeypatch.setattr("funcsim.report.chance.MOST_SECONDS", 0.0)
    assert beside_chance(chain(4), ("cka",), "mean", 0) == []


def test_a_check_that_finds_another_answer_says_so(found):
    reps, other = chain(cut=5), chain(cut=3, seed=1)
    checks = run_checks(reps, found.intervals, None, {"last": other, "cls": reps}, "gw", "mean", 0)
    by_what = {check.what: check for check in checks}
    assert by_what["pooled by “last” instead"].survives is False
    assert by_what["pooled by “cls” instead"].survives is True
    assert "rank correlation of the maps 1.00" in by_what["pooled by “cls” instead"].outcome
    assert {check.name for check in checks} == {"Pooling", "Scale", "A dominant dimension", "Few inputs"}


def test_a_check_that_takes_too_long_is_named_as_not_run(found, monkeypatch):
    monkeypatch.setattr("funcsim.report.checks.MOST_SECONDS", 0.0)
    checks = run_checks(chain(cut=5), found.intervals, None, {}, "gw", "mean", 0)
    assert [check.survives for check in checks] == [None, None, True]  # halves were there already
    assert "not run: it would take about" in checks[0].outcome


def test_the_page_holds_all_its_parts_and_nothing_from_elsewhere(folder):
    page = (folder / "report.html").read_text()
    for heading in ("What was found", "Groups", "Where one might cut", "What would change the answer"):
        assert f">{heading}</h" in page
    for part in (
        "What was not tested",
        "[0, 5)",
        "linear CKA, debiased",
        "prefers-color-scheme: dark",
        "@media print",
    ):
        assert part in page
    assert page.count('class="steps"') == 2
    assert page.count('class="layer-explorer"') == 2
    assert page.count("<details>") == 3
    assert not re.search(r'(?:src|href)="(?!data:)|url\(|@import|https?://(?!arxiv)', page)
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in re.findall(r"<img [^>]*>", page))
    assert all("aria-label" in svg or "aria-hidden" in svg for svg in re.findall(r"<svg [^>]*>", page))
    assert len(page) < 200_000


def test_the_numbers_are_there_for_machines(folder, found):
    told = json.loads((folder / "report.json").read_text())
    assert told["beside"]["measure"] == "cka-debiased"
    assert told["possible_cuts"][0]["boundaries"] == [5]
    assert [check["name"] for check in told["checks"]] == [check.name for check in found.checks]


def test_many_layers_stay_below_a_megabyte(tmp_path):
    n = 948
    names = tuple(f"encoder.layer.{k // 79}.attention.head.{k % 79}" for k in range(n))
    values = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) / n
    values += np.random.default_rng(0).uniform(0, 0.2, size=(n, n)) * (1 - np.eye(n))
    values = (values + values.T) / 2
    m = fs.LayerMap(values, names, names, "gw", "mean", 512)
    groups = fs.Partition(names, (0,) * n, 1.0, "contiguous")
    zero = 0 * values
    sure = Intervals(m, groups, values, values, zero, zero, zero[0], zero[0], {1: 1.0}, 20, 0.95)
    from funcsim.report.analysis import Analysis

    write_report(tmp_path / "o", Analysis(sure, None, None, ()), "heads", {})
    assert (tmp_path / "o/report.html").stat().st_size < 1_000_000
    small, step = thinned(m)
    assert len(small.names) <= MOST_LAYERS
    assert step == 6
    assert small.values[1, 2] == values[6, 12]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(text, tmp_path):
    assert defused(text) == f"'{text}"
    reps = fs.Representations({text: chain(2)["encoder.layer.0"], "b": chain(2)["encoder.layer.1"]})
    m = fs.compare(reps, measure="cka", progress=False)
    (tmp_path / "map.csv").write_text(csv(m.to_frame(), index=True))
    with open(tmp_path / "map.csv", newline="") as file:
        rows = list(csv_files.reader(file))
    assert rows[0][1] == rows[1][0] == f"'{text}"
    assert float(rows[1][1]) == 1.0
    assert defused(-0.5) == -0.5


def test_a_band_of_other_networks_has_its_place():
    steps = Steps(np.array([1.0, 2.0]), np.array([0.5, 1.5]), np.array([1.5, 2.5]))
    plain = steps_svg(steps, ("a", "b", "c"), "gw")
    assert 'class="twin"' not in plain
    assert 'class="twin"' in steps_svg(steps, ("a", "b", "c"), "gw", band=(steps.low - 1, steps.high + 1))
    assert "leads into c" in plain


def test_names_on_the_line_are_escaped():
    steps = Steps(*(np.array([1.0, 2.0]),) * 3)
    drawn = steps_svg(steps, ("<a>", '"b', "<c>"), "<gw>", (1,))
    assert not re.search(r"<[abc]>|<gw>", drawn)


def test_a_layer_that_one_measure_cannot_take_does_not_stop_the_report(tmp_path):
    """Samples all equally far apart: debiased CKA has no number for them, GW has."""
    found = analyse(fs.Representations({**chain(4), "odd": np.eye(24)}), n_draws=2, progress=False)
    assert found.beside is None
    write_report(tmp_path / "o", found, "odd", {})
    assert "The same under another measure: it was not run." in (tmp_path / "o/report.html").read_text()
