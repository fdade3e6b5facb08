"""The test that :func:`funcsim.partition` made in its first edition, kept as a rival (claim C33).

A window is a few layers on both sides of a cut. Inside it the map is turned into one position
per layer, and a line with a jump at the cut is fitted to the positions. Evidence for a cut is
how far the jump exceeds one step of the line, in units of its error. It is compared with the
most evidence in maps of equal distances with noise. Dynamic programming picks the cuts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy.special import stdtr

import funcsim as fs
from funcsim._internal.typing import Array
from funcsim.layer_map import dissimilarity

ALPHA = 0.05  # the most often that a map of noise may be cut
FURTHER_CUTS_ALPHA = ALPHA / 2  # at which each cut must be significant if there are several
MAX_GROUPS = 8
N_NULL_MAPS = 999
SIDE_LAYERS = (2, 3, 4, 5, 6, 8)  # layers on one side of a cut
MAX_SIDE_RATIO = 2.5  # the wider side over the narrower side
LAYER_NOISE_SHARE = 0.3  # of the noise that the weights of the fit are best for; the rest is by pair
PRIOR_DOF = 4  # degrees of freedom that the noise of the neighbourhood is worth
NARROW_WINDOW_LAYERS = 6  # layers in the windows that tell the noise of a neighbourhood
QUIET_QUANTILE = 0.35  # the quantile of their residuals that is taken
NEIGHBOURHOOD_LAYERS = 12  # layers on each side of a cut from which that noise is taken
NULL_NOISE_DOF = 5  # of the noise in null maps: Student's t
MIN_LAYERS = 4


def first_edition(m: fs.LayerMap) -> tuple[int, ...]:
    """Cut a map as :func:`funcsim.partition` did in its first edition, at the level 0.05.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L).

    Returns
    -------
    tuple of int
        The indices at which groups start; () for one group, and below four layers.

    Raises
    ------
    ValueError
        If `m` compares two models or holds NaN or infinity.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> from funcsim.simulated_maps import planted_map
    >>> values, starts = planted_map(np.array([4, 5]), noise=0.05, rng=np.random.default_rng(0))
    >>> names = tuple("abcdefghi")
    >>> first_edition(fs.LayerMap(values, names, names, "gw", "mean", 100)) == starts
    True
    """
    return tested(m)[0]


def tested(m: fs.LayerMap) -> tuple[tuple[int, ...], float]:
    """The same, with the p-value of the hypothesis that there is drift and no boundary."""
    values = dissimilarity(m)
    size = len(values)
    if size < MIN_LAYERS:
        return (), 1.0
    null = _null_distribution(size)
    p_value = float((1 + (null >= _max_statistic(values[None])[0]).sum()) / (1 + len(null)))
    if p_value > ALPHA:
        return (), p_value
    gains = _evidence_table(values)
    enough = np.append(null, np.inf)[-int(FURTHER_CUTS_ALPHA * (len(null) + 1) + 1e-9) - 1]
    cuts = _best_cuts(np.where(gains > enough, gains, -np.inf), min(MAX_GROUPS, size) - 1)
    return cuts or _best_cuts(gains, 1), p_value


def into(m: fs.LayerMap, n_groups: int) -> tuple[int, ...]:
    """The boundaries of the best cut into so many groups of two layers or more, without a test."""
    values = dissimilarity(m)
    return _best_cuts(_evidence_table(values), n_groups - 1) if n_groups > 1 else ()


def _window_shapes(size: int) -> list[tuple[int, int]]:
    """Layers left and right of a cut, for every kind of window; narrow enough for drift to look straight."""
    widest = max(3, round((size**2 / 1.83) ** (1 / 3)))
    widths = [w for w in SIDE_LAYERS if w <= widest]
    shapes = [(a, b) for a in widths for b in widths if a + b <= size]
    return [s for s in sorted(shapes, key=sum) if max(s) <= MAX_SIDE_RATIO * min(s)]


@lru_cache
def _positions(n: int) -> Array:
    """Operator (n, n * n) from the distances of n layers to their positions on a line.

    A step is the mean of D[j, c] - D[j, c - 1] over the layers j before it and of
    D[c - 1, j] - D[c, j] over those after it, both sides weighted alike.
    """
    steps = np.zeros((n, n, n))
    for c in range(1, n):
        sides = [s for s in (slice(0, c - 1), slice(c + 1, n)) if s.start < s.stop]
        for side in sides:
            share = (1 if side.start == 0 else -1) / (side.stop - side.start) / len(sides)
            steps[c, c, side] += share
            steps[c, c - 1, side] -= share
    steps = (steps + steps.swapaxes(1, 2)) / 2
    return steps.cumsum(axis=0).reshape(n, n * n)


@lru_cache
def _fit(left: int, right: int) -> tuple[Array, Array, float]:
    """Fit position = constant + slope * layer + jump, by generalised least squares.

    Returns the rows (2, n) that read slope and jump from positions, rows (n - 3, n) for
    residuals of unit variance, and the variance of jump - slope for noise of unit variance.
    """
    n = left + right
    centre = np.eye(n) - 1 / n
    by_pair = centre @ _positions(n) @ _positions(n).T @ centre
    noise = (1 - LAYER_NOISE_SHARE) * by_pair / np.trace(by_pair) + LAYER_NOISE_SHARE * centre / (n - 1)
    values, vectors = np.linalg.eigh(n * noise + np.ones((n, n)))
    whiten = vectors / np.sqrt(values) @ vectors.T
    x = np.arange(n) - left + 0.5
    design = whiten @ np.column_stack([np.ones(n), x, x > 0])
    basis = np.linalg.qr(design, mode="complete")[0]
    inverse = np.linalg.inv(design.T @ design)
    read = (inverse @ design.T @ whiten)[1:]
    variance = float(np.array([0, -1, 1]) @ inverse @ np.array([0, -1, 1]))
    return read, basis[:, 3:].T @ whiten, variance


def _studentised_jumps(maps: Array) -> Iterator[tuple[int, int, Array]]:
    """For each kind of window the t-value (n_maps, n_places) of every cut."""
    size = maps.shape[-1]
    scale = np.abs(maps).max(axis=(1, 2))[:, None]
    fits = list(_excesses(maps))
    narrow: dict[int, list[Array]] = {}
    for left, right, _, noise in fits:
        if left + right <= NARROW_WINDOW_LAYERS:
            narrow.setdefault(left + right, []).append(noise)
    pool = np.concatenate([np.min(v, axis=0) for v in narrow.values()], axis=1)
    middle = np.concatenate([np.arange(v[0].shape[1]) + n / 2 for n, v in narrow.items()])
    near = [np.abs(middle - cut) <= NEIGHBOURHOOD_LAYERS for cut in range(size + 1)]
    usual = 2 * np.stack([np.quantile(pool[:, here], QUIET_QUANTILE, axis=1) for here in near], axis=1)
    for left, right, excess, noise in fits:
        freedom = left + right - 3
        prior = usual[:, left : left + noise.shape[1]]
        noise = (freedom * noise + PRIOR_DOF * prior) / (freedom + PRIOR_DOF)
        error = np.sqrt(_fit(left, right)[2] * (noise + (1e-9 * scale) ** 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            yield left, right, np.where(excess > 1e-9 * scale, excess / error, -np.inf)


def _excesses(maps: Array) -> Iterator[tuple[int, int, Array, Array]]:
    """For each kind of window, the excess of the jump and the mean squared residual, at every place."""
    n_maps, size, _ = maps.shape
    width = 0
    for left, right in _window_shapes(size):
        if left + right != width:  # shapes come sorted by width
            width = left + right
            places = size - width + 1
            windows = np.empty((n_maps, places, width, width))
            for i in range(places):
                windows[:, i] = maps[:, i : i + width, i : i + width]
            positions = windows.reshape(n_maps, places, -1) @ _positions(width).T
        read, leave, _ = _fit(left, right)
        slope, jump = np.moveaxis(positions @ read.T, -1, 0)
        yield left, right, jump - np.maximum(slope, 0.0), ((positions @ leave.T) ** 2).mean(axis=-1)


def _neg_log_p(t: Array, left: int, right: int) -> Array:
    """Minus the logarithm of the one-sided p-value of a t-value; comparable between windows."""
    with np.errstate(divide="ignore"):
        return np.maximum(-np.log(stdtr(left + right - 3 + PRIOR_DOF, -t)), 0.0)


def _max_statistic(maps: Array) -> Array:
    """The largest evidence (n_maps,) that any window holds, for each map (n_maps, L, L)."""
    return np.max([_neg_log_p(t.max(axis=1), a, b) for a, b, t in _studentised_jumps(maps)], axis=0)


@lru_cache(maxsize=64)
def _null_distribution(size: int) -> Array:
    """Sorted :func:`_max_statistic` of maps in which every distance is equal, up to noise."""
    rng = np.random.default_rng(0)
    found = []
    for start in range(0, N_NULL_MAPS, 50):  # some maps at a time, for the memory
        noise = np.triu(rng.standard_t(NULL_NOISE_DOF, size=(min(50, N_NULL_MAPS - start), size, size)), 1)
        found.append(_max_statistic(noise + noise.swapaxes(1, 2)))
    return np.sort(np.concatenate(found))


def _evidence_table(values: Array) -> Array:
    """Evidence (L + 1, L + 1, L + 1) of a cut at c between its neighbours a and b, at entry (a, c, b)."""
    size = len(values)
    table = np.full((size + 1, size + 1, size + 1), -np.inf)  # by layers left, cut, layers right
    for left, right, t in _studentised_jumps(values[None]):
        cuts = np.arange(left, size - right + 1)
        table[left, cuts, right] = _neg_log_p(t[0], left, right)
    table = np.maximum.accumulate(np.maximum.accumulate(table, axis=0), axis=2)
    a, c, b = np.indices(table.shape, sparse=True)
    inside = table[np.maximum(c - a, 0), c, np.maximum(b - c, 0)]
    return np.where((a < c) & (c < b), inside, -np.inf)


def _best_cuts(gains: Array, max_cuts: int) -> tuple[int, ...]:
    """As many cuts as are allowed, at most `max_cuts`; of those the ones with the largest total."""
    end = len(gains) - 1
    back: list[Array] = []
    total = gains[0]  # total[c, b]: last cut at c, and b comes after it
    found: tuple[int, ...] = ()
    for _ in range(max_cuts):
        cut = int(total[:, end].argmax())
        if total[cut, end] == -np.inf:
            break
        cuts, after = [cut], end
        for choice in reversed(back):
            cuts, after = [int(choice[cuts[0], after]), *cuts], cuts[0]
        found = tuple(cuts)
        step = total[:, :, None] + gains  # [a, c, b]: the cut before c is at a
        back.append(step.argmax(axis=0))
        total = step.max(axis=0)
    return found
