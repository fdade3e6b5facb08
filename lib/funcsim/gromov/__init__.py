"""The Gromov-Wasserstein distance between two clouds of points.

With the distances D inside one cloud of n points and E inside another of m, over all couplings
T, (n, m) arrays without negative entries whose rows sum to 1/n and whose columns to 1/m::

    GW(D, E)^2  =  min over T of  sum_ijkl (D_ik - E_jl)^2 T_ij T_kl

:func:`gw` returns the root, which is a metric. With n = m and Euclidean distances the best T is a
permutation and the problem one of quadratic assignment.

``coupling`` knows what a plan costs and ``bounds`` what no plan can go below. ``space`` is a layer
as the search sees it; ``graduated_assignment`` makes a first guess, ``frank_wolfe`` descends from
it, ``two_opt`` improves the end, ``entropic`` makes it soft once more. ``effort`` says how much of this is
done; ``solver`` does it for one pair, ``batch`` for many on a graphics card.

Taught in chapter 02.
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from funcsim.geometry import Normalize, distance_matrix
from funcsim.gromov.effort import Effort
from funcsim.gromov.solver import GWResult, Start, solve

__all__ = ["GWResult", "gw"]


def gw(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    normalize: Normalize = "mean",
    starts: Sequence[Start] | None = None,
    seed: int = 0,
    effort: Effort = "usual",
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
        Where to begin; the best end is kept. Each is "product" (everything with everything,
        whose first step matches points by mean distance), "graduated" (graduated assignment),
        "identity" (sample i with sample i), "entropic" (the soft plan that settles at one
        temperature; also "entropic, cooler" and "entropic, warmer"), "random" (a permutation), or
        an array (n_samples_x, n_samples_y) whose entries sum to one, such as the plan of a
        neighbouring layer. Without it, those that `effort` has; product alone when the numbers of
        samples differ.
    seed : int
        For "random" starts; the k-th start draws from `seed` + k.
    effort : {"quick", "usual", "thorough"}
        How much the search may cost. "quick": from product to the end of its descent, from graduated and
        identity three steps each. "usual": all three to their ends; the best matching is made soft
        at one temperature and descended from again, and improved by exchanges. "thorough": also from
        entropic plans, each end improved by exchanges, and made soft again and again as long as
        that helps; some ten times as long. With at most 40 points every end is improved, and there are 8
        or (thorough) 32 random starts besides. It changes nothing where the numbers of samples differ.

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
        If `normalize`, `effort` or a start is unknown, or a start does not fit the clouds.

    Notes
    -----
    The problem is not convex. The distance returned is that of a coupling, hence never below
    the true one, and `lower_bound` is never above it. With equal numbers of samples the best
    coupling is a permutation; except at "quick" no exchange of two partners improves the one returned.
    Without `starts` no effort ends above POT's conditional gradient from its default start: its
    descent is one of ours, up to ties between equally good steps, and up to the rounding of the
    single precision in which we search. With thousands of samples POT's steps may be unfinished
    unless its ``numItermaxEmd`` is raised, and its end may then lie to either side of ours. The cost itself
    is computed in double precision.

    The cloud whose distances spread less is always the first to the search, and points are taken in order
    of their mean distance. So ``gw(X, Y)`` and ``gw(Y, X)`` are equal to the last bit, the plans
    transposed; and if both clouds are shuffled alike, the result is the same up to rounding. What remains:
    "identity" and given starts tell which sample is which, so shuffling one cloud alone takes this
    knowledge away; and where mean distances are tied, as on a grid, the order of samples decides.

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
    return solve(distance_matrix(X, normalize, "X"), distance_matrix(Y, normalize, "Y"), starts, seed, effort)
