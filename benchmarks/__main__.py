"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse

from benchmarks import gw, intervals, partition

BENCHMARKS = {"gw": gw.run, "intervals": intervals.run, "partition": partition.run}


def main(arguments: list[str] | None = None) -> None:
    """Measure what was asked for, and write ``_build/bench/<name>.json``."""
    parser = argparse.ArgumentParser(
        prog="benchmarks", description="Measure the solver, the intervals and the partition."
    )
    parser.add_argument("--profile", choices=("full", "smoke"), default="full")
    parser.add_argument("--only", choices=tuple(BENCHMARKS), help="one of them; without it, all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    for name in [options.only] if options.only else BENCHMARKS:
        print(f"{name}: profile {options.profile}, seed {options.seed}")
        BENCHMARKS[name](profile=options.profile, seed=options.seed)


if __name__ == "__main__":
    main()
