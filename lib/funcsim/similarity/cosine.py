"""Cosine distance: does each sample point in the same direction in both layers?

``mean_i (1 - <x_i, y_i> / (|x_i| |y_i|))``, between 0 and 2. Blind to the length of every
single vector, hence to isotropic scaling; not to a shift, because directions are seen from the
origin. It needs layers of equal width. Not a metric: the detour over a third direction can be
shorter. Its metric form is: the mean cosine is the cosine of the angle between two whole clouds
whose rows have length one, and that angle is a metric.

Source: section 5.2 of Gao et al. A vector of length zero has no direction; it is refused, not
given the similarity zero as some libraries do. Taught in chapter 03.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from funcsim._internal.typing import Array
from funcsim.errors import RepresentationError
from funcsim.geometry import Normalize, normalised_points
from funcsim.similarity.measure import Measure


def prepare(points: ArrayLike, normalize: Normalize, name: str) -> Array:
    """Rows (n, d) of length one."""
    x = normalised_points(points, normalize, name)
    largest = np.abs(x).max(axis=1, keepdims=True)  # first: squares of tiny numbers vanish
    if not largest.all():
        raise RepresentationError(
            f"layer {name!r} is zero at sample {int(largest.argmin())}, and zero has no direction; "
            "leave the sample out, or take a measure that compares no directions, such as 'gw'"
        )
    x = x / largest
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def score(x: Array, y: Array) -> float:
    """Mean of half the squared distance between directions, which is one minus the cosine."""
    return float(((x - y) ** 2).sum(axis=1).mean() / 2.0)


COSINE = Measure(
    name="cosine",
    title="cosine distance",
    prepare=prepare,
    score=score,
    invariances=frozenset({"isotropic scaling"}),
    requires_equal_dim=True,
    is_metric=False,
    is_similarity=False,
    metric_form="angle of one minus",
    source="Gao et al. (2024), section 5.2",
    version="1",
)
