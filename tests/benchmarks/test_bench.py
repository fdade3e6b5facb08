"""The benchmarks run, write what they print, and say what they could not measure."""

import json

import numpy as np
import pytest

import funcsim as fs
from benchmarks import gw, intervals, layers, partition
from benchmarks.__main__ import main
from funcsim import simulated_maps
from funcsim.geometry import distance_matrix
from funcsim.gromov.effort import EFFORTS
from replication.benchmark.rules import RULES


@pytest.mark.parametrize("name", ["gw", "intervals"])
def test_each_benchmark_writes_its_file(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["--profile", "smoke", "--only", name])
    written = json.loads((tmp_path / "_build" / "bench" / f"{name}.json").read_text())
    assert written["seed"] == 0
    assert written["seconds"] > 0
    assert "_build/bench" in capsys.readouterr().out


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


def test_the_solver_is_measured_against_every_peer(tmp_path):
    pairs = gw.run("smoke", out=tmp_path / "gw.json")
    assert set(pairs["layers"]) == {"Model 0", "ReLU chain", "tanh", "ties"}
    written = json.loads((tmp_path / "gw.json").read_text())
    peers = {"quick", "usual", "thorough", "POT", "SciPy FAQ"}
    assert {row["solver"] for row in written["solvers"]} >= peers
    assert all(isinstance(why, str) and why for why in written["skipped"].values())
    for row in written["overall"]:
        assert row["solver"] not in EFFORTS or row["never above POT"] == 1
        assert 0 <= row["lowest of all"] <= row["lowest but thorough"] <= 1 or row["solver"] == "thorough"
    for row in written["on the way"]:
        assert row["reach it"] == 1
        assert row["to POT's cost"] <= row["to the lowest cost"]
    for row in written["pairs"]:
        assert row["usual: cost"] <= row["identity_cost"] * (1 + 1e-9)
        assert row["lower_bound"] ** 2 <= row["thorough: cost"] * (1 + 1e-9)
        for effort in EFFORTS:
            seconds, costs = zip(*row[f"{effort}: trace"], strict=True)
            assert list(seconds) == sorted(seconds)
            assert list(costs) == sorted(costs, reverse=True)
            assert (seconds[-1], costs[-1]) == (row[f"{effort}: seconds"], row[f"{effort}: cost"])


def test_the_search_that_is_timed_is_that_of_the_library():
    clouds = layers.images_of_clouds(60, 0)[:2]
    measured = gw.ours(*map(distance_matrix, clouds))
    for effort in EFFORTS:
        found = fs.gw(*clouds, effort=effort)
        assert measured[f"{effort}: cost"] == pytest.approx(found.cost, rel=1e-12)


def test_what_was_measured_is_not_measured_again(tmp_path, monkeypatch):
    out = tmp_path / "gw.json"
    monkeypatch.setitem(gw.SIZES, "smoke", {32: 1})
    first = gw.run("smoke", out=out)
    monkeypatch.setattr(gw, "theirs", lambda *_: pytest.fail("measured again"))
    assert gw.run("smoke", out=out).equals(first)
    monkeypatch.setattr(gw, "theirs", lambda *_: {})
    monkeypatch.setattr(gw, "VERSION", "another")
    with pytest.raises(KeyError):  # nothing of another engine is taken over
        gw.run("smoke", out=out)


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


def test_real_images_and_texts_are_measured_only_where_they_are_at_hand(monkeypatch):
    monkeypatch.delenv("FUNCSIM_DATA", raising=False)
    monkeypatch.delenv("FUNCSIM_MODELS", raising=False)
    assert {name: why.split()[0] for name, why in layers.why_not().items()} == {
        "ResNet-9, CIFAR-10": "FUNCSIM_DATA",
        "MPNet, SST-2": "FUNCSIM_DATA",
    }
    monkeypatch.setenv("FUNCSIM_DATA", "somewhere")
    assert {name: why.split()[0] for name, why in layers.why_not().items()} == {
        "MPNet, SST-2": "FUNCSIM_MODELS"
    }
    monkeypatch.setenv("FUNCSIM_MODELS", "somewhere")
    assert layers.why_not() == {}
