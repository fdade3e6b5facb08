"""What a comparison will take, before it is made: seconds and memory, from a few small clouds.

Taught in chapter 14.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.memory import nbytes
from funcsim._pairs import compared_pairs, preparations
from funcsim.errors import InputError
from funcsim.geometry import Normalize
from funcsim.gromov.effort import Effort
from funcsim.representations import Representations
from funcsim.similarity import Measure, look_up, with_effort

#: The largest cloud that is timed; the time of a larger one follows from it.
LARGEST_TIMED = 1024
#: Steepest and flattest growth of time with the number of samples.
GROWTH = (2.0, 3.0)
#: Matrices (n, n) of float64 that a pair needs while it is compared, beside what its layers hold.
SCRATCH = 12


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a comparison of layers will take.

    Attributes
    ----------
    n_layers, n_samples, n_pairs, n_draws : int
        Pairs are those of the map that are compared.
    seconds : float
        For the map and its halves, on one core that does nothing else.
    memory_bytes : int
        The most that is held at one time: what layers output, and matrices of samples by samples.
    matrix_bytes : int
        One matrix of samples by samples, float64.

    Examples
    --------
    >>> import funcsim as fs
    >>> fs.estimate_cost([(20, 4)] * 3, measure="rsm").n_pairs
    3
    """

    n_layers: int
    n_samples: int
    n_pairs: int
    n_draws: int
    seconds: float
    memory_bytes: int
    matrix_bytes: int

    def __str__(self) -> str:
        halves = f" and of {self.n_draws} halves of the inputs" if self.n_draws else ""
        return (
            f"time: about {duration(self.seconds)} on one core, for {self.n_pairs} pairs of layers{halves}; "
            f"memory: {size(self.memory_bytes)}, since a matrix of {self.n_samples} x {self.n_samples} "
            f"inputs takes {size(self.matrix_bytes)}"
        )


def estimate_cost(
    reps: Representations | Mapping[str, Sequence[int]] | Iterable[Sequence[int]],
    *,
    measure: str | Measure = "gw",
    normalize: Normalize = "mean",
    n_draws: int = 0,
    within: int | None = None,
    effort: Effort | None = None,
) -> Cost:
    """Foretell what :func:`funcsim.compare` or :func:`funcsim.intervals` will take.

    Parameters
    ----------
    reps : Representations, or shapes
        The layers, or their shapes (n_samples, n_features), by name or in a row. Nothing of that
        size is made: at most two clouds of 1,024 samples are compared, and that takes seconds.
    measure : str or Measure
    normalize : {"mean", "max"} or None
        Both as in :func:`funcsim.compare`.
    n_draws : int
        Random halves as in :func:`funcsim.intervals`; 0 for a map alone.
    within : int, optional
        As in :func:`funcsim.compare`, for the map.
    effort : {"quick", "usual", "thorough"}, optional
        As in :func:`funcsim.compare`.

    Returns
    -------
    Cost

    Raises
    ------
    ValueError
        If a shape is no shape, the numbers of samples differ, or `measure` or `effort` is unknown.

    Notes
    -----
    Real layers are timed where `reps` holds them, otherwise clouds without structure, the slowest. The
    growth from 512 to 1,024 samples is carried on. It is a forecast: off by a factor of two, not of ten,
    up to some thousand samples; far beyond, where growth becomes cubic, it is what is needed at least.

    Examples
    --------
    >>> import funcsim as fs
    >>> cost = fs.estimate_cost([(100_000, 768)] * 12, measure="cka")
    >>> cost.n_pairs, round(cost.matrix_bytes / 2**30, 1)
    (66, 74.5)
    """
    shapes = _shapes(reps)
    chosen = with_effort(look_up(measure), effort)
    if n_draws < 0:
        raise ValueError(f"n_draws={n_draws} is out of range; it is 0 or more")
    if within is not None and within < 1:
        raise ValueError(f"within={within} is out of range; it is 1 or more")
    n, n_layers = shapes[0][0], len(shapes)
    layer_seconds, pair_seconds, bound_seconds, held = _timed(reps, shapes, chosen, normalize)
    pairs = compared_pairs(n_layers)
    n_pairs = len(pairs) if within is None else len(compared_pairs(n_layers, within))
    layer_bytes = int(held * n * n)
    prepared, at_once = preparations(pairs, layer_bytes)
    seconds = prepared * layer_seconds(n) + n_pairs * pair_seconds(n)
    seconds += (len(pairs) - n_pairs) * bound_seconds(n)
    if n_draws:
        half = max(n // 2, 2)
        prepared, _ = preparations(pairs, int(held * half**2))
        seconds += n_draws * (prepared * layer_seconds(half) + len(pairs) * pair_seconds(half))
    numbers = sum(4 * n * width for _, width in shapes)
    matrix = 8 * n * n
    return Cost(
        n_layers=n_layers,
        n_samples=n,
        n_pairs=n_pairs,
        n_draws=n_draws,
        seconds=seconds,
        memory_bytes=int(numbers + at_once * layer_bytes + SCRATCH * matrix),
        matrix_bytes=matrix,
    )


def _shapes(reps: Any) -> list[tuple[int, int]]:
    """Shapes of layers, all with the same number of samples."""
    if isinstance(reps, Representations):
        return [layer.shape for layer in reps.values()]
    try:
        rows = [tuple(row) for row in (reps.values() if isinstance(reps, Mapping) else reps)]
        shapes = [(int(n), int(width)) for n, width in rows]
    except (TypeError, ValueError):
        raise InputError(
            "shapes are needed, one (n_samples, n_features) for each layer, or representations"
        ) from None
    if not shapes or min(min(shape) for shape in shapes) < 1 or len({n for n, _ in shapes}) > 1:
        raise InputError(
            f"shapes {shapes[:3]} do not fit: (n_samples, n_features), the same n_samples in each"
        )
    if shapes[0][0] < 2:
        raise InputError("one sample has no distances; at least two are needed")
    return shapes


def _timed(
    reps: Any, shapes: list[tuple[int, int]], measure: Measure, normalize: Normalize
) -> tuple[Any, Any, Any, float]:
    """Seconds of a layer, a pair and a bound as functions of n; bytes that a layer holds, over n squared."""
    n = shapes[0][0]
    sizes = [max(min(n, most), 4) for most in (LARGEST_TIMED // 2, LARGEST_TIMED)]
    times, held = [], 0.0
    known = list(dict.fromkeys(sizes))
    for samples in (0, *known):  # the first time, on small noise, makes ready and does not count
        given = reps if samples else None
        clouds = _clouds(given, shapes, samples or 16, equal=measure.requires_equal_dim)
        began = time.process_time()
        first, second = (measure.prepare(cloud, normalize, "a layer") for cloud in clouds)
        prepared = time.process_time()
        measure.score(first, second)
        scored = time.process_time()
        if measure.bound:
            measure.bound(first, second)
        times.append(((prepared - began) / 2, scored - prepared, time.process_time() - scored))
        held = nbytes(first) / max(samples, 1) ** 2
    layer, pair, bound = (_extrapolated(known, seconds) for seconds in zip(*times[1:], strict=True))
    return layer, pair, bound, held


def _clouds(reps: Any, shapes: list[tuple[int, int]], n: int, equal: bool) -> list[NDArray[np.float32]]:
    """Two clouds of n samples: the first and the last layer, or noise of such a width."""
    if isinstance(reps, Representations) and reps.n_samples >= n:
        part = reps.subsample(n)
        layers = list(part.values())
        return [layers[0], layers[0] if equal and len({w for _, w in shapes}) > 1 else layers[-1]]
    rng = np.random.default_rng(0)
    width = min(max(w for _, w in shapes), 64)
    return [rng.normal(size=(n, width)).astype(np.float32) for _ in range(2)]


def _extrapolated(sizes: Sequence[int], seconds: Sequence[float]) -> Any:
    """Seconds at any n, by the power law through the last two measurements."""
    power = GROWTH[1]
    if len(sizes) > 1:
        ratio = np.log(max(seconds[-1], 1e-9) / max(seconds[-2], 1e-9)) / np.log(sizes[-1] / sizes[-2])
        power = float(np.clip(ratio, *GROWTH))
    return lambda n: seconds[-1] * (n / sizes[-1]) ** power


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    for unit, length in (("years", 31_557_600), ("days", 86_400), ("hours", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else "1 s"


def size(n_bytes: float) -> str:
    """Bytes as a person says them."""
    for unit, power in (("TiB", 40), ("GiB", 30)):
        if n_bytes >= 2**power:
            return f"{n_bytes / 2**power:,.1f} {unit}"
    return f"{n_bytes / 2**20:.0f} MiB" if n_bytes >= 2**20 else "less than 1 MiB"
