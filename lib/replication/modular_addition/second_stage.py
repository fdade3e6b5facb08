"""Why block 2 of Model L does not learn its sum with nested moduli: the block alone, in eight ways.

The first stage is the frozen network's and stays as it is. Block 2 and its readout are trained on
what it hands on: as it is or brought to length 1, the length for which a block's initial weights
are made; and with or without new embeddings, at the second position, of the first stage's answer
c1, of b, or of both.

Taught in chapter 04.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from funcsim._internal.hashing import digest
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from replication.modular_addition import trained_networks
from replication.modular_addition.trained_networks import TrainedModel
from replication.stored import Record, data_dir, describe_device, folder_of, freeze, load_record
from replication.training.modular import History, TrainingConfig, train

NAME = "second-sum"
NETWORK = "model-l-nested"
FILE = "right.safetensors"
FORMAT = "funcsim.second_sum/1"


@dataclass(frozen=True)
class Way:
    """What block 2 is given: the stream at length 1 or as it is, and which numbers once more."""

    unit: bool
    anew: tuple[str, ...]


WAYS: dict[str, Way] = {
    f"{length}, {told}": Way(unit, anew)
    for (length, unit), (told, anew) in product(
        {"as handed on": False, "length 1": True}.items(),
        {"nothing anew": (), "c1 anew": ("c1",), "b anew": ("b",), "both anew": ("c1", "b")}.items(),
    )
}


class SecondStage(nn.Module):
    """Block 2 and a readout, on what a trained first stage hands on.

    Parameters
    ----------
    first : TrainedModel
        A network trained layer by layer; nothing of it is changed.
    way : Way
    seed : int
        Of the initial weights, which but for the embeddings are the same in every way.
    """

    def __init__(self, first: TrainedModel, way: Way, seed: int) -> None:
        super().__init__()
        self.p = first.plan.p
        self.stage = first.plan.network(seed).stages()[1]
        with torch.no_grad():
            stream = first.model.read(first.pairs, 1)
        self.register_buffer("stream", normalize(stream, dim=-1) if way.unit else stream, persistent=False)
        numbers = {"c1": first.answers[0], "b": first.pairs[:, 1]}
        for name in way.anew:
            self.register_buffer(name, numbers[name], persistent=False)
        self.anew = nn.ModuleDict({name: nn.Embedding(self.p, first.plan.d_model) for name in way.anew})
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


def run(
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = trained_networks.WORK,
    progress: bool = True,
) -> Record:
    """Train block 2 in every way; freeze the curves into ``out / second-sum / seed-<seed>``.

    `seed` decides the initial weights; first stage and split are those of the network of seed 0.
    States from which an interrupted run goes on are kept in ``work / second-sum``.
    """
    first = trained_networks.load(NETWORK, profile)
    config = _config(first)
    told = json.dumps([config.to_dict(), first.weights_digest, seed, torch.device(device).type])
    kept, folder = work / NAME / digest(told)[:12], (out or data_dir()) / folder_of(NAME, seed)
    histories = {
        name: _train(first, way, seed, kept / f"{name}.safetensors", device, progress)
        for name, way in progress_bar(list(WAYS.items()), "ways", progress)
    }
    pairs = {"train": len(first.split.train_inputs), "val": len(first.split.val_inputs)}
    right = {
        f"{part}/{name}": np.rint(n * history.curves()[f"{part}_accuracy"]).astype(np.int16)
        for name, history in histories.items()
        for part, n in pairs.items()
    }
    write_tensors(folder / FILE, right, {"format": FORMAT})
    return freeze(
        folder,
        [FILE],
        experiment=NAME,
        command=f"make experiments PROFILE={profile} ONLY={NAME} DEVICE={device} SEED={seed}",
        parameters={
            "network": NETWORK,
            "pairs": pairs,
            "training": config.to_dict(),
            "ways": {name: asdict(way) for name, way in WAYS.items()},
        },
        seed=seed,
        device=describe_device(device),
        seconds=round(sum(history.seconds for history in histories.values()), 1),
        encoder=f"block 2 of {NETWORK}, trained on what its first stage hands on",
        data=f"all {first.plan.p**2} pairs below {first.plan.p}, "
        f"a {trained_networks.describe(first.plan.steps[:2])}, 80 % for training",
        results={f"val_accuracy, {name}": h.val_accuracy[-1] for name, h in histories.items()},
    )


def load(profile: str = "laptop", seed: int = 0) -> tuple[Mapping[str, dict[str, NDArray]], str]:
    """Accuracies "train" and "val" (epochs,) of every way, and in one line where they come from.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    """
    if profile == "smoke":
        return _tiny(seed), "profile smoke: block 2 of a tiny network, trained on the spot"
    record = load_record(NAME, seed)
    right, _ = read_tensors(data_dir() / folder_of(NAME, seed) / FILE, FORMAT)
    told = record.parameters
    shares = {
        name: {part: right[f"{part}/{name}"] / n for part, n in told["pairs"].items()}
        for name in told["ways"]
    }
    return shares, str(record)


def _config(first: TrainedModel) -> TrainingConfig:
    """As every stage of the network was trained, but stopped once it has settled."""
    return replace(first.plan.training, settled=300)


def _train(
    first: TrainedModel, way: Way, seed: int, state: Path | None, device: str, progress: bool
) -> History:
    split = first.plan.splits(first.seed)[1]
    return train(SecondStage(first, way, seed), split, _config(first), state, device, progress)


@cache
def _tiny(seed: int) -> dict[str, dict[str, NDArray]]:
    """Trained once in a process."""
    first = trained_networks.load(NETWORK, "smoke")
    trained = {name: _train(first, way, seed, None, "cpu", False).curves() for name, way in WAYS.items()}
    return {
        name: {part: curves[f"{part}_accuracy"] for part in ("train", "val")}
        for name, curves in trained.items()
    }
