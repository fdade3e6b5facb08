"""One file per experiment: train, capture, freeze into ``data/<experiment>/seed-<seed>/``.

Each experiment's `run(profile, seed, device, out, work, progress)` writes its files and their
record, and keeps what it needs to resume in `work`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from replication.benchmark import leaderboard
from replication.dynamics import GROUP as DYNAMICS
from replication.encoder import block_ablation, dense, fine_tuned, freezing, plans
from replication.encoder import dynamics as encoder_dynamics
from replication.modular_addition import dynamics as modular_dynamics
from replication.modular_addition import known_targets, maps, second_stage, trained_networks
from replication.modular_addition.plans import PLANS, SEEDS
from replication.stored import Record
from replication.vision import resnet9


@dataclass(frozen=True)
class Experiment:
    """What the command line can make: by its own name, or with all others of its group."""

    group: str
    seeds: tuple[int, ...]
    run: Callable[..., Record]


EXPERIMENTS: dict[str, Experiment] = {
    name: Experiment(
        "known-boundaries" if name.startswith("known-boundaries/") else "modular-sum",
        leaderboard.SEEDS if name.startswith("known-boundaries/") else SEEDS.get(name, (0,)),
        partial(trained_networks.run, name),
    )
    for name in PLANS
}
EXPERIMENTS |= {name: Experiment(maps.NAME, (0,), partial(maps.run, name)) for name in maps.SETS}
EXPERIMENTS |= {
    f"{known_targets.NAME}/{kind}": Experiment(known_targets.NAME, (0,), partial(known_targets.run, kind))
    for kind in known_targets.KINDS
}
EXPERIMENTS |= {
    f"{fine_tuned.GROUP}/{name}": Experiment(
        fine_tuned.GROUP, (0, 1, 2) if name == "sst2-dense" else (0,), partial(fine_tuned.run, name)
    )
    for name in plans.PLANS
}
EXPERIMENTS |= {
    f"{DYNAMICS}/{name}": Experiment(
        DYNAMICS, (0, 1, 2) if name == "sst2" else (0,), partial(encoder_dynamics.run, name)
    )
    for name in encoder_dynamics.PLANS
}
EXPERIMENTS |= {
    f"{DYNAMICS}/{name}": Experiment(DYNAMICS, (0, 1, 2), partial(modular_dynamics.run, name))
    for name in modular_dynamics.WATCHED
}
EXPERIMENTS |= {
    f"{freezing.GROUP}/{name}": Experiment(
        freezing.GROUP, (0, 1, 2) if plan.task == "sst2" else (0,), partial(module.run, name)
    )
    for module in (freezing, block_ablation)
    for name, plan in module.PLANS.items()
}
EXPERIMENTS |= {
    f"{dense.GROUP}/{name}": Experiment(
        dense.GROUP, (0, 1, 2) if name == "sst2-dense" else (0,), partial(dense.run, name)
    )
    for name in dense.PLANS
}
EXPERIMENTS[second_stage.NAME] = Experiment(second_stage.NAME, (0, 1, 2), second_stage.run)
EXPERIMENTS[resnet9.NAME] = Experiment(resnet9.NAME, (0,), resnet9.run)
EXPERIMENTS[leaderboard.NAME] = Experiment(leaderboard.NAME, leaderboard.SEEDS, leaderboard.run)
