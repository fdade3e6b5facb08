"""The encoder of section 5.2 before any training, many times: what its architecture alone makes of a map.

Taught in chapter 08.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.nulls import reinitialised
from replication.data.sentiment import Corpus
from replication.encoder import dense
from replication.encoder.inputs import describe, load_inputs, parameters
from replication.encoder.maps import capture_blocks
from replication.map_files import map_of
from replication.models.encoders import Encoder
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
from replication.training.fine_tuning import FineTuningConfig

GROUP = dense.GROUP
FORMAT = "funcsim.untrained_encoders/1"
FILE = "maps.safetensors"


@dataclass(frozen=True)
class Plan:
    """How often, and on what.

    Attributes
    ----------
    task : {"sst2", "yelp"}
    measures : tuple of str
    n_copies : int
        Of 19 none is as extreme as the trained encoder by chance alone once in 20 times.
    n_texts, max_length : int
        As in :class:`replication.encoder.dense.Plan`, the same texts.
    training : None
        There is none.
    """

    task: str
    measures: tuple[str, ...] = ("gw", "rsm", "cka-debiased")
    n_copies: int = 19
    n_texts: int = 200
    max_length: int = 64
    training: FineTuningConfig | None = None

    def tiny(self) -> Plan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        return replace(self, n_copies=2, n_texts=30, max_length=16)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


PLANS = {
    f"{task}-untrained": Plan(task, max_length=training.max_length)
    for task, training in dense.TRAINING.items()
}


@dataclass(frozen=True, repr=False)
class Untrained(Stored):
    """Normalised maps of C copies with fresh weights.

    Attributes
    ----------
    names : tuple of str
        Of the L block ends.
    maps : dict of str to array (C, L, L)
        By pooling and measure, such as "mean/gw".
    seeds : array (C,)
        Of the weights.
    n_texts : int
    """

    names: tuple[str, ...]
    maps: dict[str, NDArray[np.float64]]
    seeds: NDArray[np.int64]
    n_texts: int

    def twin(self, key: str) -> fs.UntrainedTwin:
        """The copies beside which :func:`funcsim.partition` puts a map; `key` as of `maps`."""
        measure = key.split("/")[1]
        one = map_of(self.maps[key][0], self.names, self.n_texts, "mean", measure)
        return fs.UntrainedTwin(
            names=self.names,
            maps=self.maps[key],
            measure=measure,
            normalize="mean",
            n_samples=self.n_texts,
            is_similarity=one.is_similarity,
            seeds=tuple(self.seeds.tolist()),
        )


def compute(plan: Plan, run: Run) -> Record:
    """Draw weights anew, capture, compare; copies that are done are resumed."""
    began = time.perf_counter()
    encoder, (learned, validation) = load_inputs(plan, run)
    if plan.task in dense.FEWER and (few := dense.FEWER[plan.task].get("n_validation")) and not run.smoke:
        validation = validation.sample(few, seed=1)
    shown = validation[validation.draw(plan.n_texts, seed=0)]
    seeds = [int(s) for s in np.random.SeedSequence(run.seed).generate_state(plan.n_copies)]
    copies = [
        _one(encoder, shown, weights, plan, run)
        for weights in progress_bar(seeds, "untrained", run.progress, len(seeds))
    ]
    arrays = {key: np.stack([maps[key] for maps in copies]) for key in copies[0]}
    names = [f"{encoder.blocks}.{k}" for k in range(encoder.n_blocks)]
    write_tensors(run.folder / FILE, arrays | {"seeds": np.array(seeds)}, {"format": FORMAT})
    return run.store(
        [FILE],
        {f"mean {key}": float(x.mean()) for key, x in arrays.items()},
        parameters=parameters(plan, run) | {"names": names},
        seconds=time.perf_counter() - began,
        **describe(encoder, (learned, validation)),
    )


def _one(encoder: Encoder, shown: Corpus, weights: int, plan: Plan, run: Run) -> dict[str, NDArray]:
    """The maps of a copy, by pooling and measure."""
    cached = run.resume(f"copy-{weights}.safetensors", parameters(plan, run))
    if cached and cached.exists():
        return read_tensors(cached, FORMAT)[0]
    fresh = replace(encoder, model=reinitialised(encoder.model, weights).eval())
    maps = {}
    for pooling in dense.POOLINGS:
        reps = capture_blocks(fresh, shown, plan.max_length, pooling)
        for measure in plan.measures:
            maps[f"{pooling}/{measure}"] = fs.compare(reps, measure=measure, progress=False).values
    if cached:
        write_tensors(cached, maps, {"format": FORMAT})
    return maps


def read(folder: Path, record: Record) -> Untrained:
    """What is stored in a folder."""
    arrays, _ = read_tensors(folder / FILE, FORMAT)
    seeds = arrays.pop("seeds")
    return Untrained(
        tuple(record.parameters["names"]), arrays, seeds, record.parameters["n_texts"], record=record
    )


EXPERIMENTS = {
    f"{GROUP}/{name}": Experiment(f"{GROUP}/{name}", GROUP, plan, compute, read, encoder=dense.ENCODER)
    for name, plan in PLANS.items()
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> Untrained:
    """What is stored; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{name}", profile, seed)
