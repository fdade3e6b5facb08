"""The command line that makes what the tables and figures need.

``python -m replication experiments`` is behind ``make experiments``; ``python -m replication check-env``
says whether everything is here that the book needs.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

import joblib

from funcsim._internal.progress import progress_bar
from funcsim._internal.threads import one_thread
from funcsim._internal.workers import task
from funcsim.errors import FuncsimError
from replication.check_env import check_env
from replication.registry import EXPERIMENTS
from replication.run import Run


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 if it went well, 1 if something is missing, 2 if it was asked wrongly, 130 if
    interrupted."""
    parser = argparse.ArgumentParser(prog="python -m replication", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("experiments", help="compute what data/ stores")
    run.add_argument("--profile", choices=("full", "smoke"), default="full")
    run.add_argument("--only", default="", help="one experiment, or a group; without it, all of them")
    run.add_argument("--device", default="cpu")
    run.add_argument("--seed", type=int, help="without it, every seed that data/ holds")
    run.add_argument("--encoder", help="for the experiments on texts: another one than theirs")
    run.add_argument("--jobs", type=int, default=1, help="so many side by side; the numbers are the same")
    run.add_argument("--out", type=Path, help="instead of data/; smoke runs go to _build/smoke")
    commands.add_parser("check-env", help="is everything here that the book needs?")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` stops as Ctrl-C does
    return _experiments(options) if options.command == "experiments" else _check_env()


def _experiments(options: argparse.Namespace) -> int:
    chosen = {
        name: e for name, e in EXPERIMENTS.items() if not options.only or options.only in (name, e.group)
    }
    if not chosen:
        known = [*dict.fromkeys(e.group for e in EXPERIMENTS.values()), *EXPERIMENTS]
        print(f"no experiment {options.only!r}; there is {', '.join(known)}", file=sys.stderr)
        return 2
    out = options.out
    if out is None and options.profile == "smoke":
        out = Path("_build/smoke")  # never over the stored results
    if options.encoder and (without := [name for name, e in chosen.items() if e.encoder is None]):
        print(f"{', '.join(without)}: takes no encoder; leave out --encoder", file=sys.stderr)
        return 2
    one_seed = None if options.seed is None else (options.seed,)
    runs = [(name, seed) for name, e in chosen.items() for seed in one_seed or e.seeds]
    how = {
        "profile": options.profile,
        "device": options.device,
        "out": out,
        "progress": options.jobs == 1,
        "encoder": options.encoder,
    }
    parallel = joblib.Parallel(n_jobs=options.jobs, return_as="generator_unordered")
    finished = parallel(task(_experiment, name, seed, how) for name, seed in runs)
    try:
        for text, error in progress_bar(finished, "experiments", options.jobs > 1, len(runs)):
            if error:
                print(error, file=sys.stderr)
                return 2
            print(text, flush=True)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from the last saved state")
        return 130
    for name, seed in runs:  # only now: a command that is stopped between two does not begin anew
        Run(name, options.profile, seed, options.device).forget()
    return 0


def _experiment(name: str, seed: int, how: dict[str, Any]) -> tuple[str, str]:
    """Run one, in this process or in one beside it; its record in words, and what went wrong."""
    print(f"{name}: profile {how['profile']}, seed {seed}, {how['device']}", flush=True)
    try:
        with one_thread():  # the same numbers on any count of cores; `--jobs` is what uses them
            record = EXPERIMENTS[name].run(seed=seed, **how)
    except FuncsimError as error:
        return "", f"{name}: {error}"
    results = {key: round(value, 6) for key, value in record.results.items()}
    return f"{record}\n{results}", ""


def _check_env() -> int:
    found = check_env()
    for level, text in found:
        print(f"[{level}] {text}")
    return int(any(level == "!!" for level, _ in found))


if __name__ == "__main__":
    sys.exit(main())
