"""What a fine-tuned encoder loses when its blocks are left out, swapped or read from (reviews, Table 7).

No weight is changed: blocks are taken out of the encoder of ``bert/<task>-dense``, one by one or
all from the end; two neighbours change places; and a readout, linear or of two layers, is learned on
what every block says, before and after the fine-tuning.

Taught in chapter 11.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.probes import linear_probe, mlp_probe
from replication.data.sentiment import Corpus
from replication.encoder import dynamics
from replication.encoder.freezing import GROUP, SEEDS
from replication.encoder.inputs import Texts, describe, load_inputs, parameters, tuned_state
from replication.encoder.maps import capture_blocks
from replication.encoder.plans import ENCODER
from replication.models.block_surgery import drop_block, first_blocks, swap_blocks
from replication.models.encoders import Encoder
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
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
class Interventions(Stored):
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
    """

    whole: NDArray[np.bool_]
    first: NDArray[np.bool_]
    without: NDArray[np.bool_]
    swapped: NDArray[np.bool_]
    readouts: NDArray[np.float64]
    n_read: int


ARRAYS = ("whole", "first", "without", "swapped", "readouts")


def compute(plan: Plan, run: Run) -> Record:
    """Fine-tune, cut, predict; store which answers are right.

    The training begins with what ``dynamics/<task>`` has left of the same, and leaves it, too.
    """
    encoder, texts = load_inputs(plan, run)
    result, history = fine_tune_and_ablate(encoder, texts, plan, run)
    write_tensors(run.folder / FILE, {key: getattr(result, key) for key in ARRAYS}, {"format": FORMAT})
    return run.store(
        [FILE],
        {"val_accuracy": float(result.whole.mean())},
        parameters=parameters(plan, run),
        seconds=history.seconds,
        **describe(encoder, texts),
    )


def fine_tune_and_ablate(
    encoder: Encoder, texts: Texts, plan: Plan, run: Run
) -> tuple[Interventions, FineTuningHistory]:
    """Fine-tune `encoder` in place, and see what copies of it can do that are cut up."""
    train, validation = texts
    length, n_blocks = plan.training.max_length, encoder.n_blocks
    learned, held_out = train.sample(plan.n_learned, seed=1), validation.sample(plan.n_read, seed=0)
    before = _readouts(encoder, learned, held_out, length)
    sample, state = validation.sample(min(len(validation), 500), seed=0), tuned_state(plan, texts, run)
    history = fine_tune(
        encoder, train, sample, plan.training, run.seed, state, run.device, None, run.progress
    )

    def right(cut: list[Encoder]) -> NDArray[np.bool_]:
        return np.stack([predict(one, validation, length).argmax(axis=1) for one in cut]) == validation.labels

    result = Interventions(
        whole=right([encoder])[0],
        first=right([first_blocks(encoder, n) for n in range(n_blocks)]),
        without=right([drop_block(encoder, k) for k in range(n_blocks)]),
        swapped=right([swap_blocks(encoder, k) for k in range(n_blocks - 1)]),
        readouts=np.stack([before, _readouts(encoder, learned, held_out, length)]),
        n_read=len(held_out),
    )
    return result, history


def _readouts(encoder: Encoder, learned: Corpus, held_out: Corpus, max_length: int) -> NDArray[np.float64]:
    """Held-out accuracy: kinds of readouts, poolings, blocks."""
    labels = np.concatenate([learned.labels, held_out.labels])
    both = Corpus(learned.texts + held_out.texts, labels, "to learn from, and held out")
    rows = np.arange(len(both)) < len(learned)
    reps = [capture_blocks(encoder, both, max_length, pooling) for pooling in POOLINGS]
    return np.array(
        [
            [[probe(layer, labels, rows)[1] for layer in pooled.values()] for pooled in reps]
            for probe in READOUTS.values()
        ]
    )


def read(folder: Path, record: Record) -> Interventions:
    """What is stored in a folder."""
    arrays, _ = read_tensors(folder / FILE, FORMAT)
    return Interventions(**arrays, n_read=record.parameters["n_read"], record=record)


EXPERIMENTS = {
    f"{GROUP}/{name}": Experiment(
        f"{GROUP}/{name}", GROUP, plan, compute, read, seeds=SEEDS[plan.task], encoder=ENCODER
    )
    for name, plan in PLANS.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> Interventions:
    """What is stored; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{name}", profile, seed)
