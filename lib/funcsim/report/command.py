"""``funcsim map``: a network and texts or images in, a report out.

Taught in chapter 14.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import replace

import numpy as np

import funcsim as fs
from funcsim._layers import default_layers
from funcsim.report.analysis import analyse
from funcsim.report.inputs import Network, load_network
from funcsim.report.page import check_empty, write_report
from funcsim.representations import Representations


def run(options: argparse.Namespace) -> int:
    """Carry out what was asked; 0 if it went well."""
    check_empty(options.out)
    began = time.perf_counter()
    names = [options.model, *([options.against] if options.against else [])]
    networks = [
        load_network(name, options.texts, options.images, options.max_length, any_weights=options.any_weights)
        for name in names
    ]
    if options.pool:
        pool = None if options.pool == "all" else options.pool
        networks = [
            replace(network, pool=network.pool if pool == "mean" and callable(network.pool) else pool)
            for network in networks
        ]
    layers = [options.layers or default_layers(n.model, n.batches[0]) for n in networks]
    for name, network, chosen in zip(names, networks, layers, strict=True):
        estimate_cost(name, network, chosen, options)
    if options.dry_run:
        return 0
    reps = [
        fs.capture(network.model, network.batches, chosen, network.pool, device=options.device)
        for network, chosen in zip(networks, layers, strict=True)
    ]
    found = analyse(*reps, measure=options.measure, n_draws=options.halves, seed=options.seed)
    record = {
        "command": " ".join(["funcsim", *sys.argv[1:]]) if sys.argv[1:] else "funcsim map",
        "model": [network.origin for network in networks],
        "inputs": networks[0].inputs,
        "layers": [list(r.names) for r in reps],
        "pool": options.pool or ("mean" if networks[0].pool else "all"),
        "measure": options.measure,
        "seed": options.seed,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_memory_mib": peak_memory(),
    }
    files = write_report(options.out, found, f"{options.model}: layers by function", record)
    groups = "one group" if found.partition.n_groups == 1 else f"{found.partition.n_groups} groups"
    spent = f"{record['seconds']:.0f} s, at most {record['peak_memory_mib']} MiB of memory"
    print(f"{groups}, p = {found.partition.p_value:.3f}; {spent}")
    for path in files:
        print(path)
    return 0


def estimate_cost(name: str, network: Network, layers: list[str], options: argparse.Namespace) -> None:
    """Say layers, memory and time, from one batch and one pair of layers."""
    began = time.perf_counter()
    one = fs.capture(
        network.model, network.batches[:1], layers, network.pool, device=options.device, progress=False
    )
    per_batch = time.perf_counter() - began
    width = sum(layer.shape[1] for layer in one.values())
    print(f"{name}: {len(one)} layers, {one.names[0]} to {one.names[-1]}; {network.inputs}")
    print(f"  memory for what they say: {4 * width * network.n_samples / 2**20:.0f} MiB")
    pairs = len(one) * (len(one) - 1) / 2
    at = {n: _seconds_per_pair(n, options.measure) for n in (network.n_samples, network.n_samples // 2)}
    maps = at[network.n_samples] * 2 + at[network.n_samples // 2] * options.halves
    print(f"  time: about {len(network.batches) * per_batch + pairs * maps:.0f} s on one core")


def _seconds_per_pair(n: int, measure: str) -> float:
    """Of two clouds without structure, which are the slowest."""
    rng = np.random.default_rng(0)
    clouds = Representations({name: rng.normal(size=(max(n, 4), 16)) for name in "ab"})
    began = time.perf_counter()
    fs.compare(clouds, measure=measure, jobs=1, progress=False)
    return time.perf_counter() - began


def peak_memory() -> int:
    """The most that this process has held, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (2**20 if sys.platform == "darwin" else 2**10))
