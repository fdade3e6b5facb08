"""Encoders fine-tuned on sentiment: dense, sparse, and as they came (section 5.2, appendices C to G).

Every run freezes what the chapters look at: the curves, the logits of all validation texts, the maps
of its blocks under every measure, and how far each block has moved from where it began. Of some runs
what the blocks say of the texts is frozen as well. Weights and texts are not.

Taught in chapters 07 to 09.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from torch import nn

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from replication.data.sentiment import Corpus
from replication.encoder import text_run
from replication.encoder.maps import (
    POOLINGS,
    boundary_frequency,
    load_maps,
    look,
    look_twice,
    maps_of,
    save_maps,
)
from replication.encoder.plans import ENCODER, PLANS, EncoderPlan
from replication.encoder.text_run import corpora
from replication.models.encoders import Encoder, load_encoder
from replication.modular_addition.trained_networks import WORK
from replication.stored import Record, data_dir, folder_of, load_record
from replication.training.fine_tuning import FineTuningConfig, FineTuningHistory, fine_tune, predict, scores
from replication.training.neuroprune import (
    blocks_of,
    heads_left,
    share_of_zeros,
    sparsifier,
    sparsity,
    strength_for,
)

GROUP = "bert"
FORMAT = "funcsim.encoder_run/1"
FILE = "run.safetensors"
MAPS = "maps.safetensors"
ARRAYS = ("logits", "labels", "rows", "lengths", "moved", "scale", "zeros", "heads", "boundary_frequency")


@dataclass(frozen=True)
class EncoderRun:
    """What was frozen of a run.

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
        Length of the change of each block's weights, relative to their length before.
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
    plan : EncoderPlan
    record : Record or None
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
    plan: EncoderPlan
    record: Record | None

    @property
    def origin(self) -> str:
        """In one line, where this comes from."""
        return str(self.record or "profile smoke: a tiny encoder, fine-tuned on the spot")

    @property
    def scores(self) -> dict[str, float]:
        """Loss, accuracy and F1 on all validation texts."""
        return scores(self.logits, self.labels)


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
    """Fine-tune as a plan says; freeze what the blocks say into ``out / bert/<name> / seed-<seed>``.

    States from which an interrupted run goes on are kept in ``work / bert/<name>``.
    """
    plan = PLANS[name].tiny() if profile == "smoke" else PLANS[name]
    told = text_run.prepare(f"{GROUP}/{name}", plan, profile, seed, device, out, work, encoder)
    state = told.kept / "state.safetensors"
    made = carry_out(told.encoder, plan, told.texts, seed, state, device, progress)
    for pooling, reps in made.reps.items():
        reps.save(told.folder / f"{pooling}.safetensors", half=True)
    save_maps(told.folder / MAPS, made.maps)
    arrays = {name: getattr(made, name) for name in ARRAYS}
    arrays |= {f"curves/{k}": v for k, v in made.history.curves().items()} if made.history else {}
    write_tensors(told.folder / FILE, arrays, {"format": FORMAT})
    files = [FILE, MAPS, *(f"{pooling}.safetensors" for pooling in made.reps)]
    results = {f"val_{k}": v for k, v in made.scores.items()} | {"sparsity": made.sparsity}
    return text_run.conclude(told, files, made.history.seconds if made.history else 0.0, results)


def load(name: str, profile: str = "laptop", seed: int = 0) -> EncoderRun:
    """A frozen run; at profile "smoke" one of a tiny encoder, on the spot.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    ValueError
        If `name` is unknown.
    """
    if name not in PLANS:
        raise ValueError(f"there is no run {name!r}; there is {', '.join(PLANS)}")
    if profile == "smoke":
        return _tiny(name, seed)
    record = load_record(f"{GROUP}/{name}", seed)
    folder = data_dir() / folder_of(f"{GROUP}/{name}", seed)
    arrays, _ = read_tensors(folder / FILE, FORMAT)
    curves = {key.removeprefix("curves/"): x.tolist() for key, x in arrays.items() if "curves/" in key}
    return EncoderRun(
        {
            pooling: fs.Representations.load(folder / f"{pooling}.safetensors")
            for pooling in POOLINGS
            if f"{pooling}.safetensors" in record.files
        },
        load_maps(folder / MAPS),
        *(arrays[name] for name in ARRAYS),
        record.results["sparsity"],
        FineTuningHistory(**curves) if curves else None,
        PLANS[name],
        record,
    )


@cache
def _tiny(name: str, seed: int) -> EncoderRun:
    """Made once in a process."""
    plan = PLANS[name].tiny()
    return carry_out(load_encoder("tiny", seed), plan, corpora(plan.task, True), seed, None, "cpu", False)


def carry_out(
    encoder: Encoder,
    plan: EncoderPlan,
    texts: tuple[Corpus, Corpus],
    seed: int,
    state: Path | None,
    device: str,
    progress: bool,
) -> EncoderRun:
    """Fine-tune `encoder` in place, and look at it."""
    train, validation = texts
    rows = validation.draw(plan.n_texts, seed=0)
    before = _block_weights(encoder.model)
    most = getattr(encoder.model.config, "max_position_embeddings", 64)
    history, config = None, plan.training or FineTuningConfig(max_length=min(64, most))
    if plan.training:
        after_step = None
        if plan.method:
            strength = plan.correction * strength_for(encoder.model, plan.method, plan.target, config)
            after_step = sparsifier(encoder.model, plan.method, strength, config)
        curve_texts = validation.sample(min(len(validation), 1000), seed=0)
        history = fine_tune(encoder, train, curve_texts, config, seed, state, device, after_step, progress)
    after = _block_weights(encoder.model)
    reps, lengths = look(encoder, validation[rows], plan.n_flat, config.max_length)
    halves = look_twice(encoder, validation[rows[: plan.n_mapped]], config.max_length)
    keep = plan.keep if seed == 0 else (0, 0, 0)
    return EncoderRun(
        {pooling: reps[pooling].head(n) for pooling, n in zip(POOLINGS, keep, strict=True) if n},
        maps_of({pooling: reps[pooling].head(plan.n_mapped) for pooling in POOLINGS[:2]}, fs.measures())
        | maps_of({"halves": halves} if halves else {}, ("gw", "rsm", "cka-debiased")),
        predict(encoder, validation, config.max_length),
        validation.labels,
        rows,
        lengths,
        np.array([np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, after, strict=True)]),
        np.array([pdist(x).mean() for x in reps["cls"].values()]),
        np.array([share_of_zeros(block.linears) for block in blocks_of(encoder.model)]),
        np.array([heads_left(block) for block in blocks_of(encoder.model)]),
        boundary_frequency(halves, plan.n_boot) if halves else np.zeros(0),
        sparsity(encoder.model),
        history,
        plan,
        None,
    )


def _block_weights(model: nn.Module) -> list[NDArray[np.float64]]:
    return [
        np.concatenate([linear.weight.detach().double().numpy().ravel() for linear in block.linears])
        for block in blocks_of(model)
    ]
