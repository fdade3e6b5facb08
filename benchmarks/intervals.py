"""How often does an interval of a layer map hold the value on infinitely many samples?

Samples are drawn again and again from populations whose values are known:

- of RSM and CKA, layers of a network of tanh units on Gaussian inputs, from 20,000 samples;
- of GW, Gaussian clouds in d dimensions beside their images under a Gaussian kernel. All distances of the
  image are one increasing function of those of the cloud, so the best coupling is that of the cloud with
  itself, and the value is an integral over one distance. The image is of the same samples ("aligned"), or of
  others that are correlated with them ("turned"), whose population is the same;
- of GW, states of a trained network on all inputs that there are, the map of which is stored.

Beside the interval of :func:`funcsim.intervals` stand its spread, of the population and of the mean over
samples of the same size, and two that were tried: the spread around the value that is carried on to
infinitely many samples by 1 / n, or by the root of it.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import scipy

import funcsim as fs
from funcsim._internal.threads import one_thread
from funcsim._internal.typing import Array
from funcsim.geometry import pairwise_distances
from replication.modular_addition.maps import MAPS, load

OUT = Path("_build/bench/intervals.json")
LEVEL = 0.95
#: Numbers of samples; how often they are drawn for GW and for the others; halves of each.
PROFILES = {"full": ((60, 100, 200, 400), 40, 100, 12), "smoke": ((24,), 2, 3, 2)}
#: Samples that stand for the population, and how many at a time are compared with one another.
MANY, AT_ONCE = 20_000, 2_500
#: Width of the kernel in units of the root of the dimension.
WIDTH = 0.7
#: Which of the seven states of the residual stream.
STATES = (0, 2, 4)


@dataclass(frozen=True)
class Population:
    """Where samples come from, and what the measure says of all of them.

    Attributes
    ----------
    measure, name : str
    draw : callable
        Takes the number of samples and a generator; gives layers, (n, d) each.
    truth : array, shape (L, L)
    """

    measure: str
    name: str
    draw: Callable[[int, np.random.Generator], list[Array]]
    truth: Array


def run(profile: str = "full", seed: int = 0, out: Path = OUT) -> pd.DataFrame:
    """Measure, print a table, write `out`, and return one row per population and number of samples."""
    began = time.perf_counter()
    sizes, n_gw, n_other, n_draws = PROFILES[profile]
    rows = []
    with one_thread(), patch.dict(os.environ, FUNCSIM_CACHE="off"):  # nobody needs these pairs again
        for population in populations(profile, seed):
            n_samples = n_gw if population.measure == "gw" else n_other
            for n in sizes:
                rows.append(coverage(population, n, n_samples, n_draws, seed))
                held = "{interval:.2f}, the spread {spread:.2f}".format(**rows[-1])
                print(f"{population.measure}, {population.name}, n = {n}: held by {held}", flush=True)
    table = pd.DataFrame(rows)
    document = {
        "profile": profile,
        "seed": seed,
        "level": LEVEL,
        "n_draws": n_draws,
        "seconds": round(time.perf_counter() - began, 1),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "rows": rows,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1))
    print(f"Share of intervals at level {LEVEL} that hold the population's value, and width beside it")
    shown = table.drop(columns=["draws of n", "pairs"])
    print(shown.round(2).to_string(index=False))
    print(f"{document['seconds']} s; written to {out}")
    return table


def populations(profile: str, seed: int) -> list[Population]:
    """Every measure with samples from what it is known of."""
    many = MANY if profile == "full" else AT_ONCE
    truths = tanh_values(many, seed)
    found = [Population(name, "tanh units", tanh_layers, truth) for name, truth in truths.items()]
    for name, d, angle in (("aligned, 4", 4, 0.0), ("turned, 2", 2, 1.0), ("turned, 8", 8, 1.0)):
        found.append(Population("gw", name, kernel_layers(d, angle), kernel_value(d, seed)))
    return [*found, _states("smoke" if profile == "smoke" else "laptop")]


def tanh_layers(n: int, rng: np.random.Generator, depth: int = 3, width: int = 24) -> list[Array]:
    """Gaussian inputs (n, 8) and what layers of tanh units with fixed random weights make of them."""
    weights = np.random.default_rng(0)
    layers = [rng.normal(size=(n, 8))]
    for _ in range(depth):
        d = layers[-1].shape[1]
        layers.append(np.tanh(layers[-1] @ weights.normal(size=(d, width)) * 1.6 / np.sqrt(d)))
    return layers


def tanh_values(many: int, seed: int) -> dict[str, Array]:
    """RSM and linear CKA of these layers, from moments over `many` samples."""
    layers = tanh_layers(many, np.random.default_rng([seed, many]))
    products = np.zeros((len(layers), len(layers)))
    means = np.zeros(len(layers))
    for first in range(0, many, AT_ONCE):
        D = np.stack([pairwise_distances(x[first : first + AT_ONCE]).ravel() for x in layers])
        products += D @ D.T
        means += D.sum(axis=1)
    scaled = products / np.outer(means, means) * many * (AT_ONCE - 1)  # as many distances
    squares = np.diag(scaled)[:, None] + np.diag(scaled) - 2 * scaled
    centred = [x - x.mean(axis=0) for x in layers]
    shared = np.array([[((x.T @ y) ** 2).sum() for y in centred] for x in centred])
    cka = shared / np.sqrt(np.outer(np.diag(shared), np.diag(shared)))
    return {"rsm": np.sqrt(np.maximum(squares, 0.0)), "cka-debiased": cka, "cka": cka}


def kernel_layers(d: int, angle: float) -> Callable[[int, np.random.Generator], list[Array]]:
    """A Gaussian cloud (n, d), and the kernel's image (n, n) of one turned away from it by an angle."""

    def draw(n: int, rng: np.random.Generator) -> list[Array]:
        x, other = rng.normal(size=(2, n, d))
        turned = np.cos(angle) * x + np.sin(angle) * other
        kernel = np.exp(-(pairwise_distances(turned) ** 2) / (2 * WIDTH**2 * d))
        values, vectors = np.linalg.eigh(kernel)
        return [x, vectors * np.sqrt(np.maximum(values, 0.0))]

    return draw


def kernel_value(d: int, seed: int, many: int = 4_000_000) -> Array:
    """GW between the two, (2, 2): the root mean squared difference of distances of the same pairs."""
    distances = np.sqrt(2 * np.random.default_rng([seed, d]).chisquare(d, size=many))
    images = np.sqrt(2 - 2 * np.exp(-(distances**2) / (2 * WIDTH**2 * d)))
    value = np.sqrt(((distances / distances.mean() - images / images.mean()) ** 2).mean())
    return np.array([[0.0, value], [value, 0.0]])


def _states(profile: str) -> Population:
    """States of Model L's residual stream; the population is all inputs."""
    plan = MAPS["l-stream-3481"]
    reps = plan.representations(profile)
    layers = [reps[reps.names[k]] for k in STATES]
    if profile == "laptop":
        truth = load("l-stream-3481", profile).values[np.ix_(STATES, STATES)]
    else:
        truth = fs.compare(reps.select([reps.names[k] for k in STATES]), progress=False).values

    def draw(n: int, rng: np.random.Generator) -> list[Array]:
        rows = rng.choice(len(layers[0]), n, replace=False)
        return [layer[rows] for layer in layers]

    return Population("gw", f"Model L, all {len(layers[0]):,}", draw, truth)


def coverage(population: Population, n: int, n_samples: int, n_draws: int, seed: int) -> dict[str, object]:
    """How often each interval holds the truth, over samples and pairs of layers, and its median width."""
    upper = np.triu_indices(len(population.truth), k=1)
    found = []
    for k in range(n_samples):
        layers = population.draw(n, np.random.default_rng([seed, n, k]))
        reps = fs.Representations({str(i): x for i, x in enumerate(layers)})
        iv = fs.intervals(
            reps, measure=population.measure, n_draws=n_draws, level=LEVEL, seed=k, progress=False, jobs=1
        )
        found.append([x[upper] for x in (iv.map.values, iv.low, iv.high, iv.spread, iv.bias)])
    value, low, high, spread, bias = np.swapaxes(np.array(found), 0, 1)
    share = (n // 2) / (n - n // 2)
    ends = {"interval": (low, high), "spread": (value - spread, value + spread)}
    for name, rate in (("by 1 / n", 1.0), ("by its root", 0.5)):
        carried_on = value - bias / ((1 + 1 / share) ** rate - 1)
        ends[name] = (carried_on - spread, carried_on + spread)
    truth = population.truth[upper]
    row: dict[str, object] = {"measure": population.measure, "population": population.name, "n": n}
    for name, (a, b) in ends.items():
        row[name] = float(((a <= truth) & (truth <= b)).mean())
    row["spread, of size n"] = float((abs(value - value.mean(axis=0)) <= spread).mean())
    row["value / truth"] = float(np.median(value / truth))
    row["width"] = float(np.median((high - low) / truth))
    row["width of spread"] = float(np.median(2 * spread / truth))
    return row | {"draws of n": n_samples, "pairs": len(truth)}
