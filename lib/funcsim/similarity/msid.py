"""MSID: do heat flows on the neighbourhood graphs of two layers fade alike?

Each layer becomes the graph of its k = 5 nearest neighbours, made symmetric; with eigenvalues
l_i of its normalised Laplacian, ``h(t) = sum_i exp(-t l_i) / n`` says how much heat stays where
it was after time t. The measure is ``max over t of exp(-2 (t + 1/t)) |h1(t) - h2(t)|`` over 256 times
from 0.1 to 10. Blind to all that keeps the order of distances: translation, rotation,
reflection, permutation of features, isotropic scaling, and the order of samples.

Source: Tsitsulin et al. (2020). Their program estimates the traces by random Lanczos vectors, not
seeded, with a large variance at the default number; here the eigenvalues are computed, once
per layer. It also divides nothing by n in its default setting; we do, so that layers with
different numbers of samples can be compared. Neighbours at equal distances are taken by
number: with many ties the order of the samples is then not forgotten. Taught in chapter 03.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from funcsim._internal.typing import Array
from funcsim.errors import DegenerateLayerError
from funcsim.geometry import Normalize, as_array, is_degenerate, pairwise_distances
from funcsim.similarity.measure import Measure

NEIGHBOURS = 5
TIMES = np.logspace(-1, 1, 256)
IMPORTANCE = np.exp(-2.0 * (TIMES + 1.0 / TIMES))
DIGITS = 1e-9


def prepare(points: ArrayLike, normalize: Normalize, name: str) -> Array:
    """Heat that stays (256,) at each time; `normalize` changes no neighbour, hence nothing."""
    array = as_array(points, name)
    if is_degenerate(array, name):
        raise DegenerateLayerError(
            f"layer {name!r} is degenerate: its samples coincide, so they have no nearest "
            "neighbours; leave it out with `reps.drop(...)`"
        )
    eigenvalues = np.linalg.eigvalsh(laplacian(pairwise_distances(array, name)))
    return np.exp(-np.outer(TIMES, eigenvalues)).mean(axis=1)


def laplacian(distances: Array, k: int = NEIGHBOURS) -> Array:
    """Normalised Laplacian (n, n) of the symmetric graph of k nearest neighbours, all edges alike."""
    n = len(distances)
    D = np.round(distances / (distances.max() * DIGITS))  # rounding must not decide who is near
    np.fill_diagonal(D, np.inf)
    nearest = np.argsort(D, axis=1, kind="stable")[:, : min(k, n - 1)]
    edges = np.zeros((n, n))
    np.put_along_axis(edges, nearest, 1.0, axis=1)
    edges = np.maximum(edges, edges.T)
    root = np.sqrt(edges.sum(axis=1))
    return np.eye(n) - edges / root[:, None] / root


def score(x: Array, y: Array) -> float:
    """The largest weighted difference of two heat curves."""
    return float((IMPORTANCE * np.abs(x - y)).max())


MSID = Measure(
    name="msid",
    title="MSID",
    prepare=prepare,
    score=score,
    invariances=frozenset(
        {"translation", "isotropic scaling", "orthogonal", "feature permutation", "sample permutation"}
    ),
    requires_equal_dim=False,
    is_metric=False,
    is_similarity=False,
    metric_form="distance",
    source="Tsitsulin et al. (2020)",
    version="1",
    paired=False,
)
