"""Mutual k-NN: does each sample have the same nearest neighbours in both layers?

The share of a sample's k = 10 nearest neighbours in one layer that are among its k nearest in the
other, averaged over samples: between 0 and 1, larger is more similar. Of unrelated layers it is
k / (n - 1) on average. Near is a small angle, seen from the origin: blind to rotation, reflection,
permutation of features and isotropic scaling, not to translation. Only who is near counts, not
how near, and nothing that is far.

One minus it is a metric, and the metric form: of two sets of k, the share that is in one alone.

Source: Huh et al. (2024), who also bring samples to length one and take k = 10. Neighbours whose
cosines agree to nine digits are taken by number. Taught in chapter 03.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from funcsim._internal.typing import Array
from funcsim.errors import DegenerateLayerError, RepresentationError
from funcsim.geometry import Normalize, as_array, is_degenerate
from funcsim.similarity import cosine
from funcsim.similarity.measure import Measure

NEIGHBOURS = 10
DIGITS = 1e-9


def prepare(points: ArrayLike, normalize: Normalize, name: str) -> NDArray[np.bool_]:
    """Who is a neighbour of whom (n, n), row by row; `normalize` changes nothing here."""
    return nearest(cosines(points, normalize, name))


def cosines(points: ArrayLike, normalize: Normalize, name: str) -> Array:
    """The cosine (n, n) of each sample with each, for a layer of enough samples."""
    array = as_array(points, name)
    if len(array) < NEIGHBOURS + 2:
        raise RepresentationError(
            f"layer {name!r} has {len(array)} samples, and with fewer than {NEIGHBOURS + 2} all others are "
            f"among the {NEIGHBOURS} nearest neighbours of each; take more samples, or another measure"
        )
    if is_degenerate(array, name):
        raise DegenerateLayerError(
            f"layer {name!r} is degenerate: its samples coincide, so they have no nearest "
            "neighbours; leave it out with `reps.drop(...)`"
        )
    x = cosine.prepare(array, normalize, name)
    return x @ x.T


def nearest(cosines: Array) -> NDArray[np.bool_]:
    """For each sample (row) whether each other is among its neighbours, itself never."""
    near = np.round(cosines / DIGITS)  # rounding must not decide who is near
    np.fill_diagonal(near, -np.inf)
    found = np.zeros(near.shape, dtype=bool)
    chosen = np.argsort(-near, axis=1, kind="stable")[:, :NEIGHBOURS]
    np.put_along_axis(found, chosen, True, axis=1)
    return found


def score(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """The share of neighbours that two layers have in common."""
    return float((a & b).sum() / a.sum())


MUTUAL_KNN = Measure(
    name="mutual-knn",
    title=f"mutual {NEIGHBOURS}-NN",
    prepare=prepare,
    score=score,
    invariances=frozenset({"isotropic scaling", "orthogonal", "feature permutation"}),
    requires_equal_dim=False,
    is_metric=False,
    is_similarity=True,
    metric_form="one minus",
    source="Huh et al. (2024)",
    version=f"1, k {NEIGHBOURS}",
)
