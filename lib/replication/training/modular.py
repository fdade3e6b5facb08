"""Full-batch training of a modular transformer (section 5.1), with states from which it resumes exactly.

The protocol is that of Zhong et al. (2023): AdamW, ten steps of warm-up, one step per epoch
on all training pairs, the loss computed from float64 logits because its tail decides
whether the network generalises. A network can be trained end to end, or layer by layer:
each stage on an answer of its own, with everything before it frozen.

Taught in chapter 04.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from funcsim._internal.progress import progress_bar
from replication.data.modular_addition import Split
from replication.models.modular_chain import ModularChain
from replication.models.modular_transformer import ModularTransformer
from replication.models.once_per_number import OncePerNumber
from replication.training.checkpoint import load_state, save_state

#: Called with the number of finished epochs.
EpochCallback = Callable[[int], None]
CURVES = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")


@dataclass(frozen=True)
class TrainingConfig:
    """How to train; the defaults are those of Zhong et al., but for the number of epochs.

    Parameters
    ----------
    epochs : int
        Full-batch steps, at most.
    settled : int, optional
        Stop earlier once all validation pairs were right for so many epochs in a row.
    lr, weight_decay : float
    betas : pair of float
        Of AdamW.
    warmup, cooldown : int
        Epochs at the beginning during which the learning rate rises linearly to `lr`, and at
        the end during which it falls linearly to nothing.
    clip : float, optional
        No gradient is longer than this; longer ones are scaled down.
    eps : float
        Of AdamW. A large one keeps steps short where gradients have all but vanished.
    save_every : int
        Epochs between two states on disk.
    """

    epochs: int = 1000
    settled: int | None = None
    lr: float = 1e-3
    weight_decay: float = 2.0
    betas: tuple[float, float] = (0.9, 0.98)
    warmup: int = 10
    cooldown: int = 0
    clip: float | None = None
    eps: float = 1e-8
    save_every: int = 50

    def lr_at(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        rising = min((epoch + 1) / self.warmup, 1.0)
        return self.lr * min(rising, (self.epochs - epoch) / (self.cooldown + 1))

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

    def settled(self, epochs: int | None) -> bool:
        """Whether all validation pairs were right in each of the last so many epochs."""
        return epochs is not None and len(self) >= epochs and min(self.val_accuracy[-epochs:]) == 1.0

    def curves(self) -> dict[str, np.ndarray]:
        """The four curves as float64 arrays (epochs,)."""
        return {name: np.array(getattr(self, name), dtype=np.float64) for name in CURVES}


def train(
    model: nn.Module,
    split: Split,
    config: TrainingConfig,
    state: Path | None = None,
    device: str = "cpu",
    progress: bool = True,
    after_epoch: EpochCallback | None = None,
) -> History:
    """Train `model` in place.

    Parameters
    ----------
    model : nn.Module
        From inputs to logits (n, n_classes): a ModularTransformer, or a Stage of one.
    split : Split
        Inputs (n, ...) and labels (n,).
    config : TrainingConfig
    state : Path, optional
        A safetensors file. If it exists, training goes on from it, to the same bits on a CPU
        as without interruption; it is rewritten every `config.save_every` epochs.
    device : str
        Where to train; the model stays there.
    progress : bool
        Show a bar with the time left.
    after_epoch : callable, optional
        Called with the number of epochs that are finished; it must change nothing.

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
        model.parameters(),
        lr=config.lr,
        weight_decay=config.weight_decay,
        betas=config.betas,
        eps=config.eps,
    )
    history = History()
    if state is not None and state.exists():
        load_state(state, model, optimizer, history)
    began = time.perf_counter() - history.seconds
    epochs = range(len(history), config.epochs)
    for epoch in progress_bar(epochs, "train", progress):
        if history.settled(config.settled):
            break
        for group in optimizer.param_groups:
            group["lr"] = config.lr_at(epoch)
        _step(model, split, optimizer, history, config.clip)
        history.seconds = time.perf_counter() - began
        if after_epoch is not None:
            after_epoch(len(history))
        if state is not None and (epoch + 1) % config.save_every == 0:
            save_state(state, model, optimizer, history, len(history))
    if state is not None:
        save_state(state, model, optimizer, history, len(history))
    return history


def train_layer_by_layer(
    model: ModularTransformer | ModularChain,
    splits: Sequence[Split],
    config: TrainingConfig,
    states: Sequence[Path | None] | None = None,
    device: str = "cpu",
    progress: bool = True,
    once_per_number: bool = False,
) -> list[History]:
    """Train each stage of `model` in place on an answer of its own; the stages before it are frozen.

    Parameters
    ----------
    model : ModularTransformer or ModularChain
        Its `stages` are trained in turn; its `read` says what a stage is given.
    splits : sequence of Split
        One per stage: the same pairs (n, 2), and the labels (n,) of that stage.
    config : TrainingConfig
        Of every stage.
    states : sequence of Path, optional
        One file per stage, as in :func:`train`.
    device, progress
        As in :func:`train`.
    once_per_number : bool
        Compute stages as :class:`OncePerNumber`, in half the time and with other rounding.

    Returns
    -------
    list of History
        One per stage.

    Raises
    ------
    ValueError
        If there is not one split for each stage, or if `model` cannot be computed once per number.
    """
    stages = model.to(device).stages()
    if len(splits) != len(stages):
        raise ValueError(f"{len(splits)} splits for a network of {len(stages)} stages; give one each")
    histories = []
    for k, (stage, split) in enumerate(zip(stages, splits, strict=True)):
        if once_per_number:
            if isinstance(model, ModularChain):
                raise ValueError("a chain passes answers on, not streams; train it without once_per_number")
            once = OncePerNumber(model, k)
            histories.append(train(once, split, config, states and states[k], device, progress))
            continue
        with torch.no_grad():  # what is frozen is computed once
            reads = [model.read(pairs.to(device), k) for pairs in (split.train_inputs, split.val_inputs)]
        given = replace(split, train_inputs=reads[0], val_inputs=reads[1])
        histories.append(train(stage, given, config, states and states[k], device, progress))
    return histories


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return (logits.argmax(dim=1) == labels).double().mean().item()


def _step(
    model: nn.Module,
    split: Split,
    optimizer: torch.optim.Optimizer,
    history: History,
    clip: float | None,
) -> None:
    with torch.no_grad():
        val_logits = model(split.val_inputs).double()
    logits = model(split.train_inputs).double()
    loss = cross_entropy(logits, split.train_labels)
    optimizer.zero_grad()
    loss.backward()
    if clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    history.train_loss.append(loss.item())
    history.val_loss.append(cross_entropy(val_logits, split.val_labels).item())
    history.train_accuracy.append(_accuracy(logits, split.train_labels))
    history.val_accuracy.append(_accuracy(val_logits, split.val_labels))
