"""The Gromov-Wasserstein map, made otherwise: does what it says depend on how it is made (reviews)?

Each variant turns what the layers say into a map of the same layers. They answer for scale, for
dominant points and directions, for the solver, and for the number of inputs.

Taught in chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim.geometry import distance_matrix
from funcsim.gromov.solver import solve

Layer = NDArray[np.floating]


def without_longest(reps: fs.Representations, share: float = 0.01) -> fs.Representations:
    """Without the samples that are, in any layer, among the farthest from its mean.

    Parameters
    ----------
    reps : Representations
        Layers of (n, d).
    share : float
        Of the samples of each layer; at least one is left out.
    """
    kept = np.ones(reps.n_samples, dtype=bool)
    n_out = max(1, round(share * reps.n_samples))
    for x in reps.values():
        kept[np.argsort(np.linalg.norm(x - x.mean(axis=0), axis=1))[-n_out:]] = False
    return fs.Representations({name: x[kept] for name, x in reps.items()})


def without_first_direction(reps: fs.Representations) -> fs.Representations:
    """Every layer (n, d) without what it says along its first principal axis."""
    return fs.Representations({name: _without_first(x) for name, x in reps.items()})


def _without_first(x: Layer) -> Layer:
    centred = x - x.mean(axis=0)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    return centred - sizes[0] * np.outer(left[:, 0], right[0])


def from_one_start(reps: fs.Representations) -> fs.LayerMap:
    """One search from "all with all", which is where POT begins, and none of the others."""
    spaces = [distance_matrix(x, name=name) for name, x in reps.items()]
    values = np.zeros((len(reps), len(reps)))
    for i, j in zip(*np.triu_indices(len(reps), k=1), strict=True):
        values[i, j] = values[j, i] = solve(spaces[i], spaces[j], starts=("product",)).distance
    return fs.LayerMap(values, reps.names, reps.names, "gw", "mean", reps.n_samples)


def lower_bound(reps: fs.Representations) -> fs.LayerMap:
    """What no coupling is below, in the place of the distance."""
    layer_map = _gw(reps)
    return replace(layer_map, values=layer_map.lower)


def _gw(reps: fs.Representations) -> fs.LayerMap:
    return fs.compare(reps, progress=False)


VARIANTS: dict[str, Callable[[fs.Representations], fs.LayerMap]] = {
    "gw, raw": lambda reps: fs.compare(reps, normalize=None, progress=False),
    "gw, without the longest": lambda reps: _gw(without_longest(reps)),
    "gw, without the first direction": lambda reps: _gw(without_first_direction(reps)),
    "gw, standardised": lambda reps: _gw(reps.standardised()),
    "gw, from one start": from_one_start,
    "gw, lower bound": lower_bound,
    "gw, a quarter of the inputs": lambda reps: _gw(reps.subsample(max(8, reps.n_samples // 4))),
}
