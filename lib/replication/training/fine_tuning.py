"""Fine-tuning of an encoder on labelled texts (section 5.2), with states from which it resumes exactly.

AdamW without weight decay, a learning rate that falls linearly to nothing, frozen word
embeddings. Batches hold texts of similar length, so that little is spent on padding. What is to
happen beside the task, such as making weights vanish, is handed in as a function of the step.

Taught in chapter 07.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import accuracy_score, f1_score, log_loss
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from funcsim._internal.progress import progress_bar
from replication.data.sentiment import Corpus
from replication.models.encoders import Encoder
from replication.training.checkpoint import load_state, save_state

CURVES = ("step", "train_loss", "val_loss", "val_accuracy", "val_f1")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
WINDOW = 16  # so many batches are sorted by length together

#: (encoder's model, step that was just taken, its learning rate): called after every step.
StepCallback = Callable[[nn.Module, int, float], None]


@dataclass(frozen=True)
class FineTuningConfig:
    """How to fine-tune.

    Parameters
    ----------
    steps, batch_size : int
    max_length : int
        Tokens; longer texts are cut.
    lr : float
        Of the first step; it falls linearly to nothing.
    freeze : tuple of str
        Parameters whose name contains one of these stay as they are.
    eval_every, save_every : int
        Steps between two measurements on the validation texts, and between two states on disk.
    """

    steps: int = 1500
    batch_size: int = 32
    max_length: int = 64
    lr: float = 5e-5
    freeze: tuple[str, ...] = ("word_embeddings",)
    eval_every: int = 100
    save_every: int = 100

    def lr_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        return self.lr * (1 - step / self.steps)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class FineTuningHistory:
    """One number per measurement; losses in nats, accuracy and F1 between 0 and 1.

    `train_loss` is the mean since the measurement before. `seconds` is summed over interrupted
    runs.
    """

    step: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    val_f1: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def curves(self) -> dict[str, NDArray[np.float64]]:
        """The curves as float64 arrays (measurements,)."""
        return {name: np.array(getattr(self, name), dtype=np.float64) for name in CURVES}


def fine_tune(
    encoder: Encoder,
    train: Corpus,
    validation: Corpus,
    config: FineTuningConfig,
    seed: int = 0,
    state: Path | None = None,
    device: str = "cpu",
    after_step: StepCallback | None = None,
    progress: bool = True,
    precision: str = "float32",
) -> FineTuningHistory:
    """Fine-tune `encoder.model` in place.

    Parameters
    ----------
    encoder : Encoder
    train, validation : Corpus
        What is learned, and what is measured on.
    config : FineTuningConfig
    seed : int
        Of the order of the texts and of dropout.
    state : Path, optional
        A safetensors file. If it exists, training goes on from it, to the same bits on a CPU as
        without interruption.
    device : str
        Where to train; the model is brought back afterwards.
    after_step : callable, optional
        May change the weights; it must depend on nothing but its arguments.
    progress : bool
        Show a bar with the time left.
    precision : {"float32", "bfloat16"}
        Of the products of a training step. The weights, their steps and all measurements are float32.

    Returns
    -------
    FineTuningHistory

    Raises
    ------
    ValueError
        If there is no such precision.
    ModelError
        If texts are to be cut at more tokens than the encoder takes.
    FileFormatError
        If `state` is damaged or of another kind.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; it can be {' or '.join(PRECISIONS)}")
    model = encoder.model.to(device)
    optimizer = torch.optim.AdamW(_trained(model, config.freeze), lr=config.lr, weight_decay=0.0)
    history, losses = FineTuningHistory(), []
    order = _Order(encoder, train, config, seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if state is not None and state.exists():
            first, losses = load_state(state, model, optimizer, history)
        else:
            first = 0
            _measure(encoder, validation, config, history, 0, float("nan"))
        began = time.perf_counter() - history.seconds
        for step in progress_bar(range(first, config.steps), "fine-tune", progress):
            lr = config.lr_at(step)
            losses.append(_step(model, optimizer, lr, *order.batch(step), precision))
            if after_step is not None:
                after_step(model, step, lr)
            if (step + 1) % config.eval_every == 0 or step + 1 == config.steps:
                _measure(encoder, validation, config, history, step + 1, float(np.mean(losses)))
                losses.clear()
            history.seconds = time.perf_counter() - began
            if state is not None and ((step + 1) % config.save_every == 0 or step + 1 == config.steps):
                save_state(state, model, optimizer, history, step + 1, losses, random=True)
    model.to("cpu").eval()
    return history


@torch.no_grad()
def predict(encoder: Encoder, corpus: Corpus, max_length: int, batch_size: int = 64) -> NDArray[np.float64]:
    """Logits (n, 2), in the order of the texts."""
    model = encoder.model
    device, training = next(model.parameters()).device, model.training
    model.eval()
    by_length = np.argsort([len(text) for text in corpus.texts], kind="stable")
    logits = np.empty((len(corpus), 2))
    for start in range(0, len(corpus), batch_size):
        rows = by_length[start : start + batch_size]
        batch = encoder.encode([corpus.texts[i] for i in rows], max_length)
        logits[rows] = model(**{k: v.to(device) for k, v in batch.items()}).logits.double().cpu().numpy()
    model.train(training)
    return logits


def scores(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, float]:
    """Loss in nats, accuracy, and F1 of the positive class, of logits (n, 2)."""
    predicted = logits.argmax(axis=1)
    return {
        "loss": float(log_loss(labels, softmax(logits, axis=1), labels=[0, 1])),
        "accuracy": float(accuracy_score(labels, predicted)),
        "f1": float(f1_score(labels, predicted, zero_division=0.0)),
    }


class _Order:
    """Which texts make up the batch of a step: all of them once in every epoch."""

    def __init__(self, encoder: Encoder, corpus: Corpus, config: FineTuningConfig, seed: int) -> None:
        self.encoder, self.corpus, self.config, self.seed = encoder, corpus, config, seed
        encoder.encode(corpus.texts[:1], config.max_length)  # refuses a length it cannot take
        self.lengths = np.array([len(text) for text in corpus.texts])
        self.per_epoch = max(len(corpus) // config.batch_size, 1)
        self.epoch, self.rows = -1, np.empty((0, 0), dtype=int)

    def batch(self, step: int) -> tuple[dict[str, Tensor], Tensor]:
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self.epoch:
            self.epoch, self.rows = epoch, np.array(list(self._batches(epoch)))
        rows = self.rows[place]
        texts = [self.corpus.texts[i] for i in rows]
        return self.encoder.encode(texts, self.config.max_length), torch.tensor(self.corpus.labels[rows])

    def _batches(self, epoch: int) -> Iterator[NDArray[np.integer]]:
        rng, size = np.random.default_rng([self.seed, epoch]), self.config.batch_size
        rows = rng.permutation(len(self.corpus))[: self.per_epoch * size]
        for start in range(0, len(rows), WINDOW * size):
            window = rows[start : start + WINDOW * size]
            sorted_rows = window[np.argsort(self.lengths[window], kind="stable")]
            yield from rng.permutation(sorted_rows.reshape(-1, min(size, len(window))))


def _trained(model: nn.Module, freeze: tuple[str, ...]) -> list[nn.Parameter]:
    """The parameters that learn; all others are marked as frozen."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not any(part in name for part in freeze))
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    lr: float,
    batch: dict[str, Tensor],
    labels: Tensor,
    precision: str,
) -> float:
    device = next(model.parameters()).device
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = lr
    with torch.autocast(device.type, PRECISIONS[precision], enabled=precision != "float32"):
        logits = model(**{k: v.to(device) for k, v in batch.items()}).logits
    loss = cross_entropy(logits.float(), labels.to(device))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _measure(
    encoder: Encoder,
    validation: Corpus,
    config: FineTuningConfig,
    history: FineTuningHistory,
    step: int,
    loss: float,
) -> None:
    result = scores(predict(encoder, validation, config.max_length), validation.labels)
    numbers = (step, loss, result["loss"], result["accuracy"], result["f1"])
    for name, value in zip(CURVES, numbers, strict=True):
        getattr(history, name).append(float(value))
