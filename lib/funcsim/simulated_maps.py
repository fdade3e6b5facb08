"""Layer maps with known answers: chains without a boundary, and chains with one planted.

They show how often :func:`funcsim.partition` cuts where nothing is, and how often it finds
what is there. All but the network families are clouds of points that move from layer to
layer, compared by their distances sample by sample.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.typing import Array
from funcsim.layer_map import LayerMap

Rng = np.random.Generator
N_POINTS, N_FEATURES = 40, 64
STRIDE = 0.05  # of a usual step, where the points have unit variance


def as_map(values: Array) -> Array:
    """A map (L, L) from its upper triangle: symmetric, not negative, zero on the diagonal."""
    upper = np.abs(np.triu(values, 1))
    return upper + upper.T


def cloud_map(points: Array) -> Array:
    """Map (L, L) of L clouds (L, n, d): root mean square difference of their distances.

    Each cloud's distances are divided by their mean first.
    """
    squares = (points**2).sum(axis=-1)
    products = points @ points.swapaxes(-1, -2)
    squared = squares[:, :, None] + squares[:, None] - 2 * products
    distances = np.sqrt(np.maximum(squared, 0))
    flat = (distances / distances.mean(axis=(1, 2), keepdims=True)).reshape(len(points), -1)
    gram = flat @ flat.T
    gaps = gram.diagonal()[:, None] + gram.diagonal() - 2 * gram
    return as_map(np.sqrt(np.maximum(gaps, 0) / flat.shape[1]))


def walk(strides: Array, rng: Rng) -> Array:
    """Clouds (L, n, d) of points that each take L - 1 random steps of these sizes."""
    moves = rng.normal(size=(len(strides), N_POINTS, N_FEATURES))
    path = np.concatenate(
        [rng.normal(size=(1, N_POINTS, N_FEATURES)), STRIDE * strides[:, None, None] * moves]
    )
    return path.cumsum(axis=0)


def uneven(n: int, sd: float, rng: Rng) -> Array:
    """Sizes (n,) of independent uneven steps; sd is that of their logarithm."""
    return np.exp(sd * rng.normal(size=n))


def _growing(size: int, rng: Rng, factor: float) -> Array:
    return cloud_map(walk(factor ** np.linspace(0, 1, size - 1), rng))


def _arc(size: int, rng: Rng, power: float) -> Array:
    angle = np.linspace(0, 1, size)[:, None, None] ** power * np.pi / 2
    start, end = rng.normal(size=(2, N_POINTS, N_FEATURES))
    return cloud_map(np.cos(angle) * start + np.sin(angle) * end)


def _flow(size: int, rng: Rng) -> Array:
    field = rng.normal(size=(N_FEATURES, N_FEATURES)) / np.sqrt(N_FEATURES)
    clouds = [rng.normal(size=(N_POINTS, N_FEATURES))]
    for _ in range(size - 1):
        clouds.append(clouds[-1] + 0.2 * np.tanh(clouds[-1] @ field))
    return cloud_map(np.stack(clouds))


def _network(size: int, rng: Rng, residual: bool) -> Array:
    clouds = [rng.normal(size=(N_POINTS, N_FEATURES))]
    for _ in range(size - 1):
        x = clouds[-1]
        into, out = rng.normal(size=(2, N_FEATURES, N_FEATURES)) * np.sqrt(2 / N_FEATURES)
        inner = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True) if residual else x
        hidden = np.maximum(inner @ into, 0)
        clouds.append(x + 0.5 * hidden @ out if residual else hidden)
    return cloud_map(np.stack(clouds))


def _uneven(size: int, rng: Rng, sd: float) -> Array:
    return cloud_map(walk(uneven(size - 1, sd, rng), rng))


def _faster(size: int, rng: Rng, factor: float) -> Array:
    strides = uneven(size - 1, 0.15, rng)
    strides[-round((size - 1) / 3) :] *= factor
    return cloud_map(walk(strides, rng))


def _two_kinds(size: int, rng: Rng, sd: float) -> Array:
    strides = uneven(size - 1, sd, rng)
    strides[::2] *= 2.5
    return cloud_map(walk(strides, rng))


def _odd_layer(size: int, rng: Rng) -> Array:
    clouds = walk(uneven(size - 1, 0.2, rng), rng)
    k = int(rng.integers(1, size - 1))
    clouds[k] += 10 * STRIDE * rng.normal(size=clouds[k].shape)
    return cloud_map(clouds)


def _planted_steps(size: int, rng: Rng, sd: float, factor: float, at: tuple[int, ...]) -> Array:
    """Steps into the layers `at` are `factor` times as large."""
    strides = uneven(size - 1, sd, rng)
    strides[[k - 1 for k in at]] *= factor
    return cloud_map(walk(strides, rng))


def _flat_groups(size: int, rng: Rng, at: tuple[int, ...]) -> Array:
    """Groups without drift: layers differ by their own noise, groups by their centre."""
    labels = np.searchsorted(at, np.arange(size), side="right")
    base, centres = (
        rng.normal(size=(1, N_POINTS, N_FEATURES)),
        rng.normal(size=(len(at) + 1, N_POINTS, N_FEATURES)),
    )
    noise = rng.normal(size=(size, N_POINTS, N_FEATURES))
    return cloud_map(base + 0.13 * centres[labels] + 0.1 * noise)


#: Families of chains without a boundary: ``family(L, rng)`` is a map (L, L).
DRIFTS: dict[str, Callable[[int, Rng], Array]] = {
    "even": partial(_growing, factor=1.0),
    "growing x4": partial(_growing, factor=4.0),
    "growing x30": partial(_growing, factor=30.0),
    "arc, even": partial(_arc, power=1.0),
    "arc, quadratic": partial(_arc, power=2.0),
    "flow": _flow,
    "residual network": partial(_network, residual=True),
    "plain network": partial(_network, residual=False),
    "uneven .2": partial(_uneven, sd=0.2),
    "uneven .3": partial(_uneven, sd=0.3),
    "uneven .4": partial(_uneven, sd=0.4),
    "uneven .5": partial(_uneven, sd=0.5),
    "speed-up x3": partial(_faster, factor=3.0),
    "speed-up x5": partial(_faster, factor=5.0),
    "speed-up x8": partial(_faster, factor=8.0),
    "two kinds .1": partial(_two_kinds, sd=0.1),
    "two kinds .3": partial(_two_kinds, sd=0.3),
    "odd layer": _odd_layer,
}


def planted(family: str, size: int, rng: Rng) -> tuple[Array, tuple[int, ...]]:
    """A map (L, L) of a family of :data:`PLANTED`, and the layers at which groups start.

    Raises
    ------
    ValueError
        If the family is unknown.
    """
    if family not in PLANTED:
        raise ValueError(f"family {family!r} is unknown; there is {', '.join(PLANTED)}")
    return PLANTED[family](size, rng)


def _inside(size: int, rng: Rng, width: int = 1) -> int:
    """A layer that leaves at least two layers on each side of a change of this width."""
    return int(rng.integers(2, size - width))


def _one_step(size: int, rng: Rng, sd: float, factor: float) -> tuple[Array, tuple[int, ...]]:
    at = _inside(size, rng)
    return _planted_steps(size, rng, sd, factor, (at,)), (at,)


def _last_layer(size: int, rng: Rng, factor: float) -> tuple[Array, tuple[int, ...]]:
    return _planted_steps(size, rng, 0.3, factor, (size - 1,)), (size - 1,)


def _two_groups(size: int, rng: Rng) -> tuple[Array, tuple[int, ...]]:
    at = _inside(size, rng)
    return _flat_groups(size, rng, (at,)), (at,)


def _transition(size: int, rng: Rng) -> tuple[Array, tuple[int, ...]]:
    at = _inside(size, rng, 2)
    return _planted_steps(size, rng, 0.3, 4.0, (at, at + 1)), (at, at + 1)


def _two_steps(size: int, rng: Rng) -> tuple[Array, tuple[int, ...]]:
    third = size // 3
    at = (int(rng.integers(2, third + 1)), int(rng.integers(2 * third, size - 1)))
    return _planted_steps(size, rng, 0.3, 4.0, at), at


#: Families of chains with boundaries: ``family(L, rng)`` is a map (L, L) and the layers at
#: which groups start. The transition takes two steps, and either counts as its start.
PLANTED: dict[str, Callable[[int, Rng], tuple[Array, tuple[int, ...]]]] = {
    "step x2 among .3": partial(_one_step, sd=0.3, factor=2.0),
    "step x3 among .3": partial(_one_step, sd=0.3, factor=3.0),
    "step x4 among .3": partial(_one_step, sd=0.3, factor=4.0),
    "step x10 among .3": partial(_one_step, sd=0.3, factor=10.0),
    "step x4 among .5": partial(_one_step, sd=0.5, factor=4.0),
    "last layer x10": partial(_last_layer, factor=10.0),
    "two flat groups": _two_groups,
    "transition x4": _transition,
    "two steps x4": _two_steps,
}


def named(values: Array, names: tuple[str, ...] | None = None) -> LayerMap:
    """A simulated map as a :class:`funcsim.LayerMap`, its layers numbered unless they are named."""
    names = names or tuple(f"layer {k}" for k in range(len(values)))
    return LayerMap(values, names, names, "rsm", "mean", N_POINTS)


def two_kinds_names(size: int) -> tuple[str, ...]:
    """Names of blocks' ends and of the points after attention between them, in turn."""
    return tuple(f"block {k // 2} end" if k % 2 == 0 else f"block {k // 2} attention" for k in range(size))


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
    sizes: NDArray[np.integer], noise: float, rng: Rng, drift: float = 0.0
) -> tuple[Array, tuple[int, ...]]:
    """A map (L, L) of flat groups, and the indices at which groups start.

    Parameters
    ----------
    sizes : array of int
        Layers in each group.
    noise : float
        Standard deviation of an entry, where the gap is 1.
    rng : numpy Generator
    drift : float
        Added to each distance for each layer in between, where the gap is 1.

    Notes
    -----
    Distances are 0.5 inside a group and 1.5 between groups, but for drift and noise.
    """
    labels = np.repeat(np.arange(len(sizes)), sizes)
    starts = tuple(np.cumsum(sizes)[:-1].tolist())
    size = len(labels)
    lag = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    apart = np.where(labels[:, None] == labels, 0.5, 1.5) + drift * lag
    return as_map(apart + noise * rng.normal(size=(size, size))), starts


def boundary_f1(found: tuple[int, ...], true: tuple[int, ...]) -> float:
    """Harmonic mean of precision and recall of boundaries; 1 if both are empty."""
    if not found and not true:
        return 1.0
    return 2 * len(set(found) & set(true)) / (len(found) + len(true))
