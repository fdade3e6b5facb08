"""Two-layer probes for the known targets of Model E (appendix B and Table 3 of Gao et al.).

scikit-learn's classifier with its default parameters, as in the paper, and its regressor, from
each of the 93 representations to each of c1, c2, c3 and to a control: c1 in a random order, of
which nothing can be learned but by heart.

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
from funcsim.probes import probe_all, two_layer_probe, two_layer_regression
from funcsim.progress import progress_bar
from funcsim.provenance import Record, data_dir, describe_device, folder_of, freeze, load_record
from funcsim.storage import read_tensors, write_tensors

NAME = "known-targets"
NETWORK = "model-e-equal"
FORMAT = "funcsim.probes/2"
TARGETS = ("c1", "c2", "c3", "control")
FILE = "scores.safetensors"
PROBES = {"classifier": two_layer_probe, "regressor": two_layer_regression}


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
    """Fit every probe and freeze the scores into ``out / known-targets / seed-<seed>``.

    The probes of a finished layer are kept in ``work / known-targets`` and not fitted again.
    """
    folder, parts = (out or data_dir()) / folder_of(NAME, seed), work / NAME
    trained = modular_sum.load(NETWORK, profile)
    reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
    found: list[dict[str, NDArray]] = []
    for name in progress_bar(reps.names, "probe", progress):
        part = parts / f"{profile}-{seed}-{name}.safetensors"
        if not part.exists():
            began = time.perf_counter()
            scores = _probe(trained, name, reps[name], seed)
            took = np.array([time.perf_counter() - began])
            write_tensors(part, scores | {"seconds": took}, {"format": FORMAT})
        found.append(read_tensors(part, FORMAT)[0])
    scores = {probe: np.stack([layer[probe] for layer in found]) for probe in PROBES}
    write_tensors(folder / FILE, scores, {"format": FORMAT})
    return freeze(
        folder,
        [FILE],
        experiment=NAME,
        command=f"make experiments PROFILE={profile} ONLY={NAME} DEVICE={device} SEED={seed}",
        parameters={
            "network": NETWORK,
            "targets": list(TARGETS),
            "probes": "MLPClassifier and MLPRegressor, defaults",
        },
        seed=seed,
        device=describe_device("cpu"),
        seconds=round(sum(layer["seconds"].item() for layer in found), 1),
        encoder=f"{NETWORK}, seed {trained.seed}",
        data="all pairs, split as the network was trained; last position",
        results={
            f"best_{probe}_{target}": float(scores[probe][:, k, 1].max())
            for probe in PROBES
            for k, target in enumerate(TARGETS)
        },
    )


def load(profile: str = "laptop", seed: int = 0) -> tuple[dict[str, NDArray[np.float64]], str]:
    """Scores (layers, targets, 2) on training and validation pairs, and where they come from.

    Those of "classifier" are accuracies, those of "regressor" R^2.

    Raises
    ------
    FrozenDataError
        If the frozen files are missing or differ from their record.
    """
    if profile == "smoke":
        trained = modular_sum.load(NETWORK, profile)
        reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
        found = [_probe(trained, name, layer, seed) for name, layer in reps.items()]
        scores = {probe: np.stack([layer[probe] for layer in found]) for probe in PROBES}
        return scores, "profile smoke: probes of a tiny network, fitted on the spot"
    record = load_record(NAME, seed)
    tensors, _ = read_tensors(data_dir() / folder_of(NAME, seed) / FILE, FORMAT)
    return tensors, str(record)


def _probe(
    trained: TrainedModel, name: str, layer: NDArray[np.floating], seed: int
) -> dict[str, NDArray[np.float64]]:
    smoke = trained.record is None
    jobs = 1 if smoke else torch.get_num_threads()
    one, targets = fs.Representations({name: layer}), targets_of(trained, seed)
    told = {"seed": seed, "epochs": 2 if smoke else 200}
    return {
        kind: probe_all(partial(probe, **told), one, targets, training_rows(trained), jobs)[0]
        for kind, probe in PROBES.items()
    }
