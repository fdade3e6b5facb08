"""How often are chains without a boundary cut, and how often are planted boundaries found (claim C36)?

Level: simulated chains without a boundary, and networks that have learned nothing. Power: simulated
chains with boundaries. :func:`funcsim.partition` stands beside the rival rules of
:mod:`replication.benchmark.rules`, on the same maps.

Taught in chapter 06.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import funcsim as fs
from funcsim import simulated_maps
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import replacing
from replication.benchmark.known_chains import Rule, chains, is_exact, quietly
from replication.benchmark.rules import RULES
from replication.benchmark.untrained_networks import chain_maps, transformer_maps
from replication.run import Experiment, Run, load_result
from replication.stored import Record

NAME = "level-and-power"
FILE = "rates.csv"
ALPHA = 0.05
OURS = "funcsim.partition"


@dataclass(frozen=True)
class Plan:
    """How many chains are cut.

    Attributes
    ----------
    sizes : tuple of int
        Layers of the simulated chains.
    n_ours, n_rivals : int
        Maps of each family and size, for the partition and for each rival.
    n_seeds : int
        Of the untrained networks.
    networks : tuple of (str, tuple of int, float)
        What is compared in them: measure, numbers of blocks, share of the seeds.
    """

    sizes: tuple[int, ...] = (7, 12, 13, 24, 32)
    n_ours: int = 200
    n_rivals: int = 40
    n_seeds: int = 8
    networks: tuple[tuple[str, tuple[int, ...], float], ...] = (
        ("rsm", (6, 12, 24), 1.0),
        ("cka-debiased", (6, 12, 24), 1.0),
        ("gw", (6, 12), 0.25),
    )

    def tiny(self) -> Plan:
        """The same plan, small enough for profile `smoke`."""
        return replace(
            self,
            sizes=(7, 12),
            n_ours=3,
            n_rivals=2,
            n_seeds=1,
            networks=(("rsm", (6,), 1.0), ("gw", (6,), 1.0)),
        )


def ours(m: fs.LayerMap) -> tuple[int, ...]:
    """The boundaries that the library finds."""
    return fs.partition(m, alpha=ALPHA).boundaries


def rates(plan: Plan, seed: int, progress: bool = True) -> pd.DataFrame:
    """One row per rule, family and number of layers.

    Columns: "rule", "family", "layers", "n_maps"; "cut", the share that is cut; "exact", the share that is
    cut exactly where it should be, NaN for chains without a boundary; and "above level", whether such chains
    are cut more often than alpha by more than two standard errors.
    """
    rules = {OURS: ours} | RULES
    families = [*simulated_maps.DRIFTS, *simulated_maps.PLANTED]
    rows = [
        simulated_cell(name, rule, family, size, plan.n_ours if name == OURS else plan.n_rivals, seed)
        for family in progress_bar(families, "families", progress, len(families))
        for size in plan.sizes
        for name, rule in rules.items()
    ]
    return pd.DataFrame(rows + untrained_rows(rules, plan))


def simulated_cell(name: str, rule: Rule, family: str, size: int, n_maps: int, seed: int) -> dict[str, Any]:
    """How often a rule cuts maps of a family, and how often exactly where it should."""
    cut, exact = 0, 0
    for m, true in chains(family, size, n_maps, seed):
        found = quietly(rule, m)
        cut += found != ()
        exact += is_exact(family, found, true)
    level = family in simulated_maps.DRIFTS
    return _row(name, family, size, n_maps, cut / n_maps, None if level else exact / n_maps)


def untrained_rows(rules: dict[str, Rule], plan: Plan) -> list[dict[str, Any]]:
    """How often rules cut maps of networks that have learned nothing."""
    cells: dict[tuple[str, str, int], list[bool]] = {}
    for measure, sizes, share in plan.networks:
        seeds = max(1, round(share * plan.n_seeds))
        for points in ("ends", "halves"):
            found = [(n, *one) for n in sizes for one in transformer_maps(n, seeds, measure, points)]
            found += [(len(m.names), label, m) for label, m in chain_maps(seeds, measure, points)]
            for n, label, m in found:
                for name, rule in rules.items():
                    key = (name, f"untrained {label}, {points}, {measure}", n)
                    cells.setdefault(key, []).append(quietly(rule, m) != ())
    return [
        _row(name, family, n, len(cuts), float(np.mean(cuts)), None)
        for (name, family, n), cuts in cells.items()
    ]


def _row(rule: str, family: str, layers: int, n_maps: int, cut: float, exact: float | None) -> dict[str, Any]:
    error = np.sqrt(ALPHA * (1 - ALPHA) / n_maps)
    return {
        "rule": rule,
        "family": family,
        "layers": layers,
        "n_maps": n_maps,
        "cut": cut,
        "exact": np.nan if exact is None else exact,
        "above level": bool(exact is None and cut > ALPHA + 2 * error),
    }


def compute(plan: Plan, run: Run) -> Record:
    """Cut all chains and store the rates."""
    began = time.perf_counter()
    table = rates(plan, run.seed, run.progress)
    run.folder.mkdir(parents=True, exist_ok=True)
    with replacing(run.folder / FILE) as temporary:
        table.to_csv(temporary, index=False)
    mine = table[table["rule"] == OURS]
    return run.store(
        [FILE],
        {"cells above the level": float(mine["above level"].sum())},
        parameters=asdict(plan),
        encoder="untrained BERT, GPT-2, Llama and chains, beside simulated maps",
        data="random tokens, all pairs, and funcsim.simulated_maps",
        seconds=time.perf_counter() - began,
        device="cpu",
    )


def read(folder: Path, record: Record) -> tuple[pd.DataFrame, str]:
    """The rates of a folder, and in one line where they come from."""
    return pd.read_csv(folder / FILE), str(record)


EXPERIMENTS = {NAME: Experiment(NAME, NAME, Plan(), compute, read)}


def load(profile: str = "laptop", seed: int = 0) -> tuple[pd.DataFrame, str]:
    """What is stored; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, NAME, profile, seed)
