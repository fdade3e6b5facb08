"""Full-batch training of a modular transformer, with states from which it resumes exactly.

The protocol is that of Zhong et al. (2023): AdamW, ten steps of warm-up, one step per epoch
on all training pairs, the loss computed from float64 logits because its tail decides
whether the network generalises.

Taught in chapter 04.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from funcsim.models.modular_transformer import ModularTransformer
from funcsim.progress import progress_bar
from funcsim.storage import read_tensors, write_tensors
from funcsim.tasks.modular_sum import Split

STATE_FORMAT = "funcsim.training_state/1"
CURVES = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")


@dataclass(frozen=True)
class TrainingConfig:
    """How to train; the defaults are those of Zhong et al., but for the number of epochs.

    Parameters
    ----------
    epochs : int
        Full-batch steps.
    lr, weight_decay : float
    betas : pair of float
        Of AdamW.
    warmup : int
        Steps during which the learning rate rises linearly to `lr`.
    save_every : int
        Epochs between two states on disk.
    """

    epochs: int = 1000
    lr: float = 1e-3
    weight_decay: float = 2.0
    betas: tuple[float, float] = (0.9, 0.98)
    warmup: int = 10
    save_every: int = 50

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class History:
    """One number per finished epoch: losses in nats, accuracies between 0 and 1.

    Each is measured on the weights with which the epoch began. `seconds` is the time spent,
    summed over interrupted runs.
    """

    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.train_loss)

    def curves(self) -> dict[str, np.ndarray]:
        """The four curves as float64 arrays (epochs,)."""
        return {name: np.array(getattr(self, name), dtype=np.float64) for name in CURVES}


def train(
    model: ModularTransformer,
    split: Split,
    config: TrainingConfig,
    state: Path | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> History:
    """Train `model` in place.

    Parameters
    ----------
    model : ModularTransformer
    split : Split
        Pairs (n, 2) and labels (n,).
    config : TrainingConfig
    state : Path, optional
        A safetensors file. If it exists, training goes on from it, to the same bits on a CPU
        as without interruption; it is rewritten every `config.save_every` epochs.
    device : str
        Where to train; the model stays there.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    History

    Raises
    ------
    FileFormatError
        If `state` is damaged or of another kind.
    """
    model.to(device).train()
    split = Split(*(tensor.to(device) for tensor in vars(split).values()))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.lr, weight_decay=config.weight_decay, betas=config.betas
    )
    history = History()
    if state is not None and state.exists():
        _load_state(state, model, optimizer, history)
    began = time.perf_counter() - history.seconds
    epochs = range(len(history), config.epochs)
    for epoch in progress_bar(epochs, "train", progress):
        for group in optimizer.param_groups:
            group["lr"] = config.lr * min((epoch + 1) / config.warmup, 1.0)
        _step(model, split, optimizer, history)
        history.seconds = time.perf_counter() - began
        if state is not None and (epoch + 1) % config.save_every == 0:
            _save_state(state, model, optimizer, history)
    return history


def accuracy(model: ModularTransformer, pairs: Tensor, labels: Tensor) -> float:
    """Share of pairs (n, 2) whose most likely class is the label (n,)."""
    with torch.no_grad():
        return _accuracy(model(pairs), labels)


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return (logits.argmax(dim=1) == labels).double().mean().item()


def _step(
    model: ModularTransformer, split: Split, optimizer: torch.optim.Optimizer, history: History
) -> None:
    with torch.no_grad():
        val_logits = model(split.val_pairs).double()
    logits = model(split.train_pairs).double()
    loss = cross_entropy(logits, split.train_labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.train_loss.append(loss.item())
    history.val_loss.append(cross_entropy(val_logits, split.val_labels).item())
    history.train_accuracy.append(_accuracy(logits, split.train_labels))
    history.val_accuracy.append(_accuracy(val_logits, split.val_labels))


def _save_state(
    path: Path, model: ModularTransformer, optimizer: torch.optim.Optimizer, history: History
) -> None:
    tensors = {f"model/{k}": v.cpu().numpy() for k, v in model.state_dict().items()}
    for index, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"adam/{index}/{k}": v.cpu().numpy() for k, v in slots.items()}
    tensors |= {f"history/{k}": v for k, v in history.curves().items()}
    header = {"format": STATE_FORMAT, "seconds": json.dumps(history.seconds)}
    write_tensors(path, tensors, header)


def _load_state(
    path: Path, model: ModularTransformer, optimizer: torch.optim.Optimizer, history: History
) -> None:
    tensors, header = read_tensors(path, STATE_FORMAT)
    parts: dict[str, dict[str, np.ndarray]] = {"model": {}, "adam": {}, "history": {}}
    for key, array in tensors.items():
        part, name = key.split("/", 1)
        parts[part][name] = array
    model.load_state_dict({k: torch.tensor(v) for k, v in parts["model"].items()})
    slots: dict[int, dict[str, Tensor]] = {}
    for key, array in parts["adam"].items():
        index, name = key.split("/")
        slots.setdefault(int(index), {})[name] = torch.tensor(array)
    optimizer.load_state_dict(optimizer.state_dict() | {"state": slots})
    for name, curve in parts["history"].items():
        setattr(history, name, curve.tolist())
    history.seconds = json.loads(header["seconds"])
