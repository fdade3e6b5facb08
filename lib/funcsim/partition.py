"""A layer map in, blocks out, with the answer "one block" allowed.

Distances between layers grow with the number of layers in between, in any deep network. A
block is more than that. So the null hypothesis here is *drift*: the distance of two layers
depends on how far apart they are and on nothing else. Null maps are drawn by shuffling each
diagonal of the map. The map has blocks if contiguous cuts explain more of it than of them.

Taught in chapter 04.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import SpectralClustering

from funcsim.layer_map import LayerMap
from funcsim.segmentation import block_scatter, cuts, least_scatter

N_NULL_MAPS = 999


@dataclass(frozen=True)
class Partition:
    """Blocks of layers.

    Attributes
    ----------
    names : tuple of str
        The layers, in execution order.
    labels : tuple of int
        For each layer the number of its block, counted from 0 in order of appearance.
    p_value : float or None
        How often drift alone explains as much; None when no test was made.
    method : str
        "contiguous" or "spectral".
    """

    names: tuple[str, ...]
    labels: tuple[int, ...]
    p_value: float | None
    method: str

    @property
    def boundaries(self) -> tuple[int, ...]:
        """Indices at which the block changes; () for one block."""
        steps = enumerate(pairwise(self.labels), start=1)
        return tuple(i for i, (before, here) in steps if before != here)

    @property
    def n_blocks(self) -> int:
        """How many blocks there are."""
        return len(set(self.labels))

    @property
    def blocks(self) -> tuple[tuple[str, ...], ...]:
        """The names in each block."""
        return tuple(
            tuple(n for n, label in zip(self.names, self.labels, strict=True) if label == block)
            for block in range(self.n_blocks)
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per stretch of neighbouring layers: its block, where it starts, its layers."""
        edges = pairwise((0, *self.boundaries, len(self.labels)))
        rows = [(self.labels[i], i, self.names[i], self.names[j - 1], j - i) for i, j in edges]
        return pd.DataFrame(rows, columns=["block", "start", "first", "last", "layers"])


def partition(m: LayerMap, max_blocks: int | None = None, alpha: float = 0.05, seed: int = 0) -> Partition:
    """Cut the layers of a map into contiguous blocks, or say that there is only one.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L).
    max_blocks : int, optional
        The most blocks to consider; without it, 8 or L if that is less.
    alpha : float
        If drift alone explains as much more often than this, the answer is one block.
    seed : int
        Of the null maps.

    Returns
    -------
    Partition
        With the p-value of the hypothesis that there is drift and no block.

    Raises
    ------
    ValueError
        If `m` compares two models, or `max_blocks` or `alpha` is out of range.

    Notes
    -----
    The evidence for K blocks is how much less scatter they leave in the map than in the
    null maps on average, as a share of the scatter of one block; the K with the most
    evidence is taken. The p-value compares that largest evidence with the largest evidence
    in each of 999 null maps, so it accounts for the choice of K. It assumes that the
    irregularities of a map without blocks are exchangeable along its diagonals; a chain of
    layers that drifts fast in one part and slowly in another breaks this.

    References
    ----------
    Arlot, Celisse, Harchaoui (2019), "A kernel multiple change-point algorithm via model
    selection", for the scatter and the dynamic program.
    """
    size = _size_within_one_model(m)
    limit = min(8, size) if max_blocks is None else max_blocks
    if not 1 <= limit <= size:
        raise ValueError(f"max_blocks={limit} is out of range; {size} layers form 1 to {size}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} is out of range; it lies between 0 and 1")
    nulls = drift_maps(m.values, N_NULL_MAPS, seed)
    totals, last = least_scatter(block_scatter(np.concatenate([m.values[None], nulls])), limit)
    left = totals[:, :, -1]  # scatter left by the best cut: (maps, number of blocks)
    if left[0, 0] == 0:
        return Partition(m.names, (0,) * size, 1.0, "contiguous")
    evidence = (left[1:].mean(axis=0) - left) / left[0, 0]
    strongest = evidence.max(axis=1)
    p_value = float((strongest >= strongest[0] - 1e-12).mean())
    n_blocks = int(evidence[0].argmax()) + 1 if p_value <= alpha else 1
    sizes = np.diff([0, *cuts(last[0], n_blocks), size])
    labels = np.repeat(np.arange(n_blocks), sizes)
    return Partition(m.names, tuple(labels.tolist()), p_value, "contiguous")


def drift_maps(values: NDArray[np.float64], n: int, seed: int = 0) -> NDArray[np.float64]:
    """Null maps (n, L, L): each diagonal of a symmetric map (L, L) in a random order."""
    rng = np.random.default_rng(seed)
    size = len(values)
    maps = np.zeros((n, size, size))
    for lag in range(1, size):
        rows = np.arange(size - lag)
        shuffled = rng.permuted(np.tile(values[rows, rows + lag], (n, 1)), axis=1)
        maps[:, rows, rows + lag] = shuffled
        maps[:, rows + lag, rows] = shuffled
    return maps


def spectral_partition(m: LayerMap, n_blocks: int = 2, seed: int = 0) -> Partition:
    """The paper's alternative: spectral clustering of the inverted map.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L).
    n_blocks : int
        How many clusters; the paper takes two. One is not an answer it can give.
    seed : int
        Of the k-means step.

    Returns
    -------
    Partition
        Blocks need not be contiguous; there is no p-value.

    Raises
    ------
    ValueError
        If `m` compares two models, or `n_blocks` is below 2 or not below L.

    Notes
    -----
    The affinity of two layers is the largest distance of the map minus theirs. The paper
    (section 5.2) does not say how it inverts the map; this is the plainest way.
    """
    size = _size_within_one_model(m)
    if not 2 <= n_blocks < size:
        raise ValueError(f"n_blocks={n_blocks} is out of range; choose from 2 to {size - 1}")
    affinity = m.values.max() - m.values
    found = SpectralClustering(
        n_blocks, affinity="precomputed", assign_labels="kmeans", random_state=seed
    ).fit_predict(affinity)
    order = {label: i for i, label in enumerate(dict.fromkeys(found.tolist()))}
    return Partition(m.names, tuple(order[k] for k in found.tolist()), None, "spectral")


def _size_within_one_model(m: LayerMap) -> int:
    if not m.within_one_model:
        raise ValueError("this map compares two models; blocks are cut in the map of one model")
    return len(m.names)
