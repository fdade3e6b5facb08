"""Which steps along a chain of layers are out of proportion to the others?

A chain is summarised by one number for each layer but the first: the logarithm of the step
into it. Steps of real networks are uneven, even where nothing happens, so the question is
not whether they differ but whether a few of them lie outside of the spread of the rest. That
is a test for several outliers: the generalised extreme Studentised deviate test, one-sided,
with the kinds of layers centred each by its own mean.

Taught in chapter 06.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.typing import Array

MIN_STEPS = 5  # fewer steps have no spread to stand out from
MOST_OUTLIERS = 6  # and never more than a third of the steps
LEAST_SD = 0.08  # of a log step: no chain is taken to be more even than this
FIRST_STAGE_SHARE = 0.84  # of alpha, for the single largest step; the further stages share the rest
N_NULL = 9999
SAME_LAYER = 1e-9  # of the largest step: what is nearer than this is the same tensor again
LEAST_STEP = 1e-3  # of the largest: what a copy counts as where there are hardly any other steps


def robust_steps(values: Array) -> Array:
    """The step into each layer but the first, (..., L - 1), from maps of distances (..., L, L).

    The step into layer k is the least of D[k - 1, k], D[k - 1, k + 1] and D[k - 2, k]. So one
    layer that lies apart from all others, and after which the chain goes on where it was, is
    no step.
    """
    near = np.diagonal(values, 1, -2, -1).copy()
    skip = np.diagonal(values, 2, -2, -1)
    near[..., :-1] = np.minimum(near[..., :-1], skip)
    near[..., 1:] = np.minimum(near[..., 1:], skip)
    return near


@dataclass(frozen=True)
class LogSteps:
    """The steps of a chain, ready for the test.

    Attributes
    ----------
    values : array, shape (n,)
        Logarithms of the robust steps, without those between copies of one tensor. Where
        fewer than five others are left, as in a perfect map of groups, a copy counts as a
        thousandth of the largest step.
    kinds : array of int, shape (n,)
        Of the layer that each step leads into.
    into : array of int, shape (n,)
        The index of that layer, 1 to L - 1.
    """

    values: Array
    kinds: NDArray[np.intp]
    into: NDArray[np.intp]


def log_steps(distances: Array, kinds: Sequence[str]) -> LogSteps:
    """The steps of a map of distances (L, L) whose layers are of these L kinds."""
    steps = robust_steps(distances)
    largest = steps.max(initial=0)
    moved = np.flatnonzero(steps > SAME_LAYER * largest)
    if largest > 0 and len(moved) < MIN_STEPS:
        steps = np.maximum(steps, LEAST_STEP * largest)
        moved = np.arange(len(steps))
    codes = {kind: code for code, kind in enumerate(dict.fromkeys(kinds))}
    arrived = np.array([codes[kind] for kind in kinds[1:]], dtype=np.intp)
    return LogSteps(np.log(steps[moved]), arrived[moved], moved + 1)


def n_stages(n: int) -> int:
    """How many outliers are looked for among n steps."""
    return max(1, min(MOST_OUTLIERS, n // 3))


def remove_largest(
    y: Array, kinds: NDArray[np.intp], least_sd: float = LEAST_SD
) -> tuple[NDArray[np.intp], Array]:
    """Remove the most outlying step, fit the rest again, and so on.

    Parameters
    ----------
    y : array, shape (m, n)
        Log steps of m chains.
    kinds : array of int, shape (n,)
        Steps are compared with the mean of their kind; a kind of which fewer than three are
        left gives no outlier.
    least_sd : float
        No chain is taken to be more even than this.

    Returns
    -------
    order : array of int, shape (m, r)
        Which step is removed at each stage.
    t : array, shape (m, r)
        Its distance from the mean of the others of its kind, in units of the standard
        deviation of all the others (an externally Studentised residual, one-sided).
    """
    m, n = y.shape
    stages = n_stages(n)
    left = np.ones((m, n), bool)
    order, t = np.zeros((m, stages), np.intp), np.full((m, stages), -np.inf)
    present = np.unique(kinds)
    everyone = np.arange(m)
    for stage in range(stages):
        freedom = n - stage - len(present) - 1
        if freedom < 2:
            break
        squares = np.zeros(m)
        parts = []
        for kind in present:
            here = left & (kinds == kind)
            count = here.sum(axis=1, keepdims=True)
            mean = (y * here).sum(axis=1, keepdims=True) / np.maximum(count, 1)
            off = np.where(here, y - mean, 0.0)
            squares += (off**2).sum(axis=1)
            parts.append((here & (count >= 3), np.maximum(count, 2), off))
        found = np.full((m, n), -np.inf)
        for usable, count, off in parts:
            share = count / (count - 1)  # leaving a step out moves the mean of the others away from it
            rest = np.maximum(squares[:, None] - off**2 * share, 0.0) / freedom
            found = np.where(usable, off * np.sqrt(share) / np.sqrt(np.maximum(rest, least_sd**2)), found)
        largest = found.argmax(axis=1)
        order[:, stage], t[:, stage] = largest, found[everyone, largest]
        left[everyone, largest] = False
    return order, t


def stage_shares(stages: int) -> Array:
    """How alpha is divided between the stages, (r,)."""
    if stages == 1:
        return np.ones(1)
    return np.array([FIRST_STAGE_SHARE, *[(1 - FIRST_STAGE_SHARE) / (stages - 1)] * (stages - 1)])


@dataclass(frozen=True)
class Null:
    """What independent normal log steps show, by simulation.

    The statistics do not depend on the mean of a kind nor on the common spread, so one
    simulation serves every chain with as many steps of each kind.
    """

    by_stage: Array  # (N_NULL, r), sorted
    least: Array  # (N_NULL,), sorted: the least over the stages of tail probability / share of alpha

    def p_values(self, t: Array) -> Array:
        """For each stage (r,) of one chain the p-value of stopping there, all stages counted in."""
        n = len(self.least)
        above = np.array([n - np.searchsorted(s, x) for s, x in zip(self.by_stage.T, t, strict=True)])
        tail = (1 + above) / (1 + n) / stage_shares(len(t))
        return (1 + np.searchsorted(self.least, tail, side="right")) / (1 + n)


def null_distribution(kinds: NDArray[np.intp], seed: int = 0) -> Null:
    """The null for chains whose steps are of these kinds; only how many there are of each matters."""
    return _null(tuple(sorted(Counter(kinds.tolist()).values())), seed)


@lru_cache(maxsize=64)
def _null(counts: tuple[int, ...], seed: int) -> Null:
    kinds = np.repeat(np.arange(len(counts)), counts)
    y = np.random.default_rng(seed).normal(size=(N_NULL, len(kinds)))
    t = remove_largest(y, kinds, least_sd=0.0)[1]
    by_stage = np.sort(t, axis=0)
    above = np.stack([N_NULL - np.searchsorted(s, x) for s, x in zip(by_stage.T, t.T, strict=True)], axis=1)
    least = np.sort((above / N_NULL / stage_shares(t.shape[1])).min(axis=1))
    by_stage.flags.writeable = least.flags.writeable = False
    return Null(by_stage, least)


def evidence(steps: LogSteps) -> Array:
    """How far each step stands out from the others of its kind when it alone is left out, (n,)."""
    y, n = steps.values, len(steps.values)
    out = np.full(n, -np.inf)
    for k in range(n):
        others = np.arange(n) != k
        like = others & (steps.kinds == steps.kinds[k])
        if like.sum() < 2:
            continue
        residuals = [
            y[others & (steps.kinds == kind)] - y[others & (steps.kinds == kind)].mean()
            for kind in np.unique(steps.kinds[others])
        ]
        freedom = max(1, n - 1 - len(residuals))
        sd = max(LEAST_SD, float(np.sqrt(sum((r**2).sum() for r in residuals) / freedom)))
        out[k] = (y[k] - y[like].mean()) / sd
    return out
