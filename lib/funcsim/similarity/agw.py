"""Augmented GW: like GW, but features are matched with features too.

``alpha GW(T) + (1 - alpha) sum_ijkl (X_ik - Y_jl)^2 T_ij F_kl``, minimised over couplings T of
samples and F of features; the second part is co-optimal transport. The number returned is the
root of that objective. With alpha = 1 it is GW. Blind to the order of samples and of features,
and, unlike GW, not to rotation or translation.

The search alternates: features given samples, samples given features, each an exact transport
problem that cannot raise the objective; it stops when neither falls, in a local minimum, from
two starts (the samples as they are, and matched by mean distance). So the blindness to the order
of samples holds for the optimum, and for the search only where it finds it.

Source: Demetci et al. (2024). Their program returns only the *feature* part as its cost, whatever
alpha is, and its default alpha of 1 makes that number meaningless; "default parameters" in Gao
et al. may mean it. We take alpha = 1/2. Taught in chapter 03.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import ot
from numpy.typing import ArrayLike

from funcsim._internal.threads import one_thread
from funcsim._internal.typing import Array
from funcsim.geometry import Normalize, distance_matrix, normalised_points
from funcsim.gromov.coupling import cost, from_permutation, uniform
from funcsim.similarity.measure import Measure

ALPHA = 0.5
MAX_ROUNDS = 100


@dataclass(frozen=True)
class Augmented:
    """A layer (n, d) and its distances (n, n)."""

    points: Array
    distances: Array


def prepare(points: ArrayLike, normalize: Normalize, name: str) -> Augmented:
    """The layer and its distances, brought to one scale."""
    return Augmented(
        points=normalised_points(points, normalize, name),
        distances=distance_matrix(points, normalize, name),
    )


def agw(alpha: float = ALPHA) -> Measure:
    """The measure for a given share of the geometric part, from 0 (features only) to 1 (GW).

    Its name is "agw" for alpha = 1/2 and tells alpha otherwise, such as "agw-0.3".
    """
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"alpha={alpha} is out of range; it lies between 0 and 1")
    return _agw(float(alpha))


@cache
def _agw(alpha: float) -> Measure:
    return Measure(
        name="agw" if alpha == ALPHA else f"agw-{alpha:g}",
        title=f"AGW, alpha {alpha:g}",
        prepare=prepare,
        score=partial(score, alpha=alpha),
        version=f"1, alpha {alpha!r}",
        invariances=frozenset({"feature permutation", "sample permutation"}),
        requires_equal_dim=False,
        is_metric=False,
        is_similarity=False,
        metric_form="distance",
        source="Demetci et al. (2024)",
        paired=False,
    )


def score(a: Augmented, b: Augmented, alpha: float) -> float:
    """The root of the objective at the better end of the search."""
    return float(np.sqrt(objective(a, b, *search(a, b, alpha), alpha)))


def objective(a: Augmented, b: Augmented, T: Array, F: Array, alpha: float) -> float:
    """The weighted sum of both parts for couplings T (n, m) of samples and F (d, e) of features."""
    value = alpha * cost(a.distances, b.distances, T)
    if alpha < 1.0:
        value += (1.0 - alpha) * float(np.vdot(_squared_errors(a.points, b.points, F), T))
    return max(value, 0.0)


def search(a: Augmented, b: Augmented, alpha: float) -> tuple[Array, Array]:
    """The better end of two alternating searches: couplings (n, m) and (d, e)."""
    ends = []
    with one_thread():
        for T in _starts(a, b):
            T, F = _alternate(a, b, T, alpha)
            ends.append((objective(a, b, T, F, alpha), T, F))
    _, T, F = min(ends, key=lambda end: end[0])
    return T, F


def _alternate(a: Augmented, b: Augmented, T: Array, alpha: float) -> tuple[Array, Array]:
    value, F = np.inf, np.empty((a.points.shape[1], b.points.shape[1]))
    for _ in range(MAX_ROUNDS):
        F_next = _transport(_squared_errors(a.points.T, b.points.T, T))
        tangent = (1.0 - alpha) * _squared_errors(a.points, b.points, F_next)
        tangent -= alpha * 2.0 * a.distances @ T @ b.distances
        own = (a.distances**2).mean(axis=1)[:, None] + (b.distances**2).mean(axis=1)
        T_next = _transport(tangent + alpha * own)
        # GW is concave in T, so the whole step to the best vertex is never too far.
        lower = min(
            ((objective(a, b, t, F_next, alpha), k, t) for k, t in enumerate((T, T_next))),
            key=lambda end: end[:2],
        )
        if lower[0] >= value * (1 - 1e-12):
            break
        value, T, F = lower[0], lower[2], F_next
    return T, F


def _starts(a: Augmented, b: Augmented) -> list[Array]:
    far_a, far_b = (s.distances.mean(axis=1) for s in (a, b))
    if len(far_a) != len(far_b):
        return [_transport((far_a[:, None] - far_b) ** 2)]
    match = np.empty(len(far_a), dtype=np.intp)
    match[far_a.argsort(kind="stable")] = far_b.argsort(kind="stable")
    return [from_permutation(np.arange(len(match))), from_permutation(match)]


def _squared_errors(X: Array, Y: Array, F: Array) -> Array:
    """``sum_kl (X_ik - Y_jl)^2 F_kl`` for all i, j: (n, m)."""
    return (X**2 @ F.sum(axis=1))[:, None] + Y**2 @ F.sum(axis=0) - 2.0 * X @ F @ Y.T


def _transport(C: Array) -> Array:
    return ot.emd(uniform(len(C)), uniform(C.shape[1]), np.ascontiguousarray(C))


AGW = agw()
