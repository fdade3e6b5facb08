"""Average precision of evidence for boundaries, and what it is by chance (claim C33, reviews).

A threshold decides how many boundaries are found, and says more about the threshold than about the
measure. Average precision looks at the order alone: are the places with most evidence the true ones?

Taught in chapter 13.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from funcsim._internal.typing import Array

N_TIES = 64  # orders of places with equal evidence
N_RANDOM = 2000  # orders that evidence is compared with


def average_precision(evidence: Array, true: tuple[int, ...], tolerance: int = 0) -> float:
    """Mean precision at each true boundary, when places are taken by falling evidence.

    Parameters
    ----------
    evidence : array, shape (L,)
        For a boundary before each layer; the first entry, before which there is none, is not looked at.
        Minus infinity where there is no evidence.
    true : tuple of int
        The layers, 1 to L - 1, with which a new function begins.
    tolerance : int
        A place is right if it is so near to a true boundary that no earlier place has claimed; the nearest
        is claimed, and of two the first. A second place at the same boundary is wrong.

    Returns
    -------
    float
        From 0 to 1. A boundary that no place claims counts 0. Ties are broken at random and averaged.

    Raises
    ------
    ValueError
        If there is no true boundary, one is out of range, or evidence is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> average_precision(np.array([0, 1.0, 5.0, 4.0, 0.5]), (2,))
    1.0
    >>> average_precision(np.array([0, 1.0, 5.0, 4.0, 0.5]), (3,))
    0.5
    >>> average_precision(np.array([0, 1.0, 5.0, 4.0, 0.5]), (3,), tolerance=1)
    1.0
    """
    places = np.asarray(evidence, dtype=float)[1:]
    if np.isnan(places).any():
        raise ValueError("evidence is NaN at some layer; give minus infinity where there is none")
    if not true or min(true) < 1 or max(true) > len(places):
        raise ValueError(f"true={true} for {len(places) + 1} layers; boundaries lie at 1 to {len(places)}")
    if len(np.unique(places)) == len(places):
        return _of_order(np.argsort(-places) + 1, true, tolerance)
    rng = np.random.default_rng(0)
    orders = (np.lexsort((rng.random(len(places)), -places)) + 1 for _ in range(N_TIES))
    return float(np.mean([_of_order(order, true, tolerance) for order in orders]))


@lru_cache(maxsize=1024)
def random_precisions(n_places: int, true: tuple[int, ...], tolerance: int = 0) -> Array:
    """Average precision of random orders of the places, (2000,)."""
    rng = np.random.default_rng(0)
    orders = (rng.permutation(n_places) + 1 for _ in range(N_RANDOM))
    found = np.array([_of_order(order, true, tolerance) for order in orders])
    found.flags.writeable = False
    return found


def skill(precision: Array | float, n_places: int, true: tuple[int, ...], tolerance: int = 0) -> Array:
    """Average precision beyond chance: 0 as random orders have on average, 1 at best."""
    chance = random_precisions(n_places, true, tolerance).mean()
    return (np.asarray(precision) - chance) / (1 - chance)


def _of_order(order: Array, true: tuple[int, ...], tolerance: int) -> float:
    unclaimed, hits, total = list(true), 0, 0.0
    for rank, place in enumerate(order.tolist(), start=1):
        near = [t for t in unclaimed if abs(t - place) <= tolerance]
        if near:
            unclaimed.remove(min(near, key=lambda t: (abs(t - place), t)))
            hits += 1
            total += hits / rank
    return total / len(true)
