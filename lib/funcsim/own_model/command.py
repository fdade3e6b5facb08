"""``funcsim map``: a network and texts or images in, a report out.

Taught in chapter 14.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import funcsim as fs
from funcsim.own_model.findings import study
from funcsim.own_model.layers import default_layers
from funcsim.own_model.network import Network, load_network
from funcsim.own_model.report import check_empty, write_report
from funcsim.representations import Representations

POOLS = ("mean", "cls", "last", "all")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked."""
    add = parser.add_argument
    known = "folder, minilm, bert-base, owner/model@revision, or module:function of yours"
    add("--model", required=True, metavar="NAME", help=known)
    inputs = parser.add_mutually_exclusive_group()
    inputs.add_argument("--texts", type=Path, metavar="FILE", help="one text in each line")
    inputs.add_argument("--images", type=Path, metavar="DIR", help="a folder of pictures")
    add("--layers", nargs="+", metavar="PATTERN", help="without it, what the network repeats")
    add("--pool", choices=POOLS, help="mean over tokens or places, first token, last token, all numbers")
    add("--measure", default="gw", choices=sorted(fs.measures()))
    add("--against", metavar="NAME", help="another network, shown the same")
    add("--halves", type=int, default=20, help="random halves of the inputs, for frequencies and intervals")
    add("--max-length", type=int, default=128, help="tokens; longer texts are cut")
    add("--device", default=None)
    add("--seed", type=int, default=0)
    add("--any-weights", action="store_true", help="also pickle files, which can run code of their makers")
    add("--dry-run", action="store_true", help="say layers, memory and time, and stop")
    add("--out", type=Path, required=True, metavar="DIR", help="a new folder")


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
        foresee(name, network, chosen, options)
    if options.dry_run:
        return 0
    reps = [
        fs.capture(network.model, network.batches, chosen, network.pool, options.device)
        for network, chosen in zip(networks, layers, strict=True)
    ]
    found = study(*reps, measure=options.measure, n_boot=options.halves, seed=options.seed)
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
    blocks = "one block" if found.blocks.n_blocks == 1 else f"{found.blocks.n_blocks} blocks"
    spent = f"{record['seconds']:.0f} s, at most {record['peak_memory_mib']} MiB of memory"
    print(f"{blocks}, p = {found.blocks.p_value:.3f}; {spent}")
    for path in files:
        print(path)
    return 0


def foresee(name: str, network: Network, layers: list[str], options: argparse.Namespace) -> None:
    """Say layers, memory and time, from one batch and one pair of layers."""
    began = time.perf_counter()
    one = fs.capture(network.model, network.batches[:1], layers, network.pool, options.device, progress=False)
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
