"""An encoder fine-tuned on sentiment, with snapshots meanwhile (sections 5.2, 5.3, Figures 6 to 8, 12, 13).

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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.storage import read_tensors, replacing, write_tensors
from funcsim.geometry import principal_coordinates
from replication.data.sentiment import Corpus
from replication.encoder.dynamics import mean_gradients
from replication.encoder.inputs import Texts, describe, load_inputs, parameters, tuned_state
from replication.encoder.maps import capture_blocks, capture_sublayers, maps_of
from replication.map_files import load_maps, save_maps
from replication.models.encoders import Encoder
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
from replication.training.equal_updates import blocks_and_start, relative_update_norm
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
    n_validation : int or None
        Validation texts that are predicted, drawn once; None takes all of them.
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
    n_validation: int | None = None
    max_length: int = 64

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        training = self.training and FineTuningConfig(
            steps=20, batch_size=8, max_length=16, lr=2e-3, eval_every=10, save_every=10
        )
        sizes = {
            "n_snapshots": 3,
            "n_texts": 30,
            "n_watched": 12,
            "n_scored": 30,
            "max_length": 16,
            "n_validation": None,
        }
        return replace(self, training=training, **sizes)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


TRAINING = {
    "sst2": FineTuningConfig(steps=2000, lr=2e-5, eval_every=200),
    "yelp": FineTuningConfig(steps=600, batch_size=16, max_length=128, lr=2e-5, eval_every=300),
}
#: A text of Yelp takes six times as long as one of SST-2, and there are 4,000 to be predicted.
FEWER: dict[str, dict[str, Any]] = {
    "sst2": {},
    "yelp": {"n_validation": 1000, "n_scored": 200, "n_snapshots": 12},
}
PLANS = {
    f"{task}-{kind}": Plan(
        task, training if kind == "dense" else None, max_length=training.max_length, **FEWER[task]
    )
    for task, training in TRAINING.items()
    for kind in ("pretrained", "dense")
}
#: The seeds that are stored, where there is more than one.
SEEDS = {"sst2-dense": (0, 1, 2)}


@dataclass(frozen=True, repr=False)
class DenseRun(Stored):
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
        ``val_accuracy``, ``val_f1``; ``moved`` (S, L), the norm of each block's update relative to
        the norm of its initial weights; ``gradients`` (S, parts). Empty without training.
    dominant, dominant_share : array (2, L, N_DOMINANT)
        Dimensions that vary most, and their shares of a layer's variance, by pooling.
    logits, labels : array (n, 2) and (n,)
        Of all validation texts.
    rows, lengths : array (n_texts,)
        Which of them are in `clouds`, and their numbers of tokens.
    history : FineTuningHistory or None
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

    @property
    def scores(self) -> dict[str, float]:
        """Loss, accuracy and F1 on all validation texts."""
        return scores(self.logits, self.labels)


ARRAYS = ("dominant", "dominant_share", "logits", "labels", "rows", "lengths")


def compute(plan: Plan, run: Run) -> Record:
    """Fine-tune and record; store clouds, snapshots and scores.

    States and snapshots are resumed, and the state at the end is left where other experiments begin.
    """
    encoder, (learned, validation) = load_inputs(plan, run)
    if plan.n_validation is not None:
        validation = validation.sample(plan.n_validation, seed=1)
    texts = learned, validation
    result = fine_tune_and_capture(encoder, texts, plan, run)
    left, tuned = run.resume(STATE, parameters(plan, run)), tuned_state(plan, texts, run)
    if left and tuned and plan.training:
        with replacing(tuned) as copied:
            shutil.copyfile(left, copied)
    for key, reps in result.clouds.items():
        reps.save(run.folder / _file(key), half=True)
    save_maps(run.folder / MAPS, result.maps)
    arrays = {key: getattr(result, key) for key in ARRAYS}
    arrays |= {f"curves/{k}": v for k, v in result.history.curves().items()} if result.history else {}
    arrays |= {f"snapshots/{k}": v for k, v in result.snapshots.items()}
    write_tensors(run.folder / FILE, arrays, {"format": FORMAT, "clouds": json.dumps([*result.clouds])})
    return run.store(
        [FILE, MAPS, *map(_file, result.clouds)],
        {f"val_{k}": v for k, v in result.scores.items()},
        parameters=parameters(plan, run),
        seconds=result.history.seconds if result.history else 0.0,
        **describe(encoder, texts),
    )


def read(folder: Path, record: Record) -> DenseRun:
    """What is stored in a folder."""
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


def fine_tune_and_capture(encoder: Encoder, texts: Texts, plan: Plan, run: Run) -> DenseRun:
    """Fine-tune `encoder` in place, and capture it meanwhile and at the end."""
    validation = texts[1]
    rows = validation.draw(plan.n_texts, seed=0)
    watched, shown, length = validation[rows[: plan.n_watched]], validation[rows], plan.max_length
    snapshots: dict[str, NDArray] = {}
    history = None
    if plan.training:
        snapshots, history = train_and_record(encoder, texts, watched, plan.training, plan, run)
    ends = {pooling: capture_blocks(encoder, shown, length, pooling) for pooling in POOLINGS}
    clouds = {pooling: principal(reps) for pooling, reps in ends.items()}
    clouds |= {f"{pooling}/standardised": principal(reps.standardised()) for pooling, reps in ends.items()}
    clouds |= {
        f"{pooling}/sublayers": principal(capture_sublayers(encoder, watched, length, pooling))
        for pooling in POOLINGS
    }
    dominant = [[_dominant(layer) for layer in reps.values()] for reps in ends.values()]
    masks = [batch["attention_mask"] for batch in encoder.batches(shown.texts, length)]
    return DenseRun(
        clouds=clouds,
        maps=maps_of(ends, BY_AXES),
        snapshots=snapshots,
        dominant=np.array([[order for order, _ in layers] for layers in dominant]),
        dominant_share=np.array([[share for _, share in layers] for layers in dominant]),
        logits=predict(encoder, validation, length),
        labels=validation.labels,
        rows=rows,
        lengths=np.concatenate([mask.sum(dim=1).numpy() for mask in masks]),
        history=history,
    )


def train_and_record(
    encoder: Encoder, texts: Texts, watched: Corpus, config: FineTuningConfig, plan: Plan, run: Run
) -> tuple[dict[str, NDArray], FineTuningHistory]:
    """Fine-tune, with a snapshot after some of the steps."""
    train, validation = texts
    scored = validation.sample(min(plan.n_scored, len(validation)), seed=0)
    blocks, start = blocks_and_start(encoder)

    def now() -> dict[str, NDArray]:
        result = scores(predict(encoder, scored, config.max_length), scored.labels)
        arrays = {f"val_{key}": np.array(value) for key, value in result.items()}
        arrays |= {
            "moved": relative_update_norm(blocks, start).numpy(),
            "gradients": mean_gradients(encoder),
        }
        for pooling in POOLINGS:
            reps = principal(capture_blocks(encoder, watched, config.max_length, pooling))
            clouds = np.stack([layer[:, : len(watched) - 1] for layer in reps.values()]).astype(np.float64)
            scale = np.sqrt((clouds**2).mean(axis=(1, 2)))
            arrays[f"clouds/{pooling}"] = (clouds / scale[:, None, None]).astype(np.float16)
            arrays[f"scale/{pooling}"] = scale
        return arrays

    folder, state = (run.resume(name, parameters(plan, run)) for name in ("snapshots", STATE))
    snapshots = Snapshots(log_steps(config.steps, plan.n_snapshots), now, folder)

    def after_step(model: object, step: int, lr: float) -> None:
        snapshots.record(step + 1)

    snapshots.restore()
    snapshots.record(0)
    history = fine_tune(
        encoder, train, scored, config, run.seed, state, run.device, after_step, run.progress, plan.precision
    )
    return snapshots.stacked(), history


def principal(reps: fs.Representations) -> fs.Representations:
    """Each layer by its principal coordinates."""
    return fs.Representations({name: principal_coordinates(layer) for name, layer in reps.items()})


def _dominant(layer: NDArray) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The dimensions that vary most, and their shares of the variance."""
    variance = layer.astype(np.float64).var(axis=0)
    order = np.argsort(-variance, kind="stable")[:N_DOMINANT]
    return order, variance[order] / variance.sum()


def _file(key: str) -> str:
    return f"{key.replace('/', '-')}.safetensors"


EXPERIMENTS = {
    f"{GROUP}/{name}": Experiment(
        f"{GROUP}/{name}", GROUP, plan, compute, read, seeds=SEEDS.get(name, (0,)), encoder=ENCODER
    )
    for name, plan in PLANS.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> DenseRun:
    """What is stored; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{name}", profile, seed)
