"""The networks that add (section 5.1 and appendix A of Gao et al.).

A plan says what a network is taught and how; `run` trains it and freezes the result, `load`
brings it back.

Taught in chapter 04.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import torch
from torch import Tensor

from funcsim._internal.hashing import digest
from funcsim._internal.storage import read_tensors, write_tensors
from replication.data.modular_addition import Split, Step, all_pairs, levels
from replication.models.modular_chain import ModularChain
from replication.models.modular_transformer import ModularTransformer
from replication.modular_addition.plans import ANSWERS_ONLY, PLANS, Plan
from replication.stored import Record, data_dir, describe_device, folder_of, freeze, load_record
from replication.training.modular import CURVES, History, train_layer_by_layer

CHECKPOINT = "model.safetensors"
CURVES_FILE = "training.safetensors"
ANSWERS_FILE = "answers.safetensors"
CHECKPOINT_FORMAT = "funcsim.modular_transformer/1"
CURVES_FORMAT = "funcsim.training_curves/2"
ANSWERS_FORMAT = "funcsim.modular_answers/1"
WORK = Path("_build/experiments")


@dataclass(frozen=True)
class TrainedModel:
    """A network, what it was taught, how training went, and the record if frozen.

    Of some networks only what they answer is frozen; there `model` is None and `kept` has it.
    """

    model: ModularTransformer | ModularChain | None
    plan: Plan
    seed: int
    histories: list[History]
    record: Record | None
    kept: tuple[Tensor, ...] | None = None

    @property
    def origin(self) -> str:
        """In one line, where this network comes from."""
        return str(self.record or "profile smoke: a tiny network, trained on the spot")

    @property
    def weights_digest(self) -> str:
        """The sha256 of all weights, so that what was kept of another network is not taken for its own."""
        return digest(*(value.numpy() for value in self.model.state_dict().values()))

    @property
    def pairs(self) -> Tensor:
        """All p*p inputs (p*p, 2), a changing slowest."""
        return all_pairs(self.plan.p)

    @property
    def targets(self) -> Tensor:
        """What each level says of all pairs (p*p, n_levels)."""
        return levels(self.pairs, self.plan.steps)

    @property
    def split(self) -> Split:
        """The pairs and the labels of the last level, for training and for validation."""
        return self.plan.splits(self.seed)[-1]

    @property
    def history(self) -> History:
        """Of the last stage, which is the only one when training was end to end."""
        return self.histories[-1]

    def accuracies(self) -> tuple[float, float]:
        """Accuracy of the last answer on the training and on the validation pairs, computed now."""
        return self.stage_accuracies()[-1]

    @cached_property
    def answers(self) -> tuple[Tensor, ...]:
        """What each stage that was trained says of all pairs (p*p,)."""
        if self.model is None:
            return self.kept
        with torch.no_grad():
            return tuple(
                stage(self.model.read(self.pairs, k)).argmax(dim=1)
                for k, stage in enumerate(self.model.stages())
            )

    def stage_accuracies(self) -> list[tuple[float, float]]:
        """The same for the answer of each stage that was trained."""
        return [
            (
                self._right(said, split.train_inputs, split.train_labels),
                self._right(said, split.val_inputs, split.val_labels),
            )
            for said, split in zip(self.answers, self.plan.splits(self.seed), strict=True)
        ]

    def _right(self, said: Tensor, inputs: Tensor, labels: Tensor) -> float:
        return (self.at(said, inputs) == labels).double().mean().item()

    def at(self, said: Tensor, inputs: Tensor) -> Tensor:
        """What was said of some of the pairs: one of `answers` (p*p,), at inputs (n, 2)."""
        return said[inputs[:, 0] * self.plan.p + inputs[:, 1]]


def run(
    name: str,
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = WORK,
    progress: bool = True,
) -> Record:
    """Train the network of a plan; freeze checkpoint, curves and record into ``out / name / seed-<seed>``.

    In place of the checkpoint, of those in ``ANSWERS_ONLY`` what they answer.

    States from which an interrupted run goes on are kept in ``work / name``, the last ones
    included: a run that has them does not train again.
    """
    plan = PLANS[name].tiny() if profile == "smoke" else PLANS[name]
    told = json.dumps([plan.to_dict(), seed, torch.device(device).type], sort_keys=True)
    states = [work / name / f"{digest(told)[:12]}-{k}.safetensors" for k in range(len(plan.blocks))]
    trained = _train(plan, seed, states, device, progress)
    folder = (out or data_dir()) / folder_of(name, seed)
    return _freeze(folder, trained, name, profile, device)


def load(name: str, profile: str = "laptop", seed: int = 0) -> TrainedModel:
    """A frozen network; at profile "smoke" a tiny one, trained on the spot.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    ValueError
        If `name` or `profile` is unknown.
    """
    if name not in PLANS:
        raise ValueError(f"there is no network {name!r}; there is {', '.join(PLANS)}")
    if profile == "smoke":
        return _tiny(name, seed)
    if profile not in ("laptop", "full"):
        raise ValueError(f"profile {profile!r} is unknown; use 'smoke', 'laptop' or 'full'")
    record = load_record(name, seed)
    return _thaw(data_dir() / folder_of(name, seed), record)


def _train(plan: Plan, seed: int, states: list[Path] | None, device: str, progress: bool) -> TrainedModel:
    model = plan.network(seed)
    histories = train_layer_by_layer(model, plan.splits(seed), plan.training, states, device, progress)
    return TrainedModel(model.cpu().eval(), plan, seed, histories, None)


@cache
def _tiny(name: str, seed: int) -> TrainedModel:
    """Trained once in a process."""
    return _train(PLANS[name].tiny(), seed, None, "cpu", False)


def _freeze(folder: Path, trained: TrainedModel, name: str, profile: str, device: str) -> Record:
    plan, stages = trained.plan, trained.stage_accuracies()
    curves = {f"{k}/{c}": v for k, h in enumerate(trained.histories) for c, v in h.curves().items()}
    if (name, trained.seed) in ANSWERS_ONLY:
        first, said = ANSWERS_FILE, {str(k): x.short().numpy() for k, x in enumerate(trained.answers)}
        write_tensors(folder / first, said, {"format": ANSWERS_FORMAT})
    else:
        first, weights = CHECKPOINT, {key: x.numpy() for key, x in trained.model.state_dict().items()}
        write_tensors(folder / first, weights, {"format": CHECKPOINT_FORMAT})
    write_tensors(folder / CURVES_FILE, curves, {"format": CURVES_FORMAT})
    results = {"train_accuracy": stages[-1][0], "val_accuracy": stages[-1][1]}
    results |= {f"val_accuracy_of_stage_{k + 1}": val for k, (_, val) in enumerate(stages[:-1])}
    results |= {f"epochs_of_stage_{k + 1}": len(h) for k, h in enumerate(trained.histories)}
    how = "layer by layer" if len(plan.blocks) > 1 else "end to end"
    what = "chain of transformers" if plan.chained else "transformer"
    return freeze(
        folder,
        [first, CURVES_FILE],
        experiment=name,
        command=f"make experiments PROFILE={profile} ONLY={name} DEVICE={device} SEED={trained.seed}",
        parameters=plan.to_dict(),
        seed=trained.seed,
        device=describe_device(device),
        seconds=round(sum(h.seconds for h in trained.histories), 1),
        encoder=f"{sum(plan.blocks)}-block {what} of width {plan.d_model}, trained {how}",
        data=f"all {plan.p**2} pairs below {plan.p}, a {describe(plan.steps)}, 80 % for training",
        results=results,
    )


def describe(steps: tuple[Step, ...]) -> str:
    """A task in words: what is done to a, level by level."""
    return ", then ".join(map(str, steps))


def _thaw(folder: Path, record: Record) -> TrainedModel:
    plan = Plan.from_dict(record.parameters)
    curves, _ = read_tensors(folder / CURVES_FILE, CURVES_FORMAT)
    histories = [
        History(**{name: curves[f"{k}/{name}"].tolist() for name in CURVES}) for k in range(len(plan.blocks))
    ]
    if ANSWERS_FILE in record.files:
        said, _ = read_tensors(folder / ANSWERS_FILE, ANSWERS_FORMAT)
        kept = tuple(torch.tensor(said[str(k)]).long() for k in range(len(said)))
        return TrainedModel(None, plan, record.seed, histories, record, kept)
    weights, _ = read_tensors(folder / CHECKPOINT, CHECKPOINT_FORMAT)
    model = plan.network(record.seed)
    model.load_state_dict({key: torch.tensor(array) for key, array in weights.items()})
    return TrainedModel(model.eval(), plan, record.seed, histories, record)
