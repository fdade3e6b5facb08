"""CCA: is what one layer says a linear function of what the other says?

Canonical correlations are the cosines of the angles between the spaces spanned by the columns
of two centred layers. "cca" is their mean, "svcca" keeps 99 % of each layer's variance first,
and "pwcca" weights them by how much of the first layer's columns each canonical direction
carries; it is not symmetric, so here the mean of both orders is taken. Between 0 and 1, larger
is more similar. "cca" is blind to every invertible linear map; the other two only to rotation,
scaling and translation, because they weigh directions by their size.

The metric form is the arccos. For "cca" it is a metric between layers of one rank, whose whitened
clouds are turned onto each other as well as possible (Williams et al., 2021); between layers of
different ranks, and for the other two, it is only the same scale.

Where the ranks of two layers add up to n - 1 or more, their spaces must meet and correlations
of one appear between unrelated layers. The numbers are still what they are; a warning says so
once per layer, when it fills half of the samples. Directions below rounding are dropped before
angles are measured, where inverting a covariance would amplify them.

Source: Hotelling (1936); Raghu et al. (2017), SVCCA; Morcos et al. (2018), PWCCA, whose weights
must be taken along *orthonormal* canonical variates, which a public library does not. Taught in
chapter 03.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from funcsim._internal.typing import Array
from funcsim.errors import DegenerateLayerError
from funcsim.geometry import Normalize, as_array, is_degenerate, normalised_points
from funcsim.similarity.measure import Measure

#: Share of the variance that SVCCA keeps.
VARIANCE = 0.99


class FullRankWarning(UserWarning):
    """A layer spans so many of the samples' directions that canonical correlations lose meaning."""


@dataclass(frozen=True)
class Span:
    """An orthonormal basis (n, r) of a centred layer's columns, and the layer itself in it (r, d)."""

    basis: Array
    coordinates: Array


def prepare(points: ArrayLike, normalize: Normalize, name: str, variance: float = 1.0) -> Span:
    """The span of the columns of a layer (n, d), without directions that are rounding."""
    array = as_array(points, name)
    if is_degenerate(array, name):
        raise DegenerateLayerError(
            f"layer {name!r} is degenerate: its samples coincide, so its columns span nothing; "
            "leave it out with `reps.drop(...)`"
        )
    x = normalised_points(array, normalize, name)
    x -= x.mean(axis=0)
    basis, sizes, directions = np.linalg.svd(x, full_matrices=False)
    rank = int((sizes > sizes[0] * max(x.shape) * np.finfo(array.dtype).eps).sum())
    if variance < 1.0:
        explained = np.cumsum(sizes**2) / (sizes**2).sum()
        rank = min(rank, int(np.searchsorted(explained, variance - 1e-12)) + 1)
    if 2 * rank >= len(x) - 1:
        warnings.warn(
            f"layer {name!r} spans {rank} directions of {len(x)} samples: two such layers have "
            "canonical correlations of one even if unrelated; take more samples, or 'cka-debiased'",
            FullRankWarning,
            stacklevel=2,
        )
    return Span(basis=basis[:, :rank], coordinates=sizes[:rank, None] * directions[:rank])


def _correlations(a: Span, b: Span) -> Array:
    return np.minimum(np.linalg.svd(a.basis.T @ b.basis, compute_uv=False), 1.0)


def mean_correlation(a: Span, b: Span) -> float:
    """Mean of the min(r_a, r_b) canonical correlations."""
    return float(_correlations(a, b).mean())


def weighted_correlation(a: Span, b: Span) -> float:
    """Projection weighted, the mean of both orders."""
    return (_weighted(a, b) + _weighted(b, a)) / 2.0


def _weighted(a: Span, b: Span) -> float:
    turn, correlations, _ = np.linalg.svd(a.basis.T @ b.basis, full_matrices=False)
    # The canonical variates are a.basis @ turn, orthonormal; <variate, column> summed over columns.
    weights = np.abs(turn.T @ a.coordinates).sum(axis=1)
    return float(weights @ np.minimum(correlations, 1.0) / weights.sum())


BLIND = frozenset({"translation", "isotropic scaling", "orthogonal", "feature permutation"})

CCA = Measure(
    name="cca",
    title="mean CCA",
    prepare=prepare,
    score=mean_correlation,
    invariances=BLIND | {"invertible linear"},
    requires_equal_dim=False,
    is_metric=False,
    is_similarity=True,
    metric_form="angle",
    source="Hotelling (1936)",
    version="1",
)
SVCCA = Measure(
    name="svcca",
    title="SVCCA",
    prepare=partial(prepare, variance=VARIANCE),
    score=mean_correlation,
    invariances=BLIND,
    requires_equal_dim=False,
    is_metric=False,
    is_similarity=True,
    metric_form="angle",
    source="Raghu et al. (2017)",
    version="1",
)
PWCCA = Measure(
    name="pwcca",
    title="PWCCA",
    prepare=prepare,
    score=weighted_correlation,
    invariances=frozenset({"translation", "isotropic scaling", "feature permutation"}),
    requires_equal_dim=False,
    is_metric=False,
    is_similarity=True,
    metric_form="angle",
    source="Morcos et al. (2018)",
    version="1",
)
