"""A layer map in, groups out, with the answer "one group" allowed.

Distances between layers grow with the number of layers in between, in any deep network. A
group is more than that. So the null hypothesis here is *smooth drift*: layers move away from
one another steadily, faster in one part and slower in another, but without an abrupt step.
A boundary is a step that exceeds twice the steps around it by more than chance explains.

Taught in chapter 06.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import SpectralClustering

from funcsim._internal.deprecation import renamed_keyword
from funcsim._internal.typing import Array
from funcsim.change_points import (
    MIN_LAYERS,
    evidence_table,
    max_statistic,
    null_distribution,
    optimal_change_points,
)
from funcsim.layer_map import LayerMap, Partition, dissimilarity, size_within_one_model

N_NULL_MAPS = 999
FURTHER_CUTS_ALPHA_SHARE = 0.5  # cuts beyond the first must be significant at this share of alpha


@renamed_keyword("max_blocks", "max_groups")
def partition(m: LayerMap, *, max_groups: int | None = None, alpha: float = 0.05, seed: int = 0) -> Partition:
    """Cut the layers of a map into contiguous groups, or say that there is only one.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L). Similarities are turned into distances first, see
        :func:`dissimilarity`.
    max_groups : int, optional
        The most groups to consider; without it, 8 or L if that is less. A group has at least
        two layers, so there are never more than L / 2.
    alpha : float
        The most often that a map of smooth drift may be cut.
    seed : int
        Of the null maps.

    Returns
    -------
    Partition
        With the p-value of the hypothesis that there is drift and no boundary.

    Raises
    ------
    ValueError
        If `m` compares two models or holds NaN or infinity, or `max_groups` or `alpha` is
        out of range.

    Notes
    -----
    *Test.* For each cut, and for windows of 2 to 8 layers on each side of it, a line with a
    jump at the cut is fitted to the positions of the layers (see
    :mod:`funcsim.change_points`). Evidence is how far the jump exceeds one step of the line.
    The p-value compares the most evidence in the map with the most evidence in each of 999
    maps of equal distances with noise, so it accounts for the search. Even drift on top of
    equal distances only lowers the evidence; with Gaussian noise the p-value errs on the
    safe side.

    *Number of groups.* K - 1 is the largest number of cuts of which each is significant at
    alpha / 2 in a window that holds no other cut. Of all such cuts, those with the largest
    total evidence are taken, by dynamic programming for all K at once. If no cut reaches
    alpha / 2 but the test rejects at alpha, there is one cut, the most evident.

    *Assumptions.* Up to noise, the speed of drift changes little within a window; the noise
    has no heavier tails than Student's t with 5 degrees of freedom; its size changes slowly
    along the chain. An amount that a layer adds to all its distances does little harm, which
    is why one odd layer is not a group. A step below twice the drift around it is not a
    boundary by this definition. With fewer than four layers the answer is one group. How
    often each assumption fails to hold the level, and how often groups are found, is
    measured by :mod:`benchmarks.partition`.

    References
    ----------
    Baranowski, Chen, Fryzlewicz (2019), "Narrowest-over-threshold detection of multiple
    change points and change-point-like features", for local windows that hold one change.
    Smyth (2004), "Linear models and empirical Bayes methods for assessing differential
    expression", for the noise pooled between windows.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> from funcsim.simulated_maps import planted_map
    >>> values, starts = planted_map(np.array([4, 5]), noise=0.05, rng=np.random.default_rng(0))
    >>> names = tuple("abcdefghi")
    >>> p = fs.partition(fs.LayerMap(values, names, names, "gw", "mean", 100))
    >>> p.boundaries == starts, p.p_value <= 0.05
    (True, True)
    """
    size = size_within_one_model(m)
    limit = min(8, size) if max_groups is None else max_groups
    if not 1 <= limit <= size:
        raise ValueError(f"max_groups={limit} is out of range; {size} layers form 1 to {size}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} is out of range; it lies between 0 and 1")
    values = dissimilarity(m)
    if size < MIN_LAYERS:
        return _contiguous(m, (), 1.0)
    null = null_distribution(size, N_NULL_MAPS, seed)
    p_value = _p_value(float(max_statistic(values[None])[0]), null)
    found = _significant_cuts(evidence_table(values), null, limit - 1, alpha) if p_value <= alpha else []
    return _contiguous(m, [cut for cut, _ in found], p_value, tuple(_p_value(e, null) for _, e in found))


@renamed_keyword("n_blocks", "n_groups")
def partition_into(m: LayerMap, n_groups: int) -> Partition:
    """The contiguous groups with the most evidence, for a given number of them; no test is made.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L).
    n_groups : int
        How many groups, of at least two layers each.

    Returns
    -------
    Partition
        Without a p-value.

    Raises
    ------
    ValueError
        If `m` compares two models or holds NaN or infinity, or the groups do not fit.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> bent = {f"bent {k}": np.tanh(3 * x) + 0.01 * k for k in range(3)}
    >>> m = fs.compare(fs.Representations({"x": x, "moved": x + 1, **bent}), measure="rsm")
    >>> fs.partition_into(m, 2).boundaries
    (2,)
    """
    values = dissimilarity(m)
    size = len(values)
    if not 1 <= n_groups <= max(1, size // 2):
        raise ValueError(f"n_groups={n_groups} is out of range; choose from 1 to {max(1, size // 2)}")
    cuts = optimal_change_points(evidence_table(values), n_groups - 1)[-1] if n_groups > 1 else ()
    return _contiguous(m, cuts, None)


def _contiguous(
    m: LayerMap, cuts: Sequence[int], p_value: float | None, boundary_p_values: tuple[float, ...] = ()
) -> Partition:
    labels = np.searchsorted(cuts, np.arange(len(m.names)), side="right")
    return Partition(
        names=m.names,
        labels=tuple(labels.tolist()),
        p_value=p_value,
        method="contiguous",
        boundary_p_values=boundary_p_values,
    )


def _significant_cuts(gains: Array, null: Array, max_cuts: int, alpha: float) -> list[tuple[int, float]]:
    """Cuts and their evidence, by the criterion for the number of groups."""
    enough = np.append(null, np.inf)[-int(FURTHER_CUTS_ALPHA_SHARE * alpha * (len(null) + 1) + 1e-9) - 1]
    cuts = optimal_change_points(np.where(gains > enough, gains, -np.inf), max_cuts)[-1]
    if not cuts and max_cuts:
        cuts = optimal_change_points(gains, 1)[-1]
    edges = (0, *cuts, len(gains) - 1)
    return [(c, float(gains[a, c, b])) for a, c, b in zip(edges, cuts, edges[2:], strict=False)]


def _p_value(evidence: float, null: Array) -> float:
    """The share of maps, this one included, with at least this evidence."""
    return float((1 + (null >= evidence).sum()) / (1 + len(null)))


@renamed_keyword("n_blocks", "n_groups")
def spectral_partition(m: LayerMap, n_groups: int = 2, *, seed: int = 0) -> Partition:
    """The paper's alternative: spectral clustering of the inverted map.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L).
    n_groups : int
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
        If `m` compares two models or holds NaN or infinity, or `n_groups` is below 2 or not
        below L.

    Notes
    -----
    The affinity of two layers is the largest distance of the map minus theirs. The paper
    (section 5.2) does not say how it inverts the map; this is the plainest way.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> values = 1.0 - np.kron([[1.0, 0.1], [0.1, 1.0]], np.ones((3, 3)))
    >>> names = tuple("abcdef")
    >>> fs.spectral_partition(fs.LayerMap(values, names, names, "gw", "mean", 100)).groups
    (('a', 'b', 'c'), ('d', 'e', 'f'))
    """
    size = size_within_one_model(m)
    if not 2 <= n_groups < size:
        raise ValueError(f"n_groups={n_groups} is out of range; choose from 2 to {size - 1}")
    values = dissimilarity(m)
    affinity = values.max() - values
    found = SpectralClustering(
        n_groups, affinity="precomputed", assign_labels="kmeans", random_state=seed
    ).fit_predict(affinity)
    order = {label: i for i, label in enumerate(dict.fromkeys(found.tolist()))}
    return Partition(
        names=m.names, labels=tuple(order[k] for k in found.tolist()), p_value=None, method="spectral"
    )
