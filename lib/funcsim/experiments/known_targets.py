"""Two-layer probes for the known targets of Model E (appendix B and Table 3 of Gao et al.).

scikit-learn's classifier with its default parameters, as in the paper, from each of the 93
representations to each of c1, c2, c3 and to a control: c1 in a random order, of which nothing
can be learned but by heart.

Taught in chapter 05.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import funcsim as fs
from funcsim.experiments import modular_sum
from funcsim.experiments.modular_sum import TrainedModel
from funcsim.probes import probe_all, two_layer_probe
from funcsim.progress import progress_bar
from funcsim.provenance import Record, data_dir, describe_device, folder_of, freeze, load_record
from funcsim.storage import read_tensors, write_tensors

NAME = "known-targets"
NETWORK = "model-e-equal"
FORMAT = "funcsim.probes/1"
TARGETS = ("c1", "c2", "c3", "control")
FILE = "accuracies.safetensors"


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
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = modular_sum.WORK,
    progress: bool = True,
) -> Record:
    """Fit every probe and freeze the accuracies into ``out / known-targets / seed-<seed>``.

    The probes of a finished layer are kept in ``work / known-targets`` and not fitted again.
    """
    folder, parts = (out or data_dir()) / folder_of(NAME, seed), work / NAME
    trained = modular_sum.load(NETWORK, profile)
    reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
    found, spent = [], 0.0
    for name in progress_bar(reps.names, "probe", progress):
        part = parts / f"{profile}-{seed}-{name}.safetensors"
        if not part.exists():
            began = time.perf_counter()
            scores = _probe(trained, name, reps[name], seed)
            took = np.array([time.perf_counter() - began])
            write_tensors(part, {"scores": scores, "seconds": took}, {"format": FORMAT})
        tensors, _ = read_tensors(part, FORMAT)
        found.append(tensors["scores"])
        spent += float(tensors["seconds"][0])
    scores = np.stack(found)
    write_tensors(folder / FILE, {"scores": scores}, {"format": FORMAT})
    return freeze(
        folder,
        [FILE],
        experiment=NAME,
        command=f"make experiments PROFILE={profile} ONLY={NAME} DEVICE={device} SEED={seed}",
        parameters={"network": NETWORK, "targets": list(TARGETS), "probe": "MLPClassifier, defaults"},
        seed=seed,
        device=describe_device("cpu"),
        seconds=round(spent, 1),
        encoder=f"{NETWORK}, seed {trained.seed}",
        data="all pairs, split as the network was trained; last position",
        results={f"best_{name}": float(scores[:, k, 1].max()) for k, name in enumerate(TARGETS)},
    )


def load(profile: str = "laptop", seed: int = 0) -> tuple[NDArray[np.float64], str]:
    """Accuracies (layers, targets, 2) on training and validation pairs, and where they come from.

    Raises
    ------
    FrozenDataError
        If the frozen files are missing or differ from their record.
    """
    if profile == "smoke":
        trained = modular_sum.load(NETWORK, profile)
        reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
        scores = [_probe(trained, name, layer, seed) for name, layer in reps.items()]
        return np.stack(scores), "profile smoke: probes of a tiny network, fitted on the spot"
    record = load_record(NAME, seed)
    tensors, _ = read_tensors(data_dir() / folder_of(NAME, seed) / FILE, FORMAT)
    return tensors["scores"], str(record)


def _probe(trained: TrainedModel, name: str, layer: NDArray[np.floating], seed: int) -> NDArray[np.float64]:
    smoke = trained.record is None
    probe = partial(two_layer_probe, seed=seed, epochs=2 if smoke else 200)
    jobs = 1 if smoke else torch.get_num_threads()
    one = fs.Representations({name: layer})
    return probe_all(probe, one, targets_of(trained, seed), training_rows(trained), jobs)[0]
