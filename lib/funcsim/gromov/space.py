"""A layer as the solver needs it: its distances, and what is computed from them only once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.typing import Array

#: How many eigenvectors stand for a layer in graduated assignment.
RANK = 32


@dataclass(frozen=True)
class MetricSpace:
    """A distance matrix and its summaries.

    Attributes
    ----------
    distances : array (n, n), float64
        Symmetric, zero on the diagonal.
    scale : float
        Mean of `distances`; the search divides by it, which moves no minimum.
    eccentricity : array (n,)
        Of each point to all points: the eccentricity.
    reach : array (n,)
        Root mean square of the distances of each point to all points.
    local_distributions : array (n, n)
        The distances of each point to all points, sorted.
    eigenvalues : array (n - 1,)
        Of the matrix centred on both sides, ascending, without the zero of the constant vector.
    factors : array (n, r), float32
        Eigenvectors of the centred matrix with the largest eigenvalues, r at most `RANK`.
    weights : array (r,), float32
        Their eigenvalues, divided by `scale`.
    order : array of int (n,)
        Which sample each point is.
    """

    distances: Array
    scale: float
    eccentricity: Array
    reach: Array
    local_distributions: Array
    eigenvalues: Array
    factors: NDArray[np.float32]
    weights: NDArray[np.float32]
    order: NDArray[np.intp]

    @property
    def n(self) -> int:
        """How many points there are."""
        return len(self.distances)

    @property
    def single(self) -> NDArray[np.float32]:
        """The distances (n, n) divided by `scale`, in single precision, for the products."""
        return (self.distances / self.scale).astype(np.float32)


def prepare(distances: Array) -> MetricSpace:
    """Summaries of a distance matrix (n, n): one eigendecomposition."""
    D = np.asarray(distances, dtype=np.float64)
    n = len(D)
    scale = float(D.mean()) or 1.0  # all points coincide: nothing to divide by
    rows = D.mean(axis=1)
    centred = D - rows[:, None] - rows[None, :] + rows.mean()
    # The constant vector has eigenvalue zero; moved below all others, it can be left out.
    floor = 2.0 * np.abs(centred).sum(axis=1).max() + scale
    eigenvalues, vectors = np.linalg.eigh(centred - floor / n)
    eigenvalues, vectors = eigenvalues[1:], vectors[:, 1:]
    top = np.argsort(-np.abs(eigenvalues), kind="stable")[:RANK]
    return MetricSpace(
        distances=D,
        scale=scale,
        eccentricity=rows,
        reach=np.sqrt((D**2).mean(axis=1)),
        local_distributions=np.sort(D, axis=1),
        eigenvalues=eigenvalues,
        factors=vectors[:, top].astype(np.float32),
        weights=(eigenvalues[top] / scale).astype(np.float32),
        order=np.arange(n),
    )


def from_the_middle(a: MetricSpace) -> MetricSpace:
    """The same space with its points in order of eccentricity, in whatever order its samples came."""
    by = np.argsort(a.eccentricity, kind="stable")
    return replace(
        a,
        distances=a.distances.take(by, axis=0).take(by, axis=1),
        eccentricity=a.eccentricity[by],
        reach=a.reach[by],
        local_distributions=a.local_distributions[by],
        factors=a.factors[by],
        order=a.order[by],
    )


def comes_first(a: MetricSpace, b: MetricSpace) -> bool:
    """Whether `a` is the first of the two: that whose distances spread less, whoever names it first."""
    spread_a, spread_b = (float((s.reach**2).mean()) / s.scale**2 for s in (a, b))
    if spread_a != spread_b:
        return spread_a < spread_b
    return a.distances.tobytes() <= b.distances.tobytes()
