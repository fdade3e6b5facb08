"""The search against its peers, as tables: the experiment search."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from replication.search import tables
from replication.search.measured import EXPERIMENTS, NAME, Measured, read

OUT = Path("_build/bench")


def run(profile: str = "full", seed: int = 0, out: Path = OUT) -> Measured:
    """Measure, store below `out`, print the tables, and return what was measured."""
    record = EXPERIMENTS[NAME].run(profile, seed, out=out, work=out / "work")
    measured = read(out / NAME / f"seed-{seed}", record)
    show(measured)
    print(f"{record.seconds} s; written to {out / NAME}")
    return measured


def show(measured: Measured) -> None:
    """Print all tables, and what was not at hand."""
    pairs = measured.pairs
    for make in (tables.solvers, tables.overall, tables.on_the_way, tables.bounds):
        table: pd.DataFrame = make(pairs)
        print(f"\n{make.__name__}\n{table.round(3).to_string(index=False)}")
    print(f"\ngrowth of the time with n, as a power: {tables.exponents(pairs)}")
    for name, why in measured.skipped.items():
        print(f"not measured: {name}: {why}")
