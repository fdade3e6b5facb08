"""Rules of others that cut a map into groups, beside :func:`funcsim.partition` (claim C33, reviews).

Each is what its source says, with what the source leaves open filled in here and named as such.
A rule takes a map and returns the indices at which groups start. It draws nothing at random that
is not seeded, so it answers the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import nnls
from scipy.special import gammaln
from sklearn.cluster import KMeans, SpectralClustering

import funcsim as fs
from funcsim._internal.typing import Array
from funcsim.layer_map import dissimilarity, metric_distances
from replication.benchmark.first_edition import first_edition
from replication.benchmark.segments import merged_segmentations, optimal_segmentations, within

MIN_LAYERS = 4
MAX_GROUPS = 8  # that a rule considers, as funcsim.partition does unless told otherwise
N_REFERENCES = 50  # maps without groups that the gap statistic compares with
HARTIGAN_RATIO = 10  # from Hartigan (1975): one more group must explain more than this
SGLP_MAX_SEGMENTS = 14
STEP_RATIO = 2  # the largest step over the median step


def distances(m: fs.LayerMap) -> Array:
    """Distances (L, L) in which the rules cut a map: its metric form.

    Raises
    ------
    ValueError
        If `m` compares two models, holds NaN or infinity, or has fewer than four layers.
    """
    values = metric_distances(m)
    if len(values) < MIN_LAYERS:
        raise ValueError(f"this map has {len(values)} layers; the rules cut maps of at least {MIN_LAYERS}")
    return values


def similarities(m: fs.LayerMap) -> Array:
    """Similarities (L, L), 1 on the diagonal, for the two rules that were made for similarities.

    A map of similarities is taken as it is. From distances: 1 minus the distance over the
    largest of the map, which is our choice.

    Raises
    ------
    ValueError
        As for :func:`distances`.
    """
    values = distances(m)
    return 1.0 - dissimilarity(m) if m.is_similarity else 1.0 - values / max(values.max(), 1e-300)


def kernel_change_points(m: fs.LayerMap) -> tuple[int, ...]:
    """Kernel change points: least scatter in the space of a Gaussian kernel, plus a penalty.

    Notes
    -----
    The kernel is exp(-d squared / median of d squared), the default of ruptures' ``KernelCPD``
    (Truong, Oudre, Vayatis 2020, Signal Processing 167). Scatter is minimised exactly for every
    number of segments K. Arlot, Celisse and Harchaoui (2019, "A kernel multiple change-point
    algorithm via model selection", JMLR 20) add the penalty a log C(L - 1, K - 1) + b K, and
    take a and b by the slope heuristic: twice the slopes at which scatter falls for large K.
    Large K is here L / 2 and more, where some segments must be single layers, and the slopes
    are not negative: both are our choices, since a map has few layers.
    """
    squared = distances(m) ** 2
    size = len(squared)
    kernel = np.exp(-squared / max(np.median(squared[np.triu_indices(size, 1)]), 1e-300))
    found = optimal_segmentations(within(2 - 2 * kernel), size)
    scatter = np.array([cost for cost, _ in found])
    k = np.arange(1, size + 1)
    choices = gammaln(size) - gammaln(k) - gammaln(size - k + 1)
    large = slice(size // 2 - 1, size - 1)  # at K = L scatter is 0, and both columns are
    slopes, _ = nnls(np.column_stack([-choices, size - k])[large], scatter[large])
    penalised = (scatter + 2 * (slopes[0] * choices + slopes[1] * k))[:MAX_GROUPS]
    return found[_first_least(penalised)][1]


def linkage_gap(m: fs.LayerMap) -> tuple[int, ...]:
    """Ward's linkage of neighbouring segments; the number of groups from the gap statistic.

    Notes
    -----
    Neighbours are joined that add least to the scatter (Grimm 1987). The gap statistic is that
    of Tibshirani, Walther and Hastie (2001, JRSS B 63): the mean of log W over reference maps,
    minus log W of this map; and K is the least of which the gap is at least that of K + 1 minus
    its standard error. Their references are uniform points. Of a chain whose layers drift,
    every such comparison would find groups; so ours keep the drift: in each of 50 maps the
    distances of all pairs with the same number of layers in between are shuffled.
    """
    squared = distances(m) ** 2
    size = len(squared)
    rows, columns = np.triu_indices(size, 1)
    maps = np.zeros((1 + N_REFERENCES, size, size))
    maps[0] = squared
    maps[1:, rows, columns] = maps[1:, columns, rows] = squared[rows, columns][_shuffles(size)]
    costs, levels = merged_segmentations(within(maps))
    tested = min(MAX_GROUPS + 1, size - 1)  # numbers of groups; each layer alone has no scatter
    log_w = np.log(costs[:, :tested] + 1e-12 * max(costs[0, 0], 1e-300))
    gap = log_w[1:].mean(axis=0) - log_w[0]
    error = log_w[1:].std(axis=0) * np.sqrt(1 + 1 / N_REFERENCES)
    enough = gap[:-1] >= gap[1:] - error[1:] - 1e-9
    k = int(enough.argmax()) + 1 if enough.any() else tested - 1
    return tuple((np.flatnonzero(levels[0] < k) + 1).tolist())


@lru_cache
def _shuffles(size: int) -> NDArray[np.intp]:
    """For each reference which pair stands where, pairs in the order of ``np.triu_indices``."""
    rows, columns = np.triu_indices(size, 1)
    rng = np.random.default_rng(0)
    order = np.tile(np.arange(len(rows)), (N_REFERENCES, 1))
    for lag in range(1, size):
        at = np.flatnonzero(columns - rows == lag)
        order[:, at] = rng.permuted(order[:, at], axis=1)
    return order


def spectral_eigengap(m: fs.LayerMap) -> tuple[int, ...]:
    """Spectral clustering; as many groups as the largest gap between eigenvalues says.

    Notes
    -----
    From von Luxburg (2007, "A tutorial on spectral clustering", Statistics and Computing 17):
    normalised clustering by the random walk Laplacian (her section 4), with k-means; the number
    of groups by the eigengap (8.3); the width of the Gaussian affinity is the mean distance of
    a layer to its k-th nearest neighbour, k = log(L) + 1 (8.2), itself counted. A gap behind the first
    eigenvalue is one group. Clusters need not be contiguous: a group starts wherever the
    cluster changes, which is our choice.
    """
    values = distances(m)
    size = len(values)
    nearest = np.sort(values, axis=1)[:, round(np.log(size))]  # at 0 stands the layer itself
    width = max(nearest.mean(), 1e-150)
    affinity = np.exp(-(values**2) / (2 * width**2))
    degree = np.diag(affinity.sum(axis=1))
    eigenvalues, vectors = eigh(degree - affinity, degree)
    k = int(np.diff(eigenvalues[: min(MAX_GROUPS, size - 1) + 1]).argmax()) + 1
    if k == 1:
        return ()
    return _changes(KMeans(k, n_init=10, random_state=0).fit_predict(vectors[:, :k]))


def fisher_hartigan(m: fs.LayerMap) -> tuple[int, ...]:
    """Fisher's optimal segmentation of the rows of the map; the number of groups by Hartigan's rule.

    Notes
    -----
    A layer is its row of the map. Fisher (1958, JASA 53) minimises the scatter of rows inside
    segments, exactly. Hartigan's rule of thumb (1975, "Clustering algorithms", chapter 4) adds
    a group while (W_K / W_(K+1) - 1)(L - K - 1) exceeds 10. This is how Fisher's segmentation
    is used at its best; :func:`sglp` is how SGLP uses it.
    """
    rows = distances(m)
    size = len(rows)
    squared = ((rows[:, None] - rows[None]) ** 2).sum(axis=-1)
    found = optimal_segmentations(within(squared), min(MAX_GROUPS, size - 1))
    floor = 1e-9 * found[0][0]
    k = 1
    while k < len(found):
        before, after = found[k - 1][0], found[k][0]
        if before <= floor or (before / max(after, floor) - 1) * (size - k - 1) <= HARTIGAN_RATIO:
            break
        k += 1
    return found[k - 1][1]


def sglp(m: fs.LayerMap) -> tuple[int, ...]:
    """Fisher's optimal segmentation as in public code for SGLP (arXiv 2410.14720).

    Notes
    -----
    The abstract of the paper names Fisher's segmentation of the similarity matrix. Public code
    for SGLP segments the sums of its rows, one number per layer, and takes the number of
    segments, 2 to 14, of which k-means of the sums has the largest ratio: variance of the
    clusters' means over scatter inside the clusters. Both are done here; k-means is solved
    exactly. Whether the paper's own text chooses the number in this way, we could not check.
    The scatter falls faster than the means spread, so with noise the ratio asks for many
    segments. One group is no answer, and two groups of equal sums are not seen.
    """
    sums = similarities(m).sum(axis=1)
    most = min(SGLP_MAX_SEGMENTS, len(sums) - 1)
    ordered = np.sort(sums)
    best, n_segments = -np.inf, 2
    for k, (scatter, starts) in enumerate(optimal_segmentations(_scatter(ordered), most), start=1):
        if k > 1:
            means = [part.mean() for part in np.split(ordered, starts)]
            ratio = float(np.var(means)) / (scatter + 1e-8)
            if ratio > best * (1 + 1e-9):
                best, n_segments = ratio, k
    return optimal_segmentations(_scatter(sums), n_segments)[-1][1]


def lorp(m: fs.LayerMap) -> tuple[int, ...]:
    """LoRP's rule: the mean similarity says how many groups, spectral clustering which.

    Notes
    -----
    Yun et al. (2026, arXiv 2605.27786) and their code: with s the mean similarity of two
    layers, -log2(s) of at least 1 asks for two clusters, at least 0.7 for three, less for four.
    Spectral clustering has the affinity (S + 1) / 2 and k-means. They take the cosine of hidden
    states; here the map's own measure stands in its place, see :func:`similarities`. A group
    starts wherever the cluster changes. One group is no answer.
    """
    values = similarities(m)
    size = len(values)
    mean = values[np.triu_indices(size, 1)].mean()
    locality = -np.log2(max(mean, 1e-300))
    k = min(2 if locality >= 1 else 3 if locality >= 0.7 else 4, size - 1)
    clustering = SpectralClustering(k, affinity="precomputed", assign_labels="kmeans", random_state=0)
    return _changes(clustering.fit_predict((values + 1) / 2))


def largest_step(m: fs.LayerMap) -> tuple[int, ...]:
    """One boundary, by eye: at the largest step between neighbours if it is twice the median step."""
    steps = np.diagonal(distances(m), 1)
    at = int(steps.argmax())
    return (at + 1,) if steps[at] > 0 and steps[at] >= STEP_RATIO * np.median(steps) else ()


def _scatter(numbers: Array) -> Array:
    return within(np.subtract.outer(numbers, numbers) ** 2)


def _first_least(values: Array) -> int:
    """The first index whose value is the least, up to rounding."""
    return int((values <= values.min() + 1e-9 * np.abs(values).max()).argmax())


def _changes(labels: NDArray[np.integer]) -> tuple[int, ...]:
    return tuple((np.flatnonzero(np.diff(labels)) + 1).tolist())


#: Name of a rule -> map of one model -> indices at which groups start; () for one group.
RULES: dict[str, Callable[[fs.LayerMap], tuple[int, ...]]] = {
    "kernel change points": kernel_change_points,
    "linkage, gap statistic": linkage_gap,
    "spectral, eigengap": spectral_eigengap,
    "Fisher, Hartigan": fisher_hartigan,
    "SGLP": sglp,
    "LoRP": lorp,
    "first edition": first_edition,
    "largest step": largest_step,
}

#: Rules that cannot answer "one group".
ALWAYS_CUT = ("SGLP", "LoRP")
