"""The solver against its peers: cost reached and time taken, pair by pair, on one thread.

Every pair is given to every solver in turn, in one process, so that all meet the same machine; times are
seconds of the processor. Peers: those of :mod:`benchmarks.rivals`, as far as they are installed. Times of
ours are per pair, with its lower bounds, at each effort; what is computed once per layer is counted beside
it. Each pair is written to disk as soon as it is measured: an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import itertools
import json
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import gw_tables, rivals
from benchmarks.layers import sources
from funcsim._internal.threads import one_thread
from funcsim._internal.typing import Array
from funcsim.geometry import distance_matrix
from funcsim.gromov.bounds import best_lower_bound
from funcsim.gromov.coupling import cost, from_permutation
from funcsim.gromov.effort import EFFORTS, Effort, default_starts
from funcsim.gromov.solver import VERSION, descents
from funcsim.gromov.space import MetricSpace, comes_first, from_the_middle, prepare

OUT = Path("_build/bench/gw.json")
#: Samples and pairs per kind of layers. The large ones cost minutes a pair.
SIZES = {"full": {64: 10, 128: 20, 256: 20, 512: 8, 1000: 2, 2000: 1}, "smoke": {32: 3, 64: 3}}
PACKAGES = ("POT", "ott-jax", "jax", "cajal", "torchgw", "scipy", "numpy", "torch")


def run(profile: str = "full", seed: int = 0, out: Path = OUT) -> pd.DataFrame:
    """Measure, print tables, write `out`, and return one row per pair."""
    began = time.perf_counter()
    kinds, missing = sources(profile, seed, max(SIZES[profile]))
    solvers, skipped = rivals.at_hand()
    told = {
        "machine": platform.processor() or platform.machine(),
        "threads": 1,
        "engine": VERSION,
        "versions": {name: _version(name) for name in PACKAGES},
        "profile": profile,
        "seed": seed,
        "skipped": skipped | missing,
    }
    known = _Journal(out.with_suffix(".jsonl"), told)
    with one_thread():
        for (n, n_pairs), (kind, layers) in itertools.product(SIZES[profile].items(), kinds.items()):
            for key, (D1, D2) in chosen_pairs(kind, layers, n, n_pairs, seed):
                if key not in known:
                    known.add(key, theirs(D1, D2, solvers) | ours(D1, D2))
            print(f"{kind}, n = {n}: done", flush=True)
    pairs = pd.DataFrame(known.rows())
    document = told | {"seconds": round(time.perf_counter() - began, 1)} | gw_tables.all_of(pairs)
    out.write_text(json.dumps(document | {"pairs": known.rows()}, indent=1, default=float))
    gw_tables.show(document)
    print(f"written to {out}")
    return pairs


class _Journal:
    """The pairs measured so far, one a line, under a first line that says how."""

    def __init__(self, path: Path, told: dict) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        first = json.dumps(told)
        lines = path.read_text().splitlines() if path.is_file() else []
        if not lines or lines[0] != first:
            path.write_text(first + "\n")
            lines = [first]
        self.path, self.lines = path, [json.loads(line) for line in lines[1:]]

    def __contains__(self, key: dict) -> bool:
        return any(line.items() >= key.items() for line in self.lines)

    def add(self, key: dict, measured: dict) -> None:
        self.lines.append(key | measured)
        with self.path.open("a") as file:
            file.write(json.dumps(self.lines[-1], default=float) + "\n")

    def rows(self) -> list[dict]:
        return self.lines


def chosen_pairs(
    kind: str, layers: Callable[[int], list[Array]], n: int, n_pairs: int, seed: int
) -> Iterator[tuple[dict, tuple[Array, Array]]]:
    """Random pairs of different layers: what they are, and their distance matrices (n, n)."""
    clouds = layers(n)
    every = list(itertools.combinations(range(len(clouds)), 2))
    for k in np.random.default_rng(seed).permutation(len(every))[:n_pairs]:
        i, j = every[k]
        D1, D2 = distance_matrix(clouds[i]), distance_matrix(clouds[j])
        yield {"layers": kind, "n": len(D1), "first": i, "second": j}, (D1, D2)


def theirs(D1: Array, D2: Array, solvers: dict[str, rivals.Solver]) -> dict[str, float]:
    """Cost and seconds of every rival, and the cost of matching each sample with itself."""
    row = {"identity_cost": cost(D1, D2, from_permutation(np.arange(len(D1))))}
    for name, solver in solvers.items():
        if len(D1) > rivals.MOST_POINTS.get(name, len(D1)):
            continue
        if name in rivals.COMPILED:  # once per size, and not what a second pair would wait for
            solver(D1, D2)
        plan, seconds = _timed(lambda: solver(D1, D2))  # noqa: B023
        row |= {f"{name}: seconds": seconds, f"{name}: cost": rivals.reached(D1, D2, plan)}
    return row


def ours(D1: Array, D2: Array) -> dict[str, float | list]:
    """Cost and seconds of one pair at each effort, and how the cost fell meanwhile."""
    (a, b), preparing = _timed(lambda: (prepare(D1), prepare(D2)))
    row: dict[str, float | list] = {"preparing_seconds": preparing / 2}
    if not comes_first(a, b):
        a, b = b, a
    for effort in EFFORTS:
        trace, bound = search(a, b, effort)
        row |= {
            f"{effort}: seconds": trace[-1][0],
            f"{effort}: cost": trace[-1][1],
            f"{effort}: trace": trace,
        }
    return row | {"lower_bound": bound}


def search(a: MetricSpace, b: MetricSpace, effort: Effort) -> tuple[list[list[float]], float]:
    """What :func:`funcsim.gromov.solver.solve` does, with the clock stopped while its cost is read.

    Returns
    -------
    trace : list of [seconds, cost]
        After each descent, and last with the lower bound.
    bound : float
        No coupling has a distance below it.
    """
    (a, b), spent = _timed(lambda: (from_the_middle(a), from_the_middle(b)))
    steps, trace = descents(a, b, default_starts(a.n, effort), effort=effort), []
    while True:
        found, seconds = _timed(lambda: next(steps, None))
        spent += seconds
        if found is None:
            break
        trace.append([spent, cost(a.distances, b.distances, from_permutation(found[0]))])
    bound, seconds = _timed(lambda: best_lower_bound(a, b))
    return [*trace, [spent + seconds, trace[-1][1]]], bound


def _timed(call: Callable) -> tuple:
    began = time.process_time()
    result = call()
    return result, time.process_time() - began


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
