"""What would change the answer? The same question, asked in other ways.

Each check maps the layers once more and asks whether the finding survives: the same groups, and the
largest step at the same place, each within one layer.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.stats import spearmanr

import funcsim as fs
from funcsim._cost import duration
from funcsim._intervals import Intervals
from funcsim.geometry import Normalize
from funcsim.layer_map import LayerMap
from funcsim.report.cuts import alike
from funcsim.report.steps import EVEN, steps_of, steps_of_map
from funcsim.representations import Representations
from funcsim.similarity import Measure, is_of_library, look_up

#: Inputs that a check looks at; of more, this many are drawn, and the map is made anew of the same.
MOST_INPUTS = 500
#: A check that is foretold to take longer is left out, and said.
MOST_SECONDS = 600.0


@dataclass(frozen=True)
class Check:
    """One way of asking again.

    Attributes
    ----------
    name, what : str
        Of what, and what was done.
    outcome : str
        What came out, in words.
    survives : bool or None
        Whether the finding does; None if the check was not run.
    """

    name: str
    what: str
    outcome: str
    survives: bool | None


def run_checks(
    reps: Representations,
    found: Intervals,
    beside: Intervals | None,
    poolings: Mapping[str, Representations],
    measure: str | Measure,
    normalize: Normalize,
    seed: int,
) -> tuple[Check, ...]:
    """All checks that these layers allow, in the order in which they are to be read."""
    checks = [] if beside is None else [_of_measure(found, beside)]
    n = min(reps.n_samples, MOST_INPUTS)

    def rows(layers: Representations) -> Representations:
        return layers if n == reps.n_samples else layers.subsample(n, seed)

    chosen = look_up(measure)
    timed = chosen if is_of_library(chosen) else "cka"  # how long one's own takes is not known
    foretold = fs.estimate_cost([(n, layer.shape[1]) for layer in reps.values()], measure=timed).seconds

    def again(label: str, what: str, layers: Callable[[], Representations], scale: Normalize) -> None:
        if foretold > MOST_SECONDS:
            why = f"not run: it would take about {duration(foretold)}"
            checks.append(Check(label, what, why, None))
            return
        try:
            base = found.map
            if n < reps.n_samples:
                base = fs.compare(rows(reps), measure=measure, normalize=normalize, progress=False)
            other = fs.compare(rows(layers()), measure=measure, normalize=scale, progress=False)
            checks.append(_compared(label, what, base, other, seed))
        except ValueError as error:  # a layer has nothing to compare in this form
            checks.append(Check(label, what, f"not run: {error}", None))

    for pool in poolings:
        again("Pooling", f"pooled by “{pool}” instead", partial(poolings.__getitem__, pool), normalize)
    raw: Normalize = None if normalize is not None else "mean"
    again("Scale", "raw distances" if raw is None else "each layer's mean distance = 1", lambda: reps, raw)
    widest = reps.dominant_dimensions().nlargest(1, "share").iloc[0]
    again(
        "A dominant dimension",
        f"the most that one dimension has of a layer's variance is {widest.share:.0%} ({widest.layer}, "
        f"dimension {widest.dimension}); each dimension brought to the same variance",
        reps.standardised,
        normalize,
    )
    checks.append(_of_inputs(found))
    return tuple(checks)


def _compared(label: str, what: str, base: LayerMap, other: LayerMap, seed: int) -> Check:
    before, after = fs.partition(base, seed=seed), fs.partition(other, seed=seed)
    places = [int(np.argmax(steps_of_map(m))) + 1 for m in (base, other)]
    return _outcome(label, what, before.boundaries, after.boundaries, places, base, other)


def _of_measure(found: Intervals, beside: Intervals) -> Check:
    places = [steps_of(found).largest, steps_of(beside).largest]
    groups = found.partition.boundaries, beside.partition.boundaries
    what = f"compared by {fs.measures()[beside.map.measure].title} instead"
    return _outcome("Measure", what, *groups, places, found.map, beside.map)


def _outcome(
    label: str,
    what: str,
    before: tuple[int, ...],
    after: tuple[int, ...],
    places: list[int],
    base: LayerMap,
    other: LayerMap,
) -> Check:
    upper = np.triu_indices(len(base.names), k=1)
    maps = [m.values[upper] * (-1 if m.is_similarity else 1) for m in (base, other)]
    rank = float(spearmanr(*maps).statistic) if len(maps[0]) > 2 else float("nan")
    steps = steps_of_map(base)
    even = float(steps.max()) < EVEN * float(np.median(steps))
    kept = alike(before, after) and (even or abs(places[0] - places[1]) <= 1)
    groups = "one group" if not after else f"{len(after) + 1} groups, cut at {', '.join(map(str, after))}"
    alike_as = "" if np.isnan(rank) else f"; rank correlation of the maps {rank:.2f}"
    return Check(label, what, f"{groups}; largest step into {base.names[places[1]]}{alike_as}", kept)


def _of_inputs(found: Intervals) -> Check:
    """The halves: would fewer inputs have told the same?"""
    steps = steps_of(found)
    place = steps.largest
    values = [1 - d if found.map.is_similarity else d for d in found.draws]
    near = np.mean([abs(int(np.argmax(np.diag(d, k=1))) + 1 - place) <= 1 for d in values])
    groups = found.n_groups_frequency.get(found.partition.n_groups, 0.0)
    outcome = (
        f"as many groups in {groups:.0%}, the largest step within one layer in {near:.0%} of {found.n_draws} "
        "halves"
    )
    what = "random halves of the inputs"
    return Check("Few inputs", what, outcome, bool(groups >= 0.5 and (steps.ratio < EVEN or near >= 0.5)))
