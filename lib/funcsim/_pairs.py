"""Pairs of layers, each solved once: read back from disk, or in parallel, a tile of layers at a time.

Taught in chapter 06.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from numpy.typing import NDArray

from funcsim._internal import cache
from funcsim._internal.hashing import digest
from funcsim._internal.memory import nbytes
from funcsim._internal.workers import task
from funcsim.geometry import Normalize
from funcsim.gromov import batch
from funcsim.similarity import Measure, measures

Pair = tuple[int, int]
Layers = Mapping[str, NDArray[np.float32]]

#: Pairs times squared samples above which several processes are quicker than one.
WORTH_PROCESSES = 2_000_000
#: Of prepared layers; beyond it they are prepared tile by tile, some of them several times.
HELD_BYTES = 2 * 2**30


def solve_pairs(
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

    rows, columns = list(first.items()), list(second.items())
    if not pairs:  # nothing to compare, but what a layer is refused for is said
        for name, layer in rows:
            measure.prepare(layer, normalize, name)
        return
    n_samples = len(rows[0][1])
    prepared: dict[tuple[int, int], Any] = {}  # by side, 0 or 1, and layer
    for tile in tiles_of(pairs, layers_at_once(measure, rows[0], normalize)):
        needed = {(0, i) for i, _ in tile} | {(int(second is not first), j) for _, j in tile}
        prepared = {k: value for k, value in prepared.items() if k in needed}
        for side, k in sorted(needed - prepared.keys()):
            name, layer = (rows, columns)[side][k]
            # What a layer cannot be compared for must be said even if every pair is on disk.
            prepared[side, k] = measure.prepare(layer, normalize, name)
        missing = []
        for pair in tile:
            stored = cache.read(folder, keys[pair])
            if stored is None:
                missing.append(pair)
            else:
                yield pair, stored
        if not missing:
            continue
        left = {i: prepared[0, i] for i, _ in missing}
        right = {j: prepared[int(second is not first), j] for _, j in missing}
        solved = (
            _one_by_one(missing, left, right, measure, jobs, n_samples)
            if device is None
            else _on_device(missing, left, right, device)
        )
        for pair, numbers in solved:
            cache.write(folder, keys[pair], numbers)
            yield pair, numbers


def layers_at_once(measure: Measure, layer: tuple[str, NDArray[np.float32]], normalize: Normalize) -> int:
    """How many prepared layers fit into the memory that a comparison may hold, of each side."""
    name, points = layer
    return max(1, HELD_BYTES // (2 * max(1, nbytes(measure.prepare(points, normalize, name)))))


def tiles_of(pairs: list[Pair], side: int) -> list[list[Pair]]:
    """The pairs, in groups that need at most `side` layers on the left and as many on the right."""
    tiles: dict[Pair, list[Pair]] = {}
    for i, j in pairs:
        tiles.setdefault((i // side, j // side), []).append((i, j))
    return list(tiles.values())


def _on_device(
    pairs: list[Pair], left: dict[int, Any], right: dict[int, Any], device: str
) -> Iterator[tuple[Pair, list[float]]]:
    """Many pairs at once; `solve_batch` counts the layers that it is given from 0."""
    places = [{k: at for at, k in enumerate(side)} for side in (left, right)]
    local = [(places[0][i], places[1][j]) for i, j in pairs]
    found = batch.solve_batch([*left.values()], [*right.values()], local, device)
    for pair, (_, numbers) in zip(pairs, found, strict=True):
        yield pair, numbers


def _one_by_one(
    pairs: list[Pair],
    left: dict[int, Any],
    right: dict[int, Any],
    measure: Measure,
    jobs: int | None,
    n: int,
) -> Iterator[tuple[Pair, list[float]]]:
    """Each pair a task of joblib, on whatever backend is active."""
    on_this_machine = type(get_active_backend()[0]).__name__ == "LokyBackend"
    if jobs is None and on_this_machine:
        # Starting processes takes seconds, longer than all pairs of a small cloud.
        jobs = joblib.cpu_count() if len(pairs) * n**2 > WORTH_PROCESSES else 1
    one_by_one = getattr(get_active_backend()[0], "supports_return_generator", False)
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered" if one_by_one else "list")
    yield from parallel(task(_solve, measure, (i, j), left[i], right[j]) for i, j in pairs)


def _solve(measure: Measure, pair: Pair, a: Any, b: Any) -> tuple[Pair, list[float]]:
    return pair, list(measure.score_with_bound(a, b)) if measure.score_with_bound else [measure.score(a, b)]


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
