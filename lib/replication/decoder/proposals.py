"""Which run of blocks to leave out: what maps, block influence and groups propose (claims C33, C36).

Rules and scores are those of ``PROTOCOL.md``, beside this file. Blocks are counted from 0; runs
are half-open.

Taught on page 13c.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import funcsim as fs
from funcsim.layer_map import dissimilarity
from replication.benchmark import judgement
from replication.benchmark.rules import lorp, sglp
from replication.decoder.experiment import MEASURES, Asked
from replication.decoder.shortened import block_influence

LENGTHS = (1, 2, 3, 4, 5, 6)
GUESSES = ("late first",)
N_RANDOM, N_BOOTSTRAP = 10_000, 2_000
Array = NDArray[np.float64]


def candidates(asked: Asked, lengths: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which of all runs (R,) are judged: of these lengths, without the first block."""
    first, stop = asked.runs.T
    return (first > 0) & np.isin(stop - first, lengths)


def costs(asked: Asked) -> Array:
    """What is lost on each window without each run (R, n), in nats a token."""
    return asked.without - asked.whole


def predictions(asked: Asked, draw: str, pooling: str = "mean") -> dict[str, Array]:
    """For each rule a number for every run (R,); the lower, the rather is it left out.

    Parameters
    ----------
    asked : Asked
    draw : {"a", "b"}
        The windows that are looked at.
    pooling : {"mean", "last"}
        Of the maps.

    Returns
    -------
    dict of str to array (R,)
        NaN for runs from the first block on where a rule asks for a map.
    """
    first, stop = asked.runs.T
    maps = {measure: asked.maps[f"{draw}/{pooling}/{measure}"] for measure in MEASURES}
    found = {measure: _entered_and_left(dissimilarity(m), asked.runs) for measure, m in maps.items()}
    cosines = asked.cosines[draw]
    influence = np.concatenate([[0.0], np.cumsum(block_influence(cosines))])
    return found | {
        "state cosine": 1 - cosines[first, stop],
        "block influence": influence[stop] - influence[first],
        "groups by test": _boundaries_inside(fs.partition(maps["gw"]).boundaries, asked.runs),
        "groups by LoRP": _boundaries_inside(lorp(maps["cosine"]), asked.runs),
        "groups by SGLP": _boundaries_inside(sglp(maps["cka-debiased"]), asked.runs),
        "late first": -first.astype(float),
    }


def _entered_and_left(distances: Array, runs: NDArray[np.int64]) -> Array:
    """The distance from the block before each run to the last of the run (R,)."""
    first, stop = runs.T
    return np.where(first > 0, distances[first - 1, stop - 1], np.nan)


def _boundaries_inside(starts: tuple[int, ...], runs: NDArray[np.int64]) -> Array:
    """How many groups start inside each run (R,): between the block before it and its last."""
    first, stop = runs[:, :1], runs[:, 1:]
    inside = (np.array(starts, dtype=int) >= first) & (np.array(starts, dtype=int) < stop)
    return inside.sum(axis=1).astype(float)


def proposal(asked: Asked, predicted: Array, length: int) -> Array:
    """The weight of each run of a length in a rule's proposal: equal among those that tie.

    Parameters
    ----------
    asked : Asked
    predicted : array (R,)
        Of a rule, for all runs.
    length : int

    Returns
    -------
    array (r,)
        Of the runs of this length that are judged, in their order.
    """
    among = predicted[candidates(asked, (length,))]
    lowest = np.isclose(among, among.min(), rtol=1e-9)
    return np.asarray(lowest / lowest.sum())


def score(asked: Asked, predicted: Array, cost: Array, lengths: tuple[int, ...] = LENGTHS) -> Array:
    """How much of what can be saved a rule saves: 0 like a random run, 1 like the best; mean over lengths.

    Parameters
    ----------
    asked : Asked
    predicted : array (R,)
    cost : array (R, ...)
        Of each run; trailing axes are scored one by one.
    lengths : tuple of int

    Returns
    -------
    array (...)
    """
    saved = []
    for length in lengths:
        among = cost[candidates(asked, (length,))]
        chosen = np.tensordot(proposal(asked, predicted, length), among, axes=1)
        saved.append((among.mean(axis=0) - chosen) / (among.mean(axis=0) - among.min(axis=0)))
    return np.asarray(np.mean(saved, axis=0))


def scores(asked: Asked, draw: str, seed: int = 0, lengths: tuple[int, ...] = LENGTHS) -> pd.DataFrame:
    """All rules on one draw: score, interval over windows, p against random rules, and two differences.

    Returns
    -------
    DataFrame
        A row for each rule, with "score", "low", "high", "p" (by Holm, NaN for guesses), and the
        interval of score minus that of debiased CKA ("over cka low", "over cka high") and of *late first*
        ("over late low", "over late high").
    """
    rng, per_window = np.random.default_rng(seed), costs(asked)
    n = per_window.shape[1]
    drawn = rng.multinomial(n, np.full(n, 1 / n), N_BOOTSTRAP) / n  # (B, n): weights of windows
    cost, redrawn = per_window.mean(axis=1), per_window @ drawn.T
    rules = predictions(asked, draw)
    chance = _random_scores(asked, cost, rng, lengths)
    found = {name: float(score(asked, x, cost, lengths)) for name, x in rules.items()}
    draws = {name: score(asked, x, redrawn, lengths) for name, x in rules.items()}
    p = {name: (1 + (chance >= found[name] - 1e-12).sum()) / (1 + len(chance)) for name in rules}
    corrected = judgement.holm(pd.Series(p).drop(list(GUESSES)))
    rows = {
        name: {"score": found[name], **_interval(draws[name]), "p": corrected.get(name, np.nan)}
        | _interval(draws[name] - draws["cka-debiased"], "over cka ")
        | _interval(draws[name] - draws["late first"], "over late ")
        for name in rules
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _random_scores(asked: Asked, cost: Array, rng: np.random.Generator, lengths: tuple[int, ...]) -> Array:
    """Scores of random rules (N_RANDOM,): each block has a random number, and a run the sum of its blocks."""
    first, stop = asked.runs.T
    numbers = rng.random((N_RANDOM, stop.max()))
    sums = np.concatenate([np.zeros((N_RANDOM, 1)), numbers.cumsum(axis=1)], axis=1)
    given = sums[:, stop] - sums[:, first]  # (N_RANDOM, R)
    saved = []
    for length in lengths:
        of_length = candidates(asked, (length,))
        among = cost[of_length]
        chosen = among[given[:, of_length].argmin(axis=1)]
        saved.append((among.mean() - chosen) / (among.mean() - among.min()))
    return np.asarray(np.mean(saved, axis=0))


def _interval(draws: Array, prefix: str = "") -> dict[str, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return {f"{prefix}low": float(low), f"{prefix}high": float(high)}


def answers(asked: Asked, seed: int = 0) -> dict[str, str]:
    """The protocol's answers to C33, C36 and D04."""
    tables = [scores(asked, draw, seed).loc["gw"] for draw in ("a", "b")]
    better, worse = (
        all(table["over cka low"] > 0 for table in tables),
        all(table["over cka high"] < 0 for table in tables),
    )
    parts = [fs.partition(asked.maps[f"{draw}/mean/gw"], twin=asked.twin()) for draw in ("a", "b")]
    cut = all(part.n_groups > 1 and sum(q <= part.p_value for q in part.twin_p_values) <= 1 for part in parts)
    above = [table["p"] < 0.05 for table in tables]
    found = all(above) and all(table["over late low"] > 0 for table in tables)
    return {
        "C33": "agrees" if better else "disagrees" if worse else "undecided",
        "C36": "agrees" if cut else "undecided",
        "D04": "answered" if found else "justified" if not any(above) else "open",
    }
