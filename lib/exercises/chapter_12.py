"""Pictures: pool over places, all distances in few numbers, what is local, and steps without training."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.distance import pdist
from sklearn.datasets import load_digits
from torch import nn

import funcsim as fs
from exercises.asking import Answer, array, call, numbers, passed, require


def over_places(answer: Answer) -> None:
    """`over_places(layer)`: the mean over the image of each channel, (n, c) from (n, c, h, w)."""
    rng = np.random.default_rng(0)
    layer = rng.normal(size=(5, 7, 4, 3))
    found = np.asarray(call(answer, layer))
    require(
        found.shape != (5, 4, 3),
        "This is the mean over channels, a picture for each image. Asked for is a number for each channel.",
    )
    require(found.shape != (7,), "The images have been averaged as well. Each keeps its own row.")
    found = array(answer, (5, 7), layer)
    require(np.allclose(found, layer.mean(axis=(2, 3))), "The shape is right, but these are not the means.")
    moved = np.roll(layer, (1, 2), axis=(2, 3))
    require(
        np.allclose(array(answer, (5, 7), moved), found),
        "If everything in the image moves, the mean over places stays; yours does not.",
    )
    passed("What is where is forgotten; what there is, is kept.")


def few_numbers(answer: Answer) -> None:
    """`few_numbers(x)`: (n, d) with d far above n in at most n numbers a row, with the same distances."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(12, 400)) + 5
    found = np.asarray(call(answer, x))
    require(found.ndim == 2 and len(found) == 12, "It should have one row for each of the 12 points.")
    require(
        found.shape[1] <= 12,
        f"Twelve points span at most 12 dimensions, and yours have {found.shape[1]}.",
    )
    require(np.allclose(pdist(found), pdist(x)), "The distances between points have changed.")
    few = rng.normal(size=(12, 3))
    require(
        np.allclose(pdist(np.asarray(call(answer, few))), pdist(few)),
        "It should also work for a layer with fewer numbers than points.",
    )
    passed("A layer of 65,536 numbers is kept on disk in 300, and no distance is lost.")


def redness(answer: Answer) -> None:
    """`redness(images)`: the mean of red in the upper left quarter, (n,) from (n, height, width, 3)."""
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, size=(6, 32, 32, 3), dtype=np.uint8)
    found = array(answer, (6,), images)
    whole = images[..., 0].mean(axis=(1, 2))
    require(
        not np.allclose(found, whole),
        "This is the mean over the whole image. Asked for is the upper left quarter.",
    )
    require(
        not np.allclose(found, images[:, :16, :16].mean(axis=(1, 2, 3))),
        "These are the means over all three colours. Red is the first.",
    )
    require(
        not np.allclose(found, images[:, 16:, :16, 0].mean(axis=(1, 2))),
        "This is the lower left quarter: rows are counted from above.",
    )
    require(
        not np.allclose(found, images[:, :16, 16:, 0].mean(axis=(1, 2))),
        "This is the upper right quarter: columns are counted from the left.",
    )
    expected = images[:, :16, :16, 0].astype(float).mean(axis=(1, 2))
    require(
        np.allclose(found, expected),
        f"For the first image it is {expected[0]:.1f}, and you have {found[0]:.1f}. Sums of bytes overflow; "
        "means do not.",
    )
    passed("A target that can be read near the input, and that no class needs.")


def predicted(prediction: Answer, own: Answer, steps: Answer) -> None:
    """The largest step from layer to layer in a small convolutional network that has learned nothing."""
    said = call(prediction)
    torch.manual_seed(0)
    network = call(own)
    require(isinstance(network, nn.Sequential), "`own_network` should return an `nn.Sequential`.")
    names = [name for name, _ in network.named_children()]
    require(4 <= len(names) <= 12, f"Your network has {len(names)} modules. Take 4 to 12.")
    require(any(isinstance(module, nn.Conv2d) for module in network.modules()), "Where is the convolution?")
    require(
        said in names[1:],
        f"First predict the module whose output differs most from what comes before it: one of {names[1:]}.",
    )
    images = torch.tensor(load_digits().images[:60, None], dtype=torch.float32) / 16
    still = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(2, 2, 1, bias=False)
    )
    with torch.no_grad():
        nn.init.dirac_(still[0].weight)
        still[2].weight.copy_(torch.eye(2)[..., None, None] * 10)
    found = _steps(steps, still, images)
    require(
        found["1"] < 0.05,
        f"Here the ReLU gets nothing below 0 and changes nothing, and your step into it is {found['1']:.2f}.",
    )
    require(
        found["2"] < 0.05,
        "Here the last module multiplies by ten. Without scale that is no step, and yours is "
        f"{found['2']:.2f}.",
    )
    torch.manual_seed(1)
    bent = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True), nn.AvgPool2d(2), nn.Flatten())
    found = _steps(steps, bent, images)
    require(
        found["1"] > 0.02,
        "The ReLU works in place, and your step into it is 0: you have compared its output with itself.",
    )
    wanted = fs.compare(fs.capture(bent, [images], progress=False), progress=False).values
    for k, (name, step) in enumerate(found.items()):
        require(
            np.isclose(step, wanted[k, k + 1], rtol=0.1, atol=2e-3),
            f"In a network of this check the step into {name!r} is {wanted[k, k + 1]:.3f}, and you have "
            f"{step:.3f}. Take whole outputs, all numbers of an image in one row.",
        )
    found = _steps(steps, network, images)
    largest = max(found, key=lambda name: found[name])
    kind = type(dict(network.named_children())[largest]).__name__
    verdict = "as you predicted" if largest == said else f"you predicted {said}, {found[said]:.2f}"
    passed(
        f"The largest step leads into {largest}, {kind}, {found[largest]:.2f}: {verdict}. Nothing was "
        "learned, so a step of this size says what kind of layer comes, not what the network does."
    )


def _steps(steps: Answer, network: nn.Sequential, images: torch.Tensor) -> dict[str, float]:
    """The answer for one network, if it is a number for each module but the first."""
    found = call(steps, network, images)
    names = [name for name, _ in network.named_children()][1:]
    require(
        isinstance(found, dict) and list(found) == names,
        f"`steps` should return a dictionary with the step into each module but the first, {names}.",
    )
    return numbers(found, steps)
