"""What is written can be read back, what was changed is refused, and what others wrote is read."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

import funcsim as fs
from funcsim.errors import FileFormatError, RepresentationError

FORMAT = "funcsim.representations/1"


def halved(tmp_path, **layers):
    saved = fs.Representations(layers)
    saved.save(tmp_path / "half", half=True)
    return saved, fs.Representations.load(tmp_path / "half")


@pytest.mark.parametrize("size", [1e-30, 1e-7, 1, 7e4, 1e30])
def test_half_precision_at_any_scale(rng, tmp_path, size):
    about = rng.normal(size=(40, 8))
    saved, read = halved(tmp_path, a=size * about, b=about)
    for name in saved:
        error = np.abs(read[name].astype(float) - saved[name]).max(axis=1)
        assert (error < 1e-3 * np.abs(saved[name]).astype(float).max(axis=1)).all()


def test_large_and_small_values_of_one_layer_survive_half_precision(rng, tmp_path):
    layer = np.array([[7e4, 0], [-7e4, 1e-2], [0, -1e-2], [1e-2, 0]])
    saved, read = halved(tmp_path, a=layer)
    assert np.allclose(read["a"], saved["a"], rtol=1e-3, atol=1e-4)
    distances = [np.linalg.norm(x["a"][2].astype(float) - x["a"][3]) for x in (saved, read)]
    assert np.isclose(*distances, rtol=5e-2)


def test_a_constant_layer_survives_half_precision(tmp_path):
    saved, read = halved(tmp_path, a=np.full((4, 3), 7e4))
    assert (read["a"] == saved["a"]).all()


def test_what_half_precision_would_lose_is_refused_before_writing(tmp_path):
    layer = np.zeros((4, 2))
    layer[:2] = [[1e30, 0], [-1e30, 0]]
    layer[2:] = [[0, 1.0], [0, -1.0]]
    with pytest.raises(RepresentationError, match=r"'a' spans too many decades.*half=False"):
        fs.Representations({"a": layer}).save(tmp_path / "half", half=True)
    assert not list(tmp_path.iterdir())


def test_half_files_without_a_scale_are_still_read(tmp_path):
    header = {"format": FORMAT, "names": json.dumps(["a"])}
    values = {"0": np.eye(3, dtype=np.float16), "0/mean": np.ones(3, dtype=np.float32)}
    save_file(values, tmp_path / "old", metadata=header)
    assert (fs.Representations.load(tmp_path / "old")["a"] == np.eye(3) + 1).all()


def test_a_flipped_bit_is_refused(rng, tmp_path):
    path = tmp_path / "reps"
    fs.Representations({"a": rng.normal(size=(4, 3))}).save(path)
    whole = path.read_bytes()
    for at in (-1, -20, whole.index(b"names") + 12):
        changed = bytearray(whole)
        changed[at] ^= 1
        path.write_bytes(changed)
        with pytest.raises(FileFormatError):
            fs.Representations.load(path)
    path.write_bytes(whole)
    assert fs.Representations.load(path).names == ("a",)
    fs.compare(fs.Representations({"a": np.eye(4), "b": rng.normal(size=(4, 3))}), progress=False).save(path)
    changed = bytearray(path.read_bytes())
    changed[-3] ^= 1
    path.write_bytes(changed)
    with pytest.raises(FileFormatError, match="its checksum differs"):
        fs.LayerMap.load(path)


def test_the_same_content_gives_the_same_bytes(rng, tmp_path):
    reps = fs.Representations({"a": rng.normal(size=(4, 3)), "b": np.eye(4)})
    reps.save(tmp_path / "one")
    reps.save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("names", ['{"a"', "7", "[1, 1]"])
def test_a_header_without_sense_is_refused(tmp_path, names):
    save_file({"0": np.eye(2), "1": np.eye(2)}, tmp_path / "bad", metadata={"format": FORMAT, "names": names})
    with pytest.raises(FileFormatError, match="bad"):
        fs.Representations.load(tmp_path / "bad")


def test_damaged_values_are_refused_by_the_files_name(tmp_path):
    header = {"format": FORMAT, "names": '["a"]'}
    save_file({"0": np.full((3, 2), np.nan)}, tmp_path / "bad", metadata=header)
    with pytest.raises(FileFormatError, match="bad holds what is no representation"):
        fs.Representations.load(tmp_path / "bad")


MAP = {"names": ["a", "b"], "columns": ["a", "b"], "measure": "gw", "normalize": "mean", "n_samples": 9}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, None),
        ({"names": ["a", "a"]}, "the same name"),
        ({"n_samples": -3}, "made of -3 samples"),
        ({"n_samples": "many"}, "describes no layer map"),
        ({"names": ["a"]}, "describes no layer map"),
        ({"names": None}, "describes no layer map"),
    ],
)
def test_maps_that_cannot_be_are_refused(tmp_path, changed, says):
    values = np.array([[0, 0.5], [0.5, 0]])
    header = {"format": "funcsim.layer_map/1", "map": json.dumps(MAP | changed)}
    save_file({"values": values, "lower": values / 2}, tmp_path / "map", metadata=header)
    if says is None:
        assert fs.LayerMap.load(tmp_path / "map").n_samples == 9
        return
    with pytest.raises(FileFormatError, match=says):
        fs.LayerMap.load(tmp_path / "map")


def test_a_lower_bound_above_the_value_is_refused(tmp_path):
    values = np.array([[0, 0.5], [0.5, 0]])
    header = {"format": "funcsim.layer_map/1", "map": json.dumps(MAP)}
    save_file({"values": values, "lower": values + 0.1}, tmp_path / "map", metadata=header)
    with pytest.raises(FileFormatError, match="lower bounds lie above"):
        fs.LayerMap.load(tmp_path / "map")


def test_names_that_are_the_same_in_print_clash():
    with pytest.raises(RepresentationError, match=r"2 layers have 1 names: '1'"):
        fs.Representations({1: np.eye(3), "1": np.ones((3, 2)) * [[1], [2], [3]]})


def test_a_masked_array_is_refused_unless_it_has_no_gap():
    layer = np.ma.masked_greater(np.arange(6.0).reshape(3, 2), 4)
    with pytest.raises(RepresentationError, match=r"'a' is a masked array with 1 gaps.*filled"):
        fs.Representations({"a": layer})
    with pytest.raises(RepresentationError, match="masked array"):
        fs.gw(layer, np.eye(3))
    assert fs.Representations({"a": np.ma.array(np.eye(3))}).n_samples == 3


# Folders that another program wrote.


def test_one_file_for_each_text_as_vllm_extracts_them(rng, tmp_path):
    """(tokens, layers, features) in bfloat16 beside the tokens' ids; ten texts, so that 10 sorts after 9."""
    states = [rng.normal(size=(n, 3, 4)).astype(np.float32) for n in (5, 2, 7, 1, 4, 4, 3, 6, 2, 5, 9)]
    for k, array in enumerate(states):
        told = {"hidden_states": torch.tensor(array).bfloat16(), "token_ids": torch.arange(len(array))}
        save_torch(told, tmp_path / f"{k}-0f3a.safetensors")
        (tmp_path / f"{k}-0f3a.safetensors.lock").touch()
    reps = fs.Representations.load_folder(tmp_path, pool="mean")
    assert reps.names == ("hidden_states.0", "hidden_states.1", "hidden_states.2")
    for k in range(3):
        expected = np.stack([array[:, k].mean(axis=0) for array in states])
        assert np.allclose(reps[f"hidden_states.{k}"], expected, atol=0.02)
    last = fs.Representations.load_folder(tmp_path, pool="last")["hidden_states.1"]
    assert np.allclose(last, [array[-1, 1] for array in states], rtol=0.01)
    first = fs.Representations.load_folder(tmp_path, pool="cls")["hidden_states.2"]
    assert np.allclose(first, [array[0, 2] for array in states], rtol=0.01)
    with pytest.raises(FileFormatError, match=r"1-0f3a.*pass pool='mean'"):
        fs.Representations.load_folder(tmp_path)


def test_one_file_for_each_layer(rng, tmp_path):
    layers = {f"layer.{k}": rng.normal(size=(5, 3)).astype(np.float32) for k in (2, 10, 1)}
    for name, array in layers.items():
        save_file({"hidden_states": array}, tmp_path / f"{name}.safetensors")
    reps = fs.Representations.load_folder(tmp_path)
    assert reps.names == ("layer.1", "layer.2", "layer.10")
    assert all((reps[name] == layers[name]).all() for name in reps)


def test_one_file_for_each_batch(rng, tmp_path):
    x = {name: rng.normal(size=(7, 4, 3)).astype(np.float32) for name in ("h.10", "h.9")}
    for k, rows in enumerate((slice(0, 3), slice(3, 7))):
        save_file({name: array[rows] for name, array in x.items()}, tmp_path / f"{k}.safetensors")
    reps = fs.Representations.load_folder(tmp_path, pool="mean")
    assert reps.names == ("h.9", "h.10")
    assert all(np.allclose(reps[name], x[name].mean(axis=1), atol=1e-6) for name in x)
    assert fs.Representations.load_folder(tmp_path)["h.9"].shape == (7, 12)


def test_batches_that_this_package_saved(rng, tmp_path):
    reps = fs.Representations({"b": rng.normal(size=(8, 3)), "a": rng.normal(size=(8, 2))})
    for k in range(2):
        part = fs.Representations({name: x[4 * k : 4 * k + 4] for name, x in reps.items()})
        part.save(tmp_path / f"{k}.safetensors", half=k == 1)
    read = fs.Representations.load_folder(tmp_path)
    assert read.names == reps.names
    assert all(np.allclose(read[name], reps[name], atol=1e-2) for name in reps)


def test_folders_that_cannot_be_read_say_why(rng, tmp_path):
    load = fs.Representations.load_folder
    with pytest.raises(FileNotFoundError, match="no folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "1.safetensors.zst").touch()
    with pytest.raises(FileNotFoundError, match="unpack its files first"):
        load(tmp_path)
    with pytest.raises(ValueError, match="pool='max' is unknown"):
        load(tmp_path, pool="max")
    for k in range(2):
        save_file({"x": np.eye(3)}, tmp_path / f"{k}.safetensors")
    with pytest.raises(FileFormatError, match="may each be a layer or a batch"):
        load(tmp_path)
    save_file({"y": np.eye(3), "z": np.eye(3)}, tmp_path / "1.safetensors")
    with pytest.raises(FileFormatError, match=r"1.safetensors holds other layers than .*0.safetensors"):
        load(tmp_path)
    (tmp_path / "1.safetensors").write_bytes(b"not this")
    with pytest.raises(FileFormatError, match=r"1.safetensors is not a whole safetensors file"):
        load(tmp_path)


def test_files_say_their_checksum(tmp_path):
    fs.Representations({"a": np.eye(3)}).save(tmp_path / "a")
    with safe_open(tmp_path / "a", framework="numpy") as file:
        assert len(json.loads(file.metadata()["funcsim"])["sha256"]) == 64
