"""Who takes part in the benchmark: measures, variants of GW, rules, guesses that see nothing (claim C33).

The protocol is in ``PROTOCOL.md``, beside this file.

Taught in chapter 13.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import funcsim as fs
from funcsim._internal.typing import Array
from funcsim.kinds import MixedKindsWarning
from funcsim.similarity.cca import FullRankWarning
from replication.benchmark.known_chains import quietly
from replication.benchmark.map_variants import VARIANTS
from replication.benchmark.rules import RULES
from replication.known.networks import KnownLayers

#: The metric form of "cka-angular" is that of "cka", so it would enter twice.
MEASURES = tuple(name for name in fs.measures() if name != "cka-angular")
#: The maps that rules cut.
RULED = ("gw", "cka-debiased")


@dataclass(frozen=True)
class Found:
    """What an entrant says of a network.

    Attributes
    ----------
    evidence : array, shape (L,), optional
        For a boundary before each layer; of a rule none.
    cuts : tuple of int, optional
        Where groups start; None if the entrant does not decide that.
    given : tuple of int, optional
        Where they start when their number is given.
    """

    evidence: Array | None = None
    cuts: tuple[int, ...] | None = None
    given: tuple[int, ...] | None = None


def by_map(m: fs.LayerMap, n_groups: int) -> Found:
    """What this library makes of a map: evidence, a tested partition, and one into as many groups."""
    size = len(m.names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedKindsWarning)
        told = min(n_groups, max(1, size // 2))
        return Found(
            fs.boundary_evidence(m), fs.partition(m).boundaries, fs.partition_into(m, told).boundaries
        )


def by_evidence(evidence: Array, n_groups: int) -> Found:
    """What evidence says by itself: nothing of how many groups there are, but where they would start."""
    order = np.argsort(-np.asarray(evidence)[1:], kind="stable")[: n_groups - 1] + 1
    return Found(np.asarray(evidence, dtype=float), None, tuple(sorted(order.tolist())))


def mapped(reps: fs.Representations, measure: str) -> fs.LayerMap:
    """The map of one measure, normalised by the mean; of layers that compare with nothing, NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FullRankWarning)  # said in chapter 03
        return fs.compare(reps, measure=measure, degenerate="nan", jobs=1, progress=False)


def widths_fit(reps: fs.Representations, measure: str) -> bool:
    """Whether a measure takes these layers."""
    equal = len({layer.shape[1] for layer in reps.values()}) == 1
    return equal or not fs.measures()[measure].requires_equal_dim


def entrants(
    known: KnownLayers, measures: tuple[str, ...] = MEASURES, variants: bool = True
) -> Iterator[tuple[str, str, Found]]:
    """For each entrant its sort, its name, and what it says of a network; variants of GW if asked for.

    A measure that does not take the layers, or that compares some of them with nothing, says nothing of
    this network.
    """
    k = len(set(known.functions))
    for measure in measures:
        if not widths_fit(known.reps, measure):
            continue
        m = mapped(known.reps, measure)
        if np.isnan(m.values).any():
            continue
        yield "measure", measure, by_map(m, k)
        if measure in RULED:
            for name, rule in RULES.items():
                yield "rule", f"{name}, {measure}", Found(cuts=quietly(rule, m))
    if variants and "gw" in measures:
        for name, made in VARIANTS.items():
            yield "variant", name, by_map(made(known.reps), k)
    for name, guess in GUESSES.items():
        yield "guess", name, guess(known)


def _one_group(known: KnownLayers) -> Found:
    return Found(cuts=(), given=())


def _middle_first(known: KnownLayers) -> Found:
    n = len(known.reps)
    return by_evidence(-np.abs(np.arange(n) - n / 2), len(set(known.functions)))


def _equal_groups(known: KnownLayers) -> Found:
    n, k = len(known.reps), len(set(known.functions))
    return Found(given=tuple(round(i * n / k) for i in range(1, k)))


def _architecture(known: KnownLayers) -> Found:
    evidence = np.isin(np.arange(len(known.reps)), known.part_starts).astype(float)
    return Found(evidence, known.part_starts, by_evidence(evidence, len(set(known.functions))).given)


GUESSES: dict[str, Callable[[KnownLayers], Found]] = {
    "one group": _one_group,
    "middle first": _middle_first,
    "equal groups": _equal_groups,
    "new parts": _architecture,
}
