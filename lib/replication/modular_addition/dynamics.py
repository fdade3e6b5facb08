"""Models 0 and E while they learn to add (section 5.3): is there a rise of distances, and when?

Taught in chapter 10.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from replication import dynamics
from replication.data.modular_addition import all_pairs
from replication.dynamics import GROUP, Dynamics
from replication.modular_addition.plans import PLANS, Plan
from replication.modular_addition.trained_networks import describe
from replication.run import Experiment, Run, load_result
from replication.stored import Record
from replication.training.equal_updates import relative_update_norm
from replication.training.modular import History, train
from replication.training.snapshots import Snapshots, log_steps

#: By name: which network is trained.
NETWORKS = {"model-0": "model-0", "model-e": "model-e-equal"}
#: What is captured of every block, after what enters the first. The heads are left out: they are four
#: times as many, and chapter 06 looks at them.
POINTS = ("attn_out", "resid_mid", "post", "mlp_out", "resid_post")


@dataclass(frozen=True)
class Snapshot:
    """How many snapshots there are, of how many pairs, and of which points of a block."""

    n_snapshots: int = 30
    n_mapped: int = 200
    points: tuple[str, ...] = POINTS


@dataclass(frozen=True)
class SnapshotPlan:
    """A network, and the snapshots that are recorded while it is trained."""

    network: Plan
    snapshot: Snapshot = field(default_factory=Snapshot)

    def tiny(self) -> SnapshotPlan:
        """The same plan with a tiny network: for profile `smoke`."""
        return SnapshotPlan(self.network.tiny(), Snapshot(4, 41, ("resid_mid", "resid_post")))

    def to_dict(self) -> dict[str, object]:
        return self.network.to_dict() | asdict(self.snapshot)


def compute(plan: SnapshotPlan, run: Run) -> Record:
    """Train and record; snapshots and states are resumed."""
    network = plan.network
    result, history = train_and_record(plan, run)
    dynamics.save(run.folder, result)
    return run.store(
        [dynamics.FILE],
        {key: float(result.history[key][-1]) for key in ("train_accuracy", "val_accuracy")},
        parameters=plan.to_dict(),
        encoder=f"{sum(network.blocks)}-block transformer of width {network.d_model}, trained end to end",
        data=f"all {network.p**2} pairs below {network.p}, a {describe(network.steps)}, 80 % for training",
        seconds=history.seconds,
    )


def train_and_record(plan: SnapshotPlan, run: Run) -> tuple[Dynamics, History]:
    """Train the network of a plan end to end, with snapshots meanwhile."""
    network, snapshot = plan.network, plan.snapshot
    model, split = network.network(run.seed), network.splits(run.seed)[0]
    order = np.random.default_rng(0).permutation(network.p**2)
    pairs = all_pairs(network.p)[order[: snapshot.n_mapped]]
    layers = [f"blocks.{b}.{point}" for b in range(len(model.blocks)) for point in snapshot.points]
    layers = ["blocks.0.resid_pre", *layers]
    blocks = [list(block.parameters()) for block in model.blocks]
    start = [[p.detach().clone() for p in block] for block in blocks]

    def now() -> dict[str, NDArray]:
        reps = fs.capture(model, [pairs], layers, progress=False)
        return dynamics.maps_now(reps) | {"moved": relative_update_norm(blocks, start).numpy()}

    config = network.training
    folder, state = (run.resume(name, plan.to_dict()) for name in ("snapshots", "state.safetensors"))
    snapshots = Snapshots(log_steps(config.epochs, snapshot.n_snapshots), now, folder)
    snapshots.restore()
    snapshots.record(0)
    history = train(model.stages()[0], split, config, state, run.device, run.progress, snapshots.record)
    snapshots.record(len(history), last=True)
    arrays = snapshots.stacked()
    at = np.minimum(arrays["step"], len(history) - 1)  # measured on the weights with which an epoch begins
    arrays |= {name: curve[at] for name, curve in history.curves().items()}
    return Dynamics(tuple(layers), len(pairs), arrays), history


EXPERIMENTS = {
    f"{GROUP}/{name}": Experiment(
        f"{GROUP}/{name}", GROUP, SnapshotPlan(PLANS[network]), compute, dynamics.read, seeds=(0, 1, 2)
    )
    for name, network in NETWORKS.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> Dynamics:
    """Stored snapshots; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{name}", profile, seed)
