"""Representations in, a layer map out: every pair of layers, in parallel, never twice.

Taught in chapter 06.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
from joblib.parallel import get_active_backend

from funcsim._internal import cache
from funcsim._internal.progress import progress_bar
from funcsim.geometry import Normalize, check_normalize
from funcsim.gromov import batch
from funcsim.layer_map import LayerMap
from funcsim.representations import Representations
from funcsim.similarity import Measure, check_pair, measures

Pair = tuple[int, int]

#: Pairs times squared samples above which several processes are quicker than one.
WORTH_PROCESSES = 2_000_000


def compare(
    reps: Representations,
    other: Representations | None = None,
    measure: str = "gw",
    normalize: Normalize = "mean",
    jobs: int | None = None,
    device: str | None = None,
    progress: bool = True,
) -> LayerMap:
    """Compare every layer with every other, or with every layer of another model.

    Parameters
    ----------
    reps : Representations
        L layers, (n_samples, n_features) each; the numbers of features are free for most
        measures.
    other : Representations, optional
        M layers of a second model on the same samples. Without it, `reps` is compared with
        itself: each pair once, and the diagonal is that of a layer with itself.
    measure : str
        One of :func:`funcsim.measures`.
    normalize : {"mean", "max"} or None
        Divide each layer by its mean distance, by its largest, or leave it raw.
    jobs : int, optional
        Processes to run in; without it, one per available core where that pays, or what the
        active joblib backend offers. It changes the time, never the numbers.
    device : str, optional
        For the measure "gw": solve many pairs at once on this PyTorch device, such as "cuda".
    progress : bool
        Show a bar with the time left, in a terminal or a live notebook.

    Returns
    -------
    LayerMap
        Values (L, L) or (L, M), and for "gw" certified lower bounds.

    Raises
    ------
    DegenerateLayerError
        Naming the layer, if its samples coincide and `normalize` is not None.
    WidthError
        Naming two layers of different widths, if the measure needs equal ones.
    ValueError
        If `measure`, `normalize` or `device` is unknown, or the sample counts differ.

    Notes
    -----
    Each finished pair is kept on disk by content (see :mod:`funcsim._internal.cache`), so an
    interrupted comparison goes on where it stopped and a repeated one is read back.
    Memory is a few (n, n) matrices per layer.

    On a cluster, three lines around the call send the pairs to its workers::

        client = distributed.Client("scheduler-address:8786")
        with joblib.parallel_config(backend="dask"):
            layer_map = fs.compare(reps)
    """
    chosen = _look_up(measure)
    check_normalize(normalize)
    if other is not None and other.n_samples != reps.n_samples:
        raise ValueError(
            f"the two models were run on {reps.n_samples} and {other.n_samples} samples; "
            "capture both on the same batches"
        )
    if device is not None and measure != "gw":
        raise ValueError(f"device={device!r}: only 'gw' is solved on a device; leave it out for {measure!r}")
    second = reps if other is None else other
    shape = (len(reps), len(second))
    pairs = [(i, j) for i, j in np.ndindex(shape) if other is not None or i < j]
    _check_widths(chosen, reps, second, pairs)

    values = np.full(shape, 1.0 if chosen.is_similarity else 0.0)
    lower = np.zeros(shape)
    finished = _solve_pairs(pairs, reps, second, chosen, normalize, jobs, device)
    for (i, j), numbers in progress_bar(finished, "compare", progress, len(pairs)):
        values[i, j], lower[i, j] = numbers[0], numbers[-1]
        if other is None:
            values[j, i], lower[j, i] = numbers[0], numbers[-1]
    return LayerMap(
        values=values,
        names=reps.names,
        columns=second.names,
        measure=measure,
        normalize=normalize,
        n_samples=reps.n_samples,
        lower=lower if chosen.score_with_bound else None,
        is_similarity=chosen.is_similarity,
    )


def _look_up(measure: str) -> Measure:
    known = measures()
    if measure not in known:
        raise ValueError(f"measure {measure!r} is unknown; there is {', '.join(known)}")
    return known[measure]


def _check_widths(
    measure: Measure, first: Representations, second: Representations, pairs: list[Pair]
) -> None:
    for i, j in pairs:
        a, b = first.names[i], second.names[j]
        check_pair(measure, first[a].shape, second[b].shape, a, b)


def _solve_pairs(
    pairs: list[Pair],
    first: Representations,
    second: Representations,
    measure: Measure,
    normalize: Normalize,
    jobs: int | None,
    device: str | None,
) -> Iterator[tuple[Pair, list[float]]]:
    """Yield each pair with its numbers: first those on disk, then the others as they end."""
    folder = cache.cache_dir()
    version = measure.version if device is None else batch.VERSION
    identity = [measure.name, version, str(normalize)]
    row_keys = [cache.digest(layer) for layer in first.values()]
    column_keys = row_keys if second is first else [cache.digest(layer) for layer in second.values()]
    keys = {(i, j): cache.digest(*identity, row_keys[i], column_keys[j]) for i, j in pairs}

    # What a layer cannot be compared for must be said even if every pair is on disk.
    rows = [measure.prepare(layer, normalize, name) for name, layer in first.items()]
    columns = rows if second is first else [measure.prepare(x, normalize, n) for n, x in second.items()]
    missing = []
    for pair in pairs:
        stored = cache.read(folder, keys[pair])
        if stored is None:
            missing.append(pair)
        else:
            yield pair, stored

    solved = (
        _one_by_one(missing, rows, columns, measure, jobs, first.n_samples)
        if device is None
        else batch.solve_batch(rows, columns, missing, device)
    )
    for pair, numbers in solved:
        cache.write(folder, keys[pair], numbers)
        yield pair, numbers


def _one_by_one(
    pairs: list[Pair], rows: list[Any], columns: list[Any], measure: Measure, jobs: int | None, n: int
) -> Iterator[tuple[Pair, list[float]]]:
    """Each pair a task of joblib, on whatever backend is active."""
    on_this_machine = type(get_active_backend()[0]).__name__ == "LokyBackend"
    if jobs is None and on_this_machine:
        # Starting processes takes seconds, longer than all pairs of a small cloud.
        jobs = joblib.cpu_count() if len(pairs) * n**2 > WORTH_PROCESSES else 1
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    yield from parallel(joblib.delayed(_task)(measure.name, (i, j), rows[i], columns[j]) for i, j in pairs)


def _task(name: str, pair: Pair, a: Any, b: Any) -> tuple[Pair, list[float]]:
    measure = measures()[name]  # by name: a function defined in place does not travel to a worker
    return pair, list(measure.score_with_bound(a, b)) if measure.score_with_bound else [measure.score(a, b)]
