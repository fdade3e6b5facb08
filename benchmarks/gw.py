"""The solver against its peers: cost reached and time taken, pair by pair, on one thread.

Every pair is given to every solver in turn, in one process, so that all meet the same machine; times are
seconds of the processor. Peers: those of :mod:`benchmarks.rivals`, as far as they are installed, and
POT's batched proximal solver. Times of ours are per pair, with its lower bounds, at each effort;
what is computed once per layer is counted beside it.
"""

from __future__ import annotations

import itertools
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ot
import pandas as pd
import torch

from benchmarks import encoder, rivals
from funcsim import capture
from funcsim._internal.threads import one_thread
from funcsim._internal.typing import Array
from funcsim.geometry import distance_matrix
from funcsim.gromov.coupling import cost, from_permutation, uniform
from funcsim.gromov.effort import EFFORTS, default_starts
from funcsim.gromov.solver import descents, solve
from funcsim.gromov.space import comes_first, from_the_middle, prepare
from replication.modular_addition import trained_networks

OUT = Path("_build/bench/gw.json")
#: Samples and pairs per kind of layers.
SIZES = {"full": {128: 30, 256: 30, 512: 40, 1000: 12}, "smoke": {32: 3, 64: 3}}
BATCHED_PAIRS = {"full": 4, "smoke": 2}
#: From so many samples on, the pairs count in the overall row.
LARGE = 512
#: Two costs this close, relatively, are the same minimum reached through other roundings.
SAME = 1e-9
#: A cost is as good as the lowest if it is within this share of it.
AS_GOOD = 1e-3


def run(profile: str = "full", seed: int = 0, out: Path = OUT) -> pd.DataFrame:
    """Measure, print a table, write `out`, and return one row per kind of layers and size."""
    began = time.perf_counter()
    rows = []
    with one_thread():
        for kind, layers in sources(profile, seed).items():
            for n, n_pairs in SIZES[profile].items():
                rows += measure_pairs(kind, layers, n, n_pairs, seed)
                rows[-1] |= _batched(rows, BATCHED_PAIRS[profile], layers, n, seed)
                print(f"{kind}, n = {n}: {n_pairs} pairs done", flush=True)
    pairs = pd.DataFrame(rows)
    table = summary(pairs)
    told = {
        "machine": platform.processor() or platform.machine(),
        "threads": 1,
        "versions": {"POT": ot.__version__, "torch": torch.__version__, "numpy": np.__version__},
        "profile": profile,
        "seed": seed,
        "seconds": round(time.perf_counter() - began, 1),
        "encoder": encoder.why_not() or encoder.NAME,
        "skipped": rivals.at_hand()[1],
    }
    large = pairs[pairs.n >= LARGE]
    overall = (
        large.assign(layers=f"all, n >= {LARGE}", n=0).pipe(summary).iloc[0].to_dict() if len(large) else {}
    )
    document = told | {
        "overall": overall,
        "exponents": exponents(table),
        "summary": table.to_dict(orient="records"),
        "solvers": solvers(pairs).to_dict(orient="records"),
        "pairs": pairs.to_dict(orient="records"),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1, default=float))
    print(table.round(3).to_string(index=False))
    if overall:
        keys = ("pairs", "never above POT", "lower by", "POT / to POT's value", "POT / to convergence")
        print(f"all pairs with n >= {LARGE}:", {key: round(overall[key], 3) for key in keys})
    print(solvers(pairs).round(3).to_string(index=False))
    print(f"growth of the time with n, as a power: {document['exponents']}")
    print(f"encoder: {told['encoder']}; written to {out}")
    return table


def sources(profile: str, seed: int) -> dict[str, Callable[[int], list[Array]]]:
    """Where layers come from: a function from the number of samples to point clouds, per kind."""
    trained = trained_networks.load("model-0", "smoke" if profile == "smoke" else "laptop", seed)
    reps = capture(trained.model, [trained.pairs], progress=False)
    kinds = {
        "Model 0": lambda n: list(reps.subsample(min(n, reps.n_samples), seed).values()),
        "ReLU chain": lambda n: relu_chain(n, seed),
        "tanh": lambda n: images_of_clouds(n, seed),
        "ties": lambda n: [np.round(x) for x in images_of_clouds(n, seed)],
    }
    if profile == "full" and encoder.why_not() is None:
        texts = encoder.layers(max(SIZES[profile]), seed)
        kinds["MiniLM, SST-2"] = lambda n: [layer[:n] for layer in texts]
    return kinds


def relu_chain(n: int, seed: int, depth: int = 12, width: int = 64) -> list[Array]:
    """Gaussian points (n, 16) through random ReLU layers with a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 16))
    chain = []
    for _ in range(depth):
        W = rng.normal(size=(x.shape[1], width)) * np.sqrt(2.0 / x.shape[1])
        x = np.maximum(x @ W, 0.0) + 0.05 * rng.normal(size=(n, width))
        chain.append(x)
    return chain


def images_of_clouds(n: int, seed: int, count: int = 5) -> list[Array]:
    """Gaussian points (n, 8), each cloud followed by its squashed, noisy image (n, 5)."""
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(count):
        x = rng.normal(size=(n, 8))
        layers += [x, 2 * np.tanh(x @ rng.normal(size=(8, 5))) + 0.1 * rng.normal(size=(n, 5))]
    return layers


def measure_pairs(
    kind: str, layers: Callable[[int], list[Array]], n: int, n_pairs: int, seed: int
) -> list[dict[str, float]]:
    """One row per random pair of different layers."""
    spaces = [distance_matrix(x) for x in layers(n)]
    every = list(itertools.combinations(range(len(spaces)), 2))
    chosen = np.random.default_rng(seed).permutation(len(every))[:n_pairs]
    rows = []
    for i, j in (every[k] for k in chosen):
        D1, D2 = spaces[i], spaces[j]
        row = {"layers": kind, "n": len(D1), "first": i, "second": j}
        row["identity_cost"] = cost(D1, D2, from_permutation(np.arange(len(D1))))
        row |= _theirs(D1, D2)
        row |= {"pot_seconds": row["POT: seconds"], "pot_cost": row["POT: cost"]}
        row |= {f"pot_identity_{what}": row[f"POT from identity: {what}"] for what in ("seconds", "cost")}
        rows.append(row | _ours(D1, D2, row["pot_cost"]))
    return rows


def _theirs(D1: Array, D2: Array) -> dict[str, float]:
    """Cost and time of every rival."""
    row = {}
    for name, solver in rivals.at_hand()[0].items():
        if len(D1) > rivals.SLOW.get(name, len(D1)):
            continue
        plan, seconds = _timed(lambda: solver(D1, D2))  # noqa: B023
        row |= {f"{name}: seconds": seconds, f"{name}: cost": rivals.reached(D1, D2, plan)}
    return row


def _ours(D1: Array, D2: Array, target: float) -> dict[str, float]:
    """Cost and time of one pair at each effort, and the time until the usual one reached the target."""
    (a, b), preparing = _timed(lambda: (prepare(D1), prepare(D2)))
    by_effort = {effort: _timed(lambda: solve(a, b, effort=effort)) for effort in EFFORTS}  # noqa: B023
    found, seconds = by_effort["usual"]
    row = {f"{effort}: cost": result.cost for effort, (result, _) in by_effort.items()}
    row |= {f"{effort}: seconds": spent for effort, (_, spent) in by_effort.items()}
    first, second = (a, b) if comes_first(a, b) else (b, a)
    first, second = from_the_middle(first), from_the_middle(second)
    reached, began = np.inf, time.process_time()
    for match, _ in descents(first, second, default_starts(a.n)):
        elapsed = time.process_time() - began
        if cost(first.distances, second.distances, from_permutation(match)) <= target * (1 + SAME):
            reached = elapsed
            break
    return row | {
        "cost": found.cost,
        "lower_bound": found.lower_bound,
        "distance": found.distance,
        "start": found.start,
        "seconds": seconds,
        "seconds_to_pot": reached,
        "preparing_seconds": preparing / 2,
    }


def _batched(
    rows: list[dict[str, float]], n_pairs: int, layers: Callable[[int], list[Array]], n: int, seed: int
) -> dict[str, float]:
    """POT's batched proximal solver on the last few pairs: seconds and cost per pair, relative to ours."""
    last = rows[-n_pairs:]
    spaces = [distance_matrix(x) for x in layers(n)]
    left = np.stack([spaces[r["first"]] for r in last])
    right = np.stack([spaces[r["second"]] for r in last])
    weights = np.tile(uniform(left.shape[1]), (len(last), 1))
    found, seconds = _timed(lambda: ot.solve_gromov_batch(left, right, a=weights, b=weights))
    costs = np.array([cost(*three) for three in zip(left, right, np.asarray(found.plan), strict=True)])
    return {
        "pot_batched_seconds": seconds / len(last),
        "pot_batched_excess": float(np.mean(costs / np.array([r["cost"] for r in last]) - 1.0)),
    }


def _timed(call: Callable) -> tuple:
    began = time.process_time()
    result = call()
    return result, time.process_time() - began


def summary(pairs: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of layers and size."""

    def row(group: pd.DataFrame) -> pd.Series:
        return pd.Series(
            {
                "pairs": len(group),
                "never above POT": (group.cost <= group.pot_cost * (1 + SAME)).mean(),
                "lower by": (1 - group.cost / group.pot_cost).mean(),
                "POT s": group.pot_seconds.median(),
                "ours s": group.seconds.median(),
                "POT / to POT's value": (group.pot_seconds / group.seconds_to_pot).median(),
                "POT / to convergence": (group.pot_seconds / group.seconds).median(),
                "lower than POT from identity by": (1 - group.cost / group.pot_identity_cost).mean(),
                "POT batched s": group.pot_batched_seconds.dropna().mean(),
                "POT batched above ours by": group.pot_batched_excess.dropna().mean(),
                "bound / distance": (group.lower_bound / group.distance).median(),
                "preparing a layer s": group.preparing_seconds.median(),
            }
        )

    grouped = pairs.groupby(["layers", "n"], sort=False)
    return grouped.apply(row, include_groups=False).reset_index()


def solvers(pairs: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of layers, size and solver: how low it ends, and in how much of POT's time.

    The lowest cost is that of all solvers on the pair, "thorough" among them; a solver is "best of the rest"
    if none but "thorough" is lower.
    """
    names = [column.removesuffix(": cost") for column in pairs if column.endswith(": cost")]
    rows = []
    for (kind, n), group in pairs.groupby(["layers", "n"], sort=False):
        costs = group[[f"{name}: cost" for name in names]].set_axis(names, axis=1)
        lowest, rest = costs.min(axis=1), costs.drop(columns="thorough").min(axis=1)
        for name in names:
            if costs[name].isna().all():
                continue
            rows.append(
                {
                    "layers": kind,
                    "n": n,
                    "solver": name,
                    "above the lowest by": (costs[name] / lowest - 1).mean(),
                    "lowest": (costs[name] <= lowest * (1 + AS_GOOD)).mean(),
                    "best of the rest": (costs[name] <= rest * (1 + AS_GOOD)).mean(),
                    "never above POT": (costs[name] <= costs["POT"] * (1 + SAME)).mean(),
                    "time / POT": (group[f"{name}: seconds"] / group["POT: seconds"]).median(),
                }
            )
    return pd.DataFrame(rows)


def exponents(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The power of n with which the median time grows, per kind of layers."""
    return {
        kind: {
            who: round(float(np.polyfit(np.log(group.n), np.log(group[column]), 1)[0]), 2)
            for who, column in (("POT", "POT s"), ("ours", "ours s"))
        }
        for kind, group in table.groupby("layers", sort=False)
    }
