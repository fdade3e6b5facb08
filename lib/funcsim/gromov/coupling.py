"""What a coupling is, and what it costs.

A coupling of n points with m points, all equally heavy, is an (n, m) array of non-negative
numbers whose rows sum to 1/n and whose columns sum to 1/m.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.typing import Array


def uniform(n: int) -> Array:
    """Equal weights (n,) that sum to one."""
    return np.full(n, 1.0 / n)


def product(n: int, m: int) -> Array:
    """The coupling (n, m) that spreads every point over all others."""
    return np.full((n, m), 1.0 / (n * m))


def from_permutation(permutation: NDArray[np.intp]) -> Array:
    """The coupling (n, n) that matches point i with point permutation[i]."""
    n = len(permutation)
    plan = np.zeros((n, n))
    plan[np.arange(n), permutation] = 1.0 / n
    return plan


def as_permutation(plan: Array) -> NDArray[np.intp] | None:
    """The permutation that a coupling (n, n) is, or None if it splits some point."""
    n, m = plan.shape
    match = plan.argmax(axis=1)
    whole = np.isclose(plan[np.arange(n), match], 1.0 / n, rtol=1e-6).all()
    return match if n == m and whole and len(set(match)) == n else None


def marginal_error(plan: Array) -> float:
    """How far the sums of a plan (n, m) are from equal weights, at the worst point."""
    n, m = plan.shape
    return float(max(np.abs(plan.sum(axis=1) - 1 / n).max(), np.abs(plan.sum(axis=0) - 1 / m).max()))


def cost(D1: Array, D2: Array, plan: Array) -> float:
    """The Gromov-Wasserstein cost GW^2 of a plan.

    Parameters
    ----------
    D1 : array (n, n)
    D2 : array (m, m)
        Symmetric distance matrices.
    plan : array (n, m)

    Returns
    -------
    float
        ``sum_ijkl (D1[i, k] - D2[j, l])^2 plan[i, j] plan[k, l]``, in squared units of
        distance. For a permutation it is the mean squared difference of two matrices,
        computed as such and hence exact near zero.
    """
    match = as_permutation(plan)
    if match is not None:
        return float(((D1 - D2[np.ix_(match, match)]) ** 2).mean())
    own = plan.sum(axis=1) @ D1**2 @ plan.sum(axis=1) + plan.sum(axis=0) @ D2**2 @ plan.sum(axis=0)
    value = own - 2.0 * np.vdot(D1 @ plan @ D2, plan)
    return float(max(value, 0.0))  # a square; below zero only by rounding
