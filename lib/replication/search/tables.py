"""What the measured pairs say: how low each solver ends, how long it takes, how that grows (section 3.2).

Taught in chapter 02.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from funcsim.gromov.effort import EFFORTS

#: Two costs this close, relatively, are the same minimum reached through other roundings.
SAME = 1e-9
#: A cost is as good as another if it is at most this share above it.
AS_GOOD = 1e-3


def names_of(pairs: pd.DataFrame) -> list[str]:
    """The solvers that were measured."""
    return [column.removesuffix(": cost") for column in pairs if column.endswith(": cost")]


def costs_of(pairs: pd.DataFrame) -> pd.DataFrame:
    """The cost each solver ended at: pairs by solvers."""
    names = names_of(pairs)
    return pairs[[f"{name}: cost" for name in names]].set_axis(names, axis=1)


def solvers(pairs: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of layers, size and solver."""
    rows = []
    for (kind, n), group in pairs.groupby(["layers", "n"], sort=False):
        rows += [{"layers": kind, "n": n, "pairs": len(group)} | row for row in _compared(group)]
    return pd.DataFrame(rows)


def overall(pairs: pd.DataFrame) -> pd.DataFrame:
    """One row per solver, over all pairs; and the medians of the times, the slowest kind of layers."""
    rows = []
    for row in _compared(pairs):
        name = row["solver"]
        ratio = pairs[f"{name}: seconds"] / pairs["POT: seconds"]
        medians = ratio[pairs.n >= 512].groupby(pairs["layers"]).median()
        slowest = {"slowest kind": medians.max(), "is": medians.idxmax()} if medians.notna().any() else {}
        rows.append(row | slowest)
    return pd.DataFrame(rows)


def _compared(group: pd.DataFrame) -> list[dict]:
    """For each solver: its excess over the lowest cost of the pair, how often it is as good, and its time.

    "lowest of all" counts every solver as a rival, "thorough" among them; "lowest but thorough" leaves that
    one out.
    """
    costs = costs_of(group)
    lowest = costs.min(axis=1)
    rest = costs.drop(columns="thorough", errors="ignore").min(axis=1)
    rows = []
    for name in costs:
        measured = costs[name].notna()
        if not measured.any():
            continue
        own, of = costs.loc[measured, name], lambda x, m=measured: x[m]
        rows.append(
            {
                "solver": name,
                "above the lowest by": (own / of(lowest) - 1).mean(),
                "lowest of all": (own <= of(lowest) * (1 + AS_GOOD)).mean(),
                "lowest but thorough": (own <= of(rest) * (1 + AS_GOOD)).mean(),
                "never above POT": (own <= of(costs["POT"]) * (1 + SAME)).mean(),
                "time / POT": (group[f"{name}: seconds"] / group["POT: seconds"]).median(),
            }
        )
    return rows


def on_the_way(pairs: pd.DataFrame) -> pd.DataFrame:
    """Seconds until a search of ours reached POT's cost, and the lowest of all, in units of POT's time."""
    lowest = costs_of(pairs).min(axis=1)
    rows = []
    for (kind, n), group in pairs.groupby(["layers", "n"], sort=False):
        for effort in EFFORTS:
            to_pot = reached(group, effort, group["POT: cost"], SAME)
            to_best = reached(group, effort, lowest[group.index], AS_GOOD)
            rows.append(
                {
                    "layers": kind,
                    "n": n,
                    "effort": effort,
                    "to POT's cost": (to_pot / group["POT: seconds"]).median(),
                    "reach it": np.isfinite(to_pot).mean(),
                    "to the lowest cost": (to_best / group["POT: seconds"]).median(),
                    "reach that": np.isfinite(to_best).mean(),
                }
            )
    return pd.DataFrame(rows)


def reached(pairs: pd.DataFrame, effort: str, target: pd.Series, tolerance: float) -> pd.Series:
    """Seconds of each pair until its cost was at most that share above a target; infinite if it never was."""

    def seconds_to(row: pd.Series) -> float:
        enough = row["target"] * (1 + tolerance)
        return next((seconds for seconds, cost in row[f"{effort}: trace"] if cost <= enough), np.inf)

    return pairs.assign(target=target).apply(seconds_to, axis=1)


def exponents(pairs: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The power of n with which the median time grows, per kind of layers and solver."""
    found = {}
    for kind, group in pairs.groupby("layers", sort=False):
        medians = group.groupby("n").median(numeric_only=True)
        found[kind] = {name: _power(medians[f"{name}: seconds"].dropna()) for name in names_of(pairs)}
    return found


def _power(seconds: pd.Series) -> float:
    if len(seconds) < 2:
        return float("nan")
    return round(float(np.polyfit(np.log(seconds.index), np.log(seconds), 1)[0]), 2)


def bounds(pairs: pd.DataFrame) -> pd.DataFrame:
    """The median of lower bound over distance, per kind of layers and size."""
    share = pairs["lower_bound"] / np.sqrt(pairs["thorough: cost"])
    grouped = share.groupby([pairs["layers"], pairs["n"]], sort=False)
    return grouped.median().rename("bound / distance").reset_index()
