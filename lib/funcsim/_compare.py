"""Representations in, a layer map out: every pair of layers, in parallel, never twice.

Taught in chapter 06.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from numpy.typing import NDArray

from funcsim._internal import cache
from funcsim._internal.hashing import digest
from funcsim._internal.progress import progress_bar
from funcsim.geometry import Normalize, check_normalize, is_degenerate
from funcsim.gromov import batch
from funcsim.layer_map import LayerMap
from funcsim.representations import Representations
from funcsim.similarity import Measure, check_pair, look_up, measures

Pair = tuple[int, int]
Layers = Mapping[str, NDArray[np.float32]]

#: Pairs times squared samples above which several processes are quicker than one.
WORTH_PROCESSES = 2_000_000


def compare(
    reps: Representations,
    other: Representations | None = None,
    *,
    measure: str | Measure = "gw",
    normalize: Normalize = "mean",
    degenerate: Literal["raise", "nan"] = "raise",
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
    measure : str or Measure
        One of :func:`funcsim.measures` by its name, or a :class:`funcsim.Measure` of your own.
        What your functions are made of must be at hand in every process: a function of a script
        or notebook travels, and so does a lambda.
    normalize : {"mean", "max"} or None
        Divide each layer by its mean distance, by its largest, or leave it raw.
    degenerate : {"raise", "nan"}
        What to do about a layer whose samples coincide up to rounding: refuse it where nothing
        can be compared with it, or leave it out and write NaN, whatever `normalize` is.
        :meth:`LayerMap.defined` drops those layers from the map.
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
        Naming the layer, if its samples coincide and `normalize` is not None, unless `degenerate`
        is "nan".
    WidthError
        Naming two layers of different widths, if the measure needs equal ones.
    ValueError
        If `measure`, `normalize`, `degenerate` or `device` is unknown, the sample counts differ, or
        a measure of your own has the name of another.

    Notes
    -----
    Each finished pair is kept on disk by content (see :mod:`funcsim._internal.cache`), so an
    interrupted comparison goes on where it stopped and a repeated one is read back. Of a measure
    of your own this holds if it has a version.
    Memory is a few (n, n) matrices per layer.

    On a cluster, three lines around the call send the pairs to its workers::

        client = distributed.Client("scheduler-address:8786")
        with joblib.parallel_config(backend="dask"):
            layer_map = fs.compare(reps)

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> x = np.random.default_rng(0).normal(size=(20, 3))
    >>> reps = fs.Representations({"a": x, "rotated": x[:, ::-1], "bent": np.tanh(2 * x)})
    >>> m = fs.compare(reps, measure="rsm")
    >>> m.to_frame().round(2)
                a  rotated  bent
    a        0.00     0.00  0.26
    rotated  0.00     0.00  0.26
    bent     0.26     0.26  0.00
    """
    chosen = look_up(measure)
    check_normalize(normalize)
    if degenerate not in ("raise", "nan"):
        raise ValueError(f"degenerate={degenerate!r} is unknown; use 'raise' or 'nan'")
    if other is not None and other.n_samples != reps.n_samples:
        raise ValueError(
            f"the two models were run on {reps.n_samples} and {other.n_samples} samples; "
            "capture both on the same batches"
        )
    if device is not None and chosen.name != "gw":
        raise ValueError(
            f"device={device!r}: only 'gw' is solved on a device; leave it out for {chosen.name!r}"
        )
    first = _usable(reps, degenerate)
    second = first if other is None else _usable(other, degenerate)
    pairs = [(i, j) for i, j in np.ndindex(len(first), len(second)) if other is not None or i < j]
    _check_widths(chosen, first, second, pairs)

    columns = (reps if other is None else other).names
    places = [
        [names.index(name) for name in used] for names, used in ((reps.names, first), (columns, second))
    ]
    values, lower = (np.full((len(reps), len(columns)), np.nan) for _ in range(2))
    if other is None:
        values[places[0], places[0]], lower[places[0], places[0]] = float(chosen.is_similarity), 0.0
    finished = _solve_pairs(pairs, first, second, chosen, normalize, jobs, device)
    for pair, numbers in progress_bar(finished, "compare", progress, len(pairs)):
        i, j = (side[k] for side, k in zip(places, pair, strict=True))
        values[i, j], lower[i, j] = numbers[0], numbers[-1]
        if other is None:
            values[j, i], lower[j, i] = numbers[0], numbers[-1]
    return LayerMap(
        values=values,
        names=reps.names,
        columns=columns,
        measure=chosen.name,
        normalize=normalize,
        n_samples=reps.n_samples,
        lower=lower if chosen.score_with_bound else None,
        is_similarity=chosen.is_similarity,
    )


def _identity(measure: Measure, device: str | None) -> list[str] | None:
    """What the numbers of a measure depend on, in words; None if that cannot be told."""
    if measure.version is None:
        return None
    if measures().get(measure.name) is measure:
        return [measure.name, measure.version if device is None else batch.VERSION]
    # Another number of words than above: nobody's measure is taken for the library's.
    steps = (measure.prepare, measure.score, measure.score_with_bound)
    return ["not the library's", measure.name, measure.version, *map(_name_of, steps)]


def _name_of(function: Any) -> str:
    inner = function.func if isinstance(function, partial) else function
    return f"{getattr(inner, '__module__', '')}.{getattr(inner, '__qualname__', type(inner).__name__)}"


def _usable(reps: Representations, degenerate: str) -> Layers:
    return {
        name: layer for name, layer in reps.items() if degenerate == "raise" or not is_degenerate(layer, name)
    }


def _check_widths(measure: Measure, first: Layers, second: Layers, pairs: list[Pair]) -> None:
    rows, columns = list(first.items()), list(second.items())
    for i, j in pairs:
        (a, x), (b, y) = rows[i], columns[j]
        check_pair(measure, x.shape, y.shape, a, b)


def _solve_pairs(
    pairs: list[Pair],
    first: Layers,
    second: Layers,
    measure: Measure,
    normalize: Normalize,
    jobs: int | None,
    device: str | None,
) -> Iterator[tuple[Pair, list[float]]]:
    """Yield each pair with its numbers: first those on disk, then the others as they end."""
    identity = _identity(measure, device)
    folder = cache.cache_dir() if identity else None
    row_keys = [digest(layer) for layer in first.values()]
    column_keys = row_keys if second is first else [digest(layer) for layer in second.values()]
    words = [*(identity or []), str(normalize)]
    keys = {(i, j): digest(*words, row_keys[i], column_keys[j]) for i, j in pairs}

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

    if not missing:
        return
    n_samples = len(next(iter(first.values())))
    solved = (
        _one_by_one(missing, rows, columns, measure, jobs, n_samples)
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
    yield from parallel(joblib.delayed(_task)(measure, (i, j), rows[i], columns[j]) for i, j in pairs)


def _task(measure: Measure, pair: Pair, a: Any, b: Any) -> tuple[Pair, list[float]]:
    return pair, list(measure.score_with_bound(a, b)) if measure.score_with_bound else [measure.score(a, b)]
