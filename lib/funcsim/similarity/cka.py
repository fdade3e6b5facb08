"""CKA: do both layers find the same pairs of samples alike, weighted by size?

With K and L the kernel matrices of two layers and H the centring,
``<HKH, HLH> / (|HKH| |HLH|)``. "cka" takes inner products as the kernel, "cka-rbf" a Gaussian of
the distance whose width is half the median distance. Both are blind to translation, rotation,
reflection, permutation of features and isotropic scaling; larger is more similar.

The plain estimate is biased: with more features than samples it nears one for unrelated layers.
The "debiased" forms replace the inner product by the unbiased estimate of HSIC (Song et al.,
2012), which needs at least four samples and may be negative. Nothing is clipped to [0, 1].

Each form is the cosine of the angle between two vectors, the centred kernels; so its arccos is
a metric (Williams et al., 2021), and the metric form. Of the debiased ones too: U-centred
matrices have an inner product (Székely and Rizzo, 2014), and the number stays in [-1, 1]. Where
a debiased CKA is averaged over batches it need not. "cka-angular" is the arccos of "cka", as
Williams et al. give it: a distance in radians to draw and to average. Groups found with either are the same.

Source: Kornblith et al. (2019); Nguyen et al. (2021) and Murphy et al. (2024) for the bias. The
kernel matrices hold all samples at once: public tools that average over minibatches estimate
something else, and some lose the attention mask of a batch. Taught in chapter 03.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import asin

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import squareform

from funcsim._internal.typing import Array
from funcsim.errors import DegenerateLayerError, RepresentationError
from funcsim.geometry import Normalize, as_array, is_degenerate, pairwise_distances
from funcsim.similarity.measure import Measure

#: Width of the Gaussian kernel, as a share of the median distance.
WIDTH = 0.5


def prepare(points: ArrayLike, normalize: Normalize, name: str, rbf: bool, debiased: bool) -> Array:
    """The centred kernel (n, n) of a layer with length one; `normalize` changes nothing here."""
    array = as_array(points, name)
    n = len(array)
    if debiased and n < 4:
        raise RepresentationError(
            f"layer {name!r} has {n} samples; debiased CKA needs at least 4, so take more or 'cka'"
        )
    if is_degenerate(array, name):
        raise DegenerateLayerError(
            f"layer {name!r} is degenerate: its samples coincide, so its centred kernel is zero; "
            "leave it out with `reps.drop(...)`"
        )
    K = _gaussian(array, name) if rbf else _inner_products(array)
    K = unbiased_centring(K) if debiased else _centring(K)
    length = np.linalg.norm(K)
    if debiased and length <= 1e-9 * n:
        raise RepresentationError(
            f"layer {name!r} leaves nothing of its kernel after debiasing with {n} samples; take more"
        )
    return K / length


def _inner_products(array: Array) -> Array:
    x = array.astype(np.float64)
    x -= x.mean(axis=0)
    x /= np.abs(x).max()
    K = x @ x.T
    return K / np.abs(K).max()


def _gaussian(array: Array, name: str) -> Array:
    distances = pairwise_distances(array, name)
    width = WIDTH * np.median(squareform(distances, checks=False))
    if not width > 0:
        raise RepresentationError(
            f"layer {name!r} has a median distance of zero: more than half of its pairs coincide, "
            "so a Gaussian kernel has no width; take 'cka' instead of 'cka-rbf'"
        )
    return np.exp(-((distances / width) ** 2) / 2.0)


def _centring(K: Array) -> Array:
    return K - K.mean(axis=0) - K.mean(axis=1)[:, None] + K.mean()


def unbiased_centring(K: Array) -> Array:
    """U-centring (Székely and Rizzo, 2014): inner products of such matrices estimate HSIC without bias."""
    n = len(K)
    K = K - np.diag(np.diag(K))
    rows = K.sum(axis=0) / (n - 2)
    K = K - rows - rows[:, None] + K.sum() / ((n - 1) * (n - 2))
    return K - np.diag(np.diag(K))


def score(K: Array, L: Array) -> float:
    """Inner product of two prepared kernels."""
    return float(np.vdot(K, L))


def _measure(name: str, title: str, rbf: bool, debiased: bool) -> Measure:
    return Measure(
        name=name,
        title=title,
        prepare=partial(prepare, rbf=rbf, debiased=debiased),
        score=score,
        invariances=frozenset({"translation", "isotropic scaling", "orthogonal", "feature permutation"}),
        requires_equal_dim=False,
        is_metric=False,
        is_similarity=True,
        metric_form="angle",
        source="Kornblith et al. (2019)",
        version="1",
    )


def angle(K: Array, L: Array) -> float:
    """The angle between two prepared kernels, from their distance: an arccos near 1 loses digits."""
    return 2.0 * asin(min(float(np.linalg.norm(K - L)) / 2.0, 1.0))


CKA = _measure("cka", "linear CKA", rbf=False, debiased=False)
CKA_DEBIASED = _measure("cka-debiased", "linear CKA, debiased", rbf=False, debiased=True)
CKA_RBF = _measure("cka-rbf", "RBF CKA", rbf=True, debiased=False)
CKA_RBF_DEBIASED = _measure("cka-rbf-debiased", "RBF CKA, debiased", rbf=True, debiased=True)
CKA_ANGULAR = replace(
    CKA,
    name="cka-angular",
    title="angle of linear CKA",
    score=angle,
    is_metric=True,
    is_similarity=False,
    metric_form="distance",
    source="Williams et al. (2021)",
)
