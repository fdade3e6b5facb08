"""Models 0 and E watched while they learn to add: is there a rise of distances, and when?

Taught in chapter 10.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.hashing import digest
from replication import dynamics
from replication.data.modular_addition import all_pairs
from replication.dynamics import GROUP, Dynamics
from replication.modular_addition.plans import PLANS as NETWORKS
from replication.modular_addition.plans import Plan
from replication.modular_addition.trained_networks import WORK, describe
from replication.stored import Record, data_dir, describe_device, folder_of, freeze
from replication.training.equal_updates import lengths_of_moves
from replication.training.modular import History, train
from replication.training.snapshots import Snapshots, log_steps

#: By name: which network is watched.
WATCHED = {"model-0": "model-0", "model-e": "model-e-equal"}
#: What is looked at in every block, after what enters the first. The heads are left out: they are four
#: times as many, and chapter 06 looks at them.
POINTS = ("attn_out", "resid_mid", "post", "mlp_out", "resid_post")


@dataclass(frozen=True)
class Looks:
    """How often a network is looked at, at how many pairs, and where."""

    n_snapshots: int = 30
    n_mapped: int = 200
    points: tuple[str, ...] = POINTS


FEW = Looks(4, 41, ("resid_mid", "resid_post"))  # at profile smoke


def run(
    name: str,
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = WORK,
    progress: bool = True,
) -> Record:
    """Train and watch; freeze what was seen into ``out / dynamics/<name> / seed-<seed>``.

    States and snapshots from which an interrupted run goes on are kept in ``work / dynamics/<name>``.
    """
    experiment = f"{GROUP}/{name}"
    plan = _plan(name, profile)
    looks = FEW if profile == "smoke" else Looks()
    parameters = plan.to_dict() | asdict(looks)
    told = json.dumps([parameters, seed, torch.device(device).type], sort_keys=True)
    kept = work / experiment / digest(told)[:12]
    found, history = watch(plan, looks, seed, kept, device, progress)
    folder = (out or data_dir()) / folder_of(experiment, seed)
    dynamics.save(folder, found)
    return freeze(
        folder,
        [dynamics.FILE],
        experiment=experiment,
        command=f"make experiments PROFILE={profile} ONLY={experiment} DEVICE={device} SEED={seed}",
        parameters=parameters,
        seed=seed,
        device=describe_device(device),
        seconds=round(history.seconds, 1),
        encoder=f"{sum(plan.blocks)}-block transformer of width {plan.d_model}, trained end to end",
        data=f"all {plan.p**2} pairs below {plan.p}, a {describe(plan.steps)}, 80 % for training",
        results={key: float(found.seen[key][-1]) for key in ("train_accuracy", "val_accuracy")},
    )


def load(name: str, profile: str = "laptop", seed: int = 0) -> Dynamics:
    """What was frozen; at profile "smoke" of a tiny network, on the spot.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    ValueError
        If `name` is unknown.
    """
    if name not in WATCHED:
        raise ValueError(f"no network was watched as {name!r}; there is {', '.join(WATCHED)}")
    return _tiny(name, seed) if profile == "smoke" else dynamics.load_frozen(name, seed)


def _plan(name: str, profile: str) -> Plan:
    plan = NETWORKS[WATCHED[name]]
    return plan.tiny() if profile == "smoke" else plan


@cache
def _tiny(name: str, seed: int) -> Dynamics:
    """Made once in a process."""
    return watch(_plan(name, "smoke"), FEW, seed, None, "cpu", False)[0]


def watch(
    plan: Plan, looks: Looks, seed: int, kept: Path | None, device: str, progress: bool
) -> tuple[Dynamics, History]:
    """Train the network of a plan end to end, and say what was seen meanwhile."""
    model, split = plan.network(seed), plan.splits(seed)[0]
    pairs = all_pairs(plan.p)[np.random.default_rng(0).permutation(plan.p**2)[: looks.n_mapped]]
    layers = [f"blocks.{b}.{point}" for b in range(len(model.blocks)) for point in looks.points]
    layers = ["blocks.0.resid_pre", *layers]
    blocks = [list(block.parameters()) for block in model.blocks]
    start = [[p.detach().clone() for p in block] for block in blocks]

    def look() -> dict[str, NDArray]:
        reps = fs.capture(model, [pairs], layers, progress=False)
        return dynamics.maps_now(reps) | {"moved": lengths_of_moves(blocks, start).numpy()}

    snapshots = Snapshots(log_steps(plan.training.epochs, looks.n_snapshots), look, kept)
    snapshots.recall()
    snapshots.take(0)
    state = kept and kept / "state.safetensors"
    history = train(model.stages()[0], split, plan.training, state, device, progress, snapshots.take)
    snapshots.take(len(history), last=True)
    seen = snapshots.stacked()
    at = np.minimum(seen["step"], len(history) - 1)  # measured on the weights with which an epoch begins
    seen |= {name: curve[at] for name, curve in history.curves().items()}
    return Dynamics(tuple(layers), len(pairs), seen, None), history
