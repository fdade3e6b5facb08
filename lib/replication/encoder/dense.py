"""An encoder fine-tuned on sentiment and watched meanwhile (section 5.2 and 5.3, Figures 6 to 8, 12, 13).

What is stored are the clouds that maps are made of, not the maps: a map can be made again whenever the
solver gets better. A cloud is stored by its principal coordinates, in which all distances and inner
products about the mean stay as they are. Measures that depend on the axes (Euclidean, cosine,
Wasserstein) are the exception: their maps are stored.

Taught in chapters 07 to 11.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.storage import read_tensors, replacing, write_tensors
from funcsim.geometry import principal_coordinates
from replication.data.sentiment import Corpus
from replication.encoder import text_run
from replication.encoder.dynamics import _gradients
from replication.encoder.maps import load_maps, maps_of, save_maps
from replication.encoder.text_run import corpora
from replication.models.encoders import Encoder, load_encoder
from replication.modular_addition.trained_networks import WORK
from replication.stored import Record, data_dir, folder_of, load_record
from replication.training.equal_updates import blocks_and_start, lengths_of_moves
from replication.training.fine_tuning import (
    FineTuningConfig,
    FineTuningHistory,
    fine_tune,
    predict,
    scores,
)
from replication.training.snapshots import Snapshots, log_steps

GROUP = "encoder"
ENCODER = "mpnet"
FORMAT = "funcsim.dense_encoder/1"
FILE, MAPS, STATE = "run.safetensors", "maps.safetensors", "state.safetensors"
POOLINGS = ("cls", "mean")
#: These see the axes of a cloud, which its principal coordinates forget.
BY_AXES = ("euclidean", "cosine", "wasserstein")
#: Of so many dimensions of each layer the share of its variance is stored, the largest first.
N_DOMINANT = 5


@dataclass(frozen=True)
class Plan:
    """What is done to an encoder, and what is stored of it.

    Attributes
    ----------
    task : {"sst2", "yelp"}
    training : FineTuningConfig or None
        None leaves the encoder as it is.
    precision : {"bfloat16", "float32"}
        Of the products of a training step; everything that is stored is computed in float32.
    n_snapshots : int
        After step 0, evenly spaced in the logarithm of the step.
    n_texts, n_watched : int
        Validation texts whose clouds are stored, at the end and in each snapshot.
    n_scored : int
        Validation texts on which a snapshot's accuracy is measured.
    max_length : int
        Tokens; longer texts are cut.
    """

    task: str
    training: FineTuningConfig | None
    precision: str = "bfloat16"
    n_snapshots: int = 20
    n_texts: int = 200
    n_watched: int = 100
    n_scored: int = 400
    max_length: int = 64

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        training = self.training and FineTuningConfig(
            steps=20, batch_size=8, max_length=16, lr=2e-3, eval_every=10, save_every=10
        )
        sizes = {"n_snapshots": 3, "n_texts": 30, "n_watched": 12, "n_scored": 30, "max_length": 16}
        return replace(self, training=training, **sizes)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


TRAINING = {
    "sst2": FineTuningConfig(steps=2000, lr=2e-5, eval_every=200),
    "yelp": FineTuningConfig(steps=600, batch_size=16, max_length=128, lr=2e-5, eval_every=100),
}
PLANS = {
    f"{task}-{kind}": Plan(task, training if kind == "dense" else None, max_length=training.max_length)
    for task, training in TRAINING.items()
    for kind in ("pretrained", "dense")
}


@dataclass(frozen=True)
class DenseRun:
    """What is stored of an encoder of L blocks.

    Attributes
    ----------
    clouds : dict of str to Representations
        Principal coordinates of block ends on `n_texts` texts: "cls", "mean", and each "standardised"
        (every feature divided by its standard deviation). "cls/sublayers", "mean/sublayers": after
        the attention and at the end of each block, on `n_watched` texts.
    maps : dict of str to LayerMap
        Block ends under the measures that see axes, such as "cls/mean/euclidean".
    snapshots : dict of str to array (S, ...)
        ``step``; ``clouds/cls`` and ``clouds/mean`` (S, L, n_watched, n_watched - 1), each cloud at
        unit mean square, and ``scale/cls``, ``scale/mean`` (S, L) to multiply it by; ``val_loss``,
        ``val_accuracy``, ``val_f1``; ``moved`` (S, L), how far each block's weights are from where
        they began, relative to their length there; ``gradients`` (S, parts). Empty without training.
    dominant, dominant_share : array (2, L, N_DOMINANT)
        Dimensions that vary most, and their shares of a layer's variance, by pooling.
    logits, labels : array (n, 2) and (n,)
        Of all validation texts.
    rows, lengths : array (n_texts,)
        Which of them are in `clouds`, and their numbers of tokens.
    history : FineTuningHistory or None
    record : Record or None
    """

    clouds: dict[str, fs.Representations]
    maps: dict[str, fs.LayerMap]
    snapshots: dict[str, NDArray]
    dominant: NDArray[np.int64]
    dominant_share: NDArray[np.float64]
    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]
    history: FineTuningHistory | None
    record: Record | None

    @property
    def origin(self) -> str:
        """In one line, where this comes from."""
        return str(self.record or "profile smoke: a tiny encoder, fine-tuned on the spot")

    @property
    def scores(self) -> dict[str, float]:
        """Loss, accuracy and F1 on all validation texts."""
        return scores(self.logits, self.labels)


ARRAYS = ("dominant", "dominant_share", "logits", "labels", "rows", "lengths")


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
    """Fine-tune and watch; store what was seen into ``out / encoder/<name> / seed-<seed>``.

    States and snapshots from which an interrupted run goes on are in ``work / encoder/<name>``, and
    the state at the end in ``work / fine-tuned``, where other experiments begin.
    """
    plan = PLANS[name].tiny() if profile == "smoke" else PLANS[name]
    prepared = text_run.prepare(f"{GROUP}/{name}", plan, profile, seed, device, out, work, encoder)
    made = compute(prepared.encoder, plan, prepared.texts, seed, prepared.kept, device, progress)
    if plan.training:
        with replacing(prepared.tuned) as copied:
            shutil.copyfile(prepared.kept / STATE, copied)
    for key, reps in made.clouds.items():
        reps.save(prepared.folder / _file(key), half=True)
    save_maps(prepared.folder / MAPS, made.maps)
    arrays = {key: getattr(made, key) for key in ARRAYS}
    arrays |= {f"curves/{k}": v for k, v in made.history.curves().items()} if made.history else {}
    arrays |= {f"snapshots/{k}": v for k, v in made.snapshots.items()}
    write_tensors(prepared.folder / FILE, arrays, {"format": FORMAT, "clouds": json.dumps([*made.clouds])})
    files = [FILE, MAPS, *map(_file, made.clouds)]
    results = {f"val_{k}": v for k, v in made.scores.items()}
    return text_run.conclude(prepared, files, made.history.seconds if made.history else 0.0, results)


def load(name: str, profile: str = "laptop", seed: int = 0) -> DenseRun:
    """What is stored; at profile "smoke" of a tiny encoder, on the spot.

    Raises
    ------
    StoredResultError
        If the stored files are missing or differ from their record.
    ValueError
        If `name` is unknown.
    """
    if name not in PLANS:
        raise ValueError(f"there is no run {name!r}; there is {', '.join(PLANS)}")
    if profile == "smoke":
        return _tiny(name, seed)
    record = load_record(f"{GROUP}/{name}", seed)
    folder = data_dir() / folder_of(f"{GROUP}/{name}", seed)
    arrays, header = read_tensors(folder / FILE, FORMAT)
    curves = {k.removeprefix("curves/"): x.tolist() for k, x in arrays.items() if k.startswith("curves/")}
    return DenseRun(
        clouds={key: fs.Representations.load(folder / _file(key)) for key in json.loads(header["clouds"])},
        maps=load_maps(folder / MAPS),
        snapshots={k.removeprefix("snapshots/"): x for k, x in arrays.items() if k.startswith("snapshots/")},
        history=FineTuningHistory(**curves, seconds=record.seconds) if curves else None,
        record=record,
        **{key: arrays[key] for key in ARRAYS},
    )


@cache
def _tiny(name: str, seed: int) -> DenseRun:
    """Made once in a process."""
    plan = PLANS[name].tiny()
    return compute(load_encoder("tiny", seed), plan, corpora(plan.task, True), seed, None, "cpu", False)


def compute(
    encoder: Encoder,
    plan: Plan,
    texts: tuple[Corpus, Corpus],
    seed: int,
    work: Path | None,
    device: str,
    progress: bool,
) -> DenseRun:
    """Fine-tune `encoder` in place, and capture it meanwhile and at the end."""
    train, validation = texts
    rows = validation.draw(plan.n_texts, seed=0)
    watched = validation[rows[: plan.n_watched]]
    snapshots: dict[str, NDArray] = {}
    history = None
    if plan.training:
        snapshots, history = _watched(encoder, plan, train, validation, watched, seed, work, device, progress)
    shown = validation[rows]
    ends = {p: capture_blocks(encoder, shown, plan.max_length, p) for p in POOLINGS}
    clouds = {pooling: principal(reps) for pooling, reps in ends.items()}
    clouds |= {f"{pooling}/standardised": principal(standardised(reps)) for pooling, reps in ends.items()}
    clouds |= {
        f"{pooling}/sublayers": principal(capture_blocks(encoder, watched, plan.max_length, pooling, True))
        for pooling in POOLINGS
    }
    dominant = [[_dominant(layer) for layer in reps.values()] for reps in ends.values()]
    batches = _batches(encoder, shown, plan.max_length)
    return DenseRun(
        clouds=clouds,
        maps=maps_of(ends, BY_AXES),
        snapshots=snapshots,
        dominant=np.array([[order for order, _ in layers] for layers in dominant]),
        dominant_share=np.array([[share for _, share in layers] for layers in dominant]),
        logits=predict(encoder, validation, plan.max_length),
        labels=validation.labels,
        rows=rows,
        lengths=np.concatenate([batch["attention_mask"].sum(dim=1).numpy() for batch in batches]),
        history=history,
        record=None,
    )


def _watched(
    encoder: Encoder,
    plan: Plan,
    train: Corpus,
    validation: Corpus,
    watched: Corpus,
    seed: int,
    work: Path | None,
    device: str,
    progress: bool,
) -> tuple[dict[str, NDArray], FineTuningHistory]:
    """Fine-tune, with a snapshot after some of the steps."""
    config = plan.training
    assert config is not None
    scored = validation.sample(min(plan.n_scored, len(validation)), seed=0)
    blocks, start = blocks_and_start(encoder)

    def snapshot() -> dict[str, NDArray]:
        found = scores(predict(encoder, scored, config.max_length), scored.labels)
        arrays = {f"val_{key}": np.array(value) for key, value in found.items()}
        arrays |= {"moved": lengths_of_moves(blocks, start).numpy(), "gradients": _gradients(encoder)}
        for pooling in POOLINGS:
            reps = principal(capture_blocks(encoder, watched, config.max_length, pooling))
            clouds = np.stack([layer[:, : len(watched) - 1] for layer in reps.values()]).astype(np.float64)
            scale = np.sqrt((clouds**2).mean(axis=(1, 2)))
            arrays[f"clouds/{pooling}"] = (clouds / scale[:, None, None]).astype(np.float16)
            arrays[f"scale/{pooling}"] = scale
        return arrays

    snapshots = Snapshots(log_steps(config.steps, plan.n_snapshots), snapshot, work)

    def after_step(model: object, step: int, lr: float) -> None:
        snapshots.take(step + 1)

    snapshots.recall()
    snapshots.take(0)
    state = work and work / STATE
    history = fine_tune(
        encoder, train, scored, config, seed, state, device, after_step, progress, plan.precision
    )
    return snapshots.stacked(), history


def capture_blocks(
    encoder: Encoder, corpus: Corpus, max_length: int, pooling: str, sublayers: bool = False
) -> fs.Representations:
    """Block ends on texts, or with `sublayers` also what each block has after its attention."""
    patterns = [f"{encoder.blocks}.*"]
    if sublayers:
        names = [name for name, _ in encoder.model.named_modules()]
        attention = "attention.output" if any(n.endswith(".attention.output") for n in names) else "attention"
        patterns = [f"{encoder.blocks}.*.{attention}", *patterns]
    batches = _batches(encoder, corpus, max_length)
    return fs.capture(encoder.model, batches, patterns, pooling, progress=False)


def principal(reps: fs.Representations) -> fs.Representations:
    """Each layer by its principal coordinates."""
    return fs.Representations({name: principal_coordinates(layer) for name, layer in reps.items()})


def standardised(reps: fs.Representations) -> fs.Representations:
    """Each feature divided by its standard deviation over the samples; one that never varies stays 0."""
    layers = {name: layer.astype(np.float64) for name, layer in reps.items()}
    scaled = {}
    for name, layer in layers.items():
        spread = layer.std(axis=0)
        scaled[name] = (layer - layer.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return fs.Representations(scaled)


def _dominant(layer: NDArray) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The dimensions that vary most, and their shares of the variance."""
    variance = layer.astype(np.float64).var(axis=0)
    order = np.argsort(-variance, kind="stable")[:N_DOMINANT]
    return order, variance[order] / variance.sum()


def _batches(encoder: Encoder, corpus: Corpus, max_length: int) -> list[dict]:
    return [encoder.encode(corpus.texts[k : k + 50], max_length) for k in range(0, len(corpus), 50)]


def _file(key: str) -> str:
    return f"{key.replace('/', '-')}.safetensors"
