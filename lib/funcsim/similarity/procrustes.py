"""Procrustes: by what angle do two layers differ once one is turned onto the other as well as possible?

``arccos max_Q <X Q, Y> / (|X| |Y|)`` over orthogonal Q, of centred layers, in radians: between 0
and half pi. The maximum is the sum of the singular values of ``X^T Y``. A layer of fewer features is
filled up with zeros. Blind to translation, rotation, reflection, permutation of features and
isotropic scaling. A metric between shapes: large directions count most, as in CKA, but the
sum of singular values counts small ones more than CKA's sum of their squares.

Source: Williams et al. (2021), the angular distance of centred clouds under all rotations and
reflections. The angle is measured by the distance of the turned clouds, because the arccos of a
number near one loses half of its digits. Taught in chapter 03.
"""

from __future__ import annotations

from math import asin

import numpy as np
from numpy.typing import ArrayLike

from funcsim._internal.typing import Array
from funcsim.errors import DegenerateLayerError
from funcsim.geometry import Normalize, as_array, is_degenerate, normalised_points
from funcsim.similarity.measure import Measure


def prepare(points: ArrayLike, normalize: Normalize, name: str) -> Array:
    """The centred layer with length one, in its own principal axes (n, r), r at most n and d."""
    array = as_array(points, name)
    if is_degenerate(array, name):
        raise DegenerateLayerError(
            f"layer {name!r} is degenerate: its samples coincide, so it has no shape; "
            "leave it out with `reps.drop(...)`"
        )
    x = normalised_points(array, normalize, name)
    x = x - x.mean(axis=0)
    x /= np.abs(x).max()  # first: squares of tiny numbers vanish
    if x.shape[1] > len(x):
        axes, sizes, _ = np.linalg.svd(x, full_matrices=False)
        x = axes * sizes
    return x / np.linalg.norm(x)


def score(x: Array, y: Array) -> float:
    """The angle after the best rotation of two prepared layers, of any widths."""
    width = max(x.shape[1], y.shape[1])
    x, y = (np.pad(z, ((0, 0), (0, width - z.shape[1]))) for z in (x, y))
    left, _, right = np.linalg.svd(x.T @ y)
    chord = float(np.linalg.norm(x @ left @ right - y))
    return 2.0 * asin(min(chord / 2.0, 1.0))


PROCRUSTES = Measure(
    name="procrustes",
    title="Procrustes angle",
    prepare=prepare,
    score=score,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal", "feature permutation"}),
    requires_equal_dim=False,
    is_metric=True,
    is_similarity=False,
    metric_form="distance",
    source="Williams et al. (2021)",
    version="1",
)
