"""ResNet-9, and the images that it is given."""

import dataclasses
import os

import numpy as np
import pytest
import torch

import funcsim as fs
from funcsim.errors import FileFormatError, InputError
from replication.data.images import CLASSES, load_cifar10, toy_images
from replication.models.resnet import CONVOLUTIONS, ResNet9
from replication.training import vision
from replication.training.vision import VisionConfig, predict_images, train_on_images

SIZES = (65536, 32768, 32768, 32768, 65536, 16384, 16384, 4608)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder into which a test writes its own images."""
    monkeypatch.setenv("FUNCSIM_DATA", str(tmp_path))
    (tmp_path / "cifar10").mkdir()

    def write(name="train-0", **arrays):
        np.savez(tmp_path / f"cifar10/{name}.npz", **arrays)

    return write


def pictures(n=3, seed=0):
    return {"x": toy_images(n, seed).pixels, "y": (np.arange(n) % 10).astype(np.uint8)}


def test_the_layers_are_named_and_sized_as_in_the_original():
    model = ResNet9()
    images = toy_images(2)
    reps = fs.capture(model, [images.tensor()], progress=False)
    assert reps.names[:4] == ("0.Conv2d", "0.BatchNorm2d", "0.ReLU", "1.Conv2d")
    assert reps.names[-1] == "7.ReLU"
    assert tuple(reps[f"{k}.{part}"].shape[1] for k in range(8) for part in ("Conv2d",)) == SIZES
    assert reps["6.ReLU"].shape == reps["6.BatchNorm2d"].shape == (2, 16384)
    weights = sum(p.numel() for p in model.parameters())
    assert weights == sum(i * o * k * k + 2 * o for i, o, k, _, _ in CONVOLUTIONS) + 1280


def test_what_is_normalised_is_not_what_the_relu_writes_over_it():
    images = toy_images(4)
    reps = fs.capture(ResNet9(width=0.125), [images.tensor()], progress=False)
    for k in range(8):
        normalised, rectified = reps[f"{k}.BatchNorm2d"], reps[f"{k}.ReLU"]
        assert normalised.min() < 0
        assert np.array_equal(np.maximum(normalised, 0), rectified)


@torch.no_grad()
def test_the_network_computes_what_its_plan_says():
    model, x = ResNet9(width=0.125, seed=3).eval(), toy_images(2).tensor()

    def step(k, x):
        part = model.get_submodule(str(k))
        y = torch.nn.functional.conv2d(
            x, part.Conv2d.weight, stride=CONVOLUTIONS[k][3], padding=CONVOLUTIONS[k][4]
        )
        return torch.relu(y / (1 + part.BatchNorm2d.eps) ** 0.5)  # fresh statistics: mean 0, variance 1

    y = step(1, step(0, x))
    y = y + step(3, step(2, y))
    y = torch.nn.functional.max_pool2d(step(4, y), 2)
    y = y + step(6, step(5, y))
    y = step(7, y).amax(dim=(2, 3))
    assert torch.allclose(model(x), 0.2 * y @ model.classifier.weight.T, atol=1e-6)


def test_a_seed_gives_the_same_weights_and_leaves_the_world_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, two, other = ResNet9(0.125, seed=1), ResNet9(0.125, seed=1), ResNet9(0.125, seed=2)
    assert torch.equal(torch.rand(1), expected)
    first = [model.get_submodule("0").Conv2d.weight for model in (one, two, other)]
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first[0], first[2])


def test_images_are_read_as_they_are_file_by_file(folder):
    folder("train-0", **pictures(3))
    folder("train-1", **pictures(4, seed=1))
    images = load_cifar10()
    assert (len(images), images.pixels.shape) == (7, (7, 32, 32, 3))
    assert images.labels.tolist() == [0, 1, 2, 0, 1, 2, 3]
    assert images.origin == "CIFAR-10, train, 7 images from FUNCSIM_DATA"
    some = images.sample(5, seed=0)
    assert len({p.tobytes() + bytes([y]) for p, y in zip(some.pixels, some.labels, strict=True)}) == 5
    assert np.array_equal(some.pixels, images.sample(5, seed=0).pixels)
    with pytest.raises(InputError, match="8 images were asked for, and there are 7"):
        images.sample(8, seed=0)


def test_what_a_network_is_given_has_the_colours_first_and_is_standardised():
    images = toy_images(1)
    x = images.tensor()
    assert (x.shape, x.dtype) == ((1, 3, 32, 32), torch.float32)
    expected = (images.pixels[0, 5, 9, 2] / 255 - 0.4465) / 0.2010
    assert x[0, 2, 5, 9].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x": np.zeros((3, 3, 32, 32), np.uint8)}, r"shape \(3, 3, 32, 32\); they must be \(n, 32, 32, 3\)"),
        ({"x": np.zeros((3, 28, 28, 3), np.uint8)}, "must be"),
        ({"x": np.zeros((3, 32, 32, 3), np.float32)}, "the pixels are float32; they must be bytes"),
        ({"y": np.zeros(2, np.uint8)}, "there must be one integer for each"),
        ({"y": np.zeros(3, np.float32)}, "type float32; there must be one integer for each"),
        ({"y": np.array([0, 10, 1])}, "image 2: the label is 10; it must be 0 to 9"),
    ],
)
def test_images_of_another_kind_are_refused(folder, change, said):
    folder(**(pictures(3) | change))
    with pytest.raises(InputError, match=said):
        load_cifar10()


def test_a_file_that_lacks_something_or_is_damaged_is_refused(folder, tmp_path):
    folder(x=pictures()["x"])
    with pytest.raises(InputError, match="has no array 'y'; it has 'x'"):
        load_cifar10()
    (tmp_path / "cifar10/train-0.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"cannot be read as numpy's \.npz"):
        load_cifar10()
    np.savez(tmp_path / "cifar10/train-0.npz", x=np.array([{}]), y=np.zeros(1))
    with pytest.raises(InputError, match=r"cannot be read as numpy's \.npz"):  # a pickle is not opened
        load_cifar10()


def test_without_images_both_ways_are_told(monkeypatch, tmp_path):
    monkeypatch.delenv("FUNCSIM_DATA", raising=False)
    monkeypatch.delenv("FUNCSIM_HUB", raising=False)
    with pytest.raises(InputError, match=r"set FUNCSIM_DATA to a folder with cifar10/test.*FUNCSIM_HUB=1"):
        load_cifar10("test")
    monkeypatch.setenv("FUNCSIM_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"has no file cifar10/train-0\.npz"):
        load_cifar10()
    with pytest.raises(ValueError, match="no split 'validation'; it has train, test"):
        load_cifar10("validation")


@pytest.mark.skipif(not os.environ.get("FUNCSIM_DATA"), reason="FUNCSIM_DATA is not set")
def test_the_real_images_are_balanced():
    images = load_cifar10("test")
    assert len(images) % 10 == 0
    assert np.bincount(images.labels).tolist() == [len(images) // 10] * len(CLASSES)


CONFIG = VisionConfig(epochs=3, batch_size=16, lr=0.1, save_every=2)
LEARNED, MEASURED = toy_images(60, seed=0), toy_images(40, seed=1)


def weights(model):
    return torch.cat([value.flatten().float() for value in model.state_dict().values()])


def test_a_network_learns_squares():
    model = ResNet9(width=0.125)
    config = dataclasses.replace(CONFIG, epochs=12)
    # So many that it learns them whole: with few, the last bits of a processor decide on an image.
    history = train_on_images(model, toy_images(240, seed=0), MEASURED, config, progress=False)
    assert len(history.test_accuracy) == 12
    assert history.test_accuracy[-1] > 0.9 > 0.3 > history.test_accuracy[0]
    assert history.train_loss[-1] < history.train_loss[0]
    logits = predict_images(model, MEASURED)
    assert (logits.argmax(axis=1) == MEASURED.labels).mean() == history.test_accuracy[-1]


def test_resumed_training_on_images_equals_uninterrupted_to_the_bit(tmp_path, monkeypatch):
    whole, resumed = ResNet9(width=0.125), ResNet9(width=0.125)
    expected = train_on_images(whole, LEARNED, MEASURED, CONFIG, progress=False)
    step, done = vision._step, []

    def stop_after_six(*told):
        if len(done) == 6:
            raise KeyboardInterrupt
        done.append(None)
        return step(*told)

    monkeypatch.setattr(vision, "_step", stop_after_six)
    with pytest.raises(KeyboardInterrupt):
        train_on_images(resumed, LEARNED, MEASURED, CONFIG, 0, tmp_path / "state", progress=False)
    monkeypatch.setattr(vision, "_step", step)
    resumed = ResNet9(width=0.125, seed=7)
    history = train_on_images(resumed, LEARNED, MEASURED, CONFIG, 0, tmp_path / "state", progress=False)
    assert torch.equal(weights(whole), weights(resumed))
    assert history.curves().keys() == expected.curves().keys()
    assert all(np.array_equal(history.curves()[k], v) for k, v in expected.curves().items())
    (tmp_path / "state").write_bytes(b"nothing")
    with pytest.raises(FileFormatError):
        train_on_images(resumed, LEARNED, MEASURED, CONFIG, 0, tmp_path / "state", progress=False)


def test_every_image_is_seen_once_in_an_epoch_and_half_of_them_mirrored():
    batches = [vision._batch(step, 5, 80, 16, seed=0) for step in range(10)]
    for epoch in (batches[:5], batches[5:]):
        assert sorted(torch.cat([rows for rows, _ in epoch]).tolist()) == list(range(80))
    assert 20 < sum(int(mirrored.sum()) for _, mirrored in batches[:5]) < 60
    assert not torch.equal(batches[0][0], batches[5][0])


def test_the_rate_rises_to_its_peak_and_falls_to_nothing():
    config = VisionConfig(lr=0.4, peak=0.25)
    rates = [config.lr_at(step, 100) for step in range(100)]
    assert int(np.argmax(rates)) == 24
    assert max(rates) == pytest.approx(0.4)
    assert (rates[0], rates[-1]) == (pytest.approx(0.4 / 25), pytest.approx(0.4 / 76))
