"""What a fine-tuned encoder loses when its blocks are left out, swapped or read from, untrained.

No weight is changed: blocks are taken out of the encoder of ``bert/<task>-dense``, one by one or
all from the end; two neighbours change places; and a readout, linear or of two layers, is learned on
what every block says, before and after the fine-tuning.

Taught in chapter 11.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.probes import linear_probe, mlp_probe
from replication.data.sentiment import Corpus
from replication.encoder import dynamics, text_run
from replication.encoder.freezing import GROUP
from replication.encoder.plans import ENCODER
from replication.encoder.text_run import corpora
from replication.models.block_surgery import first_blocks, swapped, without
from replication.models.encoders import Encoder, load_encoder
from replication.modular_addition.trained_networks import WORK
from replication.stored import Record, data_dir, folder_of, load_record
from replication.training.fine_tuning import FineTuningConfig, FineTuningHistory, fine_tune, predict

FORMAT = "funcsim.interventions/1"
FILE = "interventions.safetensors"
READOUTS = {"linear": linear_probe, "two layers": mlp_probe}
POOLINGS = ("cls", "mean")


@dataclass(frozen=True)
class Plan:
    """Which encoder is cut up.

    Attributes
    ----------
    task : {"sst2", "yelp"}
    training : FineTuningConfig
        Before anything is cut.
    n_learned, n_read : int
        Training texts that a readout learns from, and validation texts that it is judged by.
    """

    task: str
    training: FineTuningConfig
    n_learned: int = 2000
    n_read: int = 872

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        training = dynamics.PLANS["sst2"].tiny().training
        return replace(self, training=training, n_learned=40, n_read=30)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


PLANS = {f"{task}-interventions": Plan(task, dynamics.PLANS[task].training) for task in ("sst2", "yelp")}


@dataclass(frozen=True)
class Interventions:
    """Which of all n validation texts an encoder of L blocks answers right that was cut up.

    Attributes
    ----------
    whole : array of bool (n,)
        As it was fine-tuned.
    first : array of bool (L, n)
        With only the first 0, ..., L - 1 blocks.
    without : array of bool (L, n)
        Without one block.
    swapped : array of bool (L - 1, n)
        With a block and the next in each other's place.
    readouts : array (2, 2, 2, L)
        Held-out accuracy of readouts: before and after fine-tuning; linear and two layers; at
        [CLS] and in the mean over tokens; of each block.
    n_read : int
        On how many texts that is.
    record : Record or None
    """

    whole: NDArray[np.bool_]
    first: NDArray[np.bool_]
    without: NDArray[np.bool_]
    swapped: NDArray[np.bool_]
    readouts: NDArray[np.float64]
    n_read: int
    record: Record | None

    @property
    def origin(self) -> str:
        """In one line, where this comes from."""
        return str(self.record or "profile smoke: a tiny encoder, on the spot")


ARRAYS = ("whole", "first", "without", "swapped", "readouts")


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
    """Fine-tune, cut, ask; freeze the answers into ``out / ablations/<name> / seed-<seed>``.

    If ``dynamics/<task>`` has left a fine-tuned encoder in ``work / fine-tuned``, it is used. The
    state from which an interrupted training goes on is kept there, too.
    """
    plan = PLANS[name].tiny() if profile == "smoke" else PLANS[name]
    told = text_run.prepare(f"{GROUP}/{name}", plan, profile, seed, device, out, work, encoder)
    found, history = carry_out(told.encoder, plan, told.texts, seed, told.tuned, device, progress)
    write_tensors(told.folder / FILE, {key: getattr(found, key) for key in ARRAYS}, {"format": FORMAT})
    results = {"val_accuracy": float(found.whole.mean())}
    return text_run.conclude(told, [FILE], history.seconds, results)


def load(name: str, profile: str = "laptop", seed: int = 0) -> Interventions:
    """What was frozen; at profile "smoke" of a tiny encoder, on the spot.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    ValueError
        If `name` is unknown.
    """
    if name not in PLANS:
        raise ValueError(f"there are no interventions {name!r}; there is {', '.join(PLANS)}")
    if profile == "smoke":
        return _tiny(name, seed)
    record = load_record(f"{GROUP}/{name}", seed)
    arrays, _ = read_tensors(data_dir() / folder_of(f"{GROUP}/{name}", seed) / FILE, FORMAT)
    return Interventions(**arrays, n_read=record.parameters["n_read"], record=record)


@cache
def _tiny(name: str, seed: int) -> Interventions:
    """Made once in a process."""
    plan = PLANS[name].tiny()
    return carry_out(load_encoder("tiny", seed), plan, corpora(plan.task, True), seed, None, "cpu", False)[0]


def carry_out(
    encoder: Encoder,
    plan: Plan,
    texts: tuple[Corpus, Corpus],
    seed: int,
    state: Path | None,
    device: str,
    progress: bool,
) -> tuple[Interventions, FineTuningHistory]:
    """Fine-tune `encoder` in place, and see what copies of it can do that are cut up."""
    train, validation = texts
    length, n_blocks = plan.training.max_length, encoder.n_blocks
    learned, read = train.sample(plan.n_learned, seed=1), validation.sample(plan.n_read, seed=0)
    before = _readouts(encoder, learned, read, length)
    sample = validation.sample(min(len(validation), 500), seed=0)
    history = fine_tune(encoder, train, sample, plan.training, seed, state, device, None, progress)

    def right(cut: list[Encoder]) -> NDArray[np.bool_]:
        return np.stack([predict(one, validation, length).argmax(axis=1) for one in cut]) == validation.labels

    found = Interventions(
        whole=right([encoder])[0],
        first=right([first_blocks(encoder, n) for n in range(n_blocks)]),
        without=right([without(encoder, k) for k in range(n_blocks)]),
        swapped=right([swapped(encoder, k) for k in range(n_blocks - 1)]),
        readouts=np.stack([before, _readouts(encoder, learned, read, length)]),
        n_read=len(read),
        record=None,
    )
    return found, history


def _readouts(encoder: Encoder, learned: Corpus, read: Corpus, max_length: int) -> NDArray[np.float64]:
    """Held-out accuracy: kinds of readouts, poolings, blocks."""
    texts, labels = learned.texts + read.texts, np.concatenate([learned.labels, read.labels])
    rows = np.arange(len(texts)) < len(learned)
    batches = [encoder.encode(texts[k : k + 50], max_length) for k in range(0, len(texts), 50)]
    reps = {
        pool: fs.capture(encoder.model, batches, f"{encoder.blocks}.*", pool, progress=False)
        for pool in POOLINGS
    }
    return np.array(
        [
            [[probe(layer, labels, rows)[1] for layer in reps[pool].values()] for pool in POOLINGS]
            for probe in READOUTS.values()
        ]
    )
