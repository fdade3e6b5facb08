"""What a map predicts about an encoder: which blocks can stay frozen, and how many are enough.

Appendix E of the paper (Table 4) and the discussion of its reviews (Table 7). `freeze` leaves the
embeddings and the first n blocks as they came and fine-tunes the rest; `first` keeps only the first
n blocks, down to none, and fine-tunes those; with all of them it is the whole encoder, against which
both are counted. On six blocks every n is trained, as ``bert/<task>-dense`` but in bfloat16, which takes
about half the time. On twelve blocks the paper's own n are, in fewer steps, for a row takes twice as long.

Taught in chapter 11.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from replication.encoder import dense, dynamics
from replication.encoder.inputs import Texts, describe, load_inputs, parameters
from replication.encoder.plans import ENCODER
from replication.models.block_surgery import first_blocks
from replication.models.encoders import Encoder
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
from replication.training.fine_tuning import FineTuningConfig, fine_tune, predict

GROUP, GROUP_OF_TWELVE = "ablations", "encoder"
FORMAT = "funcsim.ablation/1"
FILE = "ablation.safetensors"
ARRAYS = ("n", "right", "seconds")
KINDS = ("freeze", "first")
#: Those that are stored, by task.
SEEDS = {"sst2": (0, 1, 2), "yelp": (0,)}


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
    ns : tuple of int, optional
        Which n; None takes all.
    n_validation : int, optional
        Validation texts that are answered, drawn once; None takes all of them.
    """

    kind: str
    task: str
    training: FineTuningConfig
    precision: str = "bfloat16"
    ns: tuple[int, ...] | None = None
    n_validation: int | None = None

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        return replace(
            self, training=dynamics.PLANS["sst2"].tiny().training, ns=self.ns and (0, 2), n_validation=None
        )

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


PLANS = {
    f"{task}-{kind}": Plan(kind, task, dynamics.PLANS[task].training)
    for kind in KINDS
    for task in ("sst2", "yelp")
}
#: The rows of Tables 4 and 7. That nothing stays frozen and that all blocks are kept is the same training;
#: it stands under "first".
NS = {"freeze": (4, 6, 7, 8, 9, 10, 11, 12), "first": (0, 1, 2, 4, 6, 8, 12)}
#: After 300 steps the whole encoder is within a point of what it reaches in 2,000 (chapter 07). A text of
#: Yelp is cut at 64 tokens here: at 128 the two tables would take a day.
SHORTER = {
    "sst2": FineTuningConfig(steps=300, lr=5e-5, eval_every=300, save_every=300),
    "yelp": FineTuningConfig(steps=150, batch_size=16, lr=5e-5, eval_every=150, save_every=150),
}
PLANS_OF_TWELVE = {
    f"{task}-{kind}": Plan(
        kind, task, training, ns=NS[kind], n_validation=dense.FEWER[task].get("n_validation")
    )
    for kind in KINDS
    for task, training in SHORTER.items()
}
#: Few blocks have hardly begun to learn in so few steps; so the paper's own numbers of blocks once more, in
#: about seven times as many.
LONGER = {"sst2": ((1, 2), 2000), "yelp": ((2, 4), 1000)}
PLANS_OF_TWELVE |= {
    f"{task}-first-longer": replace(
        PLANS_OF_TWELVE[f"{task}-first"],
        ns=ns,
        training=replace(SHORTER[task], steps=steps, eval_every=steps, save_every=200),
    )
    for task, (ns, steps) in LONGER.items()
}


@dataclass(frozen=True, repr=False)
class Ablation(Stored):
    """How an encoder does without training, or without having, some of its blocks.

    Attributes
    ----------
    n : array (K,)
        How many blocks stay frozen, or are kept.
    right : array of bool (K, n_texts)
        Which validation texts are answered right.
    seconds : array (K,)
        Spent on each training.
    """

    n: NDArray[np.int64]
    right: NDArray[np.bool_]
    seconds: NDArray[np.float64]

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """The share of texts that are (K,)."""
        return self.right.mean(axis=1)


def compute(plan: Plan, run: Run) -> Record:
    """Fine-tune once for every n; store the answers. Those of each n are resumed."""
    encoder, (learned, validation) = load_inputs(plan, run)
    if plan.n_validation is not None:
        validation = validation.sample(plan.n_validation, seed=1)
    texts = learned, validation
    result = fine_tune_all(encoder, texts, plan, run)
    arrays = {key: getattr(result, key) for key in ARRAYS}
    write_tensors(run.folder / FILE, arrays, {"format": FORMAT})
    return run.store(
        [FILE],
        {f"val_accuracy_{n}": float(a) for n, a in zip(result.n, result.accuracy, strict=True)},
        parameters=parameters(plan, run),
        seconds=float(result.seconds.sum()),
        **describe(encoder, texts),
    )


def fine_tune_all(encoder: Encoder, texts: Texts, plan: Plan, run: Run) -> Ablation:
    """Fine-tune copies of `encoder`, one for every n; `encoder` itself stays as it is."""
    ns = np.array(plan.ns or range(plan.kind == "freeze", encoder.n_blocks + 1))
    results = [
        _fine_tune(encoder, texts, int(n), plan, run)
        for n in progress_bar(ns.tolist(), plan.kind, run.progress)
    ]
    right = np.stack([arrays["right"] for arrays in results])
    return Ablation(ns, right, np.array([float(arrays["seconds"]) for arrays in results]))


def _fine_tune(encoder: Encoder, texts: Texts, n: int, plan: Plan, run: Run) -> dict[str, NDArray]:
    """The answers after fine-tuning what n leaves."""
    cached, state = (
        run.resume(f"{part}-{n}.safetensors", parameters(plan, run)) for part in ("answers", "state")
    )
    if cached and cached.exists():
        return read_tensors(cached, FORMAT)[0]
    train, validation = texts
    config = plan.training
    if plan.kind == "freeze":
        tuned = first_blocks(encoder, encoder.n_blocks)
        config = replace(config, freeze=encoder.frozen_prefixes(n))
    else:
        tuned = first_blocks(encoder, n)
    sample = validation.sample(min(len(validation), 500), seed=0)
    history = fine_tune(
        tuned, train, sample, config, run.seed, state, run.device, None, run.progress, plan.precision
    )
    arrays = {
        "right": predict(tuned, validation, config.max_length).argmax(axis=1) == validation.labels,
        "seconds": np.array(history.seconds),
    }
    if cached and state:
        write_tensors(cached, arrays, {"format": FORMAT})
        state.unlink()
    return arrays


def read(folder: Path, record: Record) -> Ablation:
    """What is stored in a folder."""
    return Ablation(**read_tensors(folder / FILE, FORMAT)[0], record=record)


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


def load(name: str, profile: str = "laptop", seed: int = 0) -> Ablation:
    """What is stored, such as "ablations/sst2-freeze" (six blocks) or "encoder/sst2-freeze" (twelve).

    Arguments and errors as of :func:`replication.run.load_result`.
    """
    return load_result(EXPERIMENTS, name if "/" in name else f"{GROUP}/{name}", profile, seed)
