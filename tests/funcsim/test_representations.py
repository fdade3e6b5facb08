import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

import funcsim as fs
from funcsim.errors import FileFormatError, LayerSelectionError, RepresentationError
from funcsim.geometry import pairwise_distances


@pytest.fixture
def reps(rng):
    return fs.Representations({"z.last": rng.normal(size=(6, 4)), "a.first": rng.normal(size=(6, 2))})


def test_layers_keep_the_order_given_and_become_float32(reps):
    assert reps.names == ("z.last", "a.first")
    assert list(reps) == ["z.last", "a.first"]
    assert reps["a.first"].dtype == np.float32
    assert (len(reps), reps.n_samples) == (2, 6)
    assert "2 layers x 6 samples" in repr(reps)


def test_layers_cannot_be_changed_from_outside(rng):
    source = rng.normal(size=(3, 2)).astype(np.float32)
    reps = fs.Representations({"layer": source})
    source[0, 0] = 99
    assert reps["layer"][0, 0] != 99
    with pytest.raises(ValueError, match="read-only"):
        reps["layer"][0, 0] = 1


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True))
def test_saved_and_loaded_names_keep_their_order(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("reps") / "reps.safetensors"
    saved = fs.Representations({n: np.full((2, 1), i) for i, n in enumerate(names)})
    saved.save(path)
    loaded = fs.Representations.load(path)
    assert loaded.names == saved.names
    assert all((loaded[n] == saved[n]).all() for n in names)


def test_an_unknown_layer_suggests_close_names(reps):
    with pytest.raises(LayerSelectionError, match=r"no layer 'a.fist'.*'a.first'"):
        reps["a.fist"]
    with pytest.raises(LayerSelectionError, match="no layer 'nothing'"):
        reps.drop("nothing")
    with pytest.raises(LayerSelectionError, match="no layer 'nothing'"):
        reps.select(["a.first", "nothing"])
    assert "a.first" in reps
    assert "nothing" not in reps


def test_select_and_drop(reps):
    assert reps.select(["a.first", "z.last"]).names == ("a.first", "z.last")
    assert reps.drop("a.first").names == ("z.last",)


def test_subsample_takes_the_same_rows_everywhere():
    rows = np.arange(50.0)[:, None]
    few = fs.Representations({"a": rows, "b": rows * 2}).subsample(7, seed=1)
    assert few.n_samples == 7
    assert (few["b"] == 2 * few["a"]).all()
    assert (np.diff(few["a"][:, 0]) > 0).all()
    assert (few["a"] == fs.Representations({"a": rows}).subsample(7, seed=1)["a"]).all()


@pytest.mark.parametrize("n", [1, 51])
def test_subsample_out_of_range(n):
    with pytest.raises(ValueError, match="choose from 2 to 50"):
        fs.Representations({"a": np.arange(50.0)[:, None]}).subsample(n)


def test_different_sample_counts_name_both_layers():
    with pytest.raises(RepresentationError, match=r"'second' has 4 samples but layer 'first' has 3"):
        fs.Representations({"first": np.eye(3), "second": np.eye(4)})


def test_no_layers():
    with pytest.raises(RepresentationError, match="no layers"):
        fs.Representations({})


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (np.array([[np.nan], [1.0]]), "NaN"),
        (np.array([[np.inf], [1.0]]), "infinity"),
        (np.ones((1, 3)), "at least 2 samples"),
        (np.array([["x"], ["y"]]), "real numbers"),
        (np.array([[1e300], [0.0]]), "range of float32"),
        (torch.ones(2, 3, 4), "flatten or pool"),
    ],
)
def test_bad_layers_are_named(bad, says):
    with pytest.raises(RepresentationError, match=f"'blocks.3'.*{says}"):
        fs.Representations({"blocks.3": bad})


def test_a_truncated_file_is_refused(reps, tmp_path):
    path = tmp_path / "reps.safetensors"
    reps.save(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(FileFormatError, match="cut off"):
        fs.Representations.load(path)


def test_a_file_that_is_not_safetensors_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(FileFormatError, match="not a whole safetensors file"):
        fs.Representations.load(path)


def test_foreign_safetensors_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"w": np.eye(2)}, path)
    with pytest.raises(FileFormatError, match=r"format None, not 'funcsim.representations/1'"):
        fs.Representations.load(path)
    header = {"format": "funcsim.representations/1", "names": json.dumps(["a", "b"])}
    save_file({"0": np.eye(2)}, path, metadata=header)
    with pytest.raises(FileFormatError, match="names 2 layers but holds 1"):
        fs.Representations.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors"):
        fs.Representations.load(tmp_path / "nowhere.safetensors")


def test_a_failed_write_leaves_the_old_file(reps, tmp_path, monkeypatch):
    path = tmp_path / "reps.safetensors"
    reps.save(path)
    before = path.read_bytes()
    monkeypatch.setattr("funcsim._internal.storage.save_file", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reps.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_layers_give_the_same_bytes(reps, tmp_path):
    for k in range(8):  # safetensors orders the entries of a header anew for every file
        reps.save(tmp_path / f"{k}.safetensors")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_files_with_a_header_of_several_entries_are_still_read(reps, tmp_path):
    header = {"format": "funcsim.representations/1", "names": json.dumps(reps.names)}
    save_file({str(i): x for i, x in enumerate(reps.values())}, tmp_path / "old", metadata=header)
    old = fs.Representations.load(tmp_path / "old")
    assert all((old[name] == reps[name]).all() for name in reps.names)


def test_a_header_that_is_damaged_is_refused(tmp_path):
    save_file({"0": np.eye(2)}, tmp_path / "bad", metadata={"funcsim": "{not json"})
    with pytest.raises(FileFormatError, match="bad is not a whole safetensors file"):
        fs.Representations.load(tmp_path / "bad")


def test_half_the_size_keeps_distances_however_far_off_the_layer_is(rng, tmp_path):
    near = fs.Representations({"a": 1000 + 0.03 * rng.normal(size=(40, 8)), "b": rng.normal(size=(40, 500))})
    near.save(tmp_path / "half", half=True)
    near.save(tmp_path / "whole")
    assert (tmp_path / "half").stat().st_size < 0.56 * (tmp_path / "whole").stat().st_size
    again = fs.Representations.load(tmp_path / "half")
    assert again.names == near.names
    for name in near.names:
        before, after = (pairwise_distances(reps[name]) for reps in (near, again))
        assert np.abs(before - after).max() < 2e-3 * before.max()
