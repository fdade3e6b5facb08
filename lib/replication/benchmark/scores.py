"""Scores of every entrant on every network whose boundaries are known: rows of a table (claim C33, reviews).

The protocol is in ``PROTOCOL.md``, beside this file. Taught in chapter 13.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import replacing
from funcsim.simulated_maps import boundary_f1
from replication.benchmark.entrants import MEASURES, Found, entrants
from replication.benchmark.precision import average_precision, skill
from replication.known.designs import FAMILIES
from replication.known.networks import SEEDS, KnownLayers, load, load_all
from replication.run import Experiment, Run, load_result
from replication.stored import Record

NAME = "boundaries"
ROWS = "rows.csv.gz"
TOLERANCES = (0, 1)


@dataclass(frozen=True)
class Plan:
    """What is scored: sets of layers (of ``replication.known.networks.LAYERS``), measures, families.

    With "all" among the sets, the hidden layers have to be here, which a copy of the repository lacks.
    """

    layers: tuple[str, ...] = ("ends", "stream", "all")
    measures: tuple[str, ...] = MEASURES
    families: tuple[str, ...] = tuple(FAMILIES)

    def tiny(self) -> Plan:
        """The same plan for three families and two measures."""
        return replace(
            self, layers=("ends",), measures=("rsm", "cka"), families=("chains", "streams", "handed-on")
        )


def row(known: KnownLayers, found: Found) -> dict[str, object]:
    """The scores of what an entrant says of a network.

    Parameters
    ----------
    known : KnownLayers
        With the layers that the entrant was shown.
    found : Found

    Returns
    -------
    dict
        "K", how many functions follow one another. With two or more: "skill 0" and "skill 1", by their
        tolerance; "exact", "f1", "ari" of the cuts; "f1 given K", "ari given K". With one: "alarm", whether
        there is any cut, and if it has stages "skill 0" and "skill 1" as if their starts were boundaries.
        None where the entrant does not say.
    """
    true, n = known.starts, len(known.reps)
    scores: dict[str, object] = {"K": len(true) + 1}
    for tolerance in TOLERANCES:
        says = found.evidence is not None and known.stage_starts
        scores[f"skill {tolerance}"] = _skill(found, known.stage_starts, n, tolerance) if says else None
    if not true:
        return scores | {"alarm": None if found.cuts is None else float(found.cuts != ())}
    for suffix, cuts in (("", found.cuts), (" given K", found.given)):
        scores[f"f1{suffix}"] = None if cuts is None else boundary_f1(cuts, true)
        scores[f"ari{suffix}"] = None if cuts is None else _ari(cuts, true, n)
    return scores | {"exact": None if found.cuts is None else float(found.cuts == true)}


def _skill(found: Found, true: tuple[int, ...], n: int, tolerance: int) -> float:
    assert found.evidence is not None
    return float(skill(average_precision(found.evidence, true, tolerance), n - 1, true, tolerance))


def _ari(cuts: tuple[int, ...], true: tuple[int, ...], n: int) -> float:
    one, other = (np.searchsorted(at, np.arange(n), side="right") for at in (cuts, true))
    return float(adjusted_rand_score(one, other))


def rows_of(known: KnownLayers, layers: str, measures: tuple[str, ...] = MEASURES) -> pd.DataFrame:
    """The rows of all entrants on one network.

    Parameters
    ----------
    known : KnownLayers
    layers : str
        Which of its layers are shown: one of ``replication.known.networks.LAYERS``.
    measures : tuple of str
    """
    shown = known.only(layers).unnamed()
    found = [
        {"layers": layers, "sort": sort, "entrant": name} | row(shown, says)
        for sort, name, says in entrants(shown, measures, layers == "ends")
    ]
    return pd.DataFrame(found).assign(**told(shown))


def told(known: KnownLayers) -> dict[str, object]:
    """What a row says of its network: whether it has learned, its parts, and where its stages start."""
    return {
        "learned": known.learned,
        "parts": len(set(known.parts)),
        "places": len(known.reps) - 1,
        "starts": " ".join(map(str, known.stage_starts)),
    }


def compute(plan: Plan, run: Run) -> Record:
    """Score all networks of a seed; networks that are done are resumed."""
    tables: list[pd.DataFrame] = []
    for family in plan.families:
        inner = "all" in plan.layers
        known_set = load_all(family, run.seed) if inner else load(family, run.profile, run.seed)
        for name, known in progress_bar(list(known_set.networks.items()), family, run.progress):
            where = {"family": family, "network": name, "seed": run.seed}
            for layers in plan.layers:
                key = [*where.values(), layers, plan.measures, known_set.record and known_set.record.files]
                path = run.resume(ROWS, key)
                if path and path.exists():
                    tables.append(_read_rows(path))
                    continue
                began = time.process_time()
                table = rows_of(known, layers, plan.measures)
                for at, (column, value) in enumerate(where.items()):
                    table.insert(at, column, value)
                table["seconds"] = (time.process_time() - began) / len(table)
                if path:
                    _write(path, table)
                tables.append(table)
    rows = pd.concat(tables, ignore_index=True)
    _write(run.folder / ROWS, rows.drop(columns="seconds"))
    return run.store(
        [ROWS],
        {"networks": float(len(rows[["family", "network"]].drop_duplicates()))},
        parameters=asdict(plan),
        encoder="networks whose boundaries are known, of the families " + ", ".join(plan.families),
        data="the inputs kept of each of them",
        seconds=float(rows["seconds"].sum()),
        device="cpu",
    )


def _write(path: Path, table: pd.DataFrame) -> None:
    text = table.to_csv(index=False, float_format="%.5g")
    with replacing(path) as temporary:  # without the time, so that equal rows are equal files
        temporary.write_bytes(gzip.compress(text.encode(), mtime=0))


def _read_rows(path: Path) -> pd.DataFrame:
    dtype = {"network": str, "starts": str}
    return pd.read_csv(path, dtype=dtype, keep_default_na=True, compression="gzip")


def read(folder: Path, record: Record) -> tuple[pd.DataFrame, str]:
    """The rows in a folder, and in one line where they come from."""
    return _read_rows(folder / ROWS), str(record)


EXPERIMENTS = {NAME: Experiment(NAME, NAME, Plan(), compute, read, seeds=SEEDS)}


def load_rows(profile: str = "laptop", seeds: Iterable[int] = SEEDS) -> pd.DataFrame:
    """The rows of some seeds; errors as of :func:`replication.run.load_result`."""
    tables = [load_result(EXPERIMENTS, NAME, profile, seed)[0] for seed in seeds]
    return pd.concat(tables, ignore_index=True)


def origins(profile: str = "laptop", seeds: Iterable[int] = SEEDS) -> str:
    """Where the rows of some seeds come from, one line for each."""
    return "\n".join(load_result(EXPERIMENTS, NAME, profile, seed)[1] for seed in seeds)
