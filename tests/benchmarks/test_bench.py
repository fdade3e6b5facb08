"""The benchmarks run, write what they print, and say what they could not measure."""

import json

import numpy as np
import pytest

import funcsim as fs
from benchmarks import intervals, partition
from benchmarks.__main__ import main
from funcsim import simulated_maps
from replication.benchmark.rules import RULES


def test_the_intervals_are_written_to_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["--profile", "smoke", "--only", "intervals"])
    written = json.loads((tmp_path / "_build" / "bench" / "intervals.json").read_text())
    assert written["seed"] == 0
    assert written["seconds"] > 0
    assert "_build/bench" in capsys.readouterr().out


def test_the_search_is_shown_as_tables(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["--profile", "smoke", "--only", "gw"])
    shown = capsys.readouterr().out
    for word in (
        "never above POT",
        "to the lowest cost",
        "bound / distance",
        "growth",
        "written to _build/bench",
    ):
        assert word in shown
    assert (tmp_path / "_build" / "bench" / "search" / "seed-0" / "record.json").is_file()


def test_every_rule_is_scored_on_every_family(tmp_path, capsys):
    table = partition.run("smoke", out=tmp_path)
    simulated = [*simulated_maps.DRIFTS, *simulated_maps.PLANTED]
    for rule in [partition.OURS, *RULES]:
        rows = table[(table["rule"] == rule) & table["family"].isin(simulated)]
        assert rows["family"].tolist() == [family for family in simulated for _ in (7, 12)]
    untrained = table[table["family"].str.startswith("untrained")]
    assert {"untrained BERT, cls, halves, rsm", "untrained chain 3, ends, rsm"} <= set(untrained["family"])
    assert table["cut"].between(0, 1).all()
    assert "cells above 0.05 by more than two standard errors" in capsys.readouterr().out


def test_the_population_values_that_intervals_are_measured_against_are_true():
    rng, rsm = np.random.default_rng(0), fs.measures()["rsm"]
    aligned, turned = (intervals.kernel_layers(3, angle) for angle in (0.0, 1.0))
    layers = aligned(24, rng)
    found = fs.gw(*layers)  # no coupling is better than that of each sample with itself
    assert found.distance == pytest.approx(rsm(*layers), rel=1e-6)
    assert found.lower_bound == pytest.approx(found.distance, rel=1e-6)
    assert fs.gw(*turned(24, rng)).distance > 1.1 * found.distance
    for draw, same in ((aligned, True), (turned, False)):  # the cloud's own image, or that of another
        assert (rsm(*draw(700, rng)) == pytest.approx(intervals.kernel_value(3, 0)[0, 1], rel=0.05)) == same
    values = intervals.tanh_values(intervals.AT_ONCE, 0)
    layers = intervals.tanh_layers(1000, rng)
    for name, truth in values.items():
        assert fs.measures()[name](layers[0], layers[2]) == pytest.approx(truth[0, 2], rel=0.05)


def test_an_interval_that_is_too_narrow_is_told(monkeypatch):
    """Of a measure that counts samples, of which the population has none, nothing holds the truth."""
    counted = fs.Measure(name="counted", score=lambda x, y: 1.0 + 60 / len(x))
    population = intervals.Population(
        counted, "counted", lambda n, rng: [rng.normal(size=(n, 2))] * 2, np.array([[0.0, 0.5], [0.5, 0.0]])
    )
    row = intervals.coverage(population, 20, 3, 2, 0)
    assert row["interval"] == row["spread"] == 0.0
    assert row["spread, of size n"] == 1.0
    assert row["value / truth"] == 8.0
