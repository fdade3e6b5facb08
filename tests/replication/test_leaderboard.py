"""Scores of measures on networks whose boundaries are known."""

import dataclasses
import json
from functools import partial

import numpy as np
import pandas as pd
import pytest

import funcsim as fs
from replication.__main__ import main
from replication.benchmark import leaderboard
from replication.modular_addition import map_variants
from replication.modular_addition.plans import PLANS
from replication.stored import load_record

NAMES = PLANS["known-boundaries/2-1-1"].tiny().network(0).representation_layers


def clouds(names, at=()):
    """Layers that stay the same but for fresh clouds where `at` says."""
    rng = np.random.default_rng(0)
    layers, cloud = {}, rng.normal(size=(30, 4))
    for k, name in enumerate(names):
        if k in at:
            cloud = rng.normal(size=(30, 4))
        layers[name] = cloud + 0.01 * rng.normal(size=(30, 4))
    return fs.Representations(layers)


def test_the_layers_of_a_chain_and_where_its_functions_begin():
    stream, inner = (leaderboard.layers_of(tuple(NAMES), which) for which in ("stream", "inner"))
    assert stream == [
        *("parts.0.blocks.0.resid_pre", "parts.0.blocks.0.resid_mid", "parts.0.blocks.0.resid_post"),
        *("parts.0.blocks.1.resid_mid", "parts.0.blocks.1.resid_post"),
        *("parts.1.blocks.0.resid_pre", "parts.1.blocks.0.resid_mid", "parts.1.blocks.0.resid_post"),
        *("parts.2.blocks.0.resid_pre", "parts.2.blocks.0.resid_mid", "parts.2.blocks.0.resid_post"),
    ]
    assert leaderboard.starts(stream) == (5, 8)
    assert len(inner) == 4 * 13 - 1
    assert leaderboard.starts(inner) == (25, 38)


def test_guesses_look_at_no_activation():
    names = leaderboard.layers_of(tuple(NAMES), "stream")
    found = leaderboard.guesses(clouds(names))
    assert found == {"one block": (), "equal blocks": (4, 7), "every block": (3, 5, 8), "widths": ()}


def test_scores_against_scores_by_hand():
    names = leaderboard.layers_of(tuple(NAMES), "stream")  # the truth is (5, 8)
    right = leaderboard._measured(clouds(names, at=(5, 8)), partial(fs.compare, measure="rsm"))
    assert right["exact"]
    assert right["p"] < 0.05
    assert (right["K"], right["K found"]) == (3, 3)
    assert right["f1"] == right["ari"] == right["f1 given K"] == right["ari given K"] == 1
    half = leaderboard._scored((5,), (5, 7), clouds(names))
    assert not half["exact"]
    assert (half["K found"], half["f1"], half["f1 given K"]) == (2, 2 / 3, 0.5)
    together, both = 10 + 3 + 3, (10 + 15) * (10 + 3 + 3) / 55  # pairs of layers of 5, 3, 3 and of 5, 6
    assert half["ari"] == pytest.approx((together - both) / ((16 + 25) / 2 - both))
    assert 0 < half["ari given K"] < 1
    nothing = leaderboard._scored((), (2, 3), clouds(names))
    assert nothing["f1"] == nothing["ari"] == nothing["f1 given K"] == 0


def test_what_was_scored_comes_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["experiments", "--profile", "smoke", "--only", "leaderboard"]
    n_seeds, n_states = len(leaderboard.SEEDS), len(leaderboard.STATES)
    rows = leaderboard._rows
    with monkeypatch.context() as stopped:
        calls = []

        def stop_at_second(*told):
            calls.append(told)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return rows(*told)

        stopped.setattr(leaderboard, "_rows", stop_at_second)
        assert main(command) == 130
        assert main(command) == 0
        assert len(calls) == 1 + n_seeds * n_states  # the one that was stopped, twice
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "_build/smoke"))
    stored, origin = leaderboard.load()
    plan = leaderboard.Plan().tiny()
    made = pd.concat(
        [
            rows("1-2", state, 0, seed, plan, "smoke").assign(seed=seed)
            for seed in leaderboard.SEEDS
            for state in leaderboard.STATES
        ],
        ignore_index=True,
    )
    assert origin.count("1 chains") == n_seeds
    assert sorted(set(stored["seed"])) == list(leaderboard.SEEDS)
    pd.testing.assert_frame_equal(stored, made.drop(columns="seconds"), check_dtype=False, check_like=True)
    assert set(stored["measure"]) >= {"rsm", "cka", "euclidean", "guess: widths", "gw, raw"}
    nulls = stored[stored["state"].isin(["spectrum", "width"])]
    assert set(nulls["layers"]) == {"stream"}
    assert not nulls["measure"].str.startswith("gw").any()
    table = pd.read_csv(tmp_path / "_build/smoke/results/leaderboard.csv")
    assert load_record("leaderboard").parameters["networks"] == ["1-2"]
    ranked = json.loads((tmp_path / "_build/smoke/results/record.json").read_text())
    assert ranked["parameters"]["seeds"] == list(leaderboard.SEEDS)
    one = made[(made["measure"] == "cka") & (made["layers"] == "stream") & (made["state"] == "trained")]
    row = table[(table["measure"] == "cka") & (table["layers"] == "stream")].iloc[0]
    assert row["f1"] == pytest.approx(one["f1"].astype(float).mean(), abs=1e-4)
    assert table["layers"].tolist() == sorted(table["layers"], reverse=True)


def test_a_chain_that_has_not_learned_is_no_ground_truth(tmp_path, monkeypatch):
    plan = dataclasses.replace(leaderboard.Plan().tiny(), networks=("3", "1-2"), learned=0.5)
    monkeypatch.setattr(leaderboard.Plan, "tiny", lambda _: plan)
    monkeypatch.setattr(leaderboard, "_accuracy", lambda name, *_: {"3": 0.4, "1-2": 0.5}[name])
    experiment = leaderboard.EXPERIMENTS["leaderboard"]
    record = experiment.run("smoke", out=tmp_path, work=tmp_path / "work", progress=False)
    assert record.results == {"accuracy of 3": 0.4, "accuracy of 1-2": 0.5}
    assert set(pd.read_csv(tmp_path / "leaderboard/seed-0/rows.csv")["network"]) == {"1-2"}
    assert record.encoder.startswith("1 chains")


def test_variants_make_maps_of_the_same_layers():
    reps = clouds(NAMES[:4], at=(2,))
    made = {key: make(reps) for key, make in map_variants.VARIANTS.items()}
    usual = fs.compare(reps, progress=False)
    assert all(m.names == usual.names for m in made.values())
    assert (made["gw, from one start"].values >= usual.values - 1e-9).all()
    assert (made["gw, lower bound"].values <= usual.values).all()
    assert made["gw, lower bound"].values[0, 2] > 0
    assert made["gw, raw"].normalize is None
    assert made["gw, a quarter of the inputs"].n_samples == 8
    assert made["gw, without the longest"].n_samples < 30


def test_one_long_sample_is_left_out_of_all_layers():
    reps = clouds(NAMES[:2])
    outlier = {name: np.vstack([x, 100 * np.ones((1, 4))]) for name, x in reps.items()}
    fewer = map_variants.without_longest(fs.Representations(outlier))
    assert fewer.n_samples == 30
    assert all((fewer[name] == reps[name]).all() for name in reps)


def test_the_first_direction_is_taken_away():
    rng = np.random.default_rng(0)
    axis = np.array([0.6, 0.8, 0.0])
    x = rng.normal(size=(50, 3)) + 30 * rng.normal(size=(50, 1)) * axis
    rest = map_variants.without_first_direction(fs.Representations({"a": x}))["a"]
    assert np.linalg.matrix_rank(rest, tol=1e-2) == 2
    assert np.abs(rest @ axis).std() < 0.2
    other = np.cross(axis, [0, 0, 1])
    assert np.corrcoef(rest @ other, x @ other)[0, 1] > 0.9
