"""Level and power of the partition and its rivals, as tables: the experiment level-and-power."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from replication.benchmark.level_and_power import ALPHA, EXPERIMENTS, NAME, OURS, read

OUT = Path("_build/bench")


def run(profile: str = "full", seed: int = 0, out: Path = OUT) -> pd.DataFrame:
    """Measure, store below `out`, print the tables, and return one row per rule, family and size."""
    experiment = EXPERIMENTS[NAME]
    record = experiment.run(profile, seed, out=out, work=None)
    table, _ = read(out / NAME / f"seed-{seed}", record)
    show(table)
    print(f"{record.seconds} s; written to {out / NAME}")
    return table


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
