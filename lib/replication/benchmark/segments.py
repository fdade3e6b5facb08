"""Segments of a chain of layers: how much each holds together, and the best cuts of all (claim C33)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.typing import Array


def within(squared: Array) -> Array:
    """Scatter inside every segment of layers.

    Parameters
    ----------
    squared : array, shape (..., L, L)
        Squared distances.

    Returns
    -------
    array, shape (..., L + 1, L + 1)
        Entry (a, b), of layers a, ..., b - 1: the sum of their squared distances, each pair
        once, divided by b - a. In a Euclidean space this is the sum of squared distances to
        their mean. Infinity where b <= a.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 2.0, 7.0])
    >>> float(within(np.subtract.outer(x, x) ** 2)[0, 3]) == float(((x - 3) ** 2).sum())
    True
    """
    size = squared.shape[-1]
    corner = np.zeros((*squared.shape[:-2], size + 1, size + 1))
    corner[..., 1:, 1:] = squared.cumsum(axis=-1).cumsum(axis=-2)
    ends = np.diagonal(corner, axis1=-2, axis2=-1)
    inside = ends[..., None, :] + ends[..., :, None] - corner - np.swapaxes(corner, -1, -2)
    layers = np.arange(size + 1) - np.arange(size + 1)[:, None]
    return np.where(layers > 0, np.maximum(inside, 0) / (2 * np.maximum(layers, 1)), np.inf)


def optimal_segmentations(cost: Array, max_segments: int) -> list[tuple[float, tuple[int, ...]]]:
    """The segmentations of least cost into 1, 2, ..., `max_segments` segments, by dynamic programming.

    Parameters
    ----------
    cost : array, shape (L + 1, L + 1)
        Entry (a, b): cost of a segment of layers a, ..., b - 1; infinity where b <= a.
    max_segments : int
        At most L.

    Returns
    -------
    list of (float, tuple of int)
        For each number of segments the total cost, and the indices at which segments start.

    References
    ----------
    Fisher (1958), "On grouping for maximum homogeneity", Journal of the American Statistical
    Association 53.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 0.0, 5.0, 5.0, 9.0])
    >>> cost = within(np.subtract.outer(x, x) ** 2)
    >>> [starts for _, starts in optimal_segmentations(cost, 3)]
    [(), (2,), (2, 4)]
    """
    end = len(cost) - 1
    total = cost[0]
    back: list[NDArray[np.intp]] = []
    found: list[tuple[float, tuple[int, ...]]] = [(float(total[end]), ())]
    for _ in range(max_segments - 1):
        through = total[:, None] + cost  # [a, b]: the last segment starts at a and ends before b
        back.append(through.argmin(axis=0))
        total = through.min(axis=0)
        starts, before = [], end
        for choice in reversed(back):
            before = int(choice[before])
            starts.append(before)
        found.append((float(total[end]), tuple(reversed(starts))))
    return found


def merged_segmentations(cost: Array) -> tuple[Array, NDArray[np.intp]]:
    """Join neighbouring segments, the pair that adds least cost first, until one is left.

    Parameters
    ----------
    cost : array, shape (n_maps, L + 1, L + 1)
        As in :func:`optimal_segmentations`, for each map.

    Returns
    -------
    costs : array, shape (n_maps, L)
        Entry (m, k - 1): total cost of k segments.
    levels : array of int, shape (n_maps, L - 1)
        Entry (m, c - 1): index c starts a segment in all segmentations into more than this
        many segments.

    References
    ----------
    Grimm (1987), "CONISS: a FORTRAN 77 program for stratigraphically constrained cluster
    analysis by the method of incremental sum of squares", Computers and Geosciences 13.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 0.1, 5.0, 5.2, 9.0])
    >>> merged_segmentations(within(np.subtract.outer(x, x) ** 2)[None])[1]
    array([[4, 1, 3, 2]])
    """
    n_maps, size = len(cost), cost.shape[-1] - 1
    maps = np.arange(n_maps)
    edges = np.tile(np.arange(size + 1), (n_maps, 1))
    costs, levels = np.zeros((n_maps, size)), np.zeros((n_maps, size - 1), dtype=np.intp)
    for left in range(size - 1, 0, -1):  # segments that are left after this step
        a, b, c = edges[:, :-2], edges[:, 1:-1], edges[:, 2:]
        m = maps[:, None]
        added = cost[m, a, c] - cost[m, a, b] - cost[m, b, c]
        at = added.argmin(axis=1)
        costs[:, left - 1] = costs[:, left] + added[maps, at]
        levels[maps, edges[maps, at + 1] - 1] = left
        kept = np.arange(edges.shape[1]) != at[:, None] + 1
        edges = edges[kept].reshape(n_maps, -1)
    return costs, levels
