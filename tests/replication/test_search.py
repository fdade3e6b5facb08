"""The search against its peers: what is measured, what is kept of an interrupted run, and the tables."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

import funcsim as fs
from funcsim.geometry import distance_matrix
from funcsim.gromov.effort import EFFORTS
from replication.search import exhaustive, layers, measured, memory, tables


@pytest.fixture(scope="module")
def result():
    return measured.load("smoke")


def test_every_solver_at_hand_meets_every_pair(result):
    pairs = result.pairs
    assert set(pairs["layers"]) == {"Model 0", "ReLU chain", "tanh", "ties"}
    assert len(pairs) == 4 * 2 * 2
    assert {"quick", "usual", "thorough", "POT", "SciPy FAQ"} <= set(tables.names_of(pairs))
    assert all(isinstance(why, str) and why for why in result.skipped.values())
    for row in pairs.to_dict(orient="records"):
        assert row["usual: cost"] <= row["identity_cost"] * (1 + 1e-9)
        assert row["lower_bound"] ** 2 <= row["thorough: cost"] * (1 + 1e-9)
        for effort in EFFORTS:
            seconds, costs = zip(*row[f"{effort}: trace"], strict=True)
            assert list(seconds) == sorted(seconds)
            assert list(costs) == sorted(costs, reverse=True)
            assert (seconds[-1], costs[-1]) == (row[f"{effort}: seconds"], row[f"{effort}: cost"])


def test_memory_is_what_a_search_adds():
    """One kept matrix more than doubles it: POT holds several, and the inputs do not count."""
    if not memory.FORGET.exists():
        pytest.skip("only Linux tells the most that a process held")
    matrix = 8 * 700**2 / 2**20
    held = memory.peaks(700, ("POT", "usual"))
    assert set(held) == {"POT", "usual"}
    assert all(2 * matrix < mib < 60 * matrix for mib in held.values())


def test_the_memory_is_stored(result):
    assert set(result.memory) <= {"POT", "usual"}
    assert all(mib >= 0 for mib in result.memory.values())


def test_the_tables_say_what_was_measured(result):
    for row in tables.overall(result.pairs).to_dict(orient="records"):
        assert row["solver"] not in EFFORTS or row["never above POT"] == 1
        assert row["solver"] == "thorough" or 0 <= row["lowest of all"] <= row["lowest but thorough"] <= 1
    for row in tables.on_the_way(result.pairs).to_dict(orient="records"):
        assert row["reach it"] == 1
        assert row["to POT's cost"] <= row["to the lowest cost"]
    assert tables.bounds(result.pairs)["bound / distance"].between(0, 1).all()


def test_the_tables_count_right():
    pairs = pd.DataFrame(
        {
            "layers": "x",
            "n": [512, 512, 1024],
            "POT: cost": [1.0, 1.0, 1.0],
            "POT: seconds": [1.0, 1.0, 8.0],
            "usual: cost": [0.5, 1.0 + 1e-4, 2.0],
            "usual: seconds": [0.5, 0.5, 1.0],
            "usual: trace": [[[0.1, 0.9], [0.5, 0.5]], [[0.5, 1.0 + 1e-4]], [[1.0, 2.0]]],
            "lower_bound": 0.5,
            "thorough: cost": [0.5, 1.0, 1.0],
            "thorough: seconds": [5.0, 5.0, 5.0],
        }
    )
    usual = tables.overall(pairs).set_index("solver").loc["usual"]
    assert usual["lowest of all"] == usual["lowest but thorough"] == pytest.approx(2 / 3)
    assert usual["never above POT"] == pytest.approx(1 / 3)
    assert usual["time / POT"] == 0.5
    assert tables.exponents(pairs)["x"]["POT"] == 3.0
    assert tables.exponents(pairs)["x"]["usual"] == 1.0
    found = tables.reached(pairs, "usual", pairs["POT: cost"], 1e-3)
    assert found.tolist() == [0.1, 0.5, np.inf]


def test_the_search_that_is_timed_is_that_of_the_library():
    clouds = layers.images_of_clouds(60, 0)[:2]
    found = measured.ours(*map(distance_matrix, clouds))
    for effort in EFFORTS:
        assert found[f"{effort}: cost"] == pytest.approx(fs.gw(*clouds, effort=effort).cost, rel=1e-12)


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    experiment, real, seen = measured.EXPERIMENTS["search"], measured.theirs, []

    def breaking(D1, D2, solvers):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(len(D1))
        return real(D1, D2, {})

    run = {"out": tmp_path, "work": tmp_path / "work", "progress": False}
    monkeypatch.setattr(measured, "theirs", breaking)
    with pytest.raises(KeyboardInterrupt):
        experiment.run("smoke", **run)
    (journal,) = (tmp_path / "work").rglob(measured.FILE)
    kept = journal.read_text()
    assert len(kept.splitlines()) == 3
    journal.write_text(kept + '{"layers": "Mod')  # torn by a kill
    monkeypatch.setattr(measured, "theirs", lambda *pair: seen.append(0) or real(*pair[:2], {}))
    record = experiment.run("smoke", **run)
    assert seen.count(0) == record.results["pairs"] - 3
    assert [*(tmp_path / "work").rglob(measured.FILE)] == []
    stored = (tmp_path / "search" / "seed-0" / measured.FILE).read_text()
    assert stored.startswith(kept)


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


def test_every_matching_is_tried():
    rng = np.random.default_rng(0)
    D = distance_matrix(rng.normal(size=(6, 3)))
    order = rng.permutation(6)
    assert exhaustive.true_distance(D, D[order][:, order]) == pytest.approx(0, abs=1e-7)
    other = distance_matrix(rng.normal(size=(6, 3)))
    true = exhaustive.true_distance(D, other)
    found = measured.ours(D, other)
    assert found["lower_bound"] <= true <= np.sqrt(found["quick: cost"]) * (1 + 1e-9)
    by_hand = min(((other[np.ix_(p, p)] - D) ** 2).mean() for p in map(list, permutations(range(6))))
    assert true == pytest.approx(np.sqrt(by_hand))
    with pytest.raises(ValueError, match="at most 9 points"):
        exhaustive.true_distance(np.zeros((10, 10)), np.zeros((10, 10)))


def test_a_third_layer_raises_a_bound_only_where_it_may():
    upper = np.array([[0, 5.0, 5.2], [5.0, 0, 0.3], [5.2, 0.3, 0]])
    lower = np.array([[0, 4.9, 1.0], [4.9, 0, 0.1], [1.0, 0.1, 0]])
    raised = exhaustive.through_third(lower, upper)
    assert raised[0, 2] == raised[2, 0] == pytest.approx(4.6)  # 4.9 - 0.3
    assert (raised <= upper).all()
    assert (raised >= lower).all()
    assert raised[0, 1] == 4.9
