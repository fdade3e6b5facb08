"""Model 0: one block that learns (a + b) mod 59 (section 5.1, Figure 5 of Gao et al.).

Taught in chapter 04.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from funcsim.cache import digest
from funcsim.models.modular_transformer import ModularTransformer, ModularTransformerConfig
from funcsim.provenance import Record, data_dir, describe_device, freeze, load_record
from funcsim.storage import read_tensors, write_tensors
from funcsim.tasks.modular_sum import Split, all_pairs, split_pairs
from funcsim.training.modular import History, TrainingConfig, accuracy, train

NAME = "model-0"
CHECKPOINT = "model.safetensors"
CURVES = "training.safetensors"
CHECKPOINT_FORMAT = "funcsim.modular_transformer/1"
CURVES_FORMAT = "funcsim.training_curves/1"

MODELS = {
    "full": ModularTransformerConfig(),
    "smoke": ModularTransformerConfig(p=7, n_heads=2, d_model=16, d_mlp=32),
}
TRAINING = {"full": TrainingConfig(), "smoke": TrainingConfig(epochs=30, save_every=10)}


@dataclass(frozen=True)
class TrainedModel:
    """A network, the pairs it was trained on, how training went, and the record if frozen."""

    model: ModularTransformer
    split: Split
    history: History
    record: Record | None

    @property
    def origin(self) -> str:
        """In one line, where this network comes from."""
        return str(self.record or "profile smoke: a tiny network, trained on the spot")

    @property
    def pairs(self) -> Tensor:
        """All p*p inputs (p*p, 2), a changing slowest."""
        return all_pairs(self.model.config.p)

    def accuracies(self) -> tuple[float, float]:
        """Accuracy on the training and on the validation pairs, computed now."""
        s = self.split
        return (
            accuracy(self.model, s.train_pairs, s.train_labels),
            accuracy(self.model, s.val_pairs, s.val_labels),
        )


def run(
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = Path("_build/experiments"),
    progress: bool = True,
) -> Record:
    """Train Model 0 and freeze checkpoint, curves and record into ``out / "model-0"``."""
    folder = (out or data_dir()) / NAME
    config, training = MODELS[profile], TRAINING[profile]
    parameters = {"model": config.to_dict(), "training": training.to_dict(), "train_fraction": 0.8}
    told = json.dumps([parameters, seed, torch.device(device).type], sort_keys=True)
    state = work / f"{NAME}-{digest(told)[:12]}.safetensors"

    trained = _train(config, training, seed, state, device, progress)
    _write(folder, trained)
    at_train, at_validation = trained.accuracies()
    record = freeze(
        folder,
        [CHECKPOINT, CURVES],
        experiment=NAME,
        command=f"make experiments PROFILE={profile} ONLY={NAME} DEVICE={device} SEED={seed}",
        parameters=parameters,
        seed=seed,
        device=describe_device(device),
        seconds=round(trained.history.seconds, 1),
        encoder=f"transformer of {config.n_blocks} block, width {config.d_model}",
        data=f"all {config.p**2} pairs of (a + b) mod {config.p}, 80 % for training",
        results={"train_accuracy": at_train, "val_accuracy": at_validation},
    )
    state.unlink(missing_ok=True)
    return record


def load(profile: str = "laptop", seed: int = 0) -> TrainedModel:
    """The frozen Model 0; at profile "smoke" a tiny one, trained on the spot.

    Raises
    ------
    FrozenDataError
        If the frozen files are missing or differ from their record.
    ValueError
        If `profile` is unknown.
    """
    if profile == "smoke":
        return _train(MODELS["smoke"], TRAINING["smoke"], seed, None, "cpu", False)
    if profile not in ("laptop", "full"):
        raise ValueError(f"profile {profile!r} is unknown; use 'smoke', 'laptop' or 'full'")
    record = load_record(NAME)
    weights, _ = read_tensors(data_dir() / NAME / CHECKPOINT, CHECKPOINT_FORMAT)
    curves, _ = read_tensors(data_dir() / NAME / CURVES, CURVES_FORMAT)
    model = ModularTransformer(ModularTransformerConfig(**record.parameters["model"]))
    model.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    split = split_pairs(model.config.p, record.parameters["train_fraction"], record.seed)
    history = History(**{k: v.tolist() for k, v in curves.items()}, seconds=record.seconds)
    return TrainedModel(model.eval(), split, history, record)


def _train(
    config: ModularTransformerConfig,
    training: TrainingConfig,
    seed: int,
    state: Path | None,
    device: str,
    progress: bool,
) -> TrainedModel:
    model = ModularTransformer(config, seed)
    split = split_pairs(config.p, 0.8, seed)
    history = train(model, split, training, state, device, progress)
    return TrainedModel(model.cpu().eval(), split, history, None)


def _write(folder: Path, trained: TrainedModel) -> None:
    weights = {name: tensor.numpy() for name, tensor in trained.model.state_dict().items()}
    write_tensors(folder / CHECKPOINT, weights, {"format": CHECKPOINT_FORMAT})
    write_tensors(folder / CURVES, trained.history.curves(), {"format": CURVES_FORMAT})
