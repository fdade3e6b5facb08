"""What the steps that stand out amount to: a jump, a transition, or a change of speed.

Taught in chapter 06.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

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
        One step; two or three neighbouring steps between slow stretches; or a run that is
        longer, or two and more that last to an end of the chain. The first two are boundaries.
        Where kinds of layers alternate, steps of one kind are neighbours, too.
    before : int
        The layer that the run leads from.
    after : int
        The layer that it leads to; those between the two lie inside a transition.
    start : int
        The layer with which the next group starts: the one that the largest step leads into.
    effect : float
        Geometric mean of the run's steps, in units of the larger of the two steps beside it
        (of the same kind of layer).
    p_value : float
        Corrected for the search over all steps.
    effect_interval : tuple of float, optional
        Holds the effect on as many other inputs; filled by :func:`funcsim.intervals`. It tells nothing of
        whether there is a boundary: the largest of even steps has an effect above 1, too.
    """

    kind: str
    before: int
    after: int
    start: int
    effect: float
    p_value: float
    effect_interval: tuple[float, float] | None = None

    @property
    def is_boundary(self) -> bool:
        """Whether a group ends here."""
        return self.kind != "speed-up"


def neighbours(kinds: NDArray[np.intp]) -> list[set[int]]:
    """For each step the ones beside it: the step before and after it, and those of its own kind."""
    n = len(kinds)
    beside: list[set[int]] = [set() for _ in range(n)]
    for row in (np.arange(n), *(np.flatnonzero(kinds == kind) for kind in np.unique(kinds))):
        for a, b in pairwise(row.tolist()):
            beside[a].add(b)
            beside[b].add(a)
    return beside


def runs(members: set[int], beside: list[set[int]]) -> list[list[int]]:
    """Steps as runs of neighbours, in the order of the chain."""
    found, left = [], set(members)
    while left:
        run, edge = set(), {min(left)}
        while edge:
            run |= edge
            edge = {j for k in edge for j in beside[k] if j in left} - run
        left -= run
        found.append(sorted(run))
    return found


def with_neighbours(steps: LogSteps, outliers: set[int], beside: list[set[int]]) -> set[int]:
    """The outliers, and steps beside them that are nearer to them than to the rest.

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
    grown, edge = set(outliers), set(outliers)
    while edge:
        edge = {j for k in edge for j in beside[k] if j not in grown and above[j] > half_way}
        grown |= edge
    return grown


def effect_of(steps: LogSteps, run: list[int]) -> float:
    """The run's geometric mean step, in units of the larger like step beside it; 0 if there is none.

    Parameters
    ----------
    steps : LogSteps
    run : list of int
        Indices into the steps. At an end of the chain the two next steps on one side count.
    """
    like = set(steps.kinds[run].tolist())
    usual = [k for k in range(len(steps.values)) if steps.kinds[k] in like and k not in run]
    left, right = [k for k in usual if k < run[0]], [k for k in usual if k > run[-1]]
    near = [left[-1], right[0]] if left and right else left[-2:] or right[:2]
    if not near:
        return 0.0
    return float(np.exp(steps.values[run].mean() - steps.values[near].max()))


def run_of(steps: LogSteps, change: Change) -> list[int]:
    """The steps of a change, as indices into steps of the same layers, maybe of other inputs."""
    return np.flatnonzero((steps.into > change.before) & (steps.into <= change.after)).tolist()


def lasts_to_an_end(run: list[int], kinds: NDArray[np.intp]) -> bool:
    """Whether a run holds the first or the last of all steps, or of the steps of its kind."""
    for kind in np.unique(kinds[run]):
        here = np.flatnonzero(kinds == kind)
        if here[0] in run or here[-1] in run:
            return True
    return False


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
    beside = neighbours(steps.kinds)
    found = []
    for run in runs(with_neighbours(steps, outliers, beside), beside):
        effect = effect_of(steps, run)
        before, after = int(steps.into[run[0]]) - 1, int(steps.into[run[-1]])
        single = [distances[k - 1, k] for k in steps.into[run]]
        if effect < LEAST_EFFECT or (len(run) > 1 and distances[before, after] < 0.95 * max(single)):
            continue
        lasts = len(run) > 1 and lasts_to_an_end(run, steps.kinds)
        kind = "speed-up" if lasts or len(run) > WIDEST_TRANSITION else "transition"
        start = int(steps.into[run[int(np.argmax(steps.values[run]))]])
        found.append(Change("jump" if len(run) == 1 else kind, before, after, start, effect, p_value))
    return found
