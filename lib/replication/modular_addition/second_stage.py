"""Why block 2 of Model L (section 5.1) does not learn its sum with nested moduli: the block alone.

The first stage is the stored network's and stays frozen. Block 2 and its readout are trained on
what it hands on: as it is or brought to length 1, the length for which a block's initial weights
are made; and with or without new embeddings, at the second position, of the first stage's answer
c1, of b, or of both.

Taught in chapter 04.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from replication.modular_addition import trained_networks
from replication.modular_addition.plans import PLANS
from replication.modular_addition.trained_networks import TrainedModel
from replication.run import Experiment, Run, load_result
from replication.stored import Record
from replication.training.modular import TrainingConfig, train

NAME = "second-sum"
NETWORK = "model-l-nested"
FILE = "right.safetensors"
FORMAT = "funcsim.second_sum/1"


@dataclass(frozen=True)
class Variant:
    """What block 2 is given: the stream at length 1 or as it is, and which numbers once more."""

    unit: bool
    anew: tuple[str, ...]


VARIANTS: dict[str, Variant] = {
    f"{length}, {numbers}": Variant(unit, anew)
    for (length, unit), (numbers, anew) in product(
        {"as handed on": False, "length 1": True}.items(),
        {"nothing anew": (), "c1 anew": ("c1",), "b anew": ("b",), "both anew": ("c1", "b")}.items(),
    )
}


@dataclass(frozen=True)
class Plan:
    """Which network's block 2 is trained, in how many epochs, and when that is over.

    As every stage of the network was trained, but stopped once all held-out pairs were right for
    `patience` epochs.
    """

    network: str = NETWORK
    training: TrainingConfig = PLANS[NETWORK].training
    patience: int = 300

    def tiny(self) -> Plan:
        """The same of a tiny network."""
        return replace(self, training=PLANS[self.network].tiny().training)

    @property
    def config(self) -> TrainingConfig:
        return replace(self.training, settled=self.patience)


class SecondStage(nn.Module):
    """Block 2 and a readout, on what a trained first stage hands on.

    Parameters
    ----------
    first : TrainedModel
        A network trained layer by layer; nothing of it is changed.
    variant : Variant
    seed : int
        Of the initial weights, which but for the embeddings are the same in every variant.
    """

    def __init__(self, first: TrainedModel, variant: Variant, seed: int) -> None:
        super().__init__()
        self.p = first.plan.p
        self.stage = first.plan.network(seed).stages()[1]
        with torch.no_grad():
            stream = first.model.read(first.pairs, 1)
        stream = normalize(stream, dim=-1) if variant.unit else stream
        self.register_buffer("stream", stream, persistent=False)
        numbers = {"c1": first.predictions[0], "b": first.pairs[:, 1]}
        for name in variant.anew:
            self.register_buffer(name, numbers[name], persistent=False)
        self.anew = nn.ModuleDict({name: nn.Embedding(self.p, first.plan.d_model) for name in variant.anew})
        generator = torch.Generator().manual_seed(seed)
        for table in self.anew.values():
            nn.init.normal_(table.weight, std=first.plan.d_model**-0.5, generator=generator)

    def forward(self, pairs: Tensor) -> Tensor:
        """Logits (batch, classes) of the second sum for integer pairs (batch, 2)."""
        rows = pairs[:, 0] * self.p + pairs[:, 1]
        x = self.stream[rows]
        for name, table in self.anew.items():
            x[:, -1] = x[:, -1] + table(getattr(self, name)[rows])
        return self.stage(x)


def compute(plan: Plan, run: Run) -> Record:
    """Train block 2 in every variant; store how many pairs are right after each epoch.

    The seed decides the initial weights; first stage and split are those of the network of seed 0.
    """
    first, config = trained_networks.load(plan.network, run.profile), plan.config
    cached, split = [config.to_dict(), first.weights_digest], first.plan.splits(first.seed)[1]
    histories = {}
    for name, variant in progress_bar(list(VARIANTS.items()), "variants", run.progress):
        state = run.resume(f"{name}.safetensors", cached)
        stage = SecondStage(first, variant, run.seed)
        histories[name] = train(stage, split, config, state, run.device, run.progress)
    pairs = {"train": len(split.train_inputs), "val": len(split.val_inputs)}
    right = {
        f"{part}/{name}": np.rint(n * history.curves()[f"{part}_accuracy"]).astype(np.int16)
        for name, history in histories.items()
        for part, n in pairs.items()
    }
    write_tensors(run.folder / FILE, right, {"format": FORMAT})
    return run.store(
        [FILE],
        {f"val_accuracy, {name}": h.val_accuracy[-1] for name, h in histories.items()},
        parameters={
            "network": plan.network,
            "pairs": pairs,
            "training": config.to_dict(),
            "ways": {name: asdict(variant) for name, variant in VARIANTS.items()},
        },
        encoder=f"block 2 of {plan.network}, trained on what its first stage hands on",
        data=f"all {first.plan.p**2} pairs below {first.plan.p}, "
        f"a {trained_networks.describe(first.plan.steps[:2])}, 80 % for training",
        seconds=sum(history.seconds for history in histories.values()),
    )


def read(folder: Path, record: Record) -> tuple[dict[str, dict[str, NDArray]], str]:
    """Accuracies "train" and "val" (epochs,) of every variant, and in one line where they come from."""
    right, _ = read_tensors(folder / FILE, FORMAT)
    pairs = record.parameters["pairs"]
    accuracies = {
        name: {part: right[f"{part}/{name}"] / n for part, n in pairs.items()}
        for name in record.parameters["ways"]
    }
    return accuracies, str(record)


EXPERIMENTS = {NAME: Experiment(NAME, NAME, Plan(), compute, read, seeds=(0, 1, 2))}


def load(profile: str = "laptop", seed: int = 0) -> tuple[dict[str, dict[str, NDArray]], str]:
    """What :func:`read` reads; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, NAME, profile, seed)
