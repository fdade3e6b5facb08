"""The networks that add (section 5.1, appendix A and Table 1 of Gao et al.): trained, stored, read back.

Taught in chapter 04.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from funcsim._internal.hashing import digest
from funcsim._internal.storage import read_tensors, write_tensors
from replication.data.modular_addition import Split, Step, all_pairs, levels
from replication.errors import StoredResultError
from replication.models.modular_chain import ModularChain
from replication.models.modular_transformer import ModularTransformer
from replication.modular_addition.plans import LONG, PLANS, PREDICTIONS_ONLY, SEEDS, Plan
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
from replication.training.modular import CURVES, History, train_layer_by_layer

CHECKPOINT = "model.safetensors"
CURVES_FILE = "training.safetensors"
PREDICTIONS_FILE = "answers.safetensors"
CHECKPOINT_FORMAT = "funcsim.modular_transformer/1"
CURVES_FORMAT = "funcsim.training_curves/2"
PREDICTIONS_FORMAT = "funcsim.modular_answers/1"


@dataclass(frozen=True, repr=False)
class TrainedModel(Stored):
    """A network, what it was taught, and how training went.

    Of those in ``PREDICTIONS_ONLY`` no weights are stored: `network` is None, and `cached` holds what
    it predicts.
    """

    network: ModularTransformer | ModularChain | None
    plan: Plan
    seed: int
    histories: list[History]
    cached: tuple[Tensor, ...] = ()

    @property
    def model(self) -> ModularTransformer | ModularChain:
        """The network.

        Raises
        ------
        StoredResultError
            If its weights are not stored.
        """
        if self.network is None:
            raise StoredResultError(
                f"only the predictions of this network are stored, and not its weights ({self.origin}); "
                "remove it from PREDICTIONS_ONLY in replication.modular_addition.plans and train it again"
            )
        return self.network

    @property
    def weights_digest(self) -> str:
        """The sha256 of all weights, so that what is cached of another network is not taken for its own."""
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
        """Accuracy of the last stage on the training and on the validation pairs, computed now."""
        return self.stage_accuracies()[-1]

    @cached_property
    def predictions(self) -> tuple[Tensor, ...]:
        """What each stage that was trained predicts for all pairs (p*p,)."""
        if self.network is None:
            return self.cached
        with torch.no_grad():
            return tuple(
                stage(self.model.read(self.pairs, k)).argmax(dim=1)
                for k, stage in enumerate(self.model.stages())
            )

    def stage_accuracies(self) -> list[tuple[float, float]]:
        """The same of each stage that was trained."""
        return [
            (
                self._accuracy(predicted, split.train_inputs, split.train_labels),
                self._accuracy(predicted, split.val_inputs, split.val_labels),
            )
            for predicted, split in zip(self.predictions, self.plan.splits(self.seed), strict=True)
        ]

    def _accuracy(self, predicted: Tensor, inputs: Tensor, labels: Tensor) -> float:
        return (self.at(predicted, inputs) == labels).double().mean().item()

    def at(self, predicted: Tensor, inputs: Tensor) -> Tensor:
        """The predictions for some of the pairs: one of `predictions` (p*p,), at inputs (n, 2)."""
        return predicted[inputs[:, 0] * self.plan.p + inputs[:, 1]]


def compute(plan: Plan, run: Run) -> Record:
    """Train the network of a plan; store checkpoint and curves.

    In place of the checkpoint, of those in ``PREDICTIONS_ONLY`` what they predict. States are resumed,
    the last ones included: a run that has them does not train again.
    """
    states = [run.resume(f"stage-{k}.safetensors", plan.to_dict()) for k in range(len(plan.blocks))]
    model = plan.network(run.seed)
    once = run.experiment in LONG
    histories = train_layer_by_layer(
        model, plan.splits(run.seed), plan.training, states, run.device, run.progress, once_per_number=once
    )
    trained = TrainedModel(model.cpu().eval(), plan, run.seed, histories)
    stages = trained.stage_accuracies()
    if (run.experiment, run.seed) in PREDICTIONS_ONLY:
        arrays = {str(k): x.short().numpy() for k, x in enumerate(trained.predictions)}
        file = PREDICTIONS_FILE
        write_tensors(run.folder / file, arrays, {"format": PREDICTIONS_FORMAT})
    else:
        arrays = {key: x.numpy() for key, x in model.state_dict().items()}
        file = CHECKPOINT
        write_tensors(run.folder / file, arrays, {"format": CHECKPOINT_FORMAT})
    dtype = np.float32 if once else np.float64
    curves = {f"{k}/{c}": v.astype(dtype) for k, h in enumerate(histories) for c, v in h.curves().items()}
    write_tensors(run.folder / CURVES_FILE, curves, {"format": CURVES_FORMAT})
    results = {"train_accuracy": stages[-1][0], "val_accuracy": stages[-1][1]}
    results |= {f"val_accuracy_of_stage_{k + 1}": val for k, (_, val) in enumerate(stages[:-1])}
    results |= {f"epochs_of_stage_{k + 1}": len(h) for k, h in enumerate(histories)}
    how = "layer by layer" if len(plan.blocks) > 1 else "end to end"
    what = "chain of transformers" if plan.chained else "transformer"
    return run.store(
        [file, CURVES_FILE],
        results,
        parameters=plan.to_dict() | ({"once_per_number": True} if once else {}),
        encoder=f"{sum(plan.blocks)}-block {what} of width {plan.d_model}, trained {how}",
        data=f"all {plan.p**2} pairs below {plan.p}, a {describe(plan.steps)}, 80 % for training",
        seconds=sum(h.seconds for h in histories),
    )


def read(folder: Path, record: Record) -> TrainedModel:
    """What is stored in a folder."""
    plan = Plan.from_dict(record.parameters)
    curves, _ = read_tensors(folder / CURVES_FILE, CURVES_FORMAT)
    histories = [
        History(**{name: curves[f"{k}/{name}"].tolist() for name in CURVES}) for k in range(len(plan.blocks))
    ]
    network, cached = None, ()
    if PREDICTIONS_FILE in record.files:
        arrays, _ = read_tensors(folder / PREDICTIONS_FILE, PREDICTIONS_FORMAT)
        cached = tuple(torch.tensor(arrays[str(k)]).long() for k in range(len(arrays)))
    else:
        weights, _ = read_tensors(folder / CHECKPOINT, CHECKPOINT_FORMAT)
        network = plan.network(record.seed).eval()
        network.load_state_dict({key: torch.tensor(array) for key, array in weights.items()})
    return TrainedModel(network, plan, record.seed, histories, cached, record=record)


def describe(steps: tuple[Step, ...]) -> str:
    """A task in words: what is done to a, level by level."""
    return ", then ".join(map(str, steps))


EXPERIMENTS = {
    name: Experiment(
        name,
        "known-boundaries" if plan.chained else "modular-sum-long" if name in LONG else "modular-sum",
        plan,
        compute,
        read,
        seeds=SEEDS.get(name, (0,)),
    )
    for name, plan in PLANS.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> TrainedModel:
    """A stored network; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, name, profile, seed)
