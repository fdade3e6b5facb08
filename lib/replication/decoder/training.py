"""Training of the small decoder of claim C36, resumable to the same bits.

Taught in chapter 13.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from funcsim._internal.progress import progress_bar
from replication.decoder.model import Decoder, token_losses
from replication.training.checkpoint import load_state, save_state


@dataclass(frozen=True)
class Recipe:
    """How a decoder is trained.

    Attributes
    ----------
    steps, batch : int
        Steps, and windows in each.
    lr, weight_decay : float
        Of AdamW. The learning rate rises in `warmup` steps, and falls on a cosine to a tenth.
    warmup : int
    eval_every, save_every : int
        Steps between two measurements on held-out windows, and between two states on disk.
    precision : {"bfloat16", "float32"}
        Of the products of a training step.
    """

    steps: int = 2000
    batch: int = 16
    lr: float = 1e-3
    weight_decay: float = 0.1
    warmup: int = 100
    eval_every: int = 200
    save_every: int = 200
    precision: str = "float32"

    def lr_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        fall = 0.1 + 0.45 * (1 + np.cos(np.pi * step / self.steps))
        return float(self.lr * min((step + 1) / self.warmup, fall))


@dataclass
class History:
    """One number per measurement, in nats a token; `train_loss` is the mean since the one before."""

    step: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def curves(self) -> dict[str, NDArray[np.float64]]:
        """The curves as float64 arrays (measurements,)."""
        return {name: np.array(getattr(self, name)) for name in ("step", "train_loss", "val_loss")}


def train(
    decoder: Decoder,
    learned: NDArray[np.int64],
    held_out: NDArray[np.int64],
    recipe: Recipe,
    seed: int,
    state: Path | None = None,
    progress: bool = True,
) -> History:
    """Train `decoder.model` in place on windows (n, tokens), each of them once in every epoch."""
    model, history, losses = decoder.model.train(), History(), list[float]()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.lr, betas=(0.9, 0.95), weight_decay=recipe.weight_decay
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first = 0
        if state is not None and state.exists():
            first, losses = load_state(state, model, optimizer, history)
        began = time.perf_counter() - history.seconds
        batches = _batches(learned, recipe, seed, first)
        for step in progress_bar(range(first, recipe.steps), "decoder", progress):
            for group in optimizer.param_groups:
                group["lr"] = recipe.lr_at(step)
            ids = torch.from_numpy(next(batches))
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16"):
                logits = model(input_ids=ids).logits
            loss = token_losses(logits, ids).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            last = step + 1 == recipe.steps
            if last or (step + 1) % recipe.eval_every == 0:
                measured = (step + 1, np.mean(losses), window_losses(decoder, held_out).mean())
                for curve, value in zip(
                    (history.step, history.train_loss, history.val_loss), measured, strict=True
                ):
                    curve.append(float(value))
                losses.clear()
            history.seconds = time.perf_counter() - began
            if state is not None and (last or (step + 1) % recipe.save_every == 0):
                save_state(state, model, optimizer, history, step + 1, losses, random=True)
    model.eval()
    return history


@torch.no_grad()
def window_losses(decoder: Decoder, ids: NDArray[np.int64], batch: int = 32) -> NDArray[np.float64]:
    """The mean loss of each window (n,), in nats a token."""
    training = decoder.model.training
    decoder.model.eval()
    found = [
        token_losses(decoder.model(input_ids=part).logits, part).mean(dim=1)
        for part in torch.from_numpy(ids).split(batch)
    ]
    decoder.model.train(training)
    return torch.cat(found).double().numpy()


def _batches(
    learned: NDArray[np.int64], recipe: Recipe, seed: int, first: int
) -> Iterator[NDArray[np.int64]]:
    """Windows (batch, tokens) from step `first` on, in a random order that is drawn for each epoch."""
    per_epoch = max(len(learned) // recipe.batch, 1)
    epoch, place = divmod(first, per_epoch)
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(len(learned))
        for k in range(place, per_epoch):
            yield learned[order[k * recipe.batch : (k + 1) * recipe.batch]]
        epoch, place = epoch + 1, 0
