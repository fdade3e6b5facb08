"""Layers to measure the search of section 3.2 on: drawn, of trained networks, of real images and texts.

Each source is a function from the number of samples n to point clouds (n, n_features). One that needs
what is not at hand is left out, and the table says why.

Taught in chapter 02.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

import numpy as np

from funcsim import capture
from funcsim._internal.typing import Array
from replication.data.images import load_cifar10
from replication.data.sentiment import load_sentiment
from replication.encoder.maps import capture_blocks
from replication.models.encoders import MODELS, load_encoder
from replication.modular_addition import trained_networks
from replication.vision import maps, resnet9

Layers = Callable[[int], list[Array]]


def sources(real: bool, profile: str, seed: int, most: int) -> tuple[dict[str, Layers], dict[str, str]]:
    """Every kind of layers that is at hand, for at most that many samples, and why others are not."""
    trained = trained_networks.load("model-0", profile, seed)
    reps = capture(trained.model, [trained.pairs], progress=False)
    kinds: dict[str, Layers] = {
        "Model 0": lambda n: list(reps.subsample(min(n, reps.n_samples), seed).values()),
        "ReLU chain": lambda n: relu_chain(n, seed),
        "tanh": lambda n: images_of_clouds(n, seed),
        "ties": lambda n: [np.round(x) for x in images_of_clouds(n, seed)],
    }
    draws = {"ResNet-9, CIFAR-10": resnet9_layers, "MPNet, SST-2": encoder_layers}
    missing = why_not() if real else dict.fromkeys(draws, "left out on a tiny run")
    kinds |= {name: _first_of(draw, most, seed) for name, draw in draws.items() if name not in missing}
    return kinds, missing


def _first_of(draw: Callable[[int, int], list[Array]], most: int, seed: int) -> Layers:
    """The first samples of layers that are captured once, when they are first asked for."""
    captured = cache(draw)
    return lambda n: [layer[:n] for layer in captured(most, seed)]


def why_not() -> dict[str, str]:
    """What is missing for real images and texts, in words, by name of the source."""
    data = "" if os.environ.get("FUNCSIM_DATA") else "FUNCSIM_DATA names no folder with it"
    models = "" if os.environ.get(MODELS) else f"{MODELS} names no folder with all-mpnet-base-v2"
    needs = {"ResNet-9, CIFAR-10": data, "MPNet, SST-2": data or models}
    return {name: why for name, why in needs.items() if why}


def relu_chain(n: int, seed: int, depth: int = 12, width: int = 64) -> list[Array]:
    """Gaussian points (n, 16) through random ReLU layers with a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 16))
    chain = []
    for _ in range(depth):
        W = rng.normal(size=(x.shape[1], width)) * np.sqrt(2.0 / x.shape[1])
        x = np.maximum(x @ W, 0.0) + 0.05 * rng.normal(size=(n, width))
        chain.append(x)
    return chain


def images_of_clouds(n: int, seed: int, count: int = 5) -> list[Array]:
    """Gaussian points (n, 8), each cloud followed by its squashed, noisy image (n, 5)."""
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(count):
        x = rng.normal(size=(n, 8))
        layers += [x, 2 * np.tanh(x @ rng.normal(size=(8, 5))) + 0.1 * rng.normal(size=(n, 5))]
    return layers


def resnet9_layers(n: int, seed: int) -> list[Array]:
    """Channel means (n, n_channels) of the stored network of chapter 12, on n images drawn from CIFAR-10."""
    model = resnet9.load(seed=0).model
    images = load_cifar10().sample(n, seed)
    return list(maps.channels(model, images, model.representation_layers).values())


def encoder_layers(n: int, seed: int) -> list[Array]:
    """The twelve blocks of MPNet, mean over tokens (n, 768), on n sentences drawn from SST-2."""
    texts = load_sentiment("sst2").sample(n, seed)
    return list(capture_blocks(load_encoder("mpnet"), texts, 64, "mean").values())
