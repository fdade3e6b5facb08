"""Look for the best coupling of two spaces from several starts; keep the lowest cost.

Equal counts and weights: the best coupling is a permutation, and the search is one of
permutations. It descends by Frank-Wolfe steps from each start, improves the best end by
2-opt, and measures the cost of that in double precision. Other counts: POT's
conditional gradient.

Taught in chapter 02.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import ot
import torch
from numpy.typing import NDArray

from funcsim._internal.threads import one_thread
from funcsim._internal.typing import Array
from funcsim.gromov.bounds import best_lower_bound
from funcsim.gromov.coupling import (
    as_permutation,
    cost,
    from_permutation,
    marginal_error,
    product,
    uniform,
)
from funcsim.gromov.frank_wolfe import assign, frank_wolfe, squared_difference
from funcsim.gromov.graduated_assignment import graduated_assignment
from funcsim.gromov.space import MetricSpace, prepare
from funcsim.gromov.two_opt import two_opt

Start = Literal["graduated", "product", "identity", "random"] | Array
STARTS = ("graduated", "product", "identity", "random")

#: Up to so many points every descent is polished, not only the best one, and eight begin at random.
POLISH_ALL_MAX_POINTS = 40

#: The identity is descended from only where it costs less than so many times the lowest so far.
#: Elsewhere it is a start like any other, and what was found is far below it already.
IDENTITY_MAX_COST_RATIO = 1.5

#: Changes whenever the same input may give other numbers, so that no cache outlives it.
VERSION = f"assignments-and-swaps/2 POT {ot.__version__}"


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
    method : str
        "assignments and swaps", or "conditional gradient (POT)" for different counts.

    Examples
    --------
    >>> import funcsim as fs
    >>> r = fs.gw([[0.0], [1.0]], [[5.0], [7.0]], normalize=None)
    >>> round(r.distance, 6), r.plan.tolist()
    (0.707107, [[0.5, 0.0], [0.0, 0.5]])
    """

    distance: float
    cost: float
    lower_bound: float
    plan: Array
    start: str
    method: str = "assignments and swaps"

    def __repr__(self) -> str:
        n, m = self.plan.shape
        return (
            f"GWResult(distance={self.distance:.6g}, cost={self.cost:.6g}, "
            f"lower_bound={self.lower_bound:.6g}, plan {n}x{m}, start={self.start!r}, "
            f"by {self.method})"
        )


def solve(
    a: MetricSpace | Array, b: MetricSpace | Array, starts: Sequence[Start] | None = None, seed: int = 0
) -> GWResult:
    """Best coupling of two spaces, or of two distance matrices (n, n) and (m, m); see :func:`funcsim.gw`.

    The distances must be Euclidean: only then is the best coupling a permutation.
    """
    with one_thread():  # the same sums in the same order, whoever calls
        a, b = (s if isinstance(s, MetricSpace) else prepare(s) for s in (a, b))
        if starts is not None and len(starts) == 0:
            raise ValueError(f"starts is empty; name at least one of {', '.join(map(repr, STARTS))}")
        if a.n == b.n:
            *_, (match, start) = descents(a, b, starts or default_starts(a.n), seed)
            plan, method = from_permutation(match), "assignments and swaps"
        else:
            plan, start = _best_plan(a, b, starts or ("product",), seed)
            method = "conditional gradient (POT)"
        value = cost(a.distances, b.distances, plan)
        distance = float(np.sqrt(value))
        # Between isometric clouds both are rounding, and the bound may come out above.
        bound = min(best_lower_bound(a, b), distance)
    return GWResult(distance=distance, cost=value, lower_bound=bound, plan=plan, start=start, method=method)


def default_starts(n: int) -> tuple[Start, ...]:
    """Where to begin with n points on both sides."""
    return ("graduated", "product", "identity") + ("random",) * (8 if n <= POLISH_ALL_MAX_POINTS else 0)


def name_of(start: Start) -> str:
    """What the result calls a start."""
    return start if isinstance(start, str) else "given"


def descents(
    a: MetricSpace, b: MetricSpace, starts: Sequence[Start], seed: int = 0
) -> Iterator[tuple[NDArray[np.intp], str]]:
    """Yield the best permutation (n,) so far and its start: after each descent, and at the end."""
    A, B = a.single, b.single
    best, lowest, winner = np.arange(a.n), np.inf, ""
    small = a.n <= POLISH_ALL_MAX_POINTS
    for k, start in enumerate(starts):
        match = initial_permutation(a, b, start, seed + k)
        hopeless = squared_difference(A, B, match) > IDENTITY_MAX_COST_RATIO * lowest
        if not small and name_of(start) == "identity" and hopeless:
            continue
        match = polish(A, B, match) if small else frank_wolfe(A, B, match, rival=lowest)
        value = squared_difference(A, B, match)
        if value < lowest:
            best, lowest, winner = match, value, name_of(start)
        yield best, winner
    yield (best if small else polish(A, B, best)), winner


def polish(A: NDArray[np.float32], B: NDArray[np.float32], match: NDArray[np.intp]) -> NDArray[np.intp]:
    """2-opt and Frank-Wolfe in turn, from a permutation (n,), until neither helps."""
    while True:
        swapped = two_opt(torch.from_numpy(A), torch.from_numpy(B), torch.from_numpy(match)).numpy()
        if (swapped == match).all():
            return match
        match = frank_wolfe(A, B, swapped)
        if (swapped == match).all():
            return match


def initial_permutation(a: MetricSpace, b: MetricSpace, start: Start, seed: int = 0) -> NDArray[np.intp]:
    """The permutation (n,) that a start leads to before any descent.

    Raises
    ------
    ValueError
        If the name is unknown, or an array is not a coupling of equal weights.
    """
    if isinstance(start, str):
        if start == "graduated":
            return assign(-graduated_assignment(*_torch(a, b))[0].numpy())
        if start == "product":  # its first step matches far points with far points
            return _in_order(a.eccentricity, b.eccentricity)
        if start == "identity":
            return np.arange(a.n)
        if start == "random":
            return np.random.default_rng(seed).permutation(a.n)
        raise ValueError(f"start {start!r} is unknown; use {', '.join(map(repr, STARTS))}")
    plan = _checked(start, a.n, b.n)
    match = as_permutation(plan)
    return assign(-(a.distances @ plan @ b.distances)) if match is None else match


def _torch(a: MetricSpace, b: MetricSpace) -> list[torch.Tensor]:
    parts = [
        (a.eccentricity / a.scale, b.eccentricity / b.scale),
        (a.factors, b.factors),
        (a.weights, b.weights),
    ]
    return [torch.from_numpy(np.asarray(x, dtype=np.float32))[None] for pair in parts for x in pair]


def _in_order(x: Array, y: Array) -> NDArray[np.intp]:
    match = np.empty(len(x), dtype=np.intp)
    match[np.argsort(x, kind="stable")] = np.argsort(y, kind="stable")
    return match


def _checked(start: Array, n: int, m: int) -> Array:
    plan = np.asarray(start, dtype=np.float64)
    if plan.shape != (n, m) or (plan < 0).any() or marginal_error(plan) > 1e-9:
        raise ValueError(
            f"a start of shape {plan.shape} is not a coupling of {n} with {m} points: rows "
            f"must sum to 1/{n} and columns to 1/{m}, without negative entries"
        )
    return plan


def _best_plan(a: MetricSpace, b: MetricSpace, starts: Sequence[Start], seed: int) -> tuple[Array, str]:
    """For different counts: POT's descent from each start."""
    ends = []
    for start in starts:
        if isinstance(start, str) and start != "product":
            known = "matches points one to one" if start in STARTS else "is unknown"
            raise ValueError(
                f"start {start!r} {known}; there are {a.n} and {b.n} points, so use 'product' or a coupling"
            )
        plan = product(a.n, b.n) if isinstance(start, str) else _checked(start, a.n, b.n)
        plan = conditional_gradient(a.distances, b.distances, plan)
        ends.append((cost(a.distances, b.distances, plan), plan, name_of(start)))
    _, plan, name = min(ends, key=lambda end: end[0])
    return plan, name


def conditional_gradient(D1: Array, D2: Array, start: Array | None = None) -> Array:
    """POT's solver, the paper's: from one coupling (n, m), the product by default, to a local minimum."""
    return ot.gromov.gromov_wasserstein(
        D1, D2, uniform(len(D1)), uniform(len(D2)), "square_loss", symmetric=True, G0=start
    )
