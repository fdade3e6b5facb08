"""An encoder watched while it is fine-tuned (Figures 7 and 8): maps, scores, moves and gradients.

Taught in chapter 10.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

import funcsim as fs
from funcsim._internal.storage import replacing
from funcsim.geometry import is_degenerate
from replication import dynamics
from replication.data.sentiment import Corpus
from replication.dynamics import GROUP, Dynamics
from replication.encoder import text_run
from replication.encoder.maps import look_twice
from replication.encoder.plans import ENCODER
from replication.encoder.text_run import corpora
from replication.models.encoders import Encoder, load_encoder
from replication.modular_addition.trained_networks import WORK
from replication.stored import Record
from replication.training.equal_updates import blocks_and_start, equal_moves, lengths_of_moves
from replication.training.fine_tuning import FineTuningConfig, FineTuningHistory, fine_tune, predict, scores
from replication.training.snapshots import Snapshots, log_steps

STATE = "state.safetensors"


@dataclass(frozen=True)
class Plan:
    """How an encoder is fine-tuned, and how it is watched.

    Attributes
    ----------
    task : {"sst2", "yelp"}
    training : FineTuningConfig
        The same as in ``bert/<task>-dense``.
    equal : bool
        Whether all blocks are made to move equally far.
    n_snapshots : int
        After step 0, evenly spaced in the logarithm of the step.
    n_mapped, n_scored : int
        Validation texts for the maps, and for accuracy and F1; of as many training texts as for
        the maps the loss is taken.
    """

    task: str
    training: FineTuningConfig
    equal: bool = False
    n_snapshots: int = 20
    n_mapped: int = 200
    n_scored: int = 872

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        training = FineTuningConfig(
            steps=20, batch_size=8, max_length=16, lr=2e-3, eval_every=20, save_every=10
        )
        return replace(self, training=training, n_snapshots=2, n_mapped=12, n_scored=30)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


#: The same training as that of the dense encoders of chapters 07 to 09, but for how often it is measured.
SST2 = Plan("sst2", FineTuningConfig(steps=1500, eval_every=1500))
YELP = Plan("yelp", FineTuningConfig(steps=600, max_length=128, eval_every=600), n_scored=500)
PLANS = {"sst2": SST2, "yelp": YELP, "sst2-equal": replace(SST2, equal=True)}


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
    """Fine-tune and watch; freeze what was seen into ``out / dynamics/<name> / seed-<seed>``.

    States and snapshots from which an interrupted run goes on are kept in ``work / dynamics/<name>``,
    and the state at the end in ``work / fine-tuned``, where the interventions of chapter 11 find it.
    """
    plan = PLANS[name].tiny() if profile == "smoke" else PLANS[name]
    told = text_run.prepare(f"{GROUP}/{name}", plan, profile, seed, device, out, work, encoder)
    found, history = watch(told.encoder, plan, told.texts, seed, told.kept, device, progress)
    if not plan.equal:  # to be watched changes nothing, so the interventions may begin here
        with replacing(told.tuned) as copied:
            shutil.copyfile(told.kept / STATE, copied)
    dynamics.save(told.folder, found)
    results = {key: float(found.seen[key][-1]) for key in ("val_loss", "val_accuracy", "val_f1")}
    return text_run.conclude(told, [dynamics.FILE], history.seconds, results)


def load(name: str, profile: str = "laptop", seed: int = 0) -> Dynamics:
    """What was frozen; at profile "smoke" of a tiny encoder, on the spot.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    ValueError
        If `name` is unknown.
    """
    if name not in PLANS:
        raise ValueError(f"no encoder was watched as {name!r}; there is {', '.join(PLANS)}")
    return _tiny(PLANS[name].equal, seed) if profile == "smoke" else dynamics.load_frozen(name, seed)


@cache
def _tiny(equal: bool, seed: int) -> Dynamics:
    """Made once in a process; both tasks are the same when they are tiny."""
    plan = replace(SST2, equal=equal).tiny()
    return watch(load_encoder("tiny", seed), plan, corpora(plan.task, True), seed, None, "cpu", False)[0]


def watch(
    encoder: Encoder,
    plan: Plan,
    texts: tuple[Corpus, Corpus],
    seed: int,
    kept: Path | None,
    device: str,
    progress: bool,
) -> tuple[Dynamics, FineTuningHistory]:
    """Fine-tune `encoder` in place, and say what was seen meanwhile."""
    train, validation = texts
    config, length = plan.training, plan.training.max_length
    mapped = validation[validation.draw(plan.n_mapped, seed=0)]
    learned = train.sample(plan.n_mapped, seed=0)
    scored = validation.sample(plan.n_scored, seed=0)
    blocks, start = blocks_and_start(encoder)
    begin = _layers(encoder, mapped, length)

    def look() -> dict[str, NDArray]:
        now = _layers(encoder, mapped, length)
        found = scores(predict(encoder, scored, length), scored.labels)
        return (
            dynamics.maps_now(now)
            | {f"val_{key}": np.array(value) for key, value in found.items()}
            | {"train_loss": np.array(scores(predict(encoder, learned, length), learned.labels)["loss"])}
            | {"moved": lengths_of_moves(blocks, start).numpy()}
            | {"said": np.array([_distance(begin[name], now[name]) for name in begin.names])}
            | {"gradients": _gradients(encoder)}
        )

    snapshots = Snapshots(log_steps(config.steps, plan.n_snapshots), look, kept)
    even_out = equal_moves(encoder) if plan.equal else None

    def after_step(model: nn.Module, step: int, lr: float) -> None:
        if even_out:
            even_out(model, step, lr)
        snapshots.take(step + 1)

    snapshots.recall()
    snapshots.take(0)
    state = kept and kept / STATE
    history = fine_tune(encoder, train, scored, config, seed, state, device, after_step, progress)
    return Dynamics(begin.names, plan.n_mapped, snapshots.stacked(), None), history


def _layers(encoder: Encoder, corpus: Corpus, max_length: int) -> fs.Representations:
    """What is said at [CLS] after the attention and at the end of every block; of other makes, at the end."""
    twice = look_twice(encoder, corpus, max_length)
    if twice is not None:
        return twice
    batches = [encoder.encode(corpus.texts[k : k + 50], max_length) for k in range(0, len(corpus), 50)]
    return fs.capture(encoder.model, batches, f"{encoder.blocks}.*", "cls", progress=False)


def _distance(x: NDArray, y: NDArray) -> float:
    """NaN where all texts are the same to one of them."""
    return np.nan if is_degenerate(x) or is_degenerate(y) else fs.gw(x, y).distance


def _gradients(encoder: Encoder) -> NDArray[np.float64]:
    """Mean absolute gradient of the last step, by part; NaN for what has none."""
    means = []
    for parameters in encoder.parts.values():
        grads = [p.grad.abs().double() for p in parameters if p.grad is not None]
        total = sum(float(g.sum()) for g in grads)
        means.append(total / sum(g.numel() for g in grads) if grads else np.nan)
    return np.array(means)
