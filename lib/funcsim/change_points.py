"""Where does a chain of layers take a step that its drift does not explain?

For a cut between two layers, take the few layers on its left and right: a window. Inside it
the map is turned into one position per layer, and a line with a jump at the cut is fitted to
the positions. The evidence for the cut is how far the jump exceeds one step of the line, in
units of its error. Dynamic programming then picks the cuts with the most evidence, for every
number of cuts at once.

Taught in chapter 06.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from funcsim._internal.typing import Array

SIDE_LAYERS = (2, 3, 4, 5, 6, 8)  # layers on one side of a cut
MAX_SIDE_RATIO = 2.5  # the wider side over the narrower side
LAYER_NOISE_SHARE = 0.3  # of the noise that the weights of the fit are best for; the rest is by pair
PRIOR_DOF = 4  # degrees of freedom that the noise of the neighbourhood is worth
NARROW_WINDOW_LAYERS = 6  # layers in the windows that tell the noise of a neighbourhood
QUIET_QUANTILE = 0.35  # the quantile of their residuals that is taken: less than half of them need be clean
NEIGHBOURHOOD_LAYERS = 12  # layers on each side of a cut from which that noise is taken
NULL_NOISE_DOF = 5  # of the noise in null maps: Student's t, with heavier tails than a Gaussian
MIN_LAYERS = 4  # fewer cannot hold two groups of two layers


def window_shapes(size: int) -> list[tuple[int, int]]:
    """Layers left and right of a cut, for every kind of window in a map of `size` layers.

    A window is at most so wide that a smooth speed-up by a factor of 4, spread over the
    whole depth, looks like less than one extra step in it: w cubed below size squared / 1.83.
    """
    widest = max(3, round((size**2 / 1.83) ** (1 / 3)))
    widths = [w for w in SIDE_LAYERS if w <= widest]
    shapes = [(a, b) for a in widths for b in widths if a + b <= size]
    return [s for s in sorted(shapes, key=sum) if max(s) <= MAX_SIDE_RATIO * min(s)]


@lru_cache
def _positions(n: int) -> Array:
    """Operator (n, n * n) from the distances of n layers to their positions on a line.

    The step from layer c - 1 to c is the mean of D[j, c] - D[j, c - 1] over the layers j
    before them and of D[c - 1, j] - D[c, j] over those after them, both sides weighted
    alike. So whatever one layer adds to all its distances cancels between the sides.
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


def studentised_jumps(maps: Array) -> Iterator[tuple[int, int, Array]]:
    """For each kind of window the t-value of every cut.

    Parameters
    ----------
    maps : array, shape (n_maps, L, L)
        Symmetric maps of distances.

    Yields
    ------
    left, right : int
        Layers of the window on both sides of the cut.
    t : array, shape (n_maps, L - left - right + 1)
        Entry (m, i) belongs to the cut in front of layer i + left: the excess of the jump
        over the slope, or over 0 if the slope is negative, divided by the standard error of
        jump - slope; minus infinity where there is no excess. The error combines the
        residuals of this window with those of the quieter narrow windows around it, each
        cut where its residual is least. (The factor of 2 brings both to about the same
        size; null maps are treated alike, so it need not be exact.)
    """
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
    for left, right in window_shapes(size):
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


def neg_log_p(t: Array, left: int, right: int) -> Array:
    """Minus the logarithm of the one-sided p-value of a t-value; comparable between windows."""
    return np.maximum(-np.log(stdtr(left + right - 3 + PRIOR_DOF, -t)), 0.0)


def max_statistic(maps: Array) -> Array:
    """The largest evidence (n_maps,) that any window holds, for each map (n_maps, L, L)."""
    return np.max([neg_log_p(t.max(axis=1), a, b) for a, b, t in studentised_jumps(maps)], axis=0)


@lru_cache(maxsize=64)
def null_distribution(size: int, n_maps: int, seed: int) -> Array:
    """Sorted :func:`max_statistic` of maps in which every distance is equal, up to noise.

    The noise is independent by pair of layers. Its tails are heavier than those of a
    Gaussian, since a solver that stops early leaves a few distances far off. Its size and the
    mean of the distances do not matter. Even drift on top of it could only lower the statistic.
    """
    rng = np.random.default_rng(seed)
    found = []
    for start in range(0, n_maps, 50):  # some maps at a time, for the memory
        noise = np.triu(rng.standard_t(NULL_NOISE_DOF, size=(min(50, n_maps - start), size, size)), 1)
        found.append(max_statistic(noise + noise.swapaxes(1, 2)))
    statistics = np.sort(np.concatenate(found))
    statistics.flags.writeable = False
    return statistics


def evidence_table(values: Array) -> Array:
    """Evidence for each cut, given where the groups on both of its sides end.

    Parameters
    ----------
    values : array, shape (L, L)
        A map of distances.

    Returns
    -------
    array, shape (L + 1, L + 1, L + 1)
        Entry (a, c, b): the most evidence for a cut in front of layer c that a window of
        layers a, ..., b - 1 or fewer holds; minus infinity without such a window.
    """
    size = len(values)
    table = np.full((size + 1, size + 1, size + 1), -np.inf)  # by layers left, cut, layers right
    for left, right, t in studentised_jumps(values[None]):
        cuts = np.arange(left, size - right + 1)
        table[left, cuts, right] = neg_log_p(t[0], left, right)
    table = np.maximum.accumulate(np.maximum.accumulate(table, axis=0), axis=2)
    a, c, b = np.indices(table.shape, sparse=True)
    inside = table[np.maximum(c - a, 0), c, np.maximum(b - c, 0)]
    return np.where((a < c) & (c < b), inside, -np.inf)


def optimal_change_points(gains: Array, max_cuts: int) -> list[tuple[int, ...]]:
    """The cuts with the largest total gain, for every number of cuts.

    Parameters
    ----------
    gains : array, shape (L + 1, L + 1, L + 1)
        Entry (a, c, b): gain of a cut at c between its neighbours a and b, where 0 and L are
        the ends; minus infinity where it is not allowed.
    max_cuts : int
        The most cuts to consider.

    Returns
    -------
    list of tuple of int
        Entry k holds the best k cuts; the list ends before a number that is not possible.
    """
    end = len(gains) - 1
    back: list[NDArray[np.intp]] = []
    total = gains[0]  # total[c, b]: last cut at c, and b comes after it
    found: list[tuple[int, ...]] = [()]
    for _ in range(max_cuts):
        cut = int(total[:, end].argmax())
        if total[cut, end] == -np.inf:
            break
        cuts, after = [cut], end
        for choice in reversed(back):
            cuts, after = [int(choice[cuts[0], after]), *cuts], cuts[0]
        found.append(tuple(cuts))
        step = total[:, :, None] + gains  # [a, c, b]: the cut before c is at a
        back.append(step.argmax(axis=0))
        total = step.max(axis=0)
    return found
