"""How often is a chain without a boundary cut, and how often is a planted boundary found?

Level: simulated chains without a boundary, and networks that have learned nothing. Power:
simulated chains with boundaries. :func:`funcsim.partition` stands beside the rival rules of
:mod:`replication.benchmark.rules`, on the same maps.
"""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy
import sklearn

import funcsim as fs
from benchmarks.untrained_networks import chain_maps, transformer_maps
from funcsim import simulated_maps
from replication.benchmark.known_chains import Rule, chains, is_exact, quietly
from replication.benchmark.rules import RULES

OUT = Path("_build/bench/partition.json")
ALPHA = 0.05
SIZES = (7, 12, 13, 24, 32)
OURS = "funcsim.partition"
#: Maps per cell for the partition, maps per cell for its rivals, seeds of untrained networks.
PROFILES = {"full": (200, 40, 8), "smoke": (3, 2, 1)}
#: What is compared in untrained networks: measure, numbers of blocks, share of the seeds.
NETWORKS = (("rsm", (6, 12, 24), 1.0), ("cka-debiased", (6, 12, 24), 1.0), ("gw", (6, 12), 0.25))


def run(profile: str = "full", seed: int = 0, out: Path = OUT) -> pd.DataFrame:
    """Measure, print the tables, write `out`, and return one row per rule, family and size.

    Raises
    ------
    ValueError
        If `profile` is unknown.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r} is unknown; there is {', '.join(PROFILES)}")
    began = time.perf_counter()
    n_ours, n_rivals, n_seeds = PROFILES[profile]
    sizes = SIZES if profile == "full" else SIZES[:2]
    rules = {OURS: ours} | RULES
    rows = []
    for family in [*simulated_maps.DRIFTS, *simulated_maps.PLANTED]:
        for size in sizes:
            for name, rule in rules.items():
                n_maps = n_ours if name == OURS else n_rivals
                rows.append(simulated_cell(name, rule, family, size, n_maps, seed))
    rows += untrained_rows(rules, n_seeds, (6,) if profile == "smoke" else None)
    table = pd.DataFrame(rows)
    report = {
        "profile": profile,
        "seed": seed,
        "alpha": ALPHA,
        "machine": platform.processor() or platform.machine(),
        "versions": {
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "rows": rows,
        "seconds": round(time.perf_counter() - began, 1),
    }
    show(table)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1))
    print(f"{report['seconds']} s; written to {out}")
    return table


def ours(m: fs.LayerMap) -> tuple[int, ...]:
    """The boundaries that the library finds."""
    return fs.partition(m, alpha=ALPHA).boundaries


def simulated_cell(name: str, rule: Rule, family: str, size: int, n_maps: int, seed: int) -> dict[str, Any]:
    """How often a rule cuts maps of a family, and how often exactly where it should."""
    cut, exact = 0, 0
    for m, true in chains(family, size, n_maps, seed):
        found = quietly(rule, m)
        cut += found != ()
        exact += is_exact(family, found, true)
    error = np.sqrt(ALPHA * (1 - ALPHA) / n_maps)
    level = family in simulated_maps.DRIFTS
    return {
        "rule": name,
        "family": family,
        "layers": size,
        "n_maps": n_maps,
        "cut": cut / n_maps,
        "exact": None if level else exact / n_maps,
        "above level": bool(level and cut / n_maps > ALPHA + 2 * error),
    }


def untrained_rows(
    rules: dict[str, Rule], n_seeds: int, blocks: tuple[int, ...] | None
) -> list[dict[str, Any]]:
    """How often rules cut maps of networks that have learned nothing."""
    cells: dict[tuple[str, str, int, str], list[int]] = {}
    for measure, sizes, share in NETWORKS:
        seeds = max(1, round(share * n_seeds))
        for points in ("ends", "halves"):
            found = [
                (n, maps) for n in blocks or sizes for maps in [transformer_maps(n, seeds, measure, points)]
            ]
            for n_blocks, maps in [*found, (0, chain_maps(seeds, measure, points))]:
                for label, m in maps:
                    for name, rule in rules.items():
                        key = (
                            name,
                            f"untrained {label}, {points}, {measure}",
                            n_blocks or len(m.names),
                            points,
                        )
                        cells.setdefault(key, []).append(quietly(rule, m) != ())
    return [
        {
            "rule": name,
            "family": family,
            "layers": n,
            "n_maps": len(cuts),
            "cut": float(np.mean(cuts)),
            "exact": None,
            "above level": bool(np.mean(cuts) > ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / len(cuts))),
        }
        for (name, family, n, _), cuts in cells.items()
    ]


def show(table: pd.DataFrame) -> None:
    """Print the rates: of the partition by family and size, of all rules by family."""
    mine = table[table["rule"] == OURS]
    print(f"{OURS}: share of maps that are cut; in the planted families, share cut exactly right")
    shown = mine.assign(rate=mine["exact"].astype(float).fillna(mine["cut"]))
    order = list(dict.fromkeys(mine["family"]))
    print(
        shown.pivot(index="family", columns="layers", values="rate")
        .reindex(order)
        .to_string(na_rep="", float_format="{:.3f}".format)
    )
    above = mine[mine["above level"]]
    print(f"{len(above)} cells above {ALPHA} by more than two standard errors:")
    print(above[["family", "layers", "n_maps", "cut"]].to_string(index=False) if len(above) else "  none")
    simulated_only = table[~table["family"].str.startswith("untrained")]
    kinds = simulated_only.assign(rate=simulated_only["exact"].astype(float).fillna(simulated_only["cut"]))
    print("All rules, over the sizes: share cut, in the planted families share cut exactly right")
    print(
        kinds.pivot_table(index="family", columns="rule", values="rate", sort=False).to_string(
            float_format="{:.2f}".format
        )
    )
    networks = table[table["family"].str.startswith("untrained")]
    print("All rules, untrained networks: share cut")
    points = networks["family"].str.contains("halves").map({True: "halves", False: "block ends"})
    print(
        networks.assign(points=points)
        .pivot_table(index="rule", columns="points", values="cut", sort=False)
        .to_string(float_format="{:.2f}".format)
    )
