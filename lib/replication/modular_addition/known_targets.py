"""Probes for the known targets of Models L and E (appendix B, Tables 2 and 3 of Gao et al.).

A linear probe of both networks, and of Model E with nested moduli; of Model E with equal ones
scikit-learn's two-layer classifier with its default parameters, as in the paper, and its regressor.
From each of the 93 representations to each of c1, c2, c3 and to a control: c1 in a random order, of
which nothing can be learned but by heart.

Taught in chapter 05.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.probes import Probe, linear_probe, mlp_probe, mlp_probe_r2, probe_all
from replication.modular_addition import trained_networks
from replication.modular_addition.trained_networks import TrainedModel
from replication.run import Experiment, Run, load_result
from replication.stored import Record

NAME = "known-targets"
FORMAT = "funcsim.probes/1"
TARGETS = ("c1", "c2", "c3", "control")


@dataclass(frozen=True)
class Plan:
    """A probe of all layers of a network, and the file of its scores."""

    network: str
    probe: Probe
    description: str
    file: str = "accuracies.safetensors"
    epochs: int = 200
    jobs: int = -1

    def tiny(self) -> Plan:
        """The same plan, with probes of two layers that hardly learn."""
        return replace(self, epochs=2, jobs=1)


PLANS = {
    "linear-l": Plan("model-l-equal", linear_probe, "logistic regression"),
    "linear-e": Plan("model-e-equal", linear_probe, "logistic regression"),
    "linear-e-nested": Plan("model-e-nested-long", linear_probe, "logistic regression"),
    "classifier": Plan("model-e-equal", mlp_probe, "MLP classifier, defaults"),
    "regressor": Plan("model-e-equal", mlp_probe_r2, "MLP regressor, defaults", "r2.safetensors"),
}


def targets_of(trained: TrainedModel, seed: int = 0) -> dict[str, NDArray[np.int64]]:
    """What is to be found for all p*p pairs, (p*p,) each; `seed` orders the control."""
    known = dict(zip(TARGETS, trained.targets.numpy().T, strict=False))
    return known | {"control": np.random.default_rng(seed).permutation(known["c1"])}


def training_rows(trained: TrainedModel) -> NDArray[np.bool_]:
    """Which of all p*p pairs the network was trained on, (p*p,)."""
    a, b = trained.split.train_inputs.T
    rows = np.zeros(trained.plan.p**2, dtype=bool)
    rows[(a * trained.plan.p + b).numpy()] = True
    return rows


def compute(plan: Plan, run: Run) -> Record:
    """Fit every probe; those of a finished layer are resumed as long as the network is the same."""
    trained = trained_networks.load(plan.network, run.profile)
    reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
    weights, layers = trained.weights_digest, []
    for layer in progress_bar(reps.names, "probe", run.progress):
        cached = run.resume(f"{layer}.safetensors", weights)
        if cached and cached.exists():
            layers.append(read_tensors(cached, FORMAT)[0])
            continue
        began = time.perf_counter()
        scores = fit(plan, trained, reps.select([layer]), run.seed)
        layers.append({"scores": scores, "seconds": np.array([time.perf_counter() - began])})
        if cached:
            write_tensors(cached, layers[-1], {"format": FORMAT})
    scores = np.concatenate([arrays["scores"] for arrays in layers])
    write_tensors(run.folder / plan.file, {"scores": scores}, {"format": FORMAT})
    return run.store(
        [plan.file],
        {f"best_{target}": float(scores[:, k, 1].max()) for k, target in enumerate(TARGETS)},
        parameters={"network": plan.network, "targets": list(TARGETS), "probe": plan.description},
        encoder=f"{plan.network}, seed {trained.seed}",
        data="all pairs, split as the network was trained; last position",
        seconds=sum(arrays["seconds"].item() for arrays in layers),
        device="cpu",
    )


def fit(plan: Plan, trained: TrainedModel, reps: fs.Representations, seed: int) -> NDArray[np.float64]:
    """Scores (layers, targets, 2) on training and validation pairs."""
    probe = plan.probe
    if probe is not linear_probe:
        probe = partial(probe, seed=seed, epochs=plan.epochs)
    return probe_all(probe, reps, targets_of(trained, seed), training_rows(trained), plan.jobs)


def read(folder: Path, record: Record) -> tuple[NDArray[np.float64], str]:
    """The scores that are stored in a folder, and in one line where they come from."""
    (file,) = record.files
    return read_tensors(folder / file, FORMAT)[0]["scores"], str(record)


EXPERIMENTS = {
    f"{NAME}/{kind}": Experiment(f"{NAME}/{kind}", NAME, plan, compute, read) for kind, plan in PLANS.items()
}


def load(kind: str, profile: str = "laptop", seed: int = 0) -> tuple[NDArray[np.float64], str]:
    """Scores (layers, targets, 2) on training and validation pairs, and where they come from.

    `kind` is "linear-l", "linear-e", "linear-e-nested" or "classifier", scored by accuracy, or
    "regressor", by R^2. Errors as of :func:`replication.run.load_result`.
    """
    return load_result(EXPERIMENTS, f"{NAME}/{kind}", profile, seed)
