"""Compare, cut, doubt: everything that a report says of a network.

Taught in chapter 14.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

import funcsim as fs
from funcsim._intervals import Intervals
from funcsim._untrained import UntrainedTwin
from funcsim.dimensions import dominant
from funcsim.geometry import Normalize
from funcsim.groups import Partition
from funcsim.layer_map import LayerMap
from funcsim.nulls import random_projection_null
from funcsim.outlying_steps import MIN_STEPS
from funcsim.report.chance import beside_chance
from funcsim.report.checks import MOST_SECONDS, Check, run_checks
from funcsim.report.cuts import Cut, possible_cuts
from funcsim.report.twin import check_of_twin
from funcsim.representations import Representations
from funcsim.similarity import Measure

FEW_LAYERS, FEW_SAMPLES = 8, 100


@dataclass(frozen=True)
class Analysis:
    """What was found in a network of L layers.

    Attributes
    ----------
    intervals : Intervals
        The map, its groups, and how sure they are.
    by_width : Partition or None
        Blocks of a network in which nothing happens but that widths change as they do here; None if
        all layers are equally wide.
    against : LayerMap or None
        (L, M), of this network's layers with another's.
    warnings : tuple of str
        What a reader of the map should know.
    beside : Intervals or None
        The same under another measure: debiased CKA, or GW where CKA was asked for; None if it
        would take too long or a layer has none.
    checks : tuple of Check
        What would change the answer, and whether it does.
    cuts : tuple of Cut
        Where one might cut, whatever the test says.
    twin : UntrainedTwin or None
        The same network before training, many times.
    """

    intervals: Intervals
    by_width: Partition | None
    against: LayerMap | None
    warnings: tuple[str, ...]
    beside: Intervals | None = None
    checks: tuple[Check, ...] = ()
    cuts: tuple[Cut, ...] = ()
    twin: UntrainedTwin | None = None

    @property
    def map(self) -> LayerMap:
        return self.intervals.map

    @property
    def partition(self) -> Partition:
        return self.intervals.partition


def analyse(
    reps: Representations,
    against: Representations | None = None,
    *,
    measure: str | Measure = "gw",
    normalize: Normalize = "mean",
    n_draws: int = 20,
    seed: int = 0,
    progress: bool = True,
    poolings: Mapping[str, Representations] | None = None,
    twin: UntrainedTwin | None = None,
) -> Analysis:
    """Map the layers of a network, cut the map, and ask how far to believe it.

    Parameters
    ----------
    reps : Representations
        L layers, (n, d) each; two at least.
    against : Representations, optional
        Of another network on the same inputs.
    measure : str or Measure
    normalize : {"mean", "max"} or None
        Both as in :func:`funcsim.compare`.
    n_draws : int
        Random halves of the inputs.
    seed : int
    progress : bool
    poolings : mapping of str to Representations, optional
        The same layers on the same inputs, pooled otherwise, by the names of the poolings.
    twin : UntrainedTwin, optional
        Of these layers on these inputs, see :func:`funcsim.untrained_twin`.

    Returns
    -------
    Analysis

    Raises
    ------
    ValueError
        If there is one layer only, and what :func:`funcsim.intervals` refuses.
    """
    if len(reps) < 2:
        raise ValueError(f"one layer, {reps.names[0]!r}, makes no map; choose at least two")
    compare = partial(fs.compare, measure=measure, normalize=normalize, progress=progress)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        intervals = fs.intervals(
            reps, measure=measure, normalize=normalize, n_draws=n_draws, seed=seed, progress=progress
        )
        alone = None
        if len({layer.shape[1] for layer in reps.values()}) > 1:
            alone = fs.partition(compare(random_projection_null(reps, seed)), seed=seed)
        other = None if against is None else compare(reps, against)
        beside = _beside(reps, measure, n_draws, seed, progress)
        checks = run_checks(reps, intervals, beside, poolings or {}, measure, normalize, seed)
        by = (measure,) if beside is None else (measure, beside.map.measure)
        chance = beside_chance(reps, by, normalize, seed)
    if twin is not None:
        tested = fs.partition(intervals.map, seed=seed, twin=twin)
        intervals = replace(
            intervals, partition=replace(intervals.partition, twin_p_values=tested.twin_p_values)
        )
    of_twin = None if twin is None else check_of_twin(intervals, twin)
    messages = dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, UserWarning))
    warned = (*_doubts(reps, intervals, alone), *chance, *messages)
    return Analysis(
        intervals=intervals,
        by_width=alone,
        against=other,
        warnings=warned,
        beside=beside,
        checks=(*checks, *([] if of_twin is None else [of_twin])),
        cuts=possible_cuts(intervals),
        twin=twin,
    )


def _beside(
    reps: Representations, measure: str | Measure, n_draws: int, seed: int, progress: bool
) -> Intervals | None:
    """The same under a measure of the other kind, if that does not take long."""
    name = measure if isinstance(measure, str) else measure.name
    other = "gw" if name.startswith("cka") else "cka-debiased"
    shapes = [layer.shape for layer in reps.values()]
    if fs.estimate_cost(shapes, measure=other, n_draws=n_draws).seconds > MOST_SECONDS:
        return None
    try:
        return fs.intervals(reps, measure=other, n_draws=n_draws, seed=seed, progress=progress)
    except ValueError:  # a layer that this measure has no number for
        return None


def _doubts(reps: Representations, intervals: Intervals, alone: Partition | None) -> list[str]:
    found = []
    if MIN_STEPS < len(reps) < FEW_LAYERS:
        found.append(f"{len(reps)} layers are few for the test: that it finds no boundary says little.")
    if reps.n_samples < FEW_SAMPLES:
        found.append(
            f"{reps.n_samples} samples are few: distances come out larger than on more, and less sure."
        )
    same = set(intervals.partition.boundaries) & set(alone.boundaries if alone else ())
    if same:
        names = ", ".join(reps.names[k] for k in sorted(same))
        found.append(
            f"Widths alone would make a boundary here too: {names}. A boundary where the width changes "
            "does not show a change of function."
        )
    rare = [k for k in intervals.partition.boundaries if intervals.boundary_frequency[k] < 0.5]
    if rare:
        names = ", ".join(reps.names[k] for k in rare)
        found.append(f"Found in fewer than half of the random halves of the inputs: {names}.")
    one = dominant(reps)
    found += [f"{one[0].upper()}{one[1:]}."] if one else []
    steps = np.diag(intervals.map.values, k=1)
    still = [reps.names[k + 1] for k in np.flatnonzero(np.isclose(steps, 0, atol=1e-6))]
    if still and not intervals.map.is_similarity:
        found.append(f"The same as the layer before, to rounding: {', '.join(still)}.")
    return found
