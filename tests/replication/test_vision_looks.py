"""What a drawing becomes in each layer."""

import numpy as np
import pytest
import torch

from replication.data.images import Images
from replication.models.resnet import ResNet9
from replication.vision.looks import alike, channel_means, ship


def test_the_drawing_is_an_image_of_the_data_sets_size_and_not_its_own_mirror_image():
    assert ship().shape == (32, 32, 3)
    assert ship().dtype == np.uint8
    assert not np.array_equal(ship(), ship()[:, ::-1])


@torch.no_grad()
def test_a_layer_is_shown_as_the_mean_over_its_channels():
    model = ResNet9(width=0.125, seed=2).eval()
    seen = channel_means(model, ship(), ["0.Conv2d", "7.ReLU"])
    x = Images(ship()[None], np.array([8]), "").tensor()
    assert seen["0.Conv2d"] == pytest.approx(model.get_submodule("0.Conv2d")(x)[0].mean(0).numpy(), abs=1e-5)
    assert seen["7.ReLU"].shape == (6, 6)


def test_likeness_is_a_correlation_at_the_size_of_the_smaller_picture():
    small = np.random.default_rng(0).normal(size=(8, 8))
    grain = np.tile([[1.0, -1.0], [-1.0, 1.0]], (16, 16))  # its means over squares are zero
    large = np.kron(small, np.ones((4, 4))) + grain
    assert alike(small, large) == alike(large, small) == pytest.approx(1)
    assert alike(small, 3 - large) == pytest.approx(-1)
    assert abs(alike(small, np.roll(small, 1, axis=0))) < 0.5
