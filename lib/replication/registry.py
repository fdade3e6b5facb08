"""All experiments, by name: what the tables, figures and claims are made of.

An experiment lives in one file, with its plan, `compute`, `read`, `load`, and its entries here in
``EXPERIMENTS`` (:class:`replication.run.Experiment`).
"""

from __future__ import annotations

from replication.benchmark import level_and_power, scores
from replication.decoder import experiment as decoder
from replication.encoder import block_ablation, block_maps, dense, fine_tuned, freezing, sparse, untrained
from replication.encoder import dynamics as encoder_dynamics
from replication.known import networks as known_networks
from replication.known import stitched
from replication.modular_addition import dynamics as modular_dynamics
from replication.modular_addition import known_targets, maps, second_stage, trained_networks
from replication.run import Experiment
from replication.search import measured as search
from replication.vision import resnet9

MODULES = (
    trained_networks,
    maps,
    known_targets,
    fine_tuned,
    encoder_dynamics,
    modular_dynamics,
    freezing,
    block_ablation,
    dense,
    block_maps,
    sparse,
    untrained,
    second_stage,
    resnet9,
    level_and_power,
    known_networks,
    stitched,
    scores,
    search,
    decoder,
)
EXPERIMENTS: dict[str, Experiment] = {name: e for module in MODULES for name, e in module.EXPERIMENTS.items()}
