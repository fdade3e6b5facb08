"""Which measure finds the boundaries of networks whose boundaries are known? (section 5, reviews)

Every network of ``known-boundaries`` is mapped under every measure, cut by the first edition's test and,
once more, into as many groups as it has functions; the cuts are scored against the truth. Guesses that use
no activation are scored with them, and so are networks without what is to be found: the same before
training, and clouds in the place of layers that share with them the spectrum, or the width alone.

The chains of seed 0 are in ``data/``, because chapter 13 acts on them. Of the others only the rows
are: train them with ``make experiments ONLY=known-boundaries SEED=1`` before this.

Taught in chapter 13.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

import funcsim as fs
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import replacing
from funcsim.nulls import random_projection_null, spectrum_matched
from funcsim.representations import Representations
from funcsim.similarity.cca import FullRankWarning
from funcsim.simulated_maps import boundary_f1
from replication.benchmark import first_edition
from replication.map_files import MEASURES
from replication.modular_addition import trained_networks
from replication.modular_addition.map_variants import VARIANTS
from replication.modular_addition.plans import CHAIN_SEEDS as SEEDS
from replication.modular_addition.plans import KNOWN_BOUNDARIES
from replication.run import Experiment, Run, load_result
from replication.stored import Record, store

NAME = "leaderboard"
ROWS = "rows.csv"
#: What becomes of a network's layers, by state; those of a null are drawn with a seed.
NULLS: dict[str, Callable[[Representations, int], Representations]] = {
    "spectrum": spectrum_matched,
    "width": random_projection_null,
}
STATES = ("trained", "untrained", *NULLS)


@dataclass(frozen=True)
class Plan:
    """What is scored.

    Attributes
    ----------
    n_samples, n_inner : int
        Pairs that a map of the stream is made of, and one of the inner layers, which are many.
    n_draws : int
        Such samples of every network, trained or untrained, for the stream; one for the inner
        layers, which the nulls are not asked about, and for the nulls.
    networks, measures : tuple of str
        Of ``known-boundaries``, and of :func:`funcsim.measures`.
    learned : float
        The least accuracy of every part of a chain. One that has not learned its functions is no
        ground truth, and is left out.
    """

    n_samples: int = 200
    n_inner: int = 100
    n_draws: int = 3
    networks: tuple[str, ...] = tuple(KNOWN_BOUNDARIES)
    measures: tuple[str, ...] = MEASURES
    learned: float = 1.0

    def tiny(self) -> Plan:
        """The same plan, small enough for profile `smoke`."""
        few: dict[str, Any] = {"n_samples": 20, "n_inner": 20, "n_draws": 1, "learned": 0.0}
        return replace(self, networks=("1-2",), measures=("euclidean", "rsm", "cka"), **few)


def compute(plan: Plan, run: Run) -> Record:
    """Score all chains of a seed, and rank the measures over all seeds whose rows are there.

    The ranking goes into ``results``, beside the folders of the experiments. The rows of a network that
    is done are resumed.
    """
    accuracies = {name: _accuracy(name, run.profile, run.seed) for name in plan.networks}
    scored = [
        (name, state, draw)
        for name, accuracy in accuracies.items()
        if accuracy >= plan.learned
        for state in STATES
        for draw in range(1 if state in NULLS else plan.n_draws)
    ]
    tables = [_cached(*one, plan, run) for one in progress_bar(scored, NAME, run.progress)]
    rows = pd.concat(tables, ignore_index=True)
    _write(run.folder / ROWS, rows.drop(columns="seconds"))
    record = run.store(
        [ROWS],
        {f"accuracy of {name}": accuracy for name, accuracy in accuracies.items()},
        parameters=asdict(plan),
        encoder=f"{rows['network'].nunique()} chains of transformers whose boundaries are known",
        data=f"{plan.n_samples} of all pairs, {plan.n_draws} times",
        seconds=float(rows["seconds"].sum()),
        device="cpu",
    )
    _rank(run.folder.parents[1], record)
    return record


def _accuracy(name: str, profile: str, seed: int) -> float:
    """The lowest of a chain's parts, on the training and on the validation pairs."""
    stages = trained_networks.load(f"known-boundaries/{name}", profile, seed).stage_accuracies()
    return min(accuracy for stage in stages for accuracy in stage)


def _rank(out: Path, record: Record) -> None:
    """Store the ranking over every seed whose rows are in `out`; its record is that of the last run."""
    rows = pd.concat([_rows_in(folder) for folder in sorted((out / NAME).glob("seed-*"))], ignore_index=True)
    _write(out / "results" / "leaderboard.csv", ranking(rows))
    fields = {k: v for k, v in vars(record).items() if k not in ("commit", "versions", "files")}
    fields["parameters"] = record.parameters | {"seeds": rows["seed"].unique().tolist()}
    store(out / "results", ["leaderboard.csv"], **fields)


def _rows_in(folder: Path) -> pd.DataFrame:
    rows = pd.read_csv(folder / ROWS, dtype={"network": str})
    return rows.assign(seed=int(folder.name.removeprefix("seed-")))


def read(folder: Path, record: Record) -> tuple[pd.DataFrame, str]:
    """The rows in a folder, and in one line where they come from."""
    return _rows_in(folder), str(record)


EXPERIMENTS = {NAME: Experiment(NAME, NAME, Plan(), compute, read, seeds=SEEDS)}


def load(profile: str = "laptop", seeds: Sequence[int] = SEEDS) -> tuple[pd.DataFrame, str]:
    """The rows of all seeds, and where they come from; errors as of :func:`replication.run.load_result`."""
    rows, origins = zip(*(load_result(EXPERIMENTS, NAME, profile, seed) for seed in seeds), strict=True)
    return pd.concat(rows, ignore_index=True), "\n".join(origins)


def ranking(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per set of layers and measure, the best first: means over trained networks, seeds, samples."""
    scores = ["exact", "f1", "ari", "f1 given K", "ari given K"]
    trained = rows[rows["state"] == "trained"].astype(dict.fromkeys(scores, float))
    table = trained.groupby(["layers", "measure"])[scores].mean().reset_index()
    return table.sort_values(["layers", "f1 given K", "f1"], ascending=[False, False, False]).round(4)


def _cached(name: str, state: str, draw: int, plan: Plan, run: Run) -> pd.DataFrame:
    """The rows of one sample of one network, from an interrupted run if it had come so far."""
    weights = trained_networks.load(f"known-boundaries/{name}", run.profile, run.seed).weights_digest
    path = run.resume("rows.csv", [name, state, draw, asdict(plan), weights])
    if path and path.exists():
        return pd.read_csv(path, dtype={"network": str})
    rows = _rows(name, state, draw, run.seed, plan, run.profile)
    if path:
        _write(path, rows)
    return rows


def _write(path: Path, table: pd.DataFrame) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def layers_of(names: tuple[str, ...], which: str) -> list[str]:
    """The layers of a chain: its stream, each state once; or all, one head for all four.

    Parameters
    ----------
    names : tuple of str
        All of them, such as ``parts.0.blocks.1.resid_pre``.
    which : {"stream", "inner"}
    """
    again = [name for name in names if name.endswith("resid_pre") and ".blocks.0." not in name]
    kept = [name for name in names if name not in again]  # the same tensor as the end of the block before
    if which == "stream":
        return [name for name in kept if "resid" in name]
    return [name for name in kept if name[-2:] not in (".1", ".2", ".3")]


def starts(names: list[str]) -> tuple[int, ...]:
    """Where a new function begins: the first layer of every part but the first."""
    parts = [name.split(".")[1] for name in names]
    return tuple(k for k in range(1, len(parts)) if parts[k] != parts[k - 1])


def _rows(name: str, state: str, draw: int, seed: int, plan: Plan, profile: str) -> pd.DataFrame:
    began = time.perf_counter()
    trained = trained_networks.load(f"known-boundaries/{name}", profile, seed)
    model = trained.plan.network(seed).eval() if state == "untrained" else trained.model
    reps = fs.capture(model, [trained.pairs], pool="last", progress=False)
    rows = []
    for which, n in {"stream": plan.n_samples, "inner": plan.n_inner}.items():
        if which == "inner" and (draw > 0 or state in NULLS):
            continue
        chosen = reps.select(layers_of(reps.names, which)).subsample(min(n, reps.n_samples), draw)
        chosen = NULLS[state](chosen, draw) if state in NULLS else chosen
        equal = len({layer.shape[1] for layer in chosen.values()}) == 1
        fitting = [key for key in plan.measures if equal or not fs.measures()[key].requires_equal_dim]
        scores = {
            key: _measured(chosen, partial(fs.compare, measure=key, degenerate="nan", progress=False))
            for key in fitting
        }
        if which == "stream" and state == "trained" and draw == 0:
            scores |= {key: _measured(chosen, make) for key, make in VARIANTS.items()}
        scores |= {
            f"guess: {key}": _scored(cuts, cuts, list(chosen.names)) for key, cuts in guesses(chosen).items()
        }
        rows += [
            {"network": name, "state": state, "draw": draw, "layers": which, "measure": key} | score
            for key, score in scores.items()
        ]
    return pd.DataFrame(rows).assign(seconds=(time.perf_counter() - began) / len(rows))


def _measured(reps: Representations, make: Callable[[Representations], fs.LayerMap]) -> dict[str, object]:
    """Scores of a map; none if it compares some layers with nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FullRankWarning)  # said in chapter 03
        layer_map = make(reps)
    return {} if np.isnan(layer_map.values).any() else score(layer_map)


def score(layer_map: fs.LayerMap) -> dict[str, object]:
    """How well a map of a chain's layers finds its functions.

    Parameters
    ----------
    layer_map : LayerMap
        Of layers with names such as ``parts.0.blocks.1.resid_mid``.

    Returns
    -------
    dict
        The p-value of the test's cuts; how many functions there are and how many blocks it finds;
        whether its cuts are those of the functions, and how nearly, as F1 and as adjusted Rand
        index; the same two of the best cuts into as many blocks as there are functions.
    """
    true = starts(list(layer_map.names))
    found, p_value = first_edition.tested(layer_map)
    given = first_edition.into(layer_map, len(true) + 1)
    return {"p": p_value} | _scored(found, given, list(layer_map.names))


def guesses(reps: Representations) -> dict[str, tuple[int, ...]]:
    """Cuts that use no activation: none; as many as there are functions, evenly; at every block; at every
    change of width."""
    names, n = list(reps.names), len(reps)
    k = len(starts(names)) + 1
    blocks = [".".join(name.split(".")[:4]) for name in names]
    widths = [layer.shape[1] for layer in reps.values()]
    return {
        "one block": (),
        "equal blocks": tuple(round(i * n / k) for i in range(1, k)),
        "every block": tuple(i for i in range(1, n) if blocks[i] != blocks[i - 1]),
        "widths": tuple(i for i in range(1, n) if widths[i] != widths[i - 1]),
    }


def _scored(cuts: tuple[int, ...], given: tuple[int, ...], names: list[str]) -> dict[str, object]:
    """How well boundaries fit the truth: those that were found, and those for the right number of blocks."""
    true, n = starts(names), len(names)
    found, best, truth = (np.searchsorted(at, np.arange(n), side="right") for at in (cuts, given, true))
    return {
        "K": len(true) + 1,
        "K found": len(cuts) + 1,
        "exact": cuts == true,
        "f1": boundary_f1(cuts, true),
        "ari": adjusted_rand_score(truth, found),
        "f1 given K": boundary_f1(given, true),
        "ari given K": adjusted_rand_score(truth, best),
    }
