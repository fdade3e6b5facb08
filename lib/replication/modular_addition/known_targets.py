"""Probes for the known targets of Models L and E (appendix B and Table 3 of Gao et al.).

A linear probe of both networks; of Model E scikit-learn's two-layer classifier with its default
parameters, as in the paper, and its regressor. From each of the 93 representations to each of c1,
c2, c3 and to a control: c1 in a random order, of which nothing can be learned but by heart.

Taught in chapter 05.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.hashing import digest
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.probes import Probe, linear_probe, mlp_probe, mlp_probe_r2, probe_all
from replication.modular_addition import trained_networks
from replication.modular_addition.trained_networks import TrainedModel
from replication.stored import Record, data_dir, describe_device, folder_of, freeze, load_record

NAME = "known-targets"
FORMAT = "funcsim.probes/1"
TARGETS = ("c1", "c2", "c3", "control")


@dataclass(frozen=True)
class Kind:
    """A probe of all layers of a network, and the file of its scores."""

    network: str
    probe: Probe
    told: str
    file: str = "accuracies.safetensors"


KINDS = {
    "linear-l": Kind("model-l-equal", linear_probe, "logistic regression"),
    "linear-e": Kind("model-e-equal", linear_probe, "logistic regression"),
    "classifier": Kind("model-e-equal", mlp_probe, "MLP classifier, defaults"),
    "regressor": Kind("model-e-equal", mlp_probe_r2, "MLP regressor, defaults", "r2.safetensors"),
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


def run(
    kind: str,
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = trained_networks.WORK,
    progress: bool = True,
) -> Record:
    """Fit every probe of a kind; freeze their scores into ``out / known-targets/<kind> / seed-<seed>``.

    The probes of a finished layer are kept in ``work / known-targets/<kind>``, and not fitted again
    as long as the network is the same.
    """
    name, network, file = f"{NAME}/{kind}", KINDS[kind].network, KINDS[kind].file
    folder, parts = (out or data_dir()) / folder_of(name, seed), work / name
    trained = trained_networks.load(network, profile)
    reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
    key = digest(profile, str(seed), trained.weights_digest)[:12]
    found: list[dict[str, NDArray]] = []
    for layer in progress_bar(reps.names, "probe", progress):
        part = parts / f"{layer}-{key}.safetensors"
        if not part.exists():
            began = time.perf_counter()
            scores = _probe(kind, trained, reps.select([layer]), seed)
            took = np.array([time.perf_counter() - began])
            write_tensors(part, {"scores": scores, "seconds": took}, {"format": FORMAT})
        found.append(read_tensors(part, FORMAT)[0])
    scores = np.concatenate([tensors["scores"] for tensors in found])
    write_tensors(folder / file, {"scores": scores}, {"format": FORMAT})
    return freeze(
        folder,
        [file],
        experiment=name,
        command=f"make experiments PROFILE={profile} ONLY={name} DEVICE={device} SEED={seed}",
        parameters={"network": network, "targets": list(TARGETS), "probe": KINDS[kind].told},
        seed=seed,
        device=describe_device("cpu"),
        seconds=round(sum(tensors["seconds"].item() for tensors in found), 1),
        encoder=f"{network}, seed {trained.seed}",
        data="all pairs, split as the network was trained; last position",
        results={f"best_{target}": float(scores[:, k, 1].max()) for k, target in enumerate(TARGETS)},
    )


def load(kind: str, profile: str = "laptop", seed: int = 0) -> tuple[NDArray[np.float64], str]:
    """Scores (layers, targets, 2) on training and validation pairs, and where they come from.

    Parameters
    ----------
    kind : {"linear-l", "linear-e", "classifier", "regressor"}
        The first three are scored by accuracy, the last by R^2.
    profile : str
    seed : int

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    """
    if profile == "smoke":
        trained = trained_networks.load(KINDS[kind].network, profile)
        reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
        scores = _probe(kind, trained, reps, seed)
        return scores, "profile smoke: probes of a tiny network, fitted on the spot"
    record = load_record(f"{NAME}/{kind}", seed)
    tensors, _ = read_tensors(data_dir() / folder_of(f"{NAME}/{kind}", seed) / KINDS[kind].file, FORMAT)
    return tensors["scores"], str(record)


def _probe(kind: str, trained: TrainedModel, reps: fs.Representations, seed: int) -> NDArray[np.float64]:
    smoke = trained.record is None
    probe = KINDS[kind].probe
    if probe is not linear_probe:
        probe = partial(probe, seed=seed, epochs=2 if smoke else 200)
    return probe_all(probe, reps, targets_of(trained, seed), training_rows(trained), 1 if smoke else -1)
