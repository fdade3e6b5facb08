"""Maps of stored encoders are what the library makes of their stored clouds."""

import numpy as np
import pytest

import funcsim as fs
from replication.encoder import block_maps, dense

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def both():
    return dense.load("sst2-dense", "smoke"), block_maps.load("sst2-dense", "smoke")


@pytest.mark.parametrize("what", ["cls", "mean/standardised", "mean/sublayers"])
def test_a_map_is_that_of_the_stored_clouds(both, what):
    stored, found = both
    expected = fs.compare(stored.clouds[what], measure="rsm", progress=False)
    m = found.maps[f"{what.replace('/', '-')}/mean/rsm"]
    assert m.names == expected.names
    assert np.array_equal(m.values, expected.values)
    assert found.partition(f"{what.replace('/', '-')}/mean/rsm") == fs.partition(expected)


def test_scale_is_divided_out_or_not(both):
    _, found = both
    assert (found.maps["mean/raw/rsm"].normalize, found.maps["mean/mean/rsm"].normalize) == (None, "mean")
    assert not np.allclose(found.maps["mean/raw/rsm"].values, found.maps["mean/mean/rsm"].values)


def test_halves_have_the_spread_of_the_intervals(both):
    stored, found = both
    reps = stored.clouds["mean"]
    expected = fs.intervals(reps, measure="cka-debiased", n_draws=2, progress=False)
    assert np.array_equal(found.halves["mean/cka-debiased"], expected.draws)
    assert np.allclose(found.spread("mean/cka-debiased"), expected.spread)
    assert np.array_equal(found.frequency["mean/cka-debiased"], expected.boundary_frequency)


def test_snapshots_are_mapped_in_their_order(both):
    stored, found = both
    clouds = stored.snapshots["clouds/cls"].astype(float)
    assert np.array_equal(found.snapshots["step"], stored.snapshots["step"])
    for k in (0, -1):
        reps = fs.Representations({str(i): x for i, x in enumerate(clouds[k])})
        expected = fs.compare(reps, measure="cka-debiased", progress=False)
        assert np.array_equal(found.snapshots["cls/cka-debiased"][k], expected.values)
    assert not np.allclose(found.snapshots["cls/gw"][0], found.snapshots["cls/gw"][-1])
    raw = clouds[-1] * stored.snapshots["scale/cls"][-1][:, None, None]
    reps = fs.Representations({str(i): x for i, x in enumerate(raw)})
    expected = fs.compare(reps, normalize=None, progress=False)
    assert np.array_equal(found.snapshots["cls/gw/raw"][-1], expected.values)


def test_each_block_is_compared_with_itself_before_training(both):
    stored, found = both
    clouds = stored.snapshots["clouds/mean"].astype(float)
    moved = found.snapshots["mean/moved"]
    assert np.allclose(moved[0], 0, atol=1e-6)
    assert moved[-1, 2] == fs.gw(clouds[0, 2], clouds[-1, 2]).distance


def test_an_encoder_that_was_not_trained_has_no_snapshots():
    assert block_maps.load("sst2-pretrained", "smoke").snapshots == {}


def test_what_is_stored_comes_back(tmp_path, monkeypatch, both):
    experiment = block_maps.EXPERIMENTS["encoder-maps/sst2-dense"]
    record = experiment.run("smoke", out=tmp_path, work=None, progress=False)
    again = block_maps.read(tmp_path / "encoder-maps/sst2-dense/seed-0", record)
    for group in ("halves", "frequency", "snapshots"):
        mine, other = getattr(again, group), getattr(both[1], group)
        assert mine.keys() == other.keys()
        assert all(np.array_equal(mine[key], other[key]) for key in mine), group
    assert again.maps.keys() == both[1].maps.keys()
    assert again.maps["cls/mean/gw"].measure == "gw"
