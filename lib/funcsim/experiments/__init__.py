"""One file per experiment: train, capture, freeze into ``data/<experiment>/seed-<seed>/``.

Each experiment's `run(profile, seed, device, out, work, progress)` writes its files and their
record, and keeps what it needs to resume in `work`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from funcsim.experiments import (
    ablations,
    encoder_dynamics,
    encoder_plans,
    encoders,
    interventions,
    known_targets,
    leaderboard,
    modular_dynamics,
    modular_maps,
    modular_sum,
    second_sum,
    vision,
)
from funcsim.experiments.dynamics import GROUP as DYNAMICS
from funcsim.experiments.plans import PLANS, SEEDS
from funcsim.provenance import Record


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
        partial(modular_sum.run, name),
    )
    for name in PLANS
}
EXPERIMENTS |= {
    name: Experiment(modular_maps.NAME, (0,), partial(modular_maps.run, name)) for name in modular_maps.SETS
}
EXPERIMENTS |= {
    f"{known_targets.NAME}/{kind}": Experiment(known_targets.NAME, (0,), partial(known_targets.run, kind))
    for kind in known_targets.KINDS
}
EXPERIMENTS |= {
    f"{encoders.GROUP}/{name}": Experiment(
        encoders.GROUP, (0, 1, 2) if name == "sst2-dense" else (0,), partial(encoders.run, name)
    )
    for name in encoder_plans.PLANS
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
    f"{ablations.GROUP}/{name}": Experiment(
        ablations.GROUP, (0, 1, 2) if plan.task == "sst2" else (0,), partial(module.run, name)
    )
    for module in (ablations, interventions)
    for name, plan in module.PLANS.items()
}
EXPERIMENTS[second_sum.NAME] = Experiment(second_sum.NAME, (0, 1, 2), second_sum.run)
EXPERIMENTS[vision.NAME] = Experiment(vision.NAME, (0,), vision.run)
EXPERIMENTS[leaderboard.NAME] = Experiment(leaderboard.NAME, leaderboard.SEEDS, leaderboard.run)
