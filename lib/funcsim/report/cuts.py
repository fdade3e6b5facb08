"""Where one might cut, whether or not a test asks for it, and how sure the place is.

Taught in chapter 14.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from funcsim._intervals import Intervals
from funcsim._partition import partition_into


@dataclass(frozen=True)
class Cut:
    """The best cut into a given number of groups.

    Attributes
    ----------
    boundaries : tuple of int
        Where a group starts.
    same, near : float
        In which share of the random halves of the inputs the best cut is the same, and in which each
        of its boundaries is within one layer.
    """

    boundaries: tuple[int, ...]
    same: float
    near: float


def possible_cuts(found: Intervals) -> tuple[Cut, ...]:
    """The best cuts into two and into three groups, as far as the layers allow."""
    n = len(found.names)
    halves = [
        replace(found.map, values=values, lower=None, n_samples=found.map.n_samples // 2)
        for values in found.draws
    ]
    cuts = []
    for n_groups in (2, 3):
        if n < 2 * n_groups:
            break
        whole = partition_into(found.map, n_groups).boundaries
        others = [partition_into(half, n_groups).boundaries for half in halves]
        if whole and others:
            same = sum(other == whole for other in others) / len(others)
            near = sum(alike(other, whole) for other in others) / len(others)
            cuts.append(Cut(whole, same, near))
    return tuple(cuts)


def alike(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two sets of boundaries are the same within one layer."""
    return len(a) == len(b) and all(abs(i - j) <= 1 for i, j in zip(a, b, strict=True))
