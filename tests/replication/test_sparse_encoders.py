"""Encoders made sparse while they are fine-tuned, with tiny ones in the place of those of chapter 09."""

import numpy as np
import pytest

import funcsim as fs
from replication.encoder import sparse
from replication.encoder.dense import POOLINGS

pytest.importorskip("transformers")


@pytest.mark.parametrize(("name", "least", "most"), [("fast", 0, 0.02), ("magnitude-70", 0.68, 0.72)])
def test_as_many_weights_are_zero_as_were_to_be(name, least, most):
    run = sparse.load(f"sst2-{name}", "smoke")
    assert least <= run.sparsity <= most
    assert run.zeros.mean() == pytest.approx(run.sparsity, abs=0.01)  # blocks are equally large
    assert (run.moved > 0).all()


def test_a_penalty_takes_whole_heads_too():
    dense, pruned = (sparse.load(f"sst2-{name}", "smoke") for name in ("fast", "neuroprune-95"))
    assert pruned.sparsity > 0.7
    assert (pruned.heads < dense.heads).all()


def test_maps_are_those_of_the_clouds():
    run = sparse.load("sst2-fast", "smoke")
    plan = sparse.PLANS["sst2-fast"].tiny()
    for pooling in POOLINGS:
        assert run.clouds[pooling].n_samples == plan.n_kept < plan.n_texts
        for scale in ("mean", "raw"):
            assert run.maps[f"{pooling}/{scale}/gw"].n_samples == plan.n_texts
    assert run.halves.shape == (plan.n_draws, 4, 4)
    assert np.abs(run.halves[0] - run.halves[1]).max() > 0
    assert not np.allclose(run.maps["mean/mean/gw"].values, run.maps["mean/raw/gw"].values)


def test_what_is_stored_is_read_back(tmp_path, monkeypatch):
    record = sparse.EXPERIMENTS["encoder/yelp-fast"].run(
        "smoke", out=tmp_path / "out", work=tmp_path / "work", progress=False
    )
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "out"))
    again, tiny = sparse.load("yelp-fast"), sparse.load("yelp-fast", "smoke")
    assert record.results["val_accuracy"] == again.scores["accuracy"]
    assert np.array_equal(again.logits, tiny.logits)
    assert np.array_equal(again.maps["cls/raw/gw"].values, tiny.maps["cls/raw/gw"].values)
    one, other = (run.clouds["mean"] for run in (again, tiny))
    assert isinstance(one, fs.Representations)
    assert np.allclose(one[one.names[0]], other[other.names[0]], atol=1e-2)
    assert again.history.step == tiny.history.step


def test_the_same_texts_and_rate_for_all_of_a_task():
    for task in sparse.METHODS:
        plans = [plan for name, plan in sparse.PLANS.items() if name.startswith(task)]
        assert len({plan.training for plan in plans}) == 1
        assert sorted(plan.target for plan in plans if plan.method == "neuroprune") == [0.25, 0.7, 0.95]
