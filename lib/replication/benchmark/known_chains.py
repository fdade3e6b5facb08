"""Rules that cut a chain of layers, on simulated chains whose boundaries are known (claim C36).

Taught in chapter 06.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

import funcsim as fs
from funcsim import simulated_maps

Rule = Callable[[fs.LayerMap], tuple[int, ...]]


def chains(family: str, size: int, n_maps: int, seed: int) -> Iterator[tuple[fs.LayerMap, tuple[int, ...]]]:
    """Maps of a family of :mod:`funcsim.simulated_maps`, and where their groups start.

    Parameters
    ----------
    family : str
        Of ``DRIFTS`` or ``PLANTED``.
    size : int
        Layers of a chain.
    n_maps : int
    seed : int
    """
    order = [*simulated_maps.DRIFTS, *simulated_maps.PLANTED].index(family)
    rng = np.random.default_rng([seed, size, order])
    names = simulated_maps.two_kinds_names(size) if family.startswith("two kinds") else None
    for _ in range(n_maps):
        if family in simulated_maps.DRIFTS:
            yield simulated_maps.named(simulated_maps.DRIFTS[family](size, rng), names), ()
        else:
            values, true = simulated_maps.planted(family, size, rng)
            yield simulated_maps.named(values), true


def quietly(rule: Rule, m: fs.LayerMap) -> tuple[int, ...]:
    """What a rule finds, without its warnings: of kinds that alternate, of graphs that fall apart."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return rule(m)


def is_exact(family: str, found: tuple[int, ...], true: tuple[int, ...]) -> bool:
    """Whether the boundaries are the true ones; a transition has one, at either of its steps."""
    if family.startswith("transition"):
        return len(found) == 1 and found[0] in true
    return found == true


def found_by(
    rules: Mapping[str, Rule], families: Mapping[str, str], n_maps: int, seed: int, size: int = 13
) -> pd.DataFrame:
    """How often rules cut chains without a boundary, and how often they cut the others exactly.

    Parameters
    ----------
    rules : mapping of str to callable
        From a name to a rule: from a map to the layers at which groups start.
    families : mapping of str to str
        From a label to a family.
    n_maps, seed, size : int
        Chains of each family, and their layers.

    Returns
    -------
    DataFrame
        One row per label, one column per rule, shares between 0 and 1.
    """
    rows = {}
    for label, family in families.items():
        known = list(chains(family, size, n_maps, seed))
        rows[label] = {name: _share(rule, family, known) for name, rule in rules.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def _share(rule: Rule, family: str, known: Sequence[tuple[fs.LayerMap, tuple[int, ...]]]) -> float:
    """In which share a rule cuts, or cuts exactly where there is a boundary."""
    hits = 0
    for m, true in known:
        found = quietly(rule, m)
        hits += is_exact(family, found, true) if true else found != ()
    return hits / len(known)
