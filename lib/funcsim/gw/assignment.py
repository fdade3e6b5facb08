"""Matching points one to one at the least total cost, and descending by such steps.

For Euclidean distances the Gromov-Wasserstein cost is concave, so a step of conditional
gradient goes all the way to the best assignment of the linearised problem. The chain of
assignments ends after finitely many steps in a local minimum.

Taught in chapter 02.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from funcsim.gw.sinkhorn import balance, soft_kernel

Permutation = NDArray[np.intp]
Single = NDArray[np.float32]

#: Temperature of the soft assignment that prepares the exact one, in spreads of the cost.
TEMPERATURE = 0.05
SCALINGS = 60

#: A descent is given up when so many times its last gain would not make it the best.
PATIENCE = 10.0


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

    Notes
    -----
    Subtracting a number from each column changes no optimum, but it decides how long the
    exact method searches. The numbers that a soft assignment ends with (Sinkhorn's
    algorithm) are nearly the optimal ones: at n = 512 the search takes about a quarter of
    the time that it takes on a cost centred by rows and columns.
    """
    spread = float(C.std())
    if not spread > 0:
        return np.arange(len(C))
    relative = (C - C.mean()) / spread
    soft = torch.from_numpy(-relative.astype(np.float32))
    _, columns = balance(soft_kernel(soft, TEMPERATURE), SCALINGS)
    reduced = relative - TEMPERATURE * columns.log_().numpy()
    reduced -= reduced.min(axis=1, keepdims=True)
    return linear_sum_assignment(reduced)[1]


def squared_difference(A: Single, B: Single, match: Permutation) -> float:
    """The cost of a permutation: mean squared difference of A (n, n) and B rearranged."""
    gap = B.take(match, axis=0).take(match, axis=1)
    gap -= A
    return float(np.vdot(gap, gap)) / gap.size


def linear_cost(A: Single, B: Single, match: Permutation) -> Single:
    """Cost (n, n) of matching i with j while all others stay, up to constants per row and column."""
    C = A @ B.take(match, axis=0)
    C -= C.mean(axis=0)
    C -= C.mean(axis=1)[:, None]
    return np.negative(C, out=C)


def assignment_steps(A: Single, B: Single, match: Permutation, rival: float = np.inf) -> Permutation:
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

    Returns
    -------
    array of int (n,)
        The permutation at the end.
    """
    cost = squared_difference(A, B, match)
    for step in range(len(A)):
        candidate = assign(linear_cost(A, B, match))
        lower = squared_difference(A, B, candidate)
        if lower >= cost * (1 - 1e-6):
            break
        gain, match, cost = cost - lower, candidate, lower
        if step > 0 and cost - PATIENCE * gain > rival:
            break
    return match
