"""Copies of an encoder with fresh weights, and the test beside them."""

import numpy as np
import pytest

import funcsim as fs
from funcsim.nulls import reinitialised
from replication.encoder import block_maps, untrained
from replication.encoder.inputs import corpora
from replication.encoder.maps import capture_blocks
from replication.models.encoders import load_encoder
from replication.run import Run

pytest.importorskip("transformers")


def test_a_map_is_that_of_a_copy_with_fresh_weights():
    found = untrained.load("sst2-untrained", "smoke")
    assert len(set(found.seeds.tolist())) == 2
    encoder, (_, validation) = load_encoder("tiny"), corpora("sst2", smoke=True)
    shown = validation[validation.draw(30, seed=0)]
    batches = encoder.batches(shown.texts, 16)
    for k, weights in enumerate(found.seeds.tolist()):
        fresh = reinitialised(encoder.model, weights).eval()
        reps = fs.capture(fresh, batches, f"{encoder.blocks}.*", "mean", progress=False)
        expected = fs.compare(reps, measure="rsm", progress=False)
        assert np.array_equal(found.maps["mean/rsm"][k], expected.values)
        assert found.names == expected.names
    trained = capture_blocks(encoder, shown, 16, "mean")
    assert not np.allclose(fs.compare(trained, measure="rsm", progress=False).values, expected.values)


def test_the_test_stands_beside_that_of_the_copies():
    m = block_maps.load("sst2-pretrained", "smoke").maps["cls/mean/cka-debiased"]
    twin = untrained.load("sst2-untrained", "smoke").twin("cls/cka-debiased")
    assert (twin.is_similarity, twin.n_samples) == (True, 30)
    assert len(fs.partition(m, twin=twin).twin_p_values) == 2
    assert twin.standing(m)["as large"].between(0, 1).all()


def test_copies_that_are_done_are_not_captured_again(tmp_path, monkeypatch):
    experiment, captured = untrained.EXPERIMENTS["encoder/sst2-untrained"], []

    def stop_at_fourth(*told):
        if len(captured) == 3:
            raise KeyboardInterrupt
        captured.append(told)
        return capture_blocks(*told)

    monkeypatch.setattr(untrained, "capture_blocks", stop_at_fourth)
    told = {"out": tmp_path / "out", "work": tmp_path / "work", "progress": False}
    with pytest.raises(KeyboardInterrupt):
        experiment.run("smoke", **told)
    captured.clear()
    experiment.run("smoke", **told)
    assert len(captured) == 2
    resumed = untrained.read(Run("encoder/sst2-untrained", out=tmp_path / "out").folder, _record(tmp_path))
    whole = untrained.load("sst2-untrained", "smoke")
    assert np.array_equal(resumed.maps["cls/gw"], whole.maps["cls/gw"])


def _record(tmp_path):
    experiment = untrained.EXPERIMENTS["encoder/sst2-untrained"]
    return experiment.run("smoke", out=tmp_path / "out", work=tmp_path / "work", progress=False)
