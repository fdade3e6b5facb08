"""What the rows of the benchmark say, with intervals over networks, corrected for all entrants (claim C33).

The unit is the design: scores are averaged over the seeds of a design, then over designs. Every choice made
here is written down in ``PROTOCOL.md``, beside this file.

Taught in chapter 13.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from funcsim._internal.typing import Array
from replication.benchmark.precision import N_RANDOM, random_precisions, skill

N_DRAWS = 10_000
LEVEL = 0.05
POWER = 0.8
REFERENCE = "gw"
DESIGN = ["family", "network"]


def by_design(rows: pd.DataFrame, score: str) -> pd.DataFrame:
    """A score of every design (rows: family, network) and entrant (columns), averaged over seeds.

    Networks that have not learned are left out, and so are entrants that have no such score at all.
    """
    usable = rows[rows["learned"] & rows[score].notna()].astype({score: float})
    return usable.pivot_table(index=DESIGN, columns="entrant", values=score, aggfunc="mean", sort=False)


def positive(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of networks with boundaries."""
    return rows[rows["K"] > 1]


def negative(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of networks without a boundary."""
    return rows[rows["K"] == 1]


def drawn_means(table: pd.DataFrame, rng: np.random.Generator, n_draws: int = N_DRAWS) -> Array:
    """Means (n_draws, entrants) over designs that are drawn again and again within each family."""
    families = table.index.get_level_values("family").to_numpy()
    weights = np.zeros((n_draws, len(table)))
    for family in dict.fromkeys(families):
        here = np.flatnonzero(families == family)
        weights[:, here] = rng.multinomial(len(here), [1 / len(here)] * len(here), size=n_draws)
    known = table.notna().to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ np.where(known, table.to_numpy(float), 0.0)) / (weights @ known)


def intervals(mean: pd.Series, draws: Array) -> pd.DataFrame:
    """Simultaneous 95 % intervals of means (entrants,) from bootstrap draws (n_draws, entrants).

    Returns
    -------
    DataFrame
        By entrant, the best first: "mean", "error", "low", "high". An error of 0 is that of scores which
        are alike in all designs; its interval is no wider than a point.
    """
    error = np.nanstd(draws, axis=0)
    varied = error > 1e-12
    deviation = np.abs(draws - mean.to_numpy())[:, varied] / error[varied]
    reach = np.nanquantile(np.nanmax(deviation, axis=1), 1 - LEVEL) if varied.any() else 0.0
    table = pd.DataFrame({"mean": mean, "error": error}, index=mean.index)
    table["low"], table["high"] = mean - reach * error, mean + reach * error
    return table.sort_values("mean", ascending=False)


def over_designs(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Means of a table of designs (rows) by entrants (columns), with simultaneous intervals."""
    return intervals(table.mean(), drawn_means(table, np.random.default_rng(seed)))


def means(rows: pd.DataFrame, score: str, seed: int = 0) -> pd.DataFrame:
    """The mean of a score for each entrant, with simultaneous intervals, and of how many designs it is."""
    table = by_design(rows, score)
    return over_designs(table, seed).assign(designs=table.notna().sum())


def alarms(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The share of networks without a boundary that each entrant cuts, with simultaneous intervals.

    Where all designs are alike, the interval of a share of 0 or 1 is that of Clopper and Pearson, corrected
    for the number of entrants.
    """
    found = means(negative(rows), "alarm", seed)
    alike = found["error"] <= 1e-12
    bound = (LEVEL / (2 * len(found))) ** (1 / found["designs"])
    found.loc[alike & (found["mean"] == 0), "high"] = 1 - bound
    found.loc[alike & (found["mean"] == 1), "low"] = bound
    return found.assign(low=found["low"].clip(0, 1), high=found["high"].clip(0, 1)).sort_values("mean")


def against(
    rows: pd.DataFrame, score: str = "skill 0", reference: str = REFERENCE, seed: int = 0
) -> pd.DataFrame:
    """Each entrant minus a reference in networks with boundaries: the primary comparison.

    Returns
    -------
    DataFrame
        As of :func:`intervals`, and "verdict": "better", "worse" or "not told apart"; "needed" and "needed
        for 0.10", how many designs 80 % power takes at the same corrected level.

    Raises
    ------
    ValueError
        If the reference has no such score.
    """
    table = by_design(positive(rows), score)
    if reference not in table:
        raise ValueError(f"{reference!r} has no {score!r} in these rows; there is {', '.join(table)}")
    gaps = table.drop(columns=reference).sub(table[reference], axis=0)
    found = over_designs(gaps, seed)
    above, below = found["low"] > 0, found["high"] < 0
    found["verdict"] = np.select([above, below], ["better", "worse"], "not told apart")
    spread = gaps.std(ddof=1)
    found["needed"] = _needed(spread, found["mean"].abs(), len(gaps.columns))
    found["needed for 0.10"] = _needed(spread, 0.10, len(gaps.columns))
    return found


def _needed(spread: pd.Series, effect: pd.Series | float, n_comparisons: int) -> pd.Series:
    """Designs for 80 % power of a paired comparison; infinity for no effect."""
    normal = NormalDist()
    reach = normal.inv_cdf(1 - LEVEL / (2 * n_comparisons)) + normal.inv_cdf(POWER)
    with np.errstate(divide="ignore"):
        return np.ceil((reach * spread / effect) ** 2)


def beyond_chance(rows: pd.DataFrame, tolerance: int = 0, seed: int = 0) -> pd.DataFrame:
    """The mean skill of each entrant against evidence in random order, in the networks of these rows.

    Returns
    -------
    DataFrame
        By entrant "mean", "p" and "p corrected" (Holm, over all entrants).
    """
    score = f"skill {tolerance}"
    told = rows[rows["learned"] & rows[score].notna()]
    rng = np.random.default_rng(seed)
    by_network = told.drop_duplicates([*DESIGN, "seed"]).groupby(DESIGN, sort=False)
    null = np.mean([_random_skill(of_design, tolerance, rng) for _, of_design in by_network], axis=0)
    mean = by_design(rows, score).mean()
    p = pd.Series(
        {name: (1 + (null >= value - 1e-12).sum()) / (1 + len(null)) for name, value in mean.items()}
    )
    table = pd.DataFrame({"mean": mean, "p": p, "p corrected": holm(p)})
    return table.sort_values("mean", ascending=False)


def holm(p: pd.Series) -> pd.Series:
    """p-values corrected for how many they are (Holm 1979, Scandinavian Journal of Statistics 6)."""
    order = p.sort_values()
    stepped = np.maximum.accumulate(order.to_numpy() * np.arange(len(order), 0, -1))
    return pd.Series(np.minimum(stepped, 1.0), index=order.index)


def _random_skill(networks: pd.DataFrame, tolerance: int, rng: np.random.Generator) -> Array:
    """Skill (draws,) of random orders, averaged over the seeds of a design."""
    drawn = []
    for places, starts in zip(networks["places"], networks["starts"], strict=True):
        true = tuple(int(start) for start in str(starts).split())
        orders = rng.permutation(random_precisions(int(places), true, tolerance))
        drawn.append(skill(orders, int(places), true, tolerance))
    return np.mean(drawn, axis=0) if drawn else np.zeros(N_RANDOM)


def function_or_architecture(rows: pd.DataFrame, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Skill where a stage computes minus skill as if where it only hands on, for each entrant.

    Returns
    -------
    dict of str to DataFrame
        "embedded again": chains minus handed-on networks of several parts; "one stream": streams minus
        handed-on networks of one part. Each as of :func:`intervals`, with both means beside it. One of
        which there are no rows is left out.
    """
    handed = rows[rows["family"] == "handed-on"]
    pairs = {
        "embedded again": (rows[rows["family"] == "chains"], handed[handed["parts"] > 1]),
        "one stream": (rows[rows["family"] == "streams"], handed[handed["parts"] == 1]),
    }
    found = {}
    for name, (computing, handing) in pairs.items():
        one, other = by_design(computing, "skill 0"), by_design(handing, "skill 0")
        both = one.columns.intersection(other.columns)
        if both.empty:
            continue
        one, other = one[both], other[both]
        rng = np.random.default_rng(seed)
        draws = drawn_means(one, rng) - drawn_means(other, rng)
        gap = intervals(one.mean() - other.mean(), draws)
        found[name] = gap.assign(computing=one.mean(), handing=other.mean())
    return found


def by_family(rows: pd.DataFrame, score: str = "skill 0") -> pd.DataFrame:
    """The mean of a score for each entrant (rows) in each family (columns), without a test."""
    return by_design(rows, score).groupby(level="family", sort=False).mean().T
