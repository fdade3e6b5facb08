"""Conditional gradient from several starts; the lowest cost is kept.

Each step replaces the cost by its tangent, solves that as an optimal transport problem, and
moves there as far as the cost falls. POT does the descending. It stops at the first local
minimum, and which one depends on the start: that is why there are several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import ot
from threadpoolctl import threadpool_limits

from funcsim.gw.bounds import second_lower_bound
from funcsim.gw.coupling import Array, cost, from_permutation, marginal_error, product, uniform

Start = Literal["identity", "product", "random"] | Array

#: Changes whenever the same input may give other numbers, so that no cache outlives it.
VERSION = f"conditional-gradient/1 POT {ot.__version__}"


@dataclass(frozen=True)
class GWResult:
    """The outcome of one Gromov-Wasserstein problem.

    Attributes
    ----------
    distance : float
        Square root of the cost: the metric, in units of distance.
    cost : float
        The cost GW^2, which is what POT returns; not a metric.
    lower_bound : float
        No coupling has a distance below it.
    plan : array, shape (n_samples_x, n_samples_y)
        The coupling found; its entries sum to one.
    start : str
        Where the descent that won began.
    """

    distance: float
    cost: float
    lower_bound: float
    plan: Array
    start: str

    def __repr__(self) -> str:
        n, m = self.plan.shape
        return (
            f"GWResult(distance={self.distance:.6g}, cost={self.cost:.6g}, "
            f"lower_bound={self.lower_bound:.6g}, plan {n}x{m}, start={self.start!r})"
        )


def solve(D1: Array, D2: Array, starts: Sequence[Start] | None = None, seed: int = 0) -> GWResult:
    """Best coupling of two distance matrices (n, n) and (m, m); see :func:`funcsim.gw`."""
    n, m = len(D1), len(D2)
    if starts is None:
        starts = ("identity", "product") if n == m else ("product",)
    if len(starts) == 0:
        raise ValueError("starts is empty; name at least one of 'identity', 'product', 'random'")
    best: tuple[float, Array, str] | None = None
    with threadpool_limits(limits=1):  # the same sums in the same order, whoever calls
        for start in starts:
            name = start if isinstance(start, str) else "given"
            plan = descend(D1, D2, initial_plan(start, n, m, seed))
            value = cost(D1, D2, plan)
            if best is None or value < best[0]:
                best = value, plan, name
        bound = second_lower_bound(D1, D2)
    value, plan, name = best
    distance = float(np.sqrt(value))
    # Between isometric clouds both are rounding, and the bound may come out above.
    return GWResult(distance, value, min(bound, distance), plan, name)


def initial_plan(start: Start, n: int, m: int, seed: int = 0) -> Array:
    """The coupling (n, m) that a start stands for.

    Raises
    ------
    ValueError
        If the name is unknown, needs n = m, or an array is not a coupling of equal weights.
    """
    if not isinstance(start, str):
        plan = np.asarray(start, dtype=np.float64)
        if plan.shape != (n, m) or (plan < 0).any() or marginal_error(plan) > 1e-9:
            raise ValueError(
                f"a start of shape {plan.shape} is not a coupling of {n} with {m} points: rows "
                f"must sum to 1/{n} and columns to 1/{m}, without negative entries"
            )
        return plan
    if start == "product":
        return product(n, m)
    if start not in ("identity", "random"):
        raise ValueError(f"start {start!r} is unknown; use 'identity', 'product' or 'random'")
    if n != m:
        raise ValueError(
            f"start {start!r} matches points one to one, but there are {n} and {m}; use 'product'"
        )
    order = np.arange(n) if start == "identity" else np.random.default_rng(seed).permutation(n)
    return from_permutation(order)


def descend(D1: Array, D2: Array, start: Array) -> Array:
    """Conditional gradient from one coupling (n, m) to a local minimum of the cost."""
    return ot.gromov.gromov_wasserstein(
        D1, D2, uniform(len(D1)), uniform(len(D2)), "square_loss", symmetric=True, G0=start
    )
