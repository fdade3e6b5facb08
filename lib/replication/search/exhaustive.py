"""The true distance of a few points, by trying every matching: for the lower bounds of section 3.2.

Taught in chapter 02.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.typing import Array

#: Of more points there are too many matchings: nine have 362,880.
MOST_POINTS = 9
AT_ONCE = 10_000


def true_distance(D1: Array, D2: Array) -> float:
    """The Gromov-Wasserstein distance of two matrices of Euclidean distances (n, n), with equal weights.

    Raises
    ------
    ValueError
        If the sizes differ, or n is above `MOST_POINTS`.
    """
    n = len(D1)
    if D1.shape != D2.shape or n > MOST_POINTS:
        raise ValueError(
            f"{D1.shape} and {D2.shape}: every matching is tried for two matrices of one size, "
            f"of at most {MOST_POINTS} points"
        )
    every = _matchings(n)
    costs = [
        ((D2[some[:, :, None], some[:, None, :]] - D1) ** 2).mean(axis=(1, 2)).min()
        for some in np.array_split(every, max(1, len(every) // AT_ONCE))
    ]
    return float(np.sqrt(min(costs)))


@cache
def _matchings(n: int) -> NDArray[np.int8]:
    return np.array(list(permutations(range(n))), dtype=np.int8)


def through_third(lower: Array, upper: Array) -> Array:
    """Lower bounds (L, L) of all pairs of layers, raised by the triangle inequality where that helps.

    For every third layer, the distance of two layers is at least the bound of the first to the third
    minus the distance found from the third to the second.

    Parameters
    ----------
    lower, upper : array, shape (L, L)
        Symmetric: lower bounds, and distances that a search has found.
    """
    through = lower[:, :, None] - upper[None, :, :]  # (first, third, second)
    raised = through.max(axis=1)
    return np.maximum(lower, np.maximum(raised, raised.T))
