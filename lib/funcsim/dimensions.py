"""Single dimensions of a layer: whether one decides all distances, and all brought to one size.

In trained transformers a few dimensions of the stream may vary tens of times as much as all others
(Timkey and van Schijndel, 2021; Sun et al., 2024). Distances, kernels and neighbours are then those of
these dimensions, whatever the others hold. A measure that forgives every invertible linear map, such as
"cca", does not see it; every other one does.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.typing import Array

#: A dimension is dominant if it has more than this share of the variance of its layer,
DOMINANT = 0.2
#: and so many times what it would have if all had the same. In a narrow layer none is.
TIMES_EVEN = 50
#: What varies by less than this share of its own size, or of the largest spread, does not vary.
ROUNDING = (4e-6, 1e-7)
#: Columns that are taken to double precision at a time.
COLUMNS = 4096


class DominantDimensionWarning(UserWarning):
    """One dimension has so much of a layer's variance that a map may show nothing else."""


def spreads(layer: NDArray) -> tuple[Array, Array]:
    """Mean and standard deviation (d,) of each dimension of a layer (n, d); 0 for one that is rounding."""
    parts = [layer[:, k : k + COLUMNS].astype(np.float64) for k in range(0, layer.shape[1], COLUMNS)]
    mean, spread, size = (
        np.concatenate([f(part) for part in parts])
        for f in (
            lambda x: x.mean(axis=0),
            lambda x: x.std(axis=0),
            lambda x: np.abs(x).max(axis=0),
        )
    )
    varies = (spread > ROUNDING[0] * size) & (spread > ROUNDING[1] * spread.max())
    return mean, np.where(varies, spread, 0.0)


def largest_share(layer: NDArray) -> tuple[int, float]:
    """The dimension that varies most, and its share of the variance; 0.0 if none varies."""
    spread = spreads(layer)[1]
    at = int(spread.argmax())
    return at, float(1.0 / ((spread / spread[at]) ** 2).sum()) if spread[at] > 0 else 0.0


def is_dominant(share: float, n_features: int) -> bool:
    """Whether a share of the variance is much for one dimension of so many."""
    return share > max(DOMINANT, TIMES_EVEN / n_features)


def standardised(layer: NDArray) -> Array:
    """Each dimension of a layer (n, d) with mean 0 and variance 1; one that does not vary is 0."""
    mean, spread = spreads(layer)
    return (layer.astype(np.float64) - mean) / np.where(spread > 0, spread, np.inf)


def dominant(layers: Mapping[str, NDArray]) -> str | None:
    """The layer with the most dominant dimension, in a sentence that names both; None if none has one."""
    shares = {name: (*largest_share(layer), layer.shape[1]) for name, layer in layers.items()}
    found = {name: (at, share) for name, (at, share, d) in shares.items() if is_dominant(share, d)}
    if not found:
        return None
    name = max(found, key=lambda key: found[key][1])
    at, share = found[name]
    more = f" (and {len(found) - 1} more layers have such a one)" if len(found) > 1 else ""
    return (
        f"dimension {at} of layer {name!r} has {share:.0%} of its variance{more}, and a map may show little "
        "else; see reps.dominant_dimensions(), and compare reps.standardised() as well"
    )
