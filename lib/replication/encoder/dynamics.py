"""An encoder while it is fine-tuned (section 5.3, Figures 7 and 8): maps, scores, updates and gradients.

Taught in chapter 10.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import nn

import funcsim as fs
from funcsim._internal.storage import replacing
from funcsim.geometry import is_degenerate
from replication import dynamics
from replication.dynamics import GROUP, Dynamics
from replication.encoder.inputs import Texts, describe, load_inputs, parameters, tuned_state
from replication.encoder.maps import capture_sublayers
from replication.encoder.plans import ENCODER
from replication.models.encoders import Encoder
from replication.run import Experiment, Run, load_result
from replication.stored import Record
from replication.training.equal_updates import blocks_and_start, equal_updates, relative_update_norm
from replication.training.fine_tuning import FineTuningConfig, FineTuningHistory, fine_tune, predict, scores
from replication.training.snapshots import Snapshots, log_steps

STATE = "state.safetensors"


@dataclass(frozen=True)
class Plan:
    """How an encoder is fine-tuned, and when snapshots are recorded.

    Attributes
    ----------
    task : {"sst2", "yelp"}
    training : FineTuningConfig
        The same as in ``bert/<task>-dense``.
    equal : bool
        Whether the updates of all blocks are made equal in norm.
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


def compute(plan: Plan, run: Run) -> Record:
    """Fine-tune and record; snapshots and states are resumed.

    The state at the end is left where the interventions of chapter 11 find it.
    """
    encoder, texts = load_inputs(plan, run)
    result, history = train_and_record(encoder, texts, plan, run)
    left, tuned = run.resume(STATE, parameters(plan, run)), tuned_state(plan, texts, run)
    if left and tuned and not plan.equal:  # snapshots change nothing, so the interventions may begin here
        with replacing(tuned) as copied:
            shutil.copyfile(left, copied)
    dynamics.save(run.folder, result)
    return run.store(
        [dynamics.FILE],
        {key: float(result.history[key][-1]) for key in ("val_loss", "val_accuracy", "val_f1")},
        parameters=parameters(plan, run),
        seconds=history.seconds,
        **describe(encoder, texts),
    )


def train_and_record(
    encoder: Encoder, texts: Texts, plan: Plan, run: Run
) -> tuple[Dynamics, FineTuningHistory]:
    """Fine-tune `encoder` in place, with snapshots meanwhile."""
    train, validation = texts
    config, length = plan.training, plan.training.max_length
    mapped = validation[validation.draw(plan.n_mapped, seed=0)]
    learned = train.sample(plan.n_mapped, seed=0)
    scored = validation.sample(plan.n_scored, seed=0)
    blocks, start = blocks_and_start(encoder)
    begin = capture_sublayers(encoder, mapped, length, "cls")

    def now() -> dict[str, NDArray]:
        reps = capture_sublayers(encoder, mapped, length, "cls")
        result = scores(predict(encoder, scored, length), scored.labels)
        return (
            dynamics.maps_now(reps)
            | {f"val_{key}": np.array(value) for key, value in result.items()}
            | {"train_loss": np.array(scores(predict(encoder, learned, length), learned.labels)["loss"])}
            | {"moved": relative_update_norm(blocks, start).numpy()}
            | {"said": np.array([_distance(begin[name], reps[name]) for name in begin.names])}
            | {"gradients": mean_gradients(encoder)}
        )

    folder, state = (run.resume(name, parameters(plan, run)) for name in ("snapshots", STATE))
    snapshots = Snapshots(log_steps(config.steps, plan.n_snapshots), now, folder)
    equalise = equal_updates(encoder) if plan.equal else None

    def after_step(model: nn.Module, step: int, lr: float) -> None:
        if equalise:
            equalise(model, step, lr)
        snapshots.record(step + 1)

    snapshots.restore()
    snapshots.record(0)
    history = fine_tune(encoder, train, scored, config, run.seed, state, run.device, after_step, run.progress)
    return Dynamics(begin.names, plan.n_mapped, snapshots.stacked()), history


def _distance(x: NDArray, y: NDArray) -> float:
    """NaN where all texts are the same to one of them."""
    return np.nan if is_degenerate(x) or is_degenerate(y) else fs.gw(x, y).distance


def mean_gradients(encoder: Encoder) -> NDArray[np.float64]:
    """Mean absolute gradient of the last step, by part; NaN for what has none."""
    means = []
    for part in encoder.parts.values():
        grads = [p.grad.abs().double() for p in part if p.grad is not None]
        total = sum(float(g.sum()) for g in grads)
        means.append(total / sum(g.numel() for g in grads) if grads else np.nan)
    return np.array(means)


EXPERIMENTS = {
    f"{GROUP}/{name}": Experiment(
        f"{GROUP}/{name}",
        GROUP,
        plan,
        compute,
        dynamics.read,
        seeds=(0, 1, 2) if plan == SST2 else (0,),
        encoder=ENCODER,
    )
    for name, plan in PLANS.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> Dynamics:
    """Stored snapshots; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{name}", profile, seed)
