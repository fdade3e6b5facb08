"""Pairs of layers, each solved once: read back from disk, or in parallel, a tile of layers at a time.

Taught in chapter 06.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
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
from funcsim.gromov.effort import Effort
from funcsim.similarity import Measure, effort_of, is_of_library

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
    far: dict[Pair, float] | None = None,
) -> Iterator[tuple[Pair, list[float]]]:
    """Yield each pair with its numbers: first those on disk, then the others as they end.

    Of the pairs `far` a lower bound is written into it, while their layers are at hand.
    """
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
    far = {} if far is None or measure.bound is None else far
    at_once = layers_at_once(nbytes(measure.prepare(rows[0][1], normalize, rows[0][0])))
    for tile in tiles_of(sorted([*pairs, *far]), at_once):
        needed = {(0, i) for i, _ in tile} | {(int(second is not first), j) for _, j in tile}
        prepared = {k: value for k, value in prepared.items() if k in needed}
        for side, k in sorted(needed - prepared.keys()):
            name, layer = (rows, columns)[side][k]
            # What a layer cannot be compared for must be said even if every pair is on disk.
            prepared[side, k] = measure.prepare(layer, normalize, name)
        missing = []
        for pair in tile:
            if pair in far:
                assert measure.bound is not None
                far[pair] = measure.bound(prepared[0, pair[0]], prepared[0, pair[1]])
                continue
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
            else _on_device(missing, left, right, device, effort_of(measure) or "usual")
        )
        for pair, numbers in solved:
            cache.write(folder, keys[pair], numbers)
            yield pair, numbers


def compared_pairs(n_layers: int, within: int | None = None) -> list[Pair]:
    """Pairs of the layers of one model: all, or those that are near, and some of the others."""
    return [
        (i, j)
        for i in range(n_layers)
        for j in range(i + 1, n_layers)
        if within is None or j - i <= within or i % (within + 1) == j % (within + 1) == 0
    ]


def layers_at_once(layer_bytes: int) -> int:
    """How many prepared layers fit into the memory that a comparison may hold, of each side."""
    return max(1, HELD_BYTES // (2 * max(1, layer_bytes)))


def tiles_of(pairs: list[Pair], side: int) -> list[list[Pair]]:
    """The pairs, in groups that need at most `side` layers on the left and as many on the right."""
    tiles: dict[Pair, list[Pair]] = {}
    for i, j in pairs:
        tiles.setdefault((i // side, j // side), []).append((i, j))
    return list(tiles.values())


def preparations(pairs: list[Pair], layer_bytes: int) -> tuple[int, int]:
    """How often a layer of one model is prepared in all, and how many are held at one time at most."""
    held: set[int] = set()
    made = most = 0
    for tile in tiles_of(pairs, layers_at_once(layer_bytes)):
        needed = {*chain(*tile)}
        made, most, held = made + len(needed - held), max(most, len(needed)), needed
    return made, most


def _on_device(
    pairs: list[Pair], left: dict[int, Any], right: dict[int, Any], device: str, effort: Effort
) -> Iterator[tuple[Pair, list[float]]]:
    """Many pairs at once; `solve_batch` counts the layers that it is given from 0."""
    places = [{k: at for at, k in enumerate(side)} for side in (left, right)]
    local = [(places[0][i], places[1][j]) for i, j in pairs]
    found = batch.solve_batch([*left.values()], [*right.values()], local, device, effort)
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
    if is_of_library(measure):
        on_device = f"{batch.VERSION} {effort_of(measure)}"
        return [measure.name, measure.version if device is None else on_device]
    # Another number of words than above: nobody's measure is taken for the library's.
    steps = (measure.prepare, measure.score, measure.score_with_bound)
    return ["not the library's", measure.name, measure.version, *map(_name_of, steps)]


def _name_of(function: Any) -> str:
    inner = function.func if isinstance(function, partial) else function
    return f"{getattr(inner, '__module__', '')}.{getattr(inner, '__qualname__', type(inner).__name__)}"
