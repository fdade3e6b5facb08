"""Pictures: pool over places, keep all distances in few numbers, read what is local, rise and fall."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist

from exercises.asking import Answer, array, call, number, passed, require


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


def rise_and_fall(answer: Answer) -> None:
    """`rise_and_fall(step, steps, peak, highest)`: a learning rate that rises and falls on two lines."""
    rates = np.array([number(answer, step, 100, 0.25, 0.4) for step in range(101)])
    require(
        np.isclose(rates[25], 0.4), f"After a quarter of the steps it is 0.4, and you have {rates[25]:.3f}."
    )
    require(np.isclose(rates[0], 0), f"It begins at 0, and you begin at {rates[0]:.3f}.")
    require(np.isclose(rates[100], 0), f"It ends at 0, and you end at {rates[100]:.3f}.")
    require((rates >= -1e-12).all(), "A learning rate is never below 0.")
    bends = np.abs(np.diff(rates, n=2))
    require(
        (np.delete(bends, 24) < 1e-9).all(),
        "It should rise on one line and fall on another, with one bend between them. Yours has more.",
    )
    passed("This is the recipe by which the network of this chapter was trained.")
