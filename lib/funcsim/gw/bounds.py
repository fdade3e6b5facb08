"""Numbers that no coupling can go below, whatever the solver found."""

from __future__ import annotations

import numpy as np
import ot

from funcsim.gw.coupling import Array


def second_lower_bound(D1: Array, D2: Array) -> float:
    """Lower bound on the Gromov-Wasserstein *distance*: compare the two lists of distances.

    Parameters
    ----------
    D1 : array (n, n)
    D2 : array (m, m)
        Symmetric distance matrices with zero diagonals.

    Returns
    -------
    float
        The 2-Wasserstein distance on the line between all entries of `D1` and all entries
        of `D2`, in units of distance. Any coupling of points couples these entries too, and
        sorting them is the best way to do that.

    References
    ----------
    Mémoli (2011), "Gromov-Wasserstein distances and the metric approach to object matching",
    section 6: the second lower bound.
    """
    if D1.shape == D2.shape:
        # The n zeros of both diagonals meet each other; every other entry stands twice.
        upper = np.triu_indices(len(D1), k=1)
        gaps = np.sort(D1[upper]) - np.sort(D2[upper])
        return float(np.sqrt(2.0 * (gaps @ gaps) / D1.size))
    return float(np.sqrt(max(ot.wasserstein_1d(D1.ravel(), D2.ravel(), p=2), 0.0)))
