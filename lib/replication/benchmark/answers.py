"""The answers that follow from the benchmark, by the rules of its protocol (claims C33, C36; D04, D05, D11).

The rules stand in ``PROTOCOL.md``, beside this file, under "What each claim's answer will follow from".

Taught in chapter 13.
"""

from __future__ import annotations

import pandas as pd

from replication.benchmark import judgement

LINEAR_CKA = "cka"
LARGE = 0.10  # a difference in skill that would matter
MOST_ALARMS = 0.10


def answers(rows: pd.DataFrame) -> dict[str, str]:
    """For each claim and doubt its answer.

    Parameters
    ----------
    rows : DataFrame
        Of :func:`replication.benchmark.scores.load_rows`, all seeds.

    Returns
    -------
    dict of str to str
        "agrees", "disagrees" or "undecided" for claims; "answered", "justified" or "open" for doubts.
    """
    ends = rows[rows["layers"] == "ends"]
    measures = ends[ends["sort"] == "measure"]
    gaps = judgement.against(measures)
    function = _is_a_function(ends, measures)
    return {
        "C33": _clearer(gaps),
        "C36": function,
        "D04": {"agrees": "answered", "disagrees": "justified"}.get(function, "open"),
        "D05": _looks_the_same(gaps.loc[LINEAR_CKA]),
        "D11": _who_decides(ends, measures),
    }


def _clearer(gaps: pd.DataFrame) -> str:
    """Whether GW finds more than other measures; `gaps` are theirs minus its."""
    linear = gaps.loc[LINEAR_CKA, "verdict"]
    n_below = (gaps["verdict"] == "worse").sum()
    if linear == "worse" and n_below >= len(gaps) / 2:
        return "agrees"
    return "disagrees" if linear == "better" or not n_below else "undecided"


def _is_a_function(ends: pd.DataFrame, measures: pd.DataFrame) -> str:
    streams = ends[(ends["family"] == "streams") & ends["sort"].isin(["measure", "guess"])]
    chance = judgement.beyond_chance(streams).loc[judgement.REFERENCE, "p corrected"]
    if chance >= judgement.LEVEL:
        return "disagrees"
    split = judgement.function_or_architecture(measures)
    both = all(table.loc[judgement.REFERENCE, "low"] > 0 for table in split.values())
    return "agrees" if both else "undecided"


def _looks_the_same(linear: pd.Series) -> str:
    if linear["verdict"] != "not told apart":
        return "answered"
    alike = linear["high"] < LARGE and linear["low"] > -LARGE
    return "justified" if alike else "open"


def _who_decides(ends: pd.DataFrame, measures: pd.DataFrame) -> str:
    f1 = judgement.by_design(judgement.positive(ends), "f1").mean()
    guesses = f1.reindex(ends.loc[ends["sort"] == "guess", "entrant"].unique()).max()
    if f1[judgement.REFERENCE] <= guesses:
        return "justified"
    few = judgement.alarms(measures).loc[judgement.REFERENCE, "high"] <= MOST_ALARMS
    return "answered" if few else "open"
