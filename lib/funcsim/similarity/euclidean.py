"""Euclidean distance: how far does each sample move from one layer to the other?

``mean_i |x_i - y_i|``, in the units of the layers. Blind to nothing: even a shift of one layer
by a constant counts. It needs layers of equal width, and supposes that their features mean
the same, which holds along a residual stream and hardly anywhere else.

Source: section 5.2 of Gao et al., which does not say how samples are combined; the mean keeps
the triangle inequality and does not grow with their number. Taught in chapter 03.
"""

from __future__ import annotations

import numpy as np

from funcsim._internal.typing import Array
from funcsim.geometry import normalised_points
from funcsim.similarity.measure import Measure


def score(x: Array, y: Array) -> float:
    """Mean distance of corresponding rows of two arrays (n, d)."""
    return float(np.linalg.norm(x - y, axis=1).mean())


EUCLIDEAN = Measure(
    name="euclidean",
    title="Euclidean distance",
    prepare=normalised_points,
    score=score,
    invariances=frozenset(),
    requires_equal_dim=True,
    is_metric=True,
    is_similarity=False,
    metric_form="distance",
    source="Gao et al. (2024), section 5.2",
    version="1",
)
