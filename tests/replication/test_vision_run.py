"""What is captured of a network of convolutions, and stored."""

import dataclasses

import numpy as np
import pytest
import torch

import funcsim as fs
from funcsim._internal.threads import one_thread
from funcsim.geometry import pairwise_distances
from replication.__main__ import main
from replication.data.images import Images, local_properties, toy_images
from replication.errors import StoredResultError
from replication.models.resnet import ResNet9
from replication.run import Run
from replication.stored import data_dir, folder_of, load_record
from replication.training.vision import predict_images
from replication.vision import resnet9
from replication.vision.maps import channels, flat_layers, readouts

MODEL = ResNet9(width=0.125, seed=1).eval()
LAYERS = ["0.Conv2d", "3.ReLU", "7.BatchNorm2d"]


def test_flat_layers_keep_every_distance_even_when_rounded():
    images = toy_images(30)
    found = flat_layers(MODEL, images, LAYERS)
    whole = fs.capture(MODEL, [images.tensor()], LAYERS, progress=False)
    for name in LAYERS:
        assert found[name].shape == (30, 30)
        exact, kept, rounded = (
            pairwise_distances(layer.astype(np.float64))[np.triu_indices(30, k=1)]
            for layer in (whole[name], found[name], found[name].astype(np.float16))
        )
        assert np.abs(kept / exact - 1).max() < 1e-5
        assert 0 < np.abs(rounded / exact - 1).max() < 1e-3


def test_channels_are_means_over_the_image_or_over_its_quarters():
    images = toy_images(4)
    out = {}
    hook = MODEL.get_submodule("3.Conv2d").register_forward_hook(lambda m, i, o: out.update(x=o.numpy()))
    with torch.no_grad():
        MODEL(images.tensor())
    hook.remove()
    x = out["x"]
    assert np.allclose(channels(MODEL, images, ["3.Conv2d"])["3.Conv2d"], x.mean(axis=(2, 3)), atol=1e-6)
    quarters = channels(MODEL, images, ["3.Conv2d"], side=2)["3.Conv2d"].reshape(4, 16, 2, 2)
    assert np.allclose(quarters[:, :, 0, 1], x[:, :, :8, 8:].mean(axis=(2, 3)), atol=1e-6)


def test_local_properties_know_one_quarter_only():
    pixels = np.zeros((4, 32, 32, 3), dtype=np.uint8)
    pixels[0, :16, :16, 0] = 255  # red
    pixels[1, :16, :16:2] = 200  # upright stripes
    pixels[2, :16:2, :16] = 200  # level stripes
    pixels[3, 16:, :, 2] = 255  # blue, but elsewhere
    found = local_properties(Images(pixels, np.zeros(4, dtype=int), ""))
    assert found["colour"].tolist() == [1, 0, 0, 0]
    assert found["edges"][1] == -found["edges"][2] > 2
    assert found["edges"][[0, 3]].tolist() == [0, 0]


def test_readouts_find_what_is_there_and_nothing_where_there_is_nothing():
    learned, read = toy_images(300, seed=0), toy_images(100, seed=1)
    found = readouts(MODEL, learned, read, ["0.Conv2d"])
    assert set(found) == {"class", "colour", "edges"}
    assert found["class"][0] > 0.9
    assert found["colour"][0] > 0.99
    labels = np.random.default_rng(0).permutation(read.labels)
    shuffled = readouts(MODEL, learned, dataclasses.replace(read, labels=labels), ["0.Conv2d"])
    assert shuffled["class"][0] < 0.3


def test_what_was_stored_comes_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["experiments", "--profile", "smoke", "--only", "resnet9", "--seed", "0"]) == 0
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "_build/smoke"))
    stored, record = resnet9.load(), load_record("resnet9", 0)
    run = Run("resnet9", "smoke", work=None, progress=False)
    with one_thread():
        made, _ = resnet9.train_and_map(resnet9.Plan().tiny(), resnet9._images(True), run)
    assert record.results["test_accuracy"] == made.curves["test_accuracy"][-1]
    assert stored.targets == made.targets
    assert np.array_equal(stored.readouts, made.readouts)
    assert np.array_equal(stored.labels, made.labels)
    assert stored.layers.names == made.layers.names == stored.maps["trained/mean/gw"].names
    for key, layer_map in made.maps.items():
        assert np.array_equal(layer_map.values, stored.maps[key].values), key
    for name, layer in made.layers.items():
        assert np.array_equal(layer.astype(np.float16), stored.layers[name])
    images = toy_images(60, seed=1)
    logits = [predict_images(run.model, images) for run in (stored, made)]
    assert 0 < np.abs(logits[0] - logits[1]).max() < 0.01 * np.abs(logits[1]).max()
    assert "PROFILE=smoke" in resnet9.load("smoke").origin
    assert "resnet9" in stored.origin
    (data_dir() / folder_of("resnet9", 0) / "layers.safetensors").write_bytes(b"another")
    with pytest.raises(StoredResultError, match="layers"):
        resnet9.load()


def test_of_the_longer_networks_only_the_maps_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["experiments", "--profile", "smoke", "--only", "resnet9-longer", "--seed", "1"]) == 0
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "_build/smoke"))
    stored = resnet9.load(seed=1, name="resnet9-longer")
    files = {path.name for path in (data_dir() / folder_of("resnet9-longer", 1)).iterdir()}
    assert files == {"maps.safetensors", "run.safetensors", "record.json"}
    assert stored.model is None
    assert stored.layers is None
    assert len(stored.maps["trained/mean/gw"].names) == stored.readouts.shape[2]
    assert resnet9.PLANS["resnet9-longer"].training.epochs == 24
