"""The search against its peers: cost reached and time taken, pair by pair, on one thread (section 3.2).

Every pair is given to every solver in turn, in one process, so that all meet the same machine; times are
seconds of the processor. Peers: those of :mod:`replication.search.rivals`, as far as they are installed.
Times of ours are per pair, with its lower bounds, at each effort; what is computed once per layer is
counted beside it. Each pair is written to disk as soon as it is measured.

Taught in chapter 02.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from funcsim._internal.storage import replacing
from funcsim._internal.threads import one_thread
from funcsim._internal.typing import Array
from funcsim.geometry import distance_matrix
from funcsim.gromov.bounds import best_lower_bound
from funcsim.gromov.coupling import cost, from_permutation
from funcsim.gromov.effort import EFFORTS, Effort, default_starts
from funcsim.gromov.solver import VERSION, descents
from funcsim.gromov.space import MetricSpace, comes_first, from_the_middle, prepare
from replication.run import Experiment, Run, Stored, load_result
from replication.search import rivals
from replication.search.layers import Layers, sources
from replication.search.memory import peaks
from replication.stored import Record

NAME, LARGE = "search", "search-large"
FILE = "pairs.jsonl"
MEMORY = "MiB, "
PACKAGES = ("POT", "ott-jax", "jax", "cajal", "torchgw", "scipy", "numpy", "torch")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes
    ----------
    pairs : tuple of (int, int)
        Numbers of samples, and how many pairs of each kind of layers. The large ones cost minutes a pair.
    real : bool
        Whether real images and texts are among the layers, where they are at hand.
    remembered : int
        Numbers of samples of the pair on which memory is measured.
    held_by : tuple of str, optional
        Whose; None takes all that are at hand.
    """

    pairs: tuple[tuple[int, int], ...] = ((64, 10), (128, 20), (256, 20), (512, 8), (1000, 2))
    real: bool = True
    remembered: int = 1000
    held_by: tuple[str, ...] | None = None

    def tiny(self) -> Plan:
        """The same plan, small enough for profile `smoke`."""
        return replace(self, pairs=((32, 2), (48, 2)), real=False, remembered=48, held_by=("POT", "usual"))


@dataclass(frozen=True, kw_only=True, repr=False)
class Measured(Stored):
    """What was measured.

    Attributes
    ----------
    pairs : DataFrame
        One row per pair: "layers", "n", "first", "second"; for each solver "<name>: cost" and
        "<name>: seconds"; for each effort "<effort>: trace", a list of [seconds, cost]; "identity_cost",
        "lower_bound" and "preparing_seconds".
    skipped : dict of str
        Solvers and layers that were not at hand, and why.
    memory : dict of str to float
        MiB that a solver takes on one pair beyond its distance matrices; see
        :func:`replication.search.memory.peaks`.
    """

    pairs: pd.DataFrame
    skipped: dict[str, str]
    memory: dict[str, float]


def compute(plan: Plan, run: Run) -> Record:
    """Measure every pair that an earlier run has not measured, and store the rows."""
    kinds, missing = sources(plan.real, "smoke" if run.smoke else "laptop", run.seed, plan.pairs[-1][0])
    solvers, without = rivals.at_hand()
    skipped = without | missing
    parameters = asdict(plan) | {"engine": VERSION, "skipped": skipped}
    parameters |= {"versions": {name: _version(name) for name in PACKAGES}}
    journal = _Journal(run.resume(FILE, parameters))
    with one_thread():
        for (n, n_pairs), (kind, layers) in itertools.product(plan.pairs, kinds.items()):
            for key, (D1, D2) in chosen_pairs(kind, layers, n, n_pairs, run.seed):
                if key not in journal:
                    journal.add(key | theirs(D1, D2, solvers) | ours(D1, D2))
            if run.progress:
                print(f"{kind}, n = {n}: done", flush=True)
        run.folder.mkdir(parents=True, exist_ok=True)
        with replacing(run.folder / FILE) as temporary:
            temporary.write_text("".join(json.dumps(row) + "\n" for row in journal.rows))
        seconds = sum(
            value for row in journal.rows for key, value in row.items() if key.endswith(": seconds")
        )
        record = run.store(
            [FILE],
            {"pairs": float(len(journal.rows))}
            | {f"{MEMORY}{name}": mib for name, mib in peaks(plan.remembered, plan.held_by).items()},
            parameters=parameters,
            encoder=", ".join(kinds),
            data="of each kind of layers as many samples as are named",
            seconds=seconds,
            device="cpu",
        )
    run.forget()
    return record


class _Journal:
    """The rows measured so far; with a path, one a line in a file."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.rows = path, list[dict[str, Any]]()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
            self.rows = [json.loads(line) for line in lines if line.endswith("\n")]  # the last may be torn

    def __contains__(self, key: dict[str, Any]) -> bool:
        return any(row.items() >= key.items() for row in self.rows)

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        if self.path is not None:
            with replacing(self.path) as temporary:
                temporary.write_text("".join(json.dumps(row) + "\n" for row in self.rows))


def chosen_pairs(
    kind: str, layers: Layers, n: int, n_pairs: int, seed: int
) -> Iterator[tuple[dict[str, Any], tuple[Array, Array]]]:
    """Random pairs of different layers: what they are, and their distance matrices (n, n)."""
    clouds = layers(n)
    every = list(itertools.combinations(range(len(clouds)), 2))
    for k in np.random.default_rng(seed).permutation(len(every))[:n_pairs]:
        i, j = every[k]
        D1, D2 = distance_matrix(clouds[i]), distance_matrix(clouds[j])
        yield {"layers": kind, "n": len(D1), "first": i, "second": j}, (D1, D2)


def theirs(D1: Array, D2: Array, solvers: dict[str, rivals.Solver]) -> dict[str, Any]:
    """Cost and seconds of every rival, and the cost of matching each sample with itself."""
    row = {"identity_cost": cost(D1, D2, from_permutation(np.arange(len(D1))))}
    for name, solver in solvers.items():
        if len(D1) > rivals.MOST_POINTS.get(name, len(D1)):
            continue
        rivals.make_ready(name, len(D1))
        plan, seconds = _timed(lambda: solver(D1, D2))  # noqa: B023
        row |= {f"{name}: seconds": seconds, f"{name}: cost": rivals.reached(D1, D2, plan)}
    return row


def ours(D1: Array, D2: Array) -> dict[str, Any]:
    """Cost and seconds of one pair at each effort, and how the cost fell meanwhile."""
    (a, b), preparing = _timed(lambda: (prepare(D1), prepare(D2)))
    row: dict[str, Any] = {"preparing_seconds": preparing / 2}
    if not comes_first(a, b):
        a, b = b, a
    for effort in EFFORTS:
        trace, bound = search(a, b, effort)
        seconds, lowest = trace[-1]
        row |= {f"{effort}: seconds": seconds, f"{effort}: cost": lowest, f"{effort}: trace": trace}
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
    steps = descents(a, b, default_starts(a.n, effort), effort=effort)
    trace: list[list[float]] = []
    while True:
        found, seconds = _timed(lambda: next(steps, None))
        spent += seconds
        if found is None:
            break
        trace.append([spent, cost(a.distances, b.distances, from_permutation(found[0]))])
    bound, seconds = _timed(lambda: best_lower_bound(a, b))
    return [*trace, [spent + seconds, trace[-1][1]]], bound


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    result = call()
    return result, time.process_time() - began


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def read(folder: Path, record: Record) -> Measured:
    """The rows of a folder."""
    rows = [json.loads(line) for line in (folder / FILE).read_text().splitlines()]
    memory = {
        name.removeprefix(MEMORY): mib for name, mib in record.results.items() if name.startswith(MEMORY)
    }
    return Measured(
        record=record, pairs=pd.DataFrame(rows), skipped=record.parameters["skipped"], memory=memory
    )


PLANS = {
    NAME: Plan(),
    # A pair takes minutes: one of each kind, to see how time, cost and memory grow.
    LARGE: Plan(pairs=((2000, 1),), remembered=2000),
}
EXPERIMENTS = {name: Experiment(name, NAME, plan, compute, read) for name, plan in PLANS.items()}


def load(profile: str = "laptop", seed: int = 0, name: str = NAME) -> Measured:
    """What is stored; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, name, profile, seed)
