"""RSM difference: are the same pairs of samples far apart in both layers?

``(mean_ik (D1_ik - D2_ik)^2)^(1/2)``: the Frobenius norm of the difference of two
representational matrices, divided by n so that it does not grow with the number of samples. The
matrices are those of Euclidean distances, so that this is GW without the search: the cost of
matching every sample with itself. Hence ``gw <= rsm``, always. Blind to translation, rotation,
reflection and permutation of features.

Source: Kriegeskorte et al. (2008) for the matrices; Klabunde et al. (2024) for the norm. A public
benchmark takes the *spectral* norm of the square matrix where its text says Frobenius. Taught
in chapter 03.
"""

from __future__ import annotations

import numpy as np

from funcsim._internal.typing import Array
from funcsim.geometry import distance_matrix
from funcsim.similarity.measure import Measure


def score(D1: Array, D2: Array) -> float:
    """Root mean squared difference of two distance matrices (n, n)."""
    return float(np.sqrt(((D1 - D2) ** 2).mean()))


RSM = Measure(
    name="rsm",
    title="RSM difference",
    prepare=distance_matrix,
    score=score,
    invariances=frozenset({"translation", "orthogonal", "feature permutation"}),
    requires_equal_dim=False,
    is_metric=True,
    is_similarity=False,
    metric_form="distance",
    source="Klabunde et al. (2024)",
    version="1",
)
