"""RSA: do both layers agree on which pairs of samples are far apart?

The correlation of the n(n-1)/2 distances inside one layer with those inside the other: of their
ranks ("rsa", Spearman, ties at their mean rank) or of the numbers ("rsa-pearson"). Between -1
and 1, larger is more similar. Blind to everything that multiplies all distances: translation,
rotation, reflection, permutation of features, isotropic scaling.

The metric form is the root of one minus the correlation, which is the Euclidean distance of two
lists of mean zero and length one, divided by the root of two: what RSM is to raw distances.

Source: Kriegeskorte et al. (2008). Ranks are taken of the upper triangle alone; with the
diagonal, n zeros that agree by construction would raise every correlation. Taught in
chapter 03.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from funcsim._internal.typing import Array
from funcsim.errors import RepresentationError
from funcsim.geometry import Normalize, distance_matrix
from funcsim.similarity.measure import Measure

#: Distances that agree to this share of their size are equal: ranks must not come from rounding.
DIGITS = 1e-9


def standardised_distances(points: ArrayLike, normalize: Normalize, name: str) -> Array:
    """The distances (n(n-1)/2,) with mean zero and length one."""
    return _standardised(squareform(distance_matrix(points, normalize, name), checks=False), name)


def standardised_ranks(points: ArrayLike, normalize: Normalize, name: str) -> Array:
    """Their ranks, likewise; distances that differ by rounding only share a rank."""
    distances = squareform(distance_matrix(points, normalize, name), checks=False)
    unit = distances.max() * DIGITS
    return _standardised(rankdata(np.round(distances / unit) if unit > 0 else distances), name)


def _standardised(x: Array, name: str) -> Array:
    x = x - x.mean()
    length = np.linalg.norm(x)
    if len(x) < 2 or length <= DIGITS * np.sqrt(len(x)) * np.abs(x).max(initial=1.0):
        raise RepresentationError(
            f"layer {name!r} has {len(x)} distances and they do not differ, so nothing can be "
            "correlated with them; take at least 3 samples, or another measure than 'rsa'"
        )
    return x / length


def score(x: Array, y: Array) -> float:
    """The correlation of two standardised lists."""
    return float(x @ y)


BLIND = frozenset({"translation", "isotropic scaling", "orthogonal", "feature permutation"})

RSA = Measure(
    name="rsa",
    title="RSA (Spearman)",
    prepare=standardised_ranks,
    score=score,
    invariances=BLIND,
    requires_equal_dim=False,
    is_metric=False,
    is_similarity=True,
    metric_form="root of one minus",
    source="Kriegeskorte et al. (2008)",
    version="1",
)
RSA_PEARSON = Measure(
    name="rsa-pearson",
    title="RSA (Pearson)",
    prepare=standardised_distances,
    score=score,
    invariances=BLIND,
    requires_equal_dim=False,
    is_metric=False,
    is_similarity=True,
    metric_form="root of one minus",
    source="Kriegeskorte et al. (2008)",
    version="1",
)
