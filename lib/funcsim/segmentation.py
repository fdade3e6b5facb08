"""Cut a chain of layers into contiguous blocks, for every number of blocks at once.

The scatter of a block is half the mean of its squared distances per layer, the quantity
that k-means minimises when the distances are Euclidean. Dynamic programming finds the cuts
with the least total scatter exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def block_scatter(distances: Array) -> Array:
    """Scatter of every contiguous block.

    Parameters
    ----------
    distances : array, shape (..., L, L)
        Symmetric, zero on the diagonal; leading axes hold several maps.

    Returns
    -------
    array, shape (..., L + 1, L + 1)
        Entry (i, j) is the scatter of layers i, ..., j - 1: the sum of their squared
        distances, each pair once, divided by j - i. Infinite where j <= i.
    """
    size = distances.shape[-1]
    sums = np.zeros((*distances.shape[:-2], size + 1, size + 1))
    sums[..., 1:, 1:] = (distances**2).cumsum(axis=-1).cumsum(axis=-2)
    corner = np.diagonal(sums, axis1=-2, axis2=-1)
    inside = corner[..., None, :] + corner[..., :, None] - sums - np.swapaxes(sums, -1, -2)
    start, stop = np.indices((size + 1, size + 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        scatter = np.maximum(inside, 0.0) / 2.0 / (stop - start)
    return np.where(stop > start, scatter, np.inf)


def least_scatter(scatter: Array, max_blocks: int) -> tuple[Array, NDArray[np.intp]]:
    """Least total scatter with 1, ..., max_blocks blocks, and where the last block starts.

    Parameters
    ----------
    scatter : array, shape (..., L + 1, L + 1)
        From :func:`block_scatter`.
    max_blocks : int
        At most L.

    Returns
    -------
    totals : array, shape (..., max_blocks, L + 1)
        Entry (k, j): least scatter of the first j layers cut into exactly k + 1 blocks.
    last : array of int, same shape
        Start of the last of those blocks.
    """
    totals = [scatter[..., 0, :]]
    last = [np.zeros_like(totals[0], dtype=np.intp)]
    for _ in range(1, max_blocks):
        candidates = totals[-1][..., :, None] + scatter
        last.append(candidates.argmin(axis=-2))
        totals.append(candidates.min(axis=-2))
    return np.stack(totals, axis=-2), np.stack(last, axis=-2)


def cuts(last: NDArray[np.intp], n_blocks: int) -> tuple[int, ...]:
    """Where new blocks start in the best cut of all layers into `n_blocks`; () for one."""
    starts, stop = [], last.shape[-1] - 1
    for k in range(n_blocks - 1, 0, -1):
        stop = int(last[k, stop])
        starts.append(stop)
    return tuple(reversed(starts))
