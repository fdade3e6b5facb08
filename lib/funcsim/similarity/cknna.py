"""CKNNA: CKA of near pairs alone. Are samples that are near in both layers equally near?

With K and L the centred kernels of two layers, and only those entries (i, j) of each for which j is
among the k = 10 nearest neighbours of i in that layer: the sum of ``K_ij L_ij`` over the pairs that
are left in both, divided by the root of the same sums of K with itself and of L with itself. Between -1
and 1, larger is more similar. With all pairs as neighbours it would be the debiased CKA of
samples of length one. Blind to rotation, reflection, permutation of features and isotropic scaling.

It is the cosine of the angle between two vectors, the kernels with zeros for far pairs; so its
arccos is a metric, and the metric form.

Source: Huh et al. (2024), who also bring samples to length one and take k = 10. Their program leaves
out the far pairs first and centres what is left, by the unbiased HSIC. To be a neighbour is not
mutual, so what is left is no kernel: that number may pass one, or be the root of a negative one.
Here the kernels are centred first, as for "cka-debiased". Taught in chapter 03.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from funcsim._internal.typing import Array
from funcsim.errors import RepresentationError
from funcsim.geometry import Normalize
from funcsim.similarity.cka import unbiased_centring
from funcsim.similarity.measure import Measure
from funcsim.similarity.mutual_knn import NEIGHBOURS, cosines, nearest


def prepare(points: ArrayLike, normalize: Normalize, name: str) -> Array:
    """The centred kernel (n, n) of near pairs, with length one; `normalize` changes nothing here."""
    K = cosines(points, normalize, name)
    near = nearest(K) * unbiased_centring(K)
    length = np.linalg.norm(near)
    if length <= 1e-9 * len(K):
        raise RepresentationError(
            f"layer {name!r} leaves nothing of its kernel after centring with {len(K)} samples; take more"
        )
    return near / length


def score(K: Array, L: Array) -> float:
    """Inner product of two prepared kernels."""
    return float(np.vdot(K, L))


CKNNA = Measure(
    name="cknna",
    title=f"CKNNA, {NEIGHBOURS} neighbours",
    prepare=prepare,
    score=score,
    invariances=frozenset({"isotropic scaling", "orthogonal", "feature permutation"}),
    requires_equal_dim=False,
    is_metric=False,
    is_similarity=True,
    metric_form="angle",
    source="Huh et al. (2024)",
    version=f"1, k {NEIGHBOURS}",
)
