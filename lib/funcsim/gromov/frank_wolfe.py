"""Frank-Wolfe for matchings: again and again the best assignment of the linearised problem.

Gromov-Wasserstein with equal weights is a quadratic assignment problem, and Frank-Wolfe
(conditional gradient) on it is known as FAQ. For Euclidean distances the cost is concave, so
a step goes all the way to the best assignment of the linearised problem. The chain of
assignments ends after finitely many steps in a local minimum.

Source: Vogelstein et al. (2015), "Fast approximate quadratic programming for graph matching".

Taught in chapter 02.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from funcsim.gromov.sinkhorn import gibbs_kernel, sinkhorn_scaling

Permutation = NDArray[np.intp]
Single = NDArray[np.float32]

#: Temperatures of the soft assignments that guess the prices, in standard deviations of the cost.
PRICE_TEMPERATURES = (0.05, 0.02, 0.007)
SINKHORN_ROUNDS = 20

#: A descent is given up when so many times its last gain would not make it the best.
RIVAL_WITHIN_GAINS = 12.0


def assign(C: NDArray) -> Permutation:
    """Exact assignment of least total cost.

    Parameters
    ----------
    C : array (n, n)
        What it costs to match row i with column j.

    Returns
    -------
    array of int (n,)
        The column of each row.
    """
    return assign_at(C, np.zeros(len(C), dtype=np.float32))[0]


def assign_at(C: NDArray, prices: Single) -> tuple[Permutation, Single]:
    """The same, with a guess of what each column is worth, and a better guess afterwards.

    Subtracting a price from each column changes no optimum, but it decides how long the exact
    method searches. Soft assignments at falling temperatures (Sinkhorn's algorithm) give
    prices that are nearly the optimal ones; those of the last step of a descent are a good
    beginning for the next. At n = 512 this saves half of the time or more, against a cost
    centred by rows and columns.

    Parameters
    ----------
    C : array (n, n)
    prices : array (n,)
        In spreads of the cost; zeros if nothing is known.

    Returns
    -------
    array of int (n,), array (n,)
        The column of each row, and the new prices.
    """
    spread = float(C.std())
    if not spread > 0:
        return np.arange(len(C)), prices
    relative = (C - C.mean()) / spread
    benefit = torch.from_numpy((prices - relative).astype(np.float32))
    gained = torch.zeros(len(C))
    for temperature in PRICE_TEMPERATURES:
        _, columns = sinkhorn_scaling(gibbs_kernel(benefit + gained, temperature), SINKHORN_ROUNDS)
        gained += temperature * columns.log_()
    prices = prices + gained.numpy()
    reduced = relative - prices
    reduced -= reduced.min(axis=1, keepdims=True)
    return linear_sum_assignment(reduced)[1], prices


def squared_difference(A: Single, B: Single, match: Permutation) -> float:
    """The cost of a permutation: mean squared difference of A (n, n) and B rearranged."""
    gap = (B.take(match, axis=0).take(match, axis=1) - A).ravel().astype(np.float64)
    return float(gap @ gap) / gap.size


def linear_cost(A: Single, B: Single, match: Permutation) -> Single:
    """Cost (n, n) of matching i with j while all others stay, up to constants per row and column."""
    C = A @ B.take(match, axis=0)
    C -= C.mean(axis=0)
    C -= C.mean(axis=1)[:, None]
    return np.negative(C, out=C)


def frank_wolfe(
    A: Single, B: Single, match: Permutation, rival: float = np.inf, steps: int | None = None
) -> Permutation:
    """Descend from a permutation until no assignment step lowers the cost.

    Parameters
    ----------
    A : array (n, n)
    B : array (n, n)
        Distances in single precision.
    match : array of int (n,)
        Where to start: point i of A is matched with point match[i] of B.
    rival : float
        The lowest cost so far. The descent is given up when it will clearly not get there.
    steps : int, optional
        At most so many steps.

    Returns
    -------
    array of int (n,)
        The permutation at the end.
    """
    cost, prices = squared_difference(A, B, match), np.zeros(len(A), dtype=np.float32)
    for step in range(len(A) if steps is None else steps):
        candidate, prices = assign_at(linear_cost(A, B, match), prices)
        lower = squared_difference(A, B, candidate)
        if lower >= cost * (1 - 1e-9):
            break
        gain, match, cost = cost - lower, candidate, lower
        if step > 0 and cost - RIVAL_WITHIN_GAINS * gain > rival:
            break
    return match
