"""What a fine-tuned encoder loses when its blocks are left out, swapped or read from (reviews, Table 7).

No weight is changed: every run of neighbouring blocks is taken out of the fine-tuned encoder, which is
that of ``bert/<task>-dense`` (six blocks) or the whole one of ``encoder/<task>-first`` (twelve); two
neighbours change places; and a readout, linear or of two layers, is learned on the output of every block,
before and after the fine-tuning.

How it is judged was written down before twelve blocks were cut. A map predicts a loss if the rank
correlation of its distances with the points lost, in the mean over both tasks, is beyond that of 95 % of
random orders, and above that of depth. Leaving out block k goes with the distance between the outputs of
blocks k - 1 and k, swapping blocks k and k + 1 with that between their outputs, and leaving out a run with
the distance between the output before it and the output at its end; there the number of blocks in the run
stands for depth. The first block has no output before it and is left aside.

Taught in chapter 11.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.probes import linear_probe, mlp_probe
from funcsim.representations import Representations
from replication.data.sentiment import Corpus
from replication.encoder import dense, dynamics
from replication.encoder.freezing import GROUP, GROUP_OF_TWELVE, SEEDS, SHORTER
from replication.encoder.inputs import Texts, describe, load_inputs, parameters, tuned_state
from replication.encoder.maps import capture_blocks
from replication.encoder.plans import ENCODER
from replication.models.block_surgery import order_swapped, order_without, predict_rearranged
from replication.models.encoders import Encoder
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
from replication.training.fine_tuning import FineTuningConfig, FineTuningHistory, fine_tune

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
    precision : {"float32", "bfloat16"}
        Of the training, of the answers, and of what readouts read.
    n_answered : int, optional
        Validation texts that encoders without blocks answer, drawn once; None takes all of them.
    """

    task: str
    training: FineTuningConfig
    n_learned: int = 2000
    n_read: int = 872
    precision: str = "float32"
    n_answered: int | None = None

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        training = dynamics.PLANS["sst2"].tiny().training
        return replace(self, training=training, n_learned=40, n_read=30, n_answered=None)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


PLANS = {f"{task}-interventions": Plan(task, dynamics.PLANS[task].training) for task in ("sst2", "yelp")}

#: The training is that of the whole encoder in the tables of freezing and of first blocks.
PLANS_OF_TWELVE = {
    "sst2-interventions": Plan("sst2", SHORTER["sst2"], precision="bfloat16"),
    "yelp-interventions": Plan(
        "yelp", SHORTER["yelp"], n_learned=1000, n_read=400, precision="bfloat16", n_answered=600
    ),
}


@dataclass(frozen=True, repr=False)
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
    ranges : array of int (R, 2)
        Runs of blocks, half-open: ``[first, stop)``. Empty in results of the first edition.
    left_out : array of bool (R, n)
        Without each of these runs.
    """

    whole: NDArray[np.bool_]
    first: NDArray[np.bool_]
    without: NDArray[np.bool_]
    swapped: NDArray[np.bool_]
    readouts: NDArray[np.float64]
    n_read: int
    ranges: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    left_out: NDArray[np.bool_] = field(default_factory=lambda: np.empty((0, 0), dtype=bool))


ARRAYS = ("whole", "first", "without", "swapped", "readouts", "ranges", "left_out")


def compute(plan: Plan, run: Run) -> Record:
    """Fine-tune, cut, predict; store which answers are right.

    The training begins with what ``dynamics/<task>`` or ``encoder/<task>-dense`` has left of the same, and
    leaves it, too.
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
    length, L = plan.training.max_length, encoder.n_blocks
    answered = validation if plan.n_answered is None else validation.sample(plan.n_answered, seed=1)
    learned, held_out = train.sample(plan.n_learned, seed=1), validation.sample(plan.n_read, seed=0)
    half = partial(torch.autocast, "cpu", torch.bfloat16, enabled=plan.precision == "bfloat16")
    with half():
        reps = [_blocks(encoder, learned, held_out, length)]
    sample, state = validation.sample(min(len(validation), 500), seed=0), tuned_state(plan, texts, run)
    history = fine_tune(
        encoder, train, sample, plan.training, run.seed, state, run.device, None, run.progress, plan.precision
    )
    ranges = [(first, stop) for first in range(L) for stop in range(first + 1, L + 1)]
    cut = [order_without(L, *one) for one in ranges]
    orders = [list(range(L)), *cut, *(order_swapped(L, k) for k in range(L - 1))]
    with half():
        logits = predict_rearranged(encoder, answered, orders, length)
        reps.append(_blocks(encoder, learned, held_out, length))
    whole, *right = logits.argmax(axis=2) == answered.labels
    left_out = dict(zip(ranges, right, strict=False))
    result = Interventions(
        whole=whole,
        first=np.stack([left_out[n, L] for n in range(L)]),
        without=np.stack([left_out[k, k + 1] for k in range(L)]),
        swapped=np.stack(right[len(ranges) :]),
        readouts=np.stack([_readouts(pooled, learned, held_out) for pooled in reps]),
        n_read=len(held_out),
        ranges=np.array(ranges),
        left_out=np.stack(right[: len(ranges)]),
    )
    return result, history


def _blocks(encoder: Encoder, learned: Corpus, held_out: Corpus, max_length: int) -> list[Representations]:
    """The outputs of every block, for each pooling: of the texts to learn from, then of those held out."""
    labels = np.concatenate([learned.labels, held_out.labels])
    both = Corpus(learned.texts + held_out.texts, labels, "to learn from, and held out")
    return [capture_blocks(encoder, both, max_length, pooling) for pooling in POOLINGS]


def _readouts(reps: list[Representations], learned: Corpus, held_out: Corpus) -> NDArray[np.float64]:
    """Held-out accuracy: kinds of readouts, poolings, blocks."""
    labels = np.concatenate([learned.labels, held_out.labels])
    rows = np.arange(len(labels)) < len(learned)
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
    f"{group}/{name}": Experiment(
        f"{group}/{name}", group, plan, compute, read, seeds=SEEDS[plan.task], encoder=encoder
    )
    for group, plans, encoder in (
        (GROUP, PLANS, ENCODER),
        (GROUP_OF_TWELVE, PLANS_OF_TWELVE, dense.ENCODER),
    )
    for name, plan in plans.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> Interventions:
    """What is stored, such as "ablations/sst2-interventions" or "encoder/sst2-interventions".

    Arguments and errors as of :func:`replication.run.load_result`.
    """
    return load_result(EXPERIMENTS, name if "/" in name else f"{GROUP}/{name}", profile, seed)
