"""Rules that cut a chain of layers, on simulated chains whose boundaries are known (C36, D11).

Taught in chapter 06.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping

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


def found_by(rule: Rule, families: Mapping[str, str], n_maps: int, seed: int, size: int = 13) -> pd.Series:
    """How often a rule cuts chains without a boundary, and how often it cuts the others exactly.

    Parameters
    ----------
    rule : callable
        From a map to the layers at which groups start.
    families : mapping of str to str
        From a label to a family.
    n_maps, seed, size : int
        Chains of each family, and their layers.

    Returns
    -------
    Series
        One share for each label.
    """
    shares = {}
    for label, family in families.items():
        hits = 0
        for m, true in chains(family, size, n_maps, seed):
            found = quietly(rule, m)
            hits += is_exact(family, found, true) if true else found != ()
        shares[label] = hits / n_maps
    return pd.Series(shares)
