"""Sparse encoders: shrinking weights, counting zeros, what Adam does to a penalty, silent layers."""

from __future__ import annotations

import numpy as np
import torch

from exercises.asking import Answer, array, call, number, passed, require


def shrink(answer: Answer) -> None:
    """`shrink(weights, amount)`: every weight moved towards zero, and not beyond."""
    w = np.array([-1.0, -0.2, 0.0, 0.05, 0.3, 2.0])
    found = array(answer, (6,), w, 0.1)
    require(
        not np.isclose(found[3], -0.05),
        "0.05, shrunk by 0.1, has become -0.05: it went through zero. Stop there.",
    )
    require(
        not np.isclose(found[5], 2.0),
        "Large weights should shrink as well; yours only loses the small ones.",
    )
    require(
        np.allclose(found, [-0.9, -0.1, 0, 0, 0.2, 1.9]),
        f"It should be [-0.9, -0.1, 0, 0, 0.2, 1.9], and is {found.round(2).tolist()}.",
    )
    passed("A weight that reaches zero stays: that is how an l1 penalty empties a network.")


def zeros(answer: Answer) -> None:
    """`zeros(matrices)`: the share of weights that are exactly zero."""
    large, small = np.ones((100, 10)), np.zeros((2, 5))
    found = number(answer, [large, small])
    require(
        not np.isclose(found, 0.5),
        "A matrix of ten weights counts as much as one of a thousand. Count weights, not matrices.",
    )
    require(np.isclose(found, 10 / 1010), f"10 of 1,010 weights are zero, and you have {found:.3f}.")
    require(
        number(answer, [np.full((3, 3), 1e-12)]) == 0,
        "A weight of 1e-12 is not zero. Pruned means gone, not small.",
    )
    passed("Small matrices with many zeros change little.")


def adam_moves(answer: Answer) -> None:
    """`adam_moves(gradients, lr)`: where Adam brings a weight that began at 0."""
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=20) + 0.5
    found = number(answer, gradients, 0.01)
    require(
        not np.isclose(found, -0.01 * gradients.sum()),
        "That is plain gradient descent. Adam divides the mean gradient by the root of the mean square.",
    )
    tenfold = number(answer, 10 * gradients, 0.01)
    require(
        np.isclose(found, tenfold, rtol=1e-3),
        f"With gradients ten times as large it goes to {tenfold:.4f} instead of {found:.4f}. Adam should not "
        "notice.",
    )
    w = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    adam = torch.optim.Adam([w], lr=0.01)
    for gradient in gradients:
        w.grad = torch.tensor([gradient])
        adam.step()
    require(
        np.isclose(found, w.item(), rtol=1e-4),
        f"PyTorch's Adam goes to {w.item():.5f}, yours to {found:.5f}. Both running means begin at zero "
        "and are "
        "too small at first: divide them by 1 - beta ** step.",
    )
    passed(
        "A penalty in the loss is divided away with the rest of the gradient. Shrink after the step instead."
    )


def is_silent(answer: Answer) -> None:
    """`is_silent(layer)`: whether a layer says the same of all inputs."""
    rng = np.random.default_rng(0)
    same = np.tile(rng.normal(size=(1, 8)), (50, 1))
    cases = [
        (np.zeros((50, 8)), True, "all numbers are zero"),
        (same, True, "every row is the same, and not zero"),
        (1000 * same + 1e-9 * rng.normal(size=(50, 8)), True, "rows differ by rounding alone"),
        (rng.normal(size=(50, 8)), False, "rows differ"),
        (1e-6 * rng.normal(size=(50, 8)), False, "rows differ, in small numbers"),
        (np.outer(np.arange(50), np.ones(8)), False, "all columns are the same, but rows differ"),
    ]
    for layer, silent, what in cases:
        found = call(answer, layer)
        require(isinstance(found, bool | np.bool_), "It should return True or False.")
        require(bool(found) == silent, f"Where {what}, it should be {silent}.")
    passed("Such a layer has no mean distance to divide by. Name it, and leave it out of the map.")
