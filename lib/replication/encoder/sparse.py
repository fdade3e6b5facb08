"""An encoder made sparse while it is fine-tuned (section 5.2, Figures 6, 10 to 12; appendix C).

Every run has the same learning rate, steps and texts: dense, NeuroPrune, and magnitude pruning, which
reaches the same share of zeros in another way. Stored are maps, and the clouds of fewer texts, from which
encoders are compared with one another. Fewer steps than in ``encoder/<task>-dense``, and longer ones.

Written down before the first run: blocks are alike as the mean normalised GW distance of two of them is
small, on all texts that are mapped, in the mean over tokens; [CLS] stands beside it. That they grow alike
with sparsity agrees if this number falls from 0 to 25 to 70 to 95 % under NeuroPrune, and differs if it
rises at every one of these; else it cannot be told. A fall is one of sparsity only if encoders that answer
as well as the dense one, within its 95 % interval of accuracy, show it too. Beside them stands the dense
encoder at the usual rate.

Taught in chapter 09.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from replication.encoder.dense import ENCODER, FEWER, GROUP, POOLINGS, principal
from replication.encoder.inputs import Texts, describe, load_inputs, parameters
from replication.encoder.maps import capture_blocks, maps_of
from replication.map_files import load_maps, save_maps
from replication.models.encoders import Encoder
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
from replication.training.equal_updates import blocks_and_start, relative_update_norm
from replication.training.fine_tuning import FineTuningConfig, FineTuningHistory, fine_tune, predict, scores
from replication.training.neuroprune import (
    active_heads,
    blocks_of,
    calibrate_strength,
    model_sparsity,
    sparsifier,
    sparsity,
)

FORMAT = "funcsim.sparse_encoder/1"
FILE, MAPS = "run.safetensors", "maps.safetensors"
MEASURES = ("gw", "cka-debiased")
#: Per cent of the weights of attention and MLP that are to be zero: the paper's.
TARGETS = (25, 70, 95)
METHODS = {"sst2": ("neuroprune", "magnitude"), "yelp": ("neuroprune",)}


@dataclass(frozen=True)
class Plan:
    """What is done to an encoder.

    Attributes
    ----------
    task : {"sst2", "yelp"}
    training : FineTuningConfig
    method : {"neuroprune", "magnitude"} or None
        How its weights are made to vanish meanwhile; None leaves it dense.
    target : float
        What share of them, about.
    precision : {"bfloat16", "float32"}
        Of the products of a training step; everything that is stored is computed in float32.
    n_texts, n_kept : int
        Validation texts that are mapped, and the first of them, whose clouds are stored.
    n_draws : int
        Random halves of the texts.
    n_validation : int or None
        Validation texts that are predicted, drawn once; None takes all of them.
    """

    task: str
    training: FineTuningConfig
    method: str | None = None
    target: float = 0.0
    precision: str = "bfloat16"
    n_texts: int = 200
    n_kept: int = 60
    n_draws: int = 20
    n_validation: int | None = None

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        training = FineTuningConfig(
            steps=20, batch_size=8, max_length=16, lr=2e-3, eval_every=10, save_every=10
        )
        return replace(self, training=training, n_texts=20, n_kept=12, n_draws=2, n_validation=None)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


#: Penalties shrink a weight by the learning rate times their strength, against the steps of the task, which
#: are as long as the learning rate. So the rate is five times that of the dense runs, in fewer steps.
TRAINING = {
    "sst2": FineTuningConfig(steps=400, lr=1e-4, eval_every=200),
    "yelp": FineTuningConfig(steps=200, batch_size=16, lr=1e-4, eval_every=200),
}


def _plans() -> dict[str, Plan]:
    plans = {}
    for task, training in TRAINING.items():
        fast = Plan(task, training, n_validation=FEWER[task].get("n_validation"))
        plans[f"{task}-fast"] = fast
        for method in METHODS[task]:
            for target in TARGETS:
                plans[f"{task}-{method}-{target}"] = replace(fast, method=method, target=target / 100)
    return plans


PLANS = _plans()


@dataclass(frozen=True, repr=False)
class SparseRun(Stored):
    """An encoder of L blocks after its fine-tuning.

    Attributes
    ----------
    clouds : dict of str to Representations
        Principal coordinates of the block ends on the first `n_kept` texts: "cls" and "mean".
    maps : dict of str to LayerMap
        By pooling, normalisation and measure, such as "mean/mean/gw" and "cls/raw/gw". NaN where a block
        says the same of all texts.
    halves : array (n_draws, L, L)
        Normalised GW maps in the mean over tokens, on random halves of the texts.
    logits, labels : array (n, 2) and (n,)
        Of all validation texts.
    zeros, heads : array (L,)
        Share of each block's weights that are zero, and how many of its heads still write.
    moved : array (L,)
        Norm of each block's update, relative to the norm of its weights before.
    sparsity : float
        Share of the weights of attention and MLP that are zero.
    history : FineTuningHistory
    """

    clouds: dict[str, fs.Representations]
    maps: dict[str, fs.LayerMap]
    halves: NDArray[np.float64]
    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    zeros: NDArray[np.float64]
    heads: NDArray[np.int64]
    moved: NDArray[np.float64]
    sparsity: float
    history: FineTuningHistory

    @property
    def scores(self) -> dict[str, float]:
        """Loss, accuracy and F1 on all validation texts."""
        return scores(self.logits, self.labels)


ARRAYS = ("halves", "logits", "labels", "zeros", "heads", "moved")


def compute(plan: Plan, run: Run) -> Record:
    """Fine-tune as a plan says; store clouds, maps and scores. An interrupted training is resumed."""
    encoder, (learned, validation) = load_inputs(plan, run)
    if plan.n_validation is not None:
        validation = validation.sample(plan.n_validation, seed=1)
    texts = learned, validation
    result = fine_tune_and_capture(encoder, texts, plan, run)
    for pooling, reps in result.clouds.items():
        reps.save(run.folder / f"{pooling}.safetensors", half=True)
    save_maps(run.folder / MAPS, result.maps)
    arrays = {key: getattr(result, key) for key in ARRAYS}
    arrays |= {f"curves/{k}": v for k, v in result.history.curves().items()}
    write_tensors(run.folder / FILE, arrays, {"format": FORMAT})
    return run.store(
        [FILE, MAPS, *(f"{pooling}.safetensors" for pooling in result.clouds)],
        {f"val_{k}": v for k, v in result.scores.items()} | {"sparsity": result.sparsity},
        parameters=parameters(plan, run),
        seconds=result.history.seconds,
        **describe(encoder, texts),
    )


def fine_tune_and_capture(encoder: Encoder, texts: Texts, plan: Plan, run: Run) -> SparseRun:
    """Fine-tune `encoder` in place, and compare its blocks."""
    train, validation = texts
    config = plan.training
    blocks, start = blocks_and_start(encoder)
    after_step = None
    if plan.method:
        strength = calibrate_strength(encoder.model, plan.method, plan.target, config)
        after_step = sparsifier(encoder.model, plan.method, strength, config)
    scored = validation.sample(min(len(validation), 400), seed=0)
    state = run.resume("state.safetensors", parameters(plan, run))
    history = fine_tune(
        encoder, train, scored, config, run.seed, state, run.device, after_step, run.progress, plan.precision
    )
    shown = validation[validation.draw(plan.n_texts, seed=0)]
    ends = {
        pooling: principal(capture_blocks(encoder, shown, config.max_length, pooling)) for pooling in POOLINGS
    }
    return SparseRun(
        clouds={pooling: principal(reps.head(plan.n_kept)) for pooling, reps in ends.items()},
        maps=maps_of(ends, MEASURES),
        halves=_on_halves(ends["mean"], plan.n_draws),
        logits=predict(encoder, validation, config.max_length),
        labels=validation.labels,
        zeros=np.array([sparsity(block.linears) for block in blocks_of(encoder.model)]),
        heads=np.array([active_heads(block) for block in blocks_of(encoder.model)]),
        moved=relative_update_norm(blocks, start).numpy(),
        sparsity=model_sparsity(encoder.model),
        history=history,
    )


def _on_halves(reps: fs.Representations, n_draws: int) -> NDArray[np.float64]:
    """Normalised GW maps on random halves of the texts (n_draws, L, L)."""
    drawn = [reps.subsample(reps.n_samples // 2, seed) for seed in range(n_draws)]
    maps = [fs.compare(half, measure="gw", degenerate="nan", progress=False) for half in drawn]
    return np.stack([m.values for m in maps])


def read(folder: Path, record: Record) -> SparseRun:
    """What is stored in a folder."""
    arrays, _ = read_tensors(folder / FILE, FORMAT)
    curves = {k.removeprefix("curves/"): x.tolist() for k, x in arrays.items() if k.startswith("curves/")}
    return SparseRun(
        clouds={p: fs.Representations.load(folder / f"{p}.safetensors") for p in POOLINGS},
        maps=load_maps(folder / MAPS),
        sparsity=record.results["sparsity"],
        history=FineTuningHistory(**curves, seconds=record.seconds),
        record=record,
        **{key: arrays[key] for key in ARRAYS},
    )


EXPERIMENTS = {
    f"{GROUP}/{name}": Experiment(f"{GROUP}/{name}", GROUP, plan, compute, read, encoder=ENCODER)
    for name, plan in PLANS.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> SparseRun:
    """A stored run; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{name}", profile, seed)
