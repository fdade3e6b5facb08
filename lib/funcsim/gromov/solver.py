"""Look for the best coupling of two spaces from several starts; keep the lowest cost.

Equal counts and weights: the best coupling is a permutation, and the search is one of
permutations. It descends by Frank-Wolfe steps from each start, improves the best end by
2-opt, and measures the cost of that in double precision. Other counts: POT's
conditional gradient. Each pair is solved one way round, and its points in one order, so that
neither who is named first nor the order of the samples decides where a search ends.

Taught in chapter 02.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from funcsim.gromov.effort import (
    REHEATING_STEPS,
    SMALL,
    STARTS,
    Effort,
    StartName,
    check_effort,
    default_starts,
)
from funcsim.gromov.entropic import TEMPERATURES, entropic_plan
from funcsim.gromov.frank_wolfe import assign, frank_wolfe, squared_difference
from funcsim.gromov.graduated_assignment import graduated_assignment
from funcsim.gromov.space import MetricSpace, comes_first, from_the_middle, prepare
from funcsim.gromov.two_opt import two_opt

Start = StartName | Array

#: The identity is descended from only where it costs less than so many times the lowest so far.
#: Elsewhere it is a start like any other, and what was found is far below it already.
MOST_ABOVE = 1.5

#: Changes whenever the same input may give other numbers, so that no cache outlives it.
VERSION = f"assignments-and-swaps/7 POT {ot.__version__}"


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
    a: MetricSpace | Array,
    b: MetricSpace | Array,
    starts: Sequence[Start] | None = None,
    seed: int = 0,
    effort: Effort = "usual",
) -> GWResult:
    """Best coupling of two spaces, or of two distance matrices (n, n) and (m, m); see :func:`funcsim.gw`.

    The distances must be Euclidean: only then is the best coupling a permutation.
    """
    check_effort(effort)
    with one_thread():  # the same sums in the same order, whoever calls
        a, b = (s if isinstance(s, MetricSpace) else prepare(s) for s in (a, b))
        if starts is not None and len(starts) == 0:
            raise ValueError(f"starts is empty; name at least one of {', '.join(map(repr, STARTS))}")
        starts = starts and [s if isinstance(s, str) else _checked(s, a.n, b.n) for s in starts]
        turned = not comes_first(a, b)
        if turned:
            a, b = b, a
            starts = starts and [s if isinstance(s, str) else s.T for s in starts]
        a, b = from_the_middle(a), from_the_middle(b)
        starts = starts and [s if isinstance(s, str) else s[np.ix_(a.order, b.order)] for s in starts]
        if a.n == b.n:
            *_, (match, start) = descents(a, b, starts or default_starts(a.n, effort), seed, effort)
            plan, method = from_permutation(match), "assignments and swaps"
        else:
            plan, start = _best_plan(a, b, starts or ("product",), seed)
            method = "conditional gradient (POT)"
        value = cost(a.distances, b.distances, plan)
        distance = float(np.sqrt(value))
        # Between isometric clouds both are rounding, and the bound may come out above.
        bound = min(best_lower_bound(a, b), distance)
    return GWResult(
        distance=distance,
        cost=value,
        lower_bound=bound,
        plan=_of_samples(a, b, plan, turned),
        start=start,
        method=method,
    )


def _of_samples(a: MetricSpace, b: MetricSpace, plan: Array, turned: bool) -> Array:
    """A plan of points as a plan of samples, the first named first."""
    of_samples = np.empty_like(plan)
    of_samples[np.ix_(a.order, b.order)] = plan
    return np.ascontiguousarray(of_samples.T) if turned else of_samples


def name_of(start: Start) -> str:
    """What the result calls a start."""
    return start if isinstance(start, str) else "given"


def descents(
    a: MetricSpace, b: MetricSpace, starts: Sequence[Start], seed: int = 0, effort: Effort = "usual"
) -> Iterator[tuple[NDArray[np.intp], str]]:
    """Yield the best permutation (n,) so far and its start: after each descent, and at the end."""
    A, B, plan = a.single, b.single, check_effort(effort)
    best, lowest, winner = np.arange(a.n), np.inf, ""
    to_the_end = a.n <= SMALL or plan.polishes_all
    for k, start in enumerate(starts):
        match = initial_permutation(a, b, start, seed + k)
        if to_the_end:
            match = polish(A, B, frank_wolfe(A, B, match))
        elif name_of(start) == "product":
            match = frank_wolfe(A, B, match)
        elif name_of(start) == "identity" and squared_difference(A, B, match) > MOST_ABOVE * lowest:
            continue
        else:
            match = frank_wolfe(A, B, match, lowest, plan.steps)
        value = squared_difference(A, B, match)
        if value < lowest:
            best, lowest, winner = match, value, name_of(start)
        yield best, winner
    if a.n > SMALL and plan.polishes_all:
        yield annealed(A, B, best, plan.reheated), winner
    elif not to_the_end:
        for temperature in plan.reheated:
            other = reheated(A, B, best, temperature)
            best = min(best, other, key=lambda match: squared_difference(A, B, match))
            yield best, winner
        if plan.polished:
            yield polish(A, B, best), winner


def reheated(
    A: NDArray[np.float32], B: NDArray[np.float32], match: NDArray[np.intp], temperature: float
) -> NDArray[np.intp]:
    """Make a permutation (n,) soft at a temperature, and descend from there."""
    whole = torch.from_numpy(len(match) * from_permutation(match).astype(np.float32))
    benefit = entropic_plan(torch.from_numpy(A), torch.from_numpy(B), temperature, whole, REHEATING_STEPS)
    return frank_wolfe(A, B, assign(-benefit.numpy()))


def annealed(
    A: NDArray[np.float32], B: NDArray[np.float32], match: NDArray[np.intp], temperatures: Sequence[float]
) -> NDArray[np.intp]:
    """Reheat a permutation (n,) at each temperature and polish it, as long as that helps."""
    lowest, improved = squared_difference(A, B, match), True
    while improved:
        improved = False
        for temperature in temperatures:
            other = polish(A, B, reheated(A, B, match, temperature))
            value = squared_difference(A, B, other)
            if value < lowest * (1 - 1e-9):
                match, lowest, improved = other, value, True
    return match


def polish(A: NDArray[np.float32], B: NDArray[np.float32], match: NDArray[np.intp]) -> NDArray[np.intp]:
    """2-opt and Frank-Wolfe in turn, from a permutation (n,), until the cost falls no more.

    Among equal distances an exchange may seem to gain by the rounding of its gain. So each round is judged
    by its cost, and the search ends.
    """
    lowest = squared_difference(A, B, match)
    while True:
        swapped = two_opt(torch.from_numpy(A), torch.from_numpy(B), torch.from_numpy(match)).numpy()
        other = frank_wolfe(A, B, swapped) if (swapped != match).any() else swapped
        cost = squared_difference(A, B, other)
        if cost >= lowest * (1 - 1e-9):
            return match
        match, lowest = other, cost


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
        if start in TEMPERATURES:
            A, B = (torch.from_numpy(space.single) for space in (a, b))
            return assign(-entropic_plan(A, B, TEMPERATURES[start]).numpy())
        if start == "product":  # its first step matches far points with far points
            return _in_order(a.eccentricity, b.eccentricity)
        if start == "identity":
            return np.argsort(b.order)[a.order]
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
