"""Layer maps with known answers: drift without a group, and groups planted in noise.

They show how often :func:`funcsim.partition` cuts where nothing is, and how often it finds
what is there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.typing import Array

Rng = np.random.Generator

#: Families of maps without groups; see :func:`drift_map`.
DRIFTS = ("constant", "even", "uneven", "layers", "depth", "heavy", "clouds", "uneven clouds")


def as_map(values: Array) -> Array:
    """A map (L, L) from its upper triangle: symmetric, not negative, zero on the diagonal."""
    upper = np.abs(np.triu(values, 1))
    return upper + upper.T


def positions(size: int, rng: Rng, factor: float = 4.0) -> Array:
    """Where `size` layers stand on a path from 0 to 1, at a speed that changes smoothly.

    The logarithm of the speed is, at random, a line or one period of a sine over the depth.
    The largest speed is up to `factor` times the smallest.
    """
    depth = (np.arange(size - 1) + 0.5) / max(1, size - 1)
    line = rng.choice([-1, 1]) * (2 * depth - 1)
    sine = np.sin(2 * np.pi * (depth + rng.uniform()))
    speed = factor ** (0.5 * (line if rng.uniform() < 1 / 3 else sine))
    path = np.append(0.0, speed.cumsum())
    return path / max(path[-1], 1e-300)


def cloud_map(points: Array) -> Array:
    """Map (L, L) of L clouds (L, n, d): root mean square difference of their distances.

    Each cloud's distances are divided by their mean first.
    """
    distances = np.sqrt(((points[:, :, None] - points[:, None]) ** 2).sum(axis=-1))
    flat = (distances / distances.mean(axis=(1, 2), keepdims=True)).reshape(len(points), -1)
    gram = flat @ flat.T
    squared = gram.diagonal()[:, None] + gram.diagonal() - 2 * gram
    return as_map(np.sqrt(np.maximum(squared, 0) / flat.shape[1]))


def drifting_clouds(where: Array, noise: float, rng: Rng, n: int = 20, d: int = 4) -> Array:
    """Clouds (L, n, d) that move along a random smooth path; each layer has its own error.

    Parameters
    ----------
    where : array, shape (L,)
        Positions on the path, from 0 to 1.
    noise : float
        Standard deviation of a coordinate's error; the points have unit variance.
    """
    t = where[:, None, None]
    points = rng.normal(size=(n, d)) + 2 * t * rng.normal(size=(n, d))
    for k in (1, 2):
        phase = rng.uniform(0, 2 * np.pi)
        points = points + 0.7 / k * np.sin(np.pi * k * t + phase) * rng.normal(size=(n, d))
    return points + noise * rng.normal(size=(len(where), n, d))


def drift_map(family: str, size: int, rng: Rng, factor: float = 4.0) -> Array:
    """A random map (L, L) without groups.

    Parameters
    ----------
    family : str
        "constant": all distances equal, independent noise. "even": distances grow with the
        number of layers between, as a power of it, on top of a constant. "uneven": the same
        at a speed that changes smoothly by up to `factor`. "layers": uneven, with errors
        that layers add to all their distances. "depth": uneven, with noise that grows
        fourfold along the chain. "heavy": uneven, with noise that has the tails of a t
        distribution with 3 degrees of freedom. "clouds", "uneven clouds": maps of drifting
        clouds of points. The size of the noise is drawn too, from almost none to drowning.
    size : int
        L.
    rng : numpy Generator
    factor : float
        Largest over smallest speed of uneven drift.

    Raises
    ------
    ValueError
        If `family` is not in :data:`DRIFTS`.
    """
    if family not in DRIFTS:
        raise ValueError(f"family {family!r} is unknown; there is {', '.join(DRIFTS)}")
    even = np.arange(size) / max(1, size - 1)
    where = even if family in ("constant", "even", "clouds") else positions(size, rng, factor)
    if family.endswith("clouds"):
        return cloud_map(drifting_clouds(where, rng.choice([0.01, 0.05, 0.2, 0.8]), rng))
    noise = rng.choice([0.001, 0.01, 0.03, 0.1, 0.3]) * pair_noise(family, size, rng)
    if family == "constant":
        return as_map(1 + noise)
    drift = np.abs(np.subtract.outer(where, where)) ** rng.choice([0.5, 0.75, 1.0])
    return as_map(rng.choice([0.0, 0.3]) + drift + noise)


def pair_noise(family: str, size: int, rng: Rng) -> Array:
    """Noise (L, L) of unit size, of the kind that a family of :func:`drift_map` has."""
    normal = rng.normal(size=(size, size))
    if family == "layers":
        layers = rng.normal(size=size)
        return np.add.outer(layers, layers) + 0.3 * normal
    if family == "depth":
        scale = 2.0 ** np.linspace(-1, 1, size)
        return normal * np.sqrt(np.multiply.outer(scale, scale))
    return rng.standard_t(3, size=(size, size)) / np.sqrt(3) if family == "heavy" else normal


def group_sizes(size: int, n_groups: int, least: int, rng: Rng) -> NDArray[np.int64]:
    """Uneven sizes of `n_groups` groups of at least `least` layers that add up to `size`.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    spare = size - least * n_groups
    if spare < 0:
        raise ValueError(f"{n_groups} groups of {least} layers do not fit into {size} layers")
    return least + rng.multinomial(spare, rng.dirichlet(np.ones(n_groups)))


def planted_map(
    sizes: NDArray[np.integer], noise: float, rng: Rng, drift: float = 0.0, clouds: bool = False
) -> tuple[Array, tuple[int, ...]]:
    """A map (L, L) with planted groups, and the indices at which groups start.

    Parameters
    ----------
    sizes : array of int
        Layers in each group.
    noise : float
        Standard deviation of an entry, where the gap is 1; with `clouds`, of a coordinate's
        error, where the groups' centres have unit variance.
    rng : numpy Generator
    drift : float
        Added to each distance for each layer in between, where the gap is 1.
    clouds : bool
        Make the map of clouds of points, one centre per group. Otherwise distances are 0.5
        inside a group and 1.5 between groups.
    """
    labels = np.repeat(np.arange(len(sizes)), sizes)
    starts = tuple(np.cumsum(sizes)[:-1].tolist())
    size = len(labels)
    if clouds:
        base, centres = rng.normal(size=(20, 4)), rng.normal(size=(len(sizes), 20, 4))
        return cloud_map(base + centres[labels] + noise * rng.normal(size=(size, 20, 4))), starts
    lag = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    apart = np.where(labels[:, None] == labels, 0.5, 1.5) + drift * lag
    return as_map(apart + noise * rng.normal(size=(size, size))), starts


def boundary_f1(found: tuple[int, ...], true: tuple[int, ...]) -> float:
    """Harmonic mean of precision and recall of boundaries; 1 if both are empty."""
    if not found and not true:
        return 1.0
    return 2 * len(set(found) & set(true)) / (len(found) + len(true))
