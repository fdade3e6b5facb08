"""What was found, in three plain sentences: the effect, the test, and what of it survives. With
untrained copies of the network there is a fourth, of what its architecture alone would show.

Taught in chapter 14.
"""

from __future__ import annotations

from itertools import pairwise

from funcsim.changes import Change
from funcsim.groups import Partition
from funcsim.outlying_steps import MIN_STEPS
from funcsim.report import twin
from funcsim.report.analysis import Analysis
from funcsim.report.steps import EVEN, block_range, steps_of


def sentences(found: Analysis) -> list[str]:
    """Three sentences for a reader who reads no further, or four."""
    told = [_effect(found), group_sentence(found.partition), _checks(found)]
    return told if found.twin is None else [*told, twin.sentence(found.intervals, found.twin)]


def _effect(found: Analysis) -> str:
    steps, names = steps_of(found.intervals), found.map.names
    k = steps.largest
    value, low, high = (x[k - 1] for x in (steps.values, steps.low, steps.high))
    level = f"at {found.intervals.level:.0%}"
    size = f"{value:.3f} ({low:.3f} to {high:.3f} on as many other inputs, {level})"
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


def tested(groups: Partition) -> float | None:
    """The p-value of a partition; None if there were too few layers to test."""
    return groups.p_value if len(groups.names) > MIN_STEPS else None


def p_in_words(p_value: float | None) -> str:
    """A p-value as it is written: three digits, or that it is below them, or that there is none."""
    if p_value is None:
        return "no test"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def group_sentence(groups: Partition) -> str:
    """What the test found: the groups with the effects of their boundaries, or one group."""
    names = groups.names
    if groups.n_groups == 1 and len(names) <= MIN_STEPS:
        return f"{len(names)} layers are too few for the test, which needs {MIN_STEPS + 1}: one group."
    p = "" if groups.p_value is None else f" ({p_in_words(groups.p_value)})"
    faster = "".join(
        f" From {names[change.before]} to {names[change.after]} the layers change {change.effect:.1f} times "
        "as fast as beside it: a change of speed, no boundary."
        for change in groups.changes
        if not change.is_boundary
    )
    if groups.n_groups == 1:
        return f"The test finds no step out of proportion to the others: the layers are one group{p}.{faster}"
    edges = [0, *groups.boundaries, len(names)]
    ranges = ", ".join(block_range(names, a, b)[0] for a, b in pairwise(edges))
    effects = " and ".join(
        f"{_effect_with_interval(change)} times the larger step beside it"
        + (f", over {change.after - change.before} steps" if change.kind == "transition" else "")
        for change in groups.boundary_changes
    )
    subject = "the boundary is" if groups.n_groups == 2 else "the boundaries are"
    return f"The layers form {groups.n_groups} groups, {ranges}: {subject} {effects}{p}.{faster}"


def _effect_with_interval(change: Change) -> str:
    if change.effect_interval is None:
        return f"{change.effect:.1f}"
    low, high = change.effect_interval
    return f"{change.effect:.1f} ({low:.1f} to {high:.1f} on as many other inputs)"


def _checks(found: Analysis) -> str:
    run = [check for check in found.checks if check.survives is not None]
    kept = sum(bool(check.survives) for check in run)
    if not run:
        return "No check was run of whether another way of asking gives another answer."
    lost = ", ".join(dict.fromkeys(f"{c.name.lower()} ({c.what})" for c in run if not c.survives))
    if kept == len(run):
        return f"That holds in all {kept} checks that were run."
    return f"That holds in {kept} of {len(run)} checks; another answer comes from {lost}."
