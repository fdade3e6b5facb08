"""Training of a network on images (reviews), with states from which it resumes exactly.

The protocol is TRAK's: SGD with momentum, a learning rate that rises linearly and falls linearly to
nothing, mirrored images, products in half precision. What differs is said in the configuration.

Taught in chapter 12.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from funcsim._internal.progress import progress_bar
from replication.data.images import Images
from replication.training.checkpoint import load_state, save_state

CURVES = ("train_loss", "test_loss", "test_accuracy")


@dataclass(frozen=True)
class VisionConfig:
    """How to train.

    Parameters
    ----------
    epochs, batch_size : int
    lr : float
        The highest.
    peak : float
        The share of the steps after which it is reached.
    momentum, weight_decay : float
        Of SGD.
    half : bool
        Whether convolutions multiply bfloat16 numbers, as the original does float16.
    save_every : int
        Steps between two states on disk.
    """

    epochs: int = 16
    batch_size: int = 512
    lr: float = 0.4
    peak: float = 5 / 24
    momentum: float = 0.9
    weight_decay: float = 5e-4
    half: bool = True
    save_every: int = 10

    def lr_at(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 0, of so many."""
        return self.lr * float(np.interp(step + 1, [0, self.peak * steps, steps + 1], [0, 1, 0]))

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class VisionHistory:
    """One number per finished epoch: losses in nats, accuracy between 0 and 1.

    `train_loss` is the mean over the epoch. `seconds` is summed over interrupted runs.
    """

    train_loss: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def curves(self) -> dict[str, NDArray[np.float64]]:
        """The curves as float64 arrays (epochs,)."""
        return {name: np.array(getattr(self, name), dtype=np.float64) for name in CURVES}


def train_on_images(
    model: nn.Module,
    train: Images,
    test: Images,
    config: VisionConfig,
    seed: int = 0,
    state: Path | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> VisionHistory:
    """Train `model` in place.

    Parameters
    ----------
    model : nn.Module
        From (n, 3, 32, 32) to logits (n, 10).
    train, test : Images
        What is learned, and what is measured on after each epoch.
    config : VisionConfig
    seed : int
        Of the order of the images and of which are mirrored.
    state : Path, optional
        A safetensors file. If it exists, training goes on from it, to the same bits on a CPU as
        without interruption.
    device : str
        Where to train; the model is brought back afterwards.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    VisionHistory

    Raises
    ------
    FileFormatError
        If `state` is damaged or of another kind.
    """
    model.to(device)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay
    )
    history, losses, first = VisionHistory(), [], 0
    if state is not None and state.exists():
        first, losses = load_state(state, model, optimizer, history)
    inputs, labels = train.tensor(), torch.tensor(train.labels)
    per_epoch = max(len(train) // config.batch_size, 1)
    steps = per_epoch * config.epochs
    began = time.perf_counter() - history.seconds
    for step in progress_bar(range(first, steps), "train", progress):
        for group in optimizer.param_groups:
            group["lr"] = config.lr_at(step, steps)
        rows, mirrored = _batch(step, per_epoch, len(train), config.batch_size, seed)
        batch = inputs[rows]
        batch[mirrored] = batch[mirrored].flip(-1)
        losses.append(_step(model, optimizer, config.half, batch.to(device), labels[rows].to(device)))
        if (step + 1) % per_epoch == 0:
            logits = predict_images(model, test, config.batch_size)
            history.train_loss.append(float(np.mean(losses)))
            history.test_loss.append(cross_entropy(torch.tensor(logits), torch.tensor(test.labels)).item())
            history.test_accuracy.append(float((logits.argmax(axis=1) == test.labels).mean()))
            losses.clear()
        history.seconds = time.perf_counter() - began
        if state is not None and ((step + 1) % config.save_every == 0 or step + 1 == steps):
            save_state(state, model, optimizer, history, step + 1, losses)
    model.to("cpu").eval()
    return history


@torch.no_grad()
def predict_images(model: nn.Module, images: Images, batch_size: int = 512) -> NDArray[np.float64]:
    """Logits (n, 10), in full precision."""
    device, training = next(model.parameters()).device, model.training
    model.eval()
    logits = [model(x.to(device)).double().cpu().numpy() for x in images.tensor().split(batch_size)]
    model.train(training)
    return np.concatenate(logits)


def _batch(step: int, per_epoch: int, n: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Which images a step learns from, and which of them it sees mirrored: all once in every epoch."""
    epoch, place = divmod(step, per_epoch)
    rng = np.random.default_rng([seed, epoch])
    rows, mirrored = rng.permutation(n), rng.random(n) < 0.5
    here = slice(place * size, (place + 1) * size)
    return torch.tensor(rows[here]), torch.tensor(mirrored[here])


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, half: bool, batch: Tensor, labels: Tensor
) -> float:
    model.train()
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=half):
        logits = model(batch)
    loss = cross_entropy(logits.float(), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
