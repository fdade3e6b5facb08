"""The Gromov-Wasserstein distance between two clouds of points.

With the distances D inside one cloud of n points and E inside another of m, over all couplings
T, (n, m) arrays without negative entries whose rows sum to 1/n and whose columns to 1/m::

    GW(D, E)^2  =  min over T of  sum_ijkl (D_ik - E_jl)^2 T_ij T_kl

:func:`gw` returns the root, which is a metric. With n = m and Euclidean distances the best T is a
permutation and the problem one of quadratic assignment.

``coupling`` knows what a plan costs and ``bounds`` what no plan can go below. ``space`` is a layer
as the search sees it; ``graduated_assignment`` makes a first guess, ``frank_wolfe`` descends from
it, ``two_opt`` finishes; ``solver`` does this for one pair, ``batch`` for many on a graphics card.

Taught in chapter 02.
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from funcsim.geometry import Normalize, distance_matrix
from funcsim.gromov.solver import GWResult, Start, solve

__all__ = ["GWResult", "gw"]


def gw(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    normalize: Normalize = "mean",
    starts: Sequence[Start] | None = None,
    seed: int = 0,
) -> GWResult:
    """Gromov-Wasserstein distance between two clouds with equal weights.

    Parameters
    ----------
    X : array or tensor, shape (n_samples_x, n_features_x)
    Y : array or tensor, shape (n_samples_y, n_features_y)
        The numbers of features are free, and so are the numbers of samples.
    normalize : {"mean", "max"} or None
        Divide each cloud's distances by their mean, by their largest, or leave them raw.
    starts : sequence, optional
        Where to begin; the best end is kept. Each is "graduated" (graduated assignment),
        "product" (everything with everything, whose first step matches points by mean
        distance), "identity" (sample i with sample i), "random" (a permutation), or an array
        (n_samples_x, n_samples_y) whose entries sum to one, such as the plan of a
        neighbouring layer. Without it: the first three, and eight random ones for clouds of
        at most 40 points; product alone when the numbers of samples differ.
    seed : int
        For "random" starts; the k-th start draws from `seed` + k.

    Returns
    -------
    GWResult
        With the distance (square root of the cost), the plan that reaches it, and a lower
        bound. The distance is in the units of the clouds when `normalize` is None.

    Raises
    ------
    RepresentationError
        If a cloud is not a finite array of at least two samples.
    DegenerateLayerError
        If the points of a cloud coincide and `normalize` is not None.
    ValueError
        If `normalize` or a start is unknown, or a start does not fit the clouds.

    Notes
    -----
    The problem is not convex. The distance returned is that of a coupling, hence never below
    the true one, and `lower_bound` is never above it. With equal numbers of samples the best
    coupling is a permutation, and no exchange of two partners improves the one returned.
    The search begins from the side of `X`, so ``gw(X, Y)`` and ``gw(Y, X)`` may end in different
    couplings and differ a little; both are couplings of both, and the lower of the two is the better.

    References
    ----------
    Mémoli (2011), "Gromov-Wasserstein distances and the metric approach to object matching";
    Peyré, Cuturi, Solomon (2016) for the matrix form; Gold and Rangarajan (1996) for
    graduated assignment; Vogelstein et al. (2015) for Frank-Wolfe on matchings; Vayer et al.
    (2019) for it on couplings.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(20, 3))
    >>> gw(X, X[:, ::-1] + 5.0).distance < 1e-6
    True
    """
    return solve(distance_matrix(X, normalize, "X"), distance_matrix(Y, normalize, "Y"), starts, seed)
