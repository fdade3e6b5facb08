"""The same network before training, beside what was found: what of it the architecture alone would show.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from funcsim._intervals import Intervals
from funcsim._untrained import UntrainedTwin, twin_of
from funcsim.errors import DegenerateLayerError, ModelError
from funcsim.nulls import reinitialised
from funcsim.report.checks import Check
from funcsim.report.steps import EVEN, steps_of
from funcsim.representations import Representations
from funcsim.similarity import Measure

#: Of fewer copies the largest of all is no rarer than one in twenty.
ENOUGH = 19


def check_model(model: nn.Module) -> None:
    """Raise a ModelError now, and not after the map, if the weights of a network cannot be drawn anew."""
    try:
        reinitialised(model)
    except ValueError as error:
        raise ModelError(
            f"--twin: {error}; in Python fs.untrained_twin takes it, for the command leave --twin out"
        ) from None


def draw_twin(
    model: nn.Module, look: Callable[[nn.Module], Representations], n: int, measure: Measure, seed: int
) -> UntrainedTwin | None:
    """The maps of `n` untrained copies; None if none were asked for."""
    try:
        return twin_of(model, look, n=n, measure=measure, seed=seed) if n else None
    except DegenerateLayerError as error:
        raise ModelError(f"--twin: in an untrained copy {error}; leave it out, or --twin") from None


def sentence(found: Intervals, twin: UntrainedTwin) -> str:
    """Whether the architecture alone makes steps like this network's."""
    table, copies = twin.standing(found.map), f"{len(twin.maps)} copies with fresh weights"
    steps = steps_of(found)
    if steps.ratio < EVEN:
        most = twin.steps.max(axis=1) / twin.steps.sum(axis=1)
        return (
            f"The largest step makes {table['share'].max():.0%} of the way from the first layer to the last; "
            f"in {copies} the largest makes {most.min():.0%} to {most.max():.0%}."
        )
    row = table.iloc[steps.largest - 1]
    return (
        f"The step into {row['to']} makes {row['share']:.0%} of the way from the first layer to the last; in "
        f"{copies} it makes {row['low']:.0%} to {row['high']:.0%}."
    )


def check_of_twin(found: Intervals, twin: UntrainedTwin) -> Check | None:
    """Whether groups and the place of the largest step are of training; None if steps are even."""
    steps, n = steps_of(found), len(twin.maps)
    if steps.ratio < EVEN:
        return None
    row = twin.standing(found.map).iloc[steps.largest - 1]
    as_large, allowed = round(n * row["as large"]), max(0, (n + 1) // 20 - 1)
    cut = sum(p <= 1 - found.level for p in found.partition.twin_p_values)
    outcome = (
        f"the step into {row['to']} is as large a share of the way in {as_large} of {n}; the test finds "
        f"groups in {cut}"
    )
    kept = as_large <= allowed and (found.partition.n_groups == 1 or cut <= allowed)
    if n < ENOUGH:
        outcome += f"; {ENOUGH} copies or more would tell at 5%"
    return Check("Training", f"{n} copies with fresh weights", outcome, kept)


def explained(twin: UntrainedTwin | None) -> str:
    """What the band behind the steps is."""
    if twin is None:
        return ""
    return (
        f" The grey band holds the steps of {len(twin.maps)} copies of the network with fresh weights, from "
        "the smallest to the largest."
    )


def as_json(found: Intervals, twin: UntrainedTwin | None) -> dict[str, Any] | None:
    """Everything that the copies say, for machines."""
    if twin is None:
        return None
    return {
        "seeds": twin.seeds,
        "p_values": found.partition.twin_p_values,
        "steps": twin.steps.tolist(),
        "standing": twin.standing(found.map).to_dict(orient="records"),
    }
