"""Scores of measures on networks whose boundaries are known."""

import numpy as np
import pandas as pd
import pytest

import funcsim as fs
from funcsim.cli import main
from funcsim.experiments import leaderboard
from funcsim.experiments.plans import PLANS
from funcsim.provenance import load_record

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
    right = leaderboard._measured(clouds(names, at=(5, 8)), "rsm")
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
    with monkeypatch.context() as stopped:
        calls = []

        def stop_at_second(*told):
            calls.append(told)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return rows(*told)

        rows = leaderboard._rows
        stopped.setattr(leaderboard, "_rows", stop_at_second)
        assert main(command) == 130
        assert main(command) == 0
        assert len(calls) == 3  # one, the one that was stopped, and that again
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "_build/smoke"))
    frozen, origin = leaderboard.load()
    made, _ = leaderboard.load("smoke")
    assert "1 chains" in origin
    pd.testing.assert_frame_equal(frozen, made.drop(columns="seconds"), check_dtype=False)
    assert set(frozen["measure"]) >= {"rsm", "cka", "euclidean", "guess: widths"}
    table = pd.read_csv(tmp_path / "_build/smoke/results/leaderboard.csv")
    assert load_record("leaderboard").parameters["networks"] == ["1-2"]
    one = made[(made["measure"] == "cka") & (made["layers"] == "stream") & (made["state"] == "trained")]
    row = table[(table["measure"] == "cka") & (table["layers"] == "stream")].iloc[0]
    assert row["f1"] == pytest.approx(one["f1"].astype(float).mean(), abs=1e-4)
    assert table["layers"].tolist() == sorted(table["layers"], reverse=True)
