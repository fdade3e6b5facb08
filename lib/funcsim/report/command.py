"""``funcsim map``: a network and texts or images in, a report out.

Taught in chapter 14.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from dataclasses import replace
from functools import partial

from torch import nn

import funcsim as fs
from funcsim._cost import duration, size
from funcsim._internal import cache
from funcsim.errors import ModelError
from funcsim.report.analysis import analyse
from funcsim.report.findings import p_in_words, tested
from funcsim.report.functions import running
from funcsim.report.inputs import Network, load_network
from funcsim.report.options import check_options, measure_of
from funcsim.report.page import write_report
from funcsim.report.poolings import every_pooling
from funcsim.report.twin import check_model, draw_twin
from funcsim.representations import Representations

#: Inputs that are shown to a network to foretell what all of them cost.
TRIED = 32


def run(options: argparse.Namespace) -> int:
    """Carry out what was asked; 0 if it went well."""
    warnings.showwarning = lambda message, *_: print(f"funcsim map: {message}", file=sys.stderr)
    check_options(options)
    cache.try_out()
    began = time.perf_counter()
    names = [options.model, *([options.against] if options.against else [])]
    networks = [_load(name, options) for name in names]
    if options.twin:
        check_model(networks[0].model)
    for name, network in zip(names, networks, strict=True):
        foretell(name, network, options, options.twin if network is networks[0] else 0)
    if options.dry_run:
        return 0
    reps, poolings = [], []
    for name, network in zip(names, networks, strict=True):
        pooled = every_pooling(network, partial(_capture, name, options))
        reps.append(pooled.pop(_pool_of(options, network)))
        poolings.append(pooled)
    told = {"measure": measure_of(options), "n_draws": options.halves, "seed": options.seed}
    twin = draw_twin(
        networks[0].model,
        partial(_look, networks[0], options),
        options.twin,
        measure_of(options),
        options.seed,
    )
    found = analyse(*reps, poolings=poolings[0], twin=twin, **told)
    notes = dict.fromkeys(note for network in networks for note in network.notes)
    found = replace(found, warnings=(*found.warnings, *notes))
    record = {
        "command": " ".join(["funcsim", *sys.argv[1:]]) if sys.argv[1:] else "funcsim map",
        "model": [network.origin for network in networks],
        "inputs": networks[0].inputs,
        "layers": [list(r.names) for r in reps],
        "pool": _pool_of(options, networks[0]),
        "measure": options.measure,
        "effort": found.map.effort,
        "untrained_copies": options.twin,
        "seed": options.seed,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_memory_mib": peak_memory(),
    }
    files = write_report(options.out, found, f"{options.model}: layers by function", record)
    groups = "one group" if found.partition.n_groups == 1 else f"{found.partition.n_groups} groups"
    spent = f"{record['seconds']:.0f} s, at most {record['peak_memory_mib']} MiB of memory"
    print(f"{groups}, {p_in_words(tested(found.partition))}; {spent}")
    for path in files:
        print(path)
    return 0


def _load(name: str, options: argparse.Namespace) -> Network:
    """A network as the options ask for it; of a dry run with a few inputs."""
    network = load_network(
        name,
        options.texts,
        options.images,
        options.max_length,
        any_weights=options.any_weights,
        layers=options.layers,
        allow_missing=options.allow_missing_weights,
        n_inputs=options.inputs,
        seed=options.seed,
        n_tried=TRIED if options.dry_run else None,
    )
    if not options.pool or (options.pool == "mean" and callable(network.pool)):
        return network
    return replace(network, pool=None if options.pool == "all" else options.pool)


def _pool_of(options: argparse.Namespace, network: Network) -> str:
    return options.pool or ("mean" if network.pool else "all")


def _look(network: Network, options: argparse.Namespace, fresh: nn.Module) -> Representations:
    """What the layers of an untrained copy say to all inputs."""
    return _capture("an untrained copy", options, replace(network, model=fresh), progress=False)


def _capture(
    name: str, options: argparse.Namespace, network: Network, few: bool = False, progress: bool = True
) -> Representations:
    """What the layers of a network say to all inputs, or to those of the first batch."""
    batches = network.batches[:1] if few else network.batches
    with running(name):
        reps = fs.capture(
            network.model,
            batches,
            layers=list(network.layers),
            pool=network.pool,
            device=options.device,
            progress=progress and not few,
        )
    if len(reps) < 2:
        raise ModelError(
            f"{name}: one layer, {reps.names[0]!r}, makes no map; choose at least two with --layers"
        )
    return reps if few or reps.n_samples <= network.n_taken else reps.subsample(network.n_taken, options.seed)


def foretell(name: str, network: Network, options: argparse.Namespace, n_twin: int = 0) -> None:
    """Say layers, memory and time, from one batch and a few small clouds; also of untrained copies."""
    seconds = []
    for _ in range(2):  # the first pass also makes ready
        began = time.perf_counter()
        one = _capture(name, options, network, few=True)
        seconds.append(time.perf_counter() - began)
    per_input = min(seconds) / one.n_samples
    print(f"{name}: {len(one)} layers, {one.names[0]} to {one.names[-1]}; {network.inputs}")
    widths = [layer.shape[1] for layer in one.values()]
    told = {"measure": measure_of(options), "n_draws": options.halves}
    n = network.n_taken
    shown = network.n_offered if network.n_samples > n else n
    cost = fs.estimate_cost([(n, width) for width in widths], **told)
    print(
        f"  memory for what layers say: {size(4 * sum(widths) * shown)}; with matrices of {n} x {n} inputs, "
        f"{size(cost.matrix_bytes)} each, in all: {size(cost.memory_bytes)}"
    )
    captured = shown * per_input
    print(
        f"  time: about {duration(captured + cost.seconds)} on one core, {duration(captured)} to capture; "
        "starting up, a second measure and the checks come on top"
    )
    if n_twin:
        one_map = fs.estimate_cost([(n, width) for width in widths], measure=measure_of(options)).seconds
        print(f"  and {duration(n_twin * (captured + one_map))} for {n_twin} copies with fresh weights")
    if network.n_offered > n:
        every = fs.estimate_cost([(network.n_offered, width) for width in widths], **told)
        print(
            f"  all {network.n_offered} inputs would take at least {duration(every.seconds)} and "
            f"{size(every.memory_bytes)}, {size(every.matrix_bytes)} for each matrix; --inputs N sets how "
            "many are drawn"
        )


def peak_memory() -> int:
    """The most that this process has held, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (2**20 if sys.platform == "darwin" else 2**10))
