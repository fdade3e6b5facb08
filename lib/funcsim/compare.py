"""Representations in, a layer map out: every pair of layers, in parallel, never twice.

Taught in chapter 04.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import joblib
import numpy as np
from numpy.typing import NDArray

from funcsim import cache
from funcsim.geometry import Normalize, metric_space
from funcsim.gw import solver
from funcsim.layer_map import LayerMap
from funcsim.progress import progress_bar
from funcsim.representations import Representations

Pair = tuple[int, int]

#: Pairs times squared samples above which several processes are quicker than one.
WORTH_PROCESSES = 2_000_000


def _gw_pair(D1: NDArray, D2: NDArray) -> list[float]:
    result = solver.solve(D1, D2)
    return [result.distance, result.lower_bound]


#: Per measure: what turns two distance matrices into [value, lower bound], and its version.
MEASURES: dict[str, tuple[Callable[[NDArray, NDArray], list[float]], str]] = {
    "gw": (_gw_pair, solver.VERSION),
}


def compare(
    reps: Representations,
    other: Representations | None = None,
    measure: str = "gw",
    normalize: Normalize = "mean",
    jobs: int | None = None,
    progress: bool = True,
) -> LayerMap:
    """Compare every layer with every other, or with every layer of another model.

    Parameters
    ----------
    reps : Representations
        L layers, (n_samples, n_features) each; the numbers of features are free.
    other : Representations, optional
        M layers of a second model on the same samples. Without it, `reps` is compared with
        itself: each pair once, zero on the diagonal.
    measure : {"gw"}
        Which measure to take.
    normalize : {"mean", "max"} or None
        Divide each layer's distances by their mean, by their largest, or leave them raw.
    jobs : int, optional
        Processes to run in; without it, one per available core where that pays. It changes
        the time, never the numbers.
    progress : bool
        Show a bar with the time left, in a terminal or a live notebook.

    Returns
    -------
    LayerMap
        Values and certified lower bounds, (L, L) or (L, M).

    Raises
    ------
    DegenerateLayerError
        Naming the layer, if its samples coincide and `normalize` is not None.
    ValueError
        If `measure` or `normalize` is unknown, or the sample counts differ.

    Notes
    -----
    Each finished pair is kept on disk by content (see :mod:`funcsim.cache`), so an
    interrupted comparison goes on where it stopped and a repeated one is read back.
    Memory is one (n, n) matrix per layer.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure {measure!r} is unknown; there is {', '.join(MEASURES)}")
    if other is not None and other.n_samples != reps.n_samples:
        raise ValueError(
            f"the two models were run on {reps.n_samples} and {other.n_samples} samples; "
            "capture both on the same batches"
        )
    rows = _spaces(reps, normalize)
    columns = rows if other is None else _spaces(other, normalize)
    shape = (len(rows), len(columns))
    pairs = [(i, j) for i, j in np.ndindex(shape) if other is not None or i < j]

    values, lower = np.zeros(shape), np.zeros(shape)
    finished = _solve_pairs(pairs, rows, columns, measure, jobs)
    for (i, j), (value, bound) in progress_bar(finished, "compare", progress, len(pairs)):
        values[i, j], lower[i, j] = value, bound
        if other is None:
            values[j, i], lower[j, i] = value, bound
    return LayerMap(
        values=values,
        names=reps.names,
        columns=reps.names if other is None else other.names,
        measure=measure,
        normalize=normalize,
        n_samples=reps.n_samples,
        lower=lower,
    )


def _spaces(reps: Representations, normalize: Normalize) -> list[NDArray[np.float64]]:
    return [metric_space(array, normalize, name) for name, array in reps.items()]


def _solve_pairs(
    pairs: list[Pair],
    rows: list[NDArray],
    columns: list[NDArray],
    measure: str,
    jobs: int | None,
) -> Iterator[tuple[Pair, list[float]]]:
    """Yield each pair with its numbers: first those on disk, then the others as they end."""
    fn, version = MEASURES[measure]
    folder = cache.cache_dir()
    row_keys = [cache.digest(D) for D in rows]
    column_keys = row_keys if columns is rows else [cache.digest(D) for D in columns]
    keys = {(i, j): cache.digest(measure, version, row_keys[i], column_keys[j]) for i, j in pairs}

    missing = []
    for pair in pairs:
        kept = cache.read(folder, keys[pair])
        if kept is None:
            missing.append(pair)
        else:
            yield pair, kept

    if jobs is None:  # starting processes takes seconds, longer than all pairs of a small cloud
        jobs = joblib.cpu_count() if len(missing) * len(rows[0]) ** 2 > WORTH_PROCESSES else 1
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    for pair, numbers in parallel(
        joblib.delayed(_task)(fn, pair, rows[pair[0]], columns[pair[1]]) for pair in missing
    ):
        cache.write(folder, keys[pair], numbers)
        yield pair, numbers


def _task(
    fn: Callable[[NDArray, NDArray], list[float]], pair: Pair, D1: NDArray, D2: NDArray
) -> tuple[Pair, list[float]]:
    return pair, fn(D1, D2)
