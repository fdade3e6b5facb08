"""Numbers that no coupling can go below, whatever the solver found.

All are lower bounds on the *distance*, in its units. The first three are Mémoli's FLB, SLB and TLB,
the last is the projection bound of quadratic assignment. The third is never below the first and
the second; neither the third nor the eigenvalue bound always wins.

Taught in chapter 02.
"""

from __future__ import annotations

import numpy as np
import ot

from funcsim._internal.typing import Array
from funcsim.gromov.frank_wolfe import assign
from funcsim.gromov.space import MetricSpace


def first_lower_bound(a: MetricSpace, b: MetricSpace) -> float:
    """FLB: compare how far out the points lie: the root mean squared distance of each to all.

    Parameters
    ----------
    a : MetricSpace
        Of n points.
    b : MetricSpace
        Of m points.

    Returns
    -------
    float
        In units of distance. Whatever a point is matched with, the triangle inequality in
        the space of its distances bounds the error from below by the difference of norms.

    References
    ----------
    Mémoli (2011), section 6.
    """
    return _line_distance(a.reach, b.reach)


def second_lower_bound(a: MetricSpace, b: MetricSpace) -> float:
    """SLB: compare the two lists of all distances.

    Parameters
    ----------
    a : MetricSpace
        Of n points.
    b : MetricSpace
        Of m points.

    Returns
    -------
    float
        The 2-Wasserstein distance on the line between all entries of the two matrices. Any
        coupling of points couples these entries too, and sorting them is the best way.

    References
    ----------
    Mémoli (2011), section 6.
    """
    return _line_distance(a.distances.ravel(), b.distances.ravel())


def third_lower_bound(a: MetricSpace, b: MetricSpace) -> float:
    """TLB: compare the lists of distances point by point, and match the points by that.

    Parameters
    ----------
    a : MetricSpace
    b : MetricSpace
        Of n points each.

    Returns
    -------
    float
        In units of distance: the root of the mean cost of the best assignment, when matching
        point i with point j costs the squared Wasserstein distance between row i and row j of
        the two matrices.

    References
    ----------
    Mémoli (2011), section 6.
    """
    rows_a, rows_b = a.local_distributions, b.local_distributions
    own = (rows_a**2).mean(axis=1)[:, None] + (rows_b**2).mean(axis=1)
    C = np.maximum(own - 2.0 / a.n * (rows_a @ rows_b.T), 0.0)
    match = assign(C)
    # Measured again by subtraction, because the expansion loses digits near zero.
    return float(np.sqrt(((rows_a - rows_b[match]) ** 2).mean()))


def eigenvalue_bound(a: MetricSpace, b: MetricSpace) -> float:
    """Projection bound: compare the spectra of the centred matrices, and the mean distances of the points.

    Parameters
    ----------
    a : MetricSpace
    b : MetricSpace
        Of n points each, with Euclidean distances: only then is the best coupling a
        permutation, for which the bound is made.

    Returns
    -------
    float
        In units of distance.

    References
    ----------
    Hadley, Rendl, Wolkowicz (1992), "A new lower bound via projection for the quadratic
    assignment problem".
    """
    n = a.n
    # With both matrices sorted alike every product is as large as any permutation can make it.
    spread = ((a.eigenvalues - b.eigenvalues) ** 2).sum() / n**2
    rows_a, rows_b = np.sort(a.eccentricity), np.sort(b.eccentricity)
    centre_a, centre_b = rows_a - rows_a.mean(), rows_b - rows_b.mean()
    rows = 2.0 * ((centre_a - centre_b) ** 2).mean() + (rows_a.mean() - rows_b.mean()) ** 2
    return float(np.sqrt(spread + rows))


def best_lower_bound(a: MetricSpace, b: MetricSpace) -> float:
    """The best bound that is valid: of all four for equal counts, else of the first two.

    Parameters
    ----------
    a : MetricSpace
    b : MetricSpace

    Returns
    -------
    float
        In units of distance.
    """
    if a.n != b.n:
        return max(first_lower_bound(a, b), second_lower_bound(a, b))
    return max(third_lower_bound(a, b), eigenvalue_bound(a, b))


def cheap_lower_bound(a: MetricSpace, b: MetricSpace) -> float:
    """The best bound that needs no assignment and looks at no matrix, in a small part of a millisecond.

    Parameters
    ----------
    a : MetricSpace
    b : MetricSpace

    Returns
    -------
    float
        In units of distance.
    """
    first = first_lower_bound(a, b)
    return max(first, eigenvalue_bound(a, b)) if a.n == b.n else first


def _line_distance(x: Array, y: Array) -> float:
    """The 2-Wasserstein distance between two lists of numbers, all equally heavy."""
    if len(x) == len(y):
        return float(np.sqrt(((np.sort(x) - np.sort(y)) ** 2).mean()))
    return float(np.sqrt(max(ot.wasserstein_1d(x, y, p=2), 0.0)))
