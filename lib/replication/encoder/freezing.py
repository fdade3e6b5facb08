"""What a map predicts about an encoder: which blocks can stay frozen, and how many are enough.

Appendix E of the paper (Table 4) and the discussion of its reviews (Table 7). `freeze` leaves the
embeddings and the first n blocks as they came and fine-tunes the rest; `first` keeps only the first
n blocks, down to none, and fine-tunes those; with all of them it is the whole encoder, against which
both are counted. The training is that of ``bert/<task>-dense``, but in bfloat16, which takes about
half the time.

Taught in chapter 11.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from replication.data.sentiment import Corpus
from replication.encoder import dynamics, text_run
from replication.encoder.plans import ENCODER
from replication.encoder.text_run import corpora
from replication.models.block_surgery import first_blocks
from replication.models.encoders import Encoder, load_encoder
from replication.modular_addition.trained_networks import WORK
from replication.stored import Record, data_dir, folder_of, load_record
from replication.training.fine_tuning import FineTuningConfig, fine_tune, predict

GROUP = "ablations"
FORMAT = "funcsim.ablation/1"
FILE = "ablation.safetensors"
KINDS = ("freeze", "first")


@dataclass(frozen=True)
class Plan:
    """What is done to an encoder.

    Attributes
    ----------
    kind : {"freeze", "first"}
    task : {"sst2", "yelp"}
    training : FineTuningConfig
        Of every n.
    precision : {"float32", "bfloat16"}
        Of every training step.
    """

    kind: str
    task: str
    training: FineTuningConfig
    precision: str = "bfloat16"

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        return replace(self, training=dynamics.PLANS["sst2"].tiny().training)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


PLANS = {
    f"{task}-{kind}": Plan(kind, task, dynamics.PLANS[task].training)
    for kind in KINDS
    for task in ("sst2", "yelp")
}


@dataclass(frozen=True)
class Ablation:
    """How an encoder does without training, or without having, some of its blocks.

    Attributes
    ----------
    n : array (K,)
        How many blocks stay frozen, or are kept.
    right : array of bool (K, n_texts)
        Which validation texts are answered right.
    seconds : array (K,)
        Spent on each training.
    record : Record or None
    """

    n: NDArray[np.int64]
    right: NDArray[np.bool_]
    seconds: NDArray[np.float64]
    record: Record | None

    @property
    def origin(self) -> str:
        """In one line, where this comes from."""
        return str(self.record or "profile smoke: a tiny encoder, on the spot")

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """The share of texts that are (K,)."""
        return self.right.mean(axis=1)


def run(
    name: str,
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = WORK,
    progress: bool = True,
    encoder: str = ENCODER,
) -> Record:
    """Fine-tune once for every n; freeze the answers into ``out / ablations/<name> / seed-<seed>``.

    The answers of each n, and the state of the training that was interrupted, are kept in
    ``work / ablations/<name>``.
    """
    plan = PLANS[name].tiny() if profile == "smoke" else PLANS[name]
    told = text_run.prepare(f"{GROUP}/{name}", plan, profile, seed, device, out, work, encoder)
    found = carry_out(told.encoder, plan, told.texts, seed, told.kept, device, progress)
    arrays = {key: getattr(found, key) for key in ("n", "right", "seconds")}
    write_tensors(told.folder / FILE, arrays, {"format": FORMAT})
    results = {f"val_accuracy_{n}": float(a) for n, a in zip(found.n, found.accuracy, strict=True)}
    return text_run.conclude(told, [FILE], float(found.seconds.sum()), results)


def load(name: str, profile: str = "laptop", seed: int = 0) -> Ablation:
    """What was frozen; at profile "smoke" of a tiny encoder, on the spot.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    ValueError
        If `name` is unknown.
    """
    if name not in PLANS:
        raise ValueError(f"there is no ablation {name!r}; there is {', '.join(PLANS)}")
    if profile == "smoke":
        return _tiny(name, seed)
    record = load_record(f"{GROUP}/{name}", seed)
    arrays, _ = read_tensors(data_dir() / folder_of(f"{GROUP}/{name}", seed) / FILE, FORMAT)
    return Ablation(**arrays, record=record)


@cache
def _tiny(name: str, seed: int) -> Ablation:
    """Made once in a process."""
    plan = PLANS[name].tiny()
    return carry_out(load_encoder("tiny", seed), plan, corpora(plan.task, True), seed, None, "cpu", False)


def carry_out(
    encoder: Encoder,
    plan: Plan,
    texts: tuple[Corpus, Corpus],
    seed: int,
    kept: Path | None,
    device: str,
    progress: bool,
) -> Ablation:
    """Fine-tune copies of `encoder`, one for every n; `encoder` itself stays as it is."""
    n_blocks = encoder.n_blocks
    ns = np.arange(plan.kind == "freeze", n_blocks + 1)
    done = [
        _one(encoder, plan, texts, int(n), seed, kept, device, progress)
        for n in progress_bar(ns.tolist(), plan.kind, progress)
    ]
    right = np.stack([found["right"] for found in done])
    seconds = np.array([float(found["seconds"]) for found in done])
    return Ablation(ns, right, seconds, None)


def _one(
    encoder: Encoder,
    plan: Plan,
    texts: tuple[Corpus, Corpus],
    n: int,
    seed: int,
    kept: Path | None,
    device: str,
    progress: bool,
) -> dict[str, NDArray]:
    """The answers after fine-tuning what n leaves."""
    answers, state = (kept and kept / f"{part}-{n}.safetensors" for part in ("answers", "state"))
    if answers and answers.exists():
        return read_tensors(answers, FORMAT)[0]
    train, validation = texts
    config = plan.training
    if plan.kind == "freeze":
        tuned = first_blocks(encoder, encoder.n_blocks)
        config = replace(config, freeze=encoder.names_before(n))
    else:
        tuned = first_blocks(encoder, n)
    sample = validation.sample(min(len(validation), 500), seed=0)
    history = fine_tune(tuned, train, sample, config, seed, state, device, None, progress, plan.precision)
    found = {
        "right": predict(tuned, validation, config.max_length).argmax(axis=1) == validation.labels,
        "seconds": np.array(history.seconds),
    }
    if answers and state:
        write_tensors(answers, found, {"format": FORMAT})
        state.unlink()
    return found
