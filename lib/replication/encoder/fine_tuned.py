"""Encoders fine-tuned on sentiment: dense, sparse, and as they came (section 5.2, appendices C to G).

Every run stores what the chapters show: the curves, the logits of all validation texts, the maps of its
blocks under every measure, and how far each block has moved from where it began. Of some runs the
representations are stored as well. Weights and texts are not.

Taught in chapters 07 to 09.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from torch import nn

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from replication.encoder.inputs import Texts, describe, load_inputs, parameters
from replication.encoder.maps import POOLINGS, capture_blocks, capture_sublayers, capture_tokens, maps_of
from replication.encoder.plans import ENCODER, PLANS, SEEDS, EncoderPlan
from replication.map_files import MEASURES, boundary_frequency, load_maps, save_maps
from replication.models.encoders import Encoder
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
from replication.training.fine_tuning import FineTuningConfig, FineTuningHistory, fine_tune, predict, scores
from replication.training.neuroprune import (
    active_heads,
    blocks_of,
    calibrate_strength,
    model_sparsity,
    sparsifier,
    sparsity,
)

GROUP = "bert"
FORMAT = "funcsim.encoder_run/1"
FILE = "run.safetensors"
MAPS = "maps.safetensors"
ARRAYS = ("logits", "labels", "rows", "lengths", "moved", "scale", "zeros", "heads", "boundary_frequency")


@dataclass(frozen=True, repr=False)
class EncoderRun(Stored):
    """An encoder after its fine-tuning.

    Attributes
    ----------
    reps : dict of str to Representations
        By pooling, "cls" and "mean": blocks of (texts, width). "tokens": all tokens of fewer
        texts, flattened, as coordinates with the same distances. Only what the plan keeps.
    maps : dict of str to LayerMap
        By pooling, normalisation and measure, such as "cls/mean/gw" and "mean/raw/euclidean".
        "halves": at [CLS], twice in every block, after the attention and at the end. NaN where a
        block says the same of all texts.
    logits, labels : array (n, 2) and (n,)
        Of all validation texts.
    rows, lengths : array (n_texts,)
        Which of them `reps` holds, and their numbers of tokens.
    moved : array (blocks,)
        Norm of each block's update, relative to the norm of its weights before.
    scale : array (blocks,)
        Mean distance between what a block says of two texts, at [CLS].
    zeros, heads : array (blocks,)
        Share of each block's weights that are zero, and how many of its heads still write.
    boundary_frequency : array (layers,)
        In which share of random halves of the texts the test finds a boundary before each layer of
        the map "halves/mean/gw"; empty if there is none.
    sparsity : float
        Share of the weights of attention and MLP that are zero.
    history : FineTuningHistory or None
    """

    reps: dict[str, fs.Representations]
    maps: dict[str, fs.LayerMap]
    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]
    moved: NDArray[np.float64]
    scale: NDArray[np.float64]
    zeros: NDArray[np.float64]
    heads: NDArray[np.int64]
    boundary_frequency: NDArray[np.float64]
    sparsity: float
    history: FineTuningHistory | None

    @property
    def scores(self) -> dict[str, float]:
        """Loss, accuracy and F1 on all validation texts."""
        return scores(self.logits, self.labels)


def compute(plan: EncoderPlan, run: Run) -> Record:
    """Fine-tune as a plan says; store representations, maps and scores."""
    encoder, texts = load_inputs(plan, run)
    result = fine_tune_and_capture(encoder, texts, plan, run)
    for pooling, reps in result.reps.items():
        reps.save(run.folder / f"{pooling}.safetensors", half=True)
    save_maps(run.folder / MAPS, result.maps)
    arrays = {name: getattr(result, name) for name in ARRAYS}
    arrays |= {f"curves/{k}": v for k, v in result.history.curves().items()} if result.history else {}
    write_tensors(run.folder / FILE, arrays, {"format": FORMAT})
    return run.store(
        [FILE, MAPS, *(f"{pooling}.safetensors" for pooling in result.reps)],
        {f"val_{k}": v for k, v in result.scores.items()} | {"sparsity": result.sparsity},
        parameters=parameters(plan, run),
        seconds=result.history.seconds if result.history else 0.0,
        **describe(encoder, texts),
    )


def fine_tune_and_capture(encoder: Encoder, texts: Texts, plan: EncoderPlan, run: Run) -> EncoderRun:
    """Fine-tune `encoder` in place, and compare its blocks."""
    train, validation = texts
    rows = validation.draw(plan.n_texts, seed=0)
    before = _block_weights(encoder.model)
    most = getattr(encoder.model.config, "max_position_embeddings", 64)
    history, config = None, plan.training or FineTuningConfig(max_length=min(64, most))
    if plan.training:
        after_step = None
        if plan.method:
            strength = plan.correction * calibrate_strength(encoder.model, plan.method, plan.target, config)
            after_step = sparsifier(encoder.model, plan.method, strength, config)
        curve_texts = validation.sample(min(len(validation), 1000), seed=0)
        state = run.resume("state.safetensors", parameters(plan, run))
        history = fine_tune(
            encoder, train, curve_texts, config, run.seed, state, run.device, after_step, run.progress
        )
    after, length = _block_weights(encoder.model), config.max_length
    sample, mapped = validation[rows], validation[rows[: plan.n_mapped]]
    reps = {pooling: capture_blocks(encoder, sample, length, pooling) for pooling in POOLINGS[:2]}
    maps = maps_of({pooling: x.head(plan.n_mapped) for pooling, x in reps.items()}, MEASURES)
    reps["tokens"] = capture_tokens(encoder, validation[rows[: plan.n_flat]], length)
    halves = capture_sublayers(encoder, mapped, length, "cls")
    masks = [batch["attention_mask"] for batch in encoder.batches(sample.texts, length)]
    keep = plan.keep if run.seed == 0 else (0, 0, 0)
    return EncoderRun(
        reps={pooling: reps[pooling].head(n) for pooling, n in zip(POOLINGS, keep, strict=True) if n},
        maps=maps | maps_of({"halves": halves}, ("gw", "rsm", "cka-debiased")),
        logits=predict(encoder, validation, length),
        labels=validation.labels,
        rows=rows,
        lengths=np.concatenate([mask.sum(dim=1).numpy() for mask in masks]),
        moved=np.array(
            [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, after, strict=True)]
        ),
        scale=np.array([pdist(x).mean() for x in reps["cls"].values()]),
        zeros=np.array([sparsity(block.linears) for block in blocks_of(encoder.model)]),
        heads=np.array([active_heads(block) for block in blocks_of(encoder.model)]),
        boundary_frequency=boundary_frequency(halves, plan.n_boot),
        sparsity=model_sparsity(encoder.model),
        history=history,
    )


def _block_weights(model: nn.Module) -> list[NDArray[np.float64]]:
    return [
        np.concatenate([linear.weight.detach().double().numpy().ravel() for linear in block.linears])
        for block in blocks_of(model)
    ]


def read(folder: Path, record: Record) -> EncoderRun:
    """What is stored in a folder."""
    arrays, _ = read_tensors(folder / FILE, FORMAT)
    curves = {key.removeprefix("curves/"): x.tolist() for key, x in arrays.items() if "curves/" in key}
    kept = [pooling for pooling in POOLINGS if f"{pooling}.safetensors" in record.files]
    return EncoderRun(
        reps={pooling: fs.Representations.load(folder / f"{pooling}.safetensors") for pooling in kept},
        maps=load_maps(folder / MAPS),
        sparsity=record.results["sparsity"],
        history=FineTuningHistory(**curves) if curves else None,
        record=record,
        **{name: arrays[name] for name in ARRAYS},
    )


EXPERIMENTS = {
    f"{GROUP}/{name}": Experiment(
        f"{GROUP}/{name}", GROUP, plan, compute, read, seeds=SEEDS.get(name, (0,)), encoder=ENCODER
    )
    for name, plan in PLANS.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> EncoderRun:
    """A stored run; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{name}", profile, seed)
