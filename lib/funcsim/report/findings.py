"""What was found, in three plain sentences: the effect, the test, and what of it survives.

Taught in chapter 14.
"""

from __future__ import annotations

from itertools import pairwise

from funcsim.report.analysis import Analysis
from funcsim.report.steps import EVEN, block_range, steps_of


def sentences(found: Analysis) -> list[str]:
    """Three sentences for a reader who reads no further."""
    return [_effect(found), _test(found), _checks(found)]


def _effect(found: Analysis) -> str:
    steps, names = steps_of(found.intervals), found.map.names
    k = steps.largest
    value, low, high = (x[k - 1] for x in (steps.values, steps.low, steps.high))
    level = f"{1 - found.intervals.alpha:.0%} interval over inputs"
    size = f"{value:.3f} ({level} {low:.3f} to {high:.3f})"
    if len(names) < 3:
        return f"From {names[0]} to {names[1]} it is {size}."
    ratio = f"{steps.ratio:.1f} times the median step"
    if steps.ratio < EVEN:
        low, high = steps.values.min(), steps.values.max()
        return (
            f"The steps from one layer to the next are even, {low:.3f} to {high:.3f}, the largest into "
            f"{names[k]}."
        )
    first, stop = steps.half_of_the_way
    run = f"layers {names[first]} to {names[stop - 1]}, {block_range(names, first, stop)[0]}"
    return (
        f"The largest step from one layer to the next leads into {names[k]}: {size}, {ratio}; half of the "
        f"way from the first layer to the last, step by step, lies in {run}."
    )


def _test(found: Analysis) -> str:
    p, names = found.partition.p_value, found.map.names
    told = "" if p is None else f" (p = {p:.3f})"
    if found.partition.n_groups > 1:
        edges = [0, *found.partition.boundaries, len(names)]
        ranges = ", ".join(block_range(names, a, b)[0] for a, b in pairwise(edges))
        return f"The layers form {found.partition.n_groups} groups, {ranges}{told}."
    answer = f"No step stands out from the drift around it, so the test leaves the layers in one group{told}"
    steps = steps_of(found.intervals)
    k = steps.largest
    if steps.ratio >= EVEN and len(names) > 3 and k in (1, len(names) - 1):
        return f"{answer}; it cannot set a single layer apart, and the largest step is at an end."
    return f"{answer}."


def _checks(found: Analysis) -> str:
    run = [check for check in found.checks if check.survives is not None]
    kept = sum(bool(check.survives) for check in run)
    if not run:
        return "No check was run of whether another way of asking gives another answer."
    lost = ", ".join(dict.fromkeys(f"{c.name.lower()} ({c.what})" for c in run if not c.survives))
    if kept == len(run):
        return f"That holds in all {kept} checks that were run."
    return f"That holds in {kept} of {len(run)} checks; another answer comes from {lost}."
