"""What the steps that stand out amount to: a jump, a transition, or a change of speed.

Taught in chapter 06.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from funcsim._internal.typing import Array
from funcsim.outlying_steps import LogSteps

WIDEST_TRANSITION = 3  # steps; what is fast for longer is a part of the network, not a boundary in it
LEAST_EFFECT = 1.25  # times the larger step beside it: less is no boundary, however sure


@dataclass(frozen=True)
class Change:
    """A run of steps that are out of proportion to the rest of the chain.

    Attributes
    ----------
    kind : {"jump", "transition", "speed-up"}
        One step; two or three steps in a row between slow stretches; or a run that is longer,
        or two and more that last to an end of the chain. The first two are boundaries.
    before, after : int
        The layers that the run leads from and to: layers ``before + 1`` to ``after - 1`` lie
        inside a transition.
    start : int
        The layer with which the next group starts: the one that the largest step leads into.
    effect : float
        Geometric mean of the run's steps, in units of the larger of the two steps beside it
        (of the same kind of layer).
    p_value : float
        Corrected for the search over all steps.
    """

    kind: str
    before: int
    after: int
    start: int
    effect: float
    p_value: float

    @property
    def is_boundary(self) -> bool:
        """Whether a group ends here."""
        return self.kind != "speed-up"


def runs(members: Iterable[int]) -> list[range]:
    """Numbers as runs of neighbours."""
    found: list[range] = []
    for k in sorted(members):
        if found and found[-1].stop == k:
            found[-1] = range(found[-1].start, k + 1)
        else:
            found.append(range(k, k + 1))
    return found


def with_neighbours(steps: LogSteps, outliers: set[int]) -> set[int]:
    """The outliers, and steps next to them that are nearer to them than to the rest.

    An outlier test stops where the remaining steps are plausible together. A fast stretch is
    then cut short, and what is left of it would look like a boundary.
    """
    above = np.empty(len(steps.values))
    for kind in np.unique(steps.kinds):
        here = np.flatnonzero(steps.kinds == kind)
        rest = [k for k in here if k not in outliers]
        usual = steps.values[rest].mean() if rest else steps.values[here].min()
        above[here] = steps.values[here] - usual
    half_way = np.mean([above[k] for k in outliers]) / 2
    grown, n = set(outliers), len(above)
    for order, before in ((range(1, n), -1), (range(n - 2, -1, -1), 1)):
        grown.update(k for k in order if _joins(k, before, grown, above, float(half_way)))
    return grown


def _joins(k: int, before: int, grown: set[int], above: Array, half_way: float) -> bool:
    joins = k not in grown and k + before in grown and above[k] > half_way
    if joins:
        grown.add(k)  # so that the next one may join it
    return joins


def effect_of(steps: LogSteps, run: range, outside: set[int]) -> float:
    """The run's geometric mean step, in units of the larger like step beside it; 0 if there is none.

    Parameters
    ----------
    steps : LogSteps
    run : range
        Indices into the steps.
    outside : set of int
        All steps that stand out: they are no measure of what is usual.
    """
    like = set(steps.kinds[list(run)].tolist())
    usual = [k for k in range(len(steps.values)) if steps.kinds[k] in like and k not in outside]
    left, right = [k for k in usual if k < run.start], [k for k in usual if k >= run.stop]
    beside = [left[-1], right[0]] if left and right else left[-2:] or right[:2]
    if not beside:
        return 0.0
    return float(np.exp(steps.values[list(run)].mean() - steps.values[beside].max()))


def changes_of(steps: LogSteps, distances: Array, outliers: set[int], p_value: float) -> list[Change]:
    """The changes that a set of outlying steps amounts to; runs without an effect are left out.

    Parameters
    ----------
    steps : LogSteps
    distances : array, shape (L, L)
        Of the map: a run of two or three steps is one way and not two if its ends are at
        least about as far from one another as its largest step.
    outliers : set of int
        Indices into the steps.
    p_value : float
        Of these outliers.
    """
    outside, n = with_neighbours(steps, outliers), len(steps.values)
    found = []
    for run in runs(outside):
        effect = effect_of(steps, run, outside)
        before, after = int(steps.into[run.start]) - 1, int(steps.into[run.stop - 1])
        single = [distances[k - 1, k] for k in steps.into[list(run)]]
        if effect < LEAST_EFFECT or (len(run) > 1 and distances[before, after] < 0.95 * max(single)):
            continue
        lasts = len(run) > 1 and (run.start == 0 or run.stop == n)
        kind = "speed-up" if lasts or len(run) > WIDEST_TRANSITION else "transition"
        start = int(steps.into[run.start + int(np.argmax(steps.values[list(run)]))])
        found.append(Change("jump" if len(run) == 1 else kind, before, after, start, effect, p_value))
    return found
