"""Score a measure or a rule of one's own on networks whose boundaries are known (claims C33 and C36).

``python -m replication.benchmark --entry module:function`` gives the function the layers of each network, and
takes what it returns: distances between layers, evidence for boundaries, or boundaries. Without an entry it
makes the table of the entrants that are stored. See the protocol in ``PROTOCOL.md``, beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import funcsim as fs
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import replacing
from funcsim.errors import FuncsimError
from replication.benchmark import judgement, scores
from replication.benchmark.entrants import Found, by_evidence, by_map, mapped
from replication.known.designs import FAMILIES
from replication.known.networks import LAYERS, SEEDS, KnownLayers, load
from replication.stored import data_dir, folder_of

Entry = Callable[[Any], Any]


class EntryError(FuncsimError):
    """An entry cannot be found, or returns what is no answer."""


def main(arguments: list[str] | None = None) -> int:
    """Score an entry, if any, beside the stored entrants; 0 if it went well, 2 if it was asked wrongly."""
    parser = argparse.ArgumentParser(prog="python -m replication.benchmark", description=__doc__)
    parser.add_argument("--entry", help="module:function; the module is looked for here, too")
    parser.add_argument("--of", help="give the function the map of this measure, in place of the layers")
    parser.add_argument("--layers", choices=tuple(LAYERS)[:2], default="ends")
    parser.add_argument("--seeds", type=int, nargs="+", help="without it, all that are here")
    parser.add_argument("--families", nargs="+", choices=tuple(FAMILIES), default=list(FAMILIES))
    parser.add_argument("--profile", choices=("laptop", "smoke"), default="laptop")
    parser.add_argument("--out", type=Path, help="a folder for rows.csv, table.csv and table.json")
    options = parser.parse_args(arguments)
    try:
        if options.entry:
            entry = find_entry(options.entry)
            seeds = options.seeds or seeds_here(options.families) or [0]
            own = score_entry(options.entry, entry, options, seeds)
        else:
            seeds, own = options.seeds or list(SEEDS), pd.DataFrame()
    except FuncsimError as error:
        print(error, file=sys.stderr)
        return 2
    rows = pd.concat([own, _stored_rows(options, seeds)], ignore_index=True)
    if rows.empty:
        print("there is nothing to show: no such scores are stored, and no --entry is given", file=sys.stderr)
        return 2
    table = summary(rows)
    print(table.round(3).to_string())
    if options.out:
        _save(options.out, own, table)
    return 0


def find_entry(name: str) -> Entry:
    """The function of a name such as "my_measure:distance".

    Raises
    ------
    EntryError
        If there is no such module or function.
    """
    module, _, function = name.partition(":")
    if not module or not function:
        raise EntryError(f"--entry {name!r} names no function; write module:function")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(import_module(module), function, None)
    except ImportError as error:
        raise EntryError(f"--entry {name!r}: {error}; is the module in this folder, or installed?") from None
    finally:
        sys.path.pop(0)
    if not callable(found):
        raise EntryError(f"--entry {name!r}: {module!r} has no function {function!r}")
    return found


def seeds_here(families: list[str]) -> list[int]:
    """The seeds of which all these families are stored."""
    return [
        seed
        for seed in SEEDS
        if all((data_dir() / folder_of(f"known/{family}", seed)).is_dir() for family in families)
    ]


def score_entry(name: str, entry: Entry, options: argparse.Namespace, seeds: list[int]) -> pd.DataFrame:
    """The rows of an entry, one for each network."""
    networks = [
        (family, network, seed, known)
        for family in options.families
        for seed in seeds
        for network, known in load(family, options.profile, seed).networks.items()
    ]
    rows = []
    for family, network, seed, known in progress_bar(networks, "networks", True):
        shown = known.only(options.layers).unnamed()
        found = answer(name, entry(mapped(shown.reps, options.of) if options.of else shown.reps), shown)
        about = {"family": family, "network": network, "seed": seed, "layers": options.layers}
        rows.append(
            about | {"sort": "entry", "entrant": name} | scores.row(shown, found) | scores.told(shown)
        )
    return pd.DataFrame(rows)


def answer(name: str, returned: Any, known: KnownLayers) -> Found:
    """What an entry says of a network, from what it returned.

    Parameters
    ----------
    name : str
    returned : LayerMap, array or sequence of int
        Distances between the L layers (L, L), which are cut as those of all measures; evidence for a
        boundary before each layer (L,), floating; or the indices at which groups start, as a tuple or list
        of int.
    known : KnownLayers

    Raises
    ------
    EntryError
        If it is none of these.
    """
    n, k = len(known.reps), len(set(known.functions))
    if isinstance(returned, fs.LayerMap):
        return by_map(returned, k)
    if isinstance(returned, tuple | list) and all(isinstance(c, int | np.integer) for c in returned):
        cuts = tuple(sorted({int(c) for c in returned}))
        if cuts and not 1 <= cuts[0] <= cuts[-1] < n:
            raise EntryError(f"{name} says groups start at {cuts}; with {n} layers that is 1 to {n - 1}")
        return Found(cuts=cuts)
    values = np.asarray(returned)
    if values.shape == (n, n) and np.isfinite(values).all():
        names = known.reps.names
        return by_map(fs.LayerMap(values.astype(float), names, names, name, None, known.reps.n_samples), k)
    if values.shape == (n,) and np.issubdtype(values.dtype, np.floating) and not np.isnan(values).any():
        return by_evidence(values, k)
    raise EntryError(
        f"{name} returned {type(returned).__name__} of shape {values.shape} for {n} layers; return finite "
        f"distances ({n}, {n}), evidence ({n},) as floating numbers, or a tuple of the layers at which "
        "groups start"
    )


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per entrant: skill with its interval, scores of its cuts, and false alarms."""
    several, single = judgement.positive(rows), judgement.negative(rows)
    skill = judgement.means(several, "skill 0")
    table = skill[["mean", "low", "high"]].rename(columns=lambda name: f"skill 0, {name}")
    for score in ("skill 1", "exact", "f1", "ari", "f1 given K"):
        table = table.join(judgement.by_design(several, score).mean().rename(score), how="outer")
    if "alarm" in single and single["alarm"].notna().any():
        found = judgement.alarms(rows)[["mean", "low", "high"]]
        table = table.join(found.rename(columns=lambda name: f"alarms, {name}"), how="outer")
    return table.sort_values("skill 0, mean", ascending=False)


def _stored_rows(options: argparse.Namespace, seeds: list[int]) -> pd.DataFrame:
    """Those of other entrants on the same networks, without variants of GW; none if they are not here."""
    try:
        rows = scores.load_rows(options.profile, seeds)
    except FuncsimError as error:
        print(f"the other entrants are left out: {error}", file=sys.stderr)
        return pd.DataFrame()
    listed = (rows["layers"] == options.layers) & (rows["sort"] != "variant")
    return rows[listed & rows["family"].isin(options.families)]


def _save(out: Path, own: pd.DataFrame, table: pd.DataFrame) -> None:
    texts = {"rows.csv": own.to_csv(index=False)} if len(own) else {}
    texts["table.csv"] = table.round(4).to_csv()
    texts["table.json"] = json.dumps(json.loads(table.round(4).to_json(orient="index")), indent=2) + "\n"
    for name, text in texts.items():
        with replacing(out / name) as path:
            path.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
