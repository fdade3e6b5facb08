"""How often does the partition cut drift, and how often does it find planted blocks?

``python -m benchmarks.partition`` writes ``_build/bench/partition.json``.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn
from scipy.stats import binomtest

from funcsim import simulated_maps
from funcsim._partition import N_NULL_MAPS, partition, spectral_partition
from funcsim.change_points import max_statistic, null_distribution
from funcsim.layer_map import LayerMap

ALPHA = 0.05
NULL_SEEDS = 5  # the null maps are redrawn, so that their chance is part of the rate
#: Maps per cell without blocks, maps per cell with blocks, numbers of layers.
PROFILES = {"full": (500, 40, (7, 12, 24, 46, 93)), "smoke": (50, 4, (7, 12))}
#: Standard deviation of the noise, where the gap between and inside blocks is 1.
NOISES = {"pairs": (0.0, 0.05, 0.1, 0.2, 0.5, 2.0), "clouds": (0.05, 0.5, 2.0)}
BLOCKS = range(1, 6)


def run(
    out: str | Path = "_build/bench/partition.json", profile: str = "full", seed: int = 0
) -> dict[str, Any]:
    """Run the benchmark, print a table and write a JSON file.

    Parameters
    ----------
    out : path
        The file to write; its folder is made.
    profile : {"full", "smoke"}
        Minutes or seconds.
    seed : int
        Of the planted maps.

    Returns
    -------
    dict
        What was written: "false_positives", one row for each family and number of layers;
        "planted", one row for each kind of map, noise, number of layers and of blocks.

    Raises
    ------
    ValueError
        If `profile` is unknown.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r} is unknown; there is {', '.join(PROFILES)}")
    start = time.perf_counter()
    n_null, n_planted, sizes = PROFILES[profile]
    drifts = [(f, s, 4.0) for f in simulated_maps.DRIFTS for s in sizes] + [
        ("uneven", s, 10.0) for s in sizes
    ]
    false = [false_positives(f, s, factor, n_null, seed) for f, s, factor in drifts]
    kinds = [("pairs", 0.0), ("pairs", 0.1), ("clouds", 0.0)]
    cells = [(k, d, e, s, b) for k, d in kinds for e in NOISES[k] for s in sizes for b in BLOCKS]
    report = {
        "profile": profile,
        "seed": seed,
        "alpha": ALPHA,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "false_positives": false,
        "planted": [score(*cell, n_planted, seed) for cell in cells],
        "seconds": round(time.perf_counter() - start, 1),
    }
    _show(report)
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1))
    print(f"written to {out}")
    return report


def false_positives(family: str, size: int, factor: float, n_maps: int, seed: int) -> dict[str, Any]:
    """How often maps of a family without blocks have p <= alpha, with its 95 % interval."""
    rng = np.random.default_rng([seed, size, simulated_maps.DRIFTS.index(family), int(factor)])
    p_values = []
    for chunk in np.array_split(np.arange(n_maps), 10):
        maps = np.stack([simulated_maps.drift_map(family, size, rng, factor) for _ in chunk])
        null = null_distribution(size, N_NULL_MAPS, len(p_values) * NULL_SEEDS // n_maps)
        above = (null >= max_statistic(maps)[:, None]).sum(axis=1)
        p_values.extend((1 + above) / (1 + N_NULL_MAPS))
    cut = int((np.array(p_values) <= ALPHA).sum())
    interval = binomtest(cut, n_maps).proportion_ci(0.95, "exact")
    return {
        "family": family,
        "factor": factor,
        "layers": size,
        "n_maps": n_maps,
        "rate": cut / n_maps,
        "interval": [round(interval.low, 4), round(interval.high, 4)],
        "at_most_alpha": bool(interval.low <= ALPHA),
        "p_value_quantiles": {q: round(float(np.quantile(p_values, q)), 3) for q in (0.01, 0.05, 0.1, 0.5)},
    }


def score(
    kind: str, drift: float, noise: float, size: int, n_blocks: int, n_maps: int, seed: int
) -> dict[str, Any]:
    """Exact number of blocks and F1 of boundaries, of the partition and of spectral clustering."""
    least = next(k for k in (3, 2, 1) if k * n_blocks <= size)
    rng = np.random.default_rng([seed, size, n_blocks, int(1000 * noise), int(1000 * drift), len(kind)])
    exact, f1, spectral = [], [], []
    for i in range(n_maps):
        sizes = simulated_maps.group_sizes(size, n_blocks, least, rng)
        values, true = simulated_maps.planted_map(sizes, noise, rng, drift, clouds=kind == "clouds")
        names = tuple(map(str, range(size)))
        m = LayerMap(values, names, names, "planted", None, 0)
        found = partition(m, alpha=ALPHA, seed=i * NULL_SEEDS // n_maps)
        exact.append(found.n_groups == n_blocks)
        f1.append(simulated_maps.boundary_f1(found.boundaries, true))
        if n_blocks > 1:
            with warnings.catch_warnings():  # of maps without noise: their graph falls apart
                warnings.simplefilter("ignore", UserWarning)
                spectral.append(simulated_maps.boundary_f1(spectral_partition(m, n_blocks).boundaries, true))
    return {
        "kind": kind,
        "drift": drift,
        "noise": noise,
        "layers": size,
        "blocks": n_blocks,
        "least_layers": least,
        "n_maps": n_maps,
        "exact_k_rate": float(np.mean(exact)),
        "boundary_f1": round(float(np.mean(f1)), 3),
        "spectral_f1": round(float(np.mean(spectral)), 3) if spectral else None,
    }


def _show(report: dict[str, Any]) -> None:
    print(f"Maps without blocks: share with p <= {ALPHA}, and its 95 % interval")
    for r in report["false_positives"]:
        low, high = r["interval"]
        flag = "" if r["at_most_alpha"] else "  ABOVE"
        name = f"{r['family']} x{r['factor']:.0f}"
        print(f"  {name:18} L={r['layers']:2}  {r['rate']:.3f} [{low:.3f}, {high:.3f}]{flag}")
    print("Planted blocks: exact K / F1 of boundaries / F1 of spectral clustering given K")
    rows = report["planted"]
    for line in dict.fromkeys((r["kind"], r["drift"], r["noise"], r["layers"]) for r in rows):
        cells = [r for r in rows if (r["kind"], r["drift"], r["noise"], r["layers"]) == line]
        texts = [
            f"{r['exact_k_rate']:.2f}/{r['boundary_f1']:.2f}"
            + ("" if r["spectral_f1"] is None else f"/{r['spectral_f1']:.2f}")
            for r in cells
        ]
        print("  {:6} drift {:.1f} noise {:4.2f} L={:2} ".format(*line), "  ".join(texts))
    print(f"{report['seconds']} s")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="_build/bench/partition.json")
    parser.add_argument("--profile", choices=PROFILES, default="full")
    parser.add_argument("--seed", type=int, default=0)
    run(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
