"""The networks of known boundaries, trained, and the layers that are kept of them (claims C33, C36).

Of each network are kept: what its layers output on held-out inputs, in half precision; of each layer its
kind, its part and its function; and how well each stage was learned. ``stream.safetensors`` holds the
stream, ``inner.safetensors`` the hidden layers; the record knows the first alone, because a copy of the
repository need not have the second.

Taught in chapter 13.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.hashing import digest
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from replication.errors import StoredResultError
from replication.known.designs import FAMILIES, Design
from replication.known.tasks import Data, digits, make_data
from replication.known.training import Learned, train
from replication.models.known_network import KnownNetwork
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record, data_dir, folder_of

GROUP = "known"
SEEDS = (0, 1, 2, 3, 4)
STREAM, INNER = "stream.safetensors", "inner.safetensors"
FORMAT = "funcsim.known_layers/1"
ATTEMPTS = 3
#: What is known of each layer beside its name.
LABELS = ("kinds", "parts", "stages", "functions")
#: Which kinds of layers a map is made of: one state for each block; the whole stream; or all layers.
LAYERS: dict[str, tuple[str, ...]] = {
    "ends": ("convolution", "end"),
    "stream": ("convolution", "embedding", "middle", "end"),
    "all": ("convolution", "embedding", "middle", "hidden", "end"),
}


@dataclass(frozen=True)
class Plan:
    """The designs of one family, and how many held-out inputs are kept of each network.

    A network of which a stage has not learned is trained again from other weights and on other inputs,
    `attempts` times in all. One that never learns is kept, and marked.
    """

    family: str
    n_samples: int = 100
    attempts: int = ATTEMPTS
    few: int | None = None
    small: bool = False

    def tiny(self) -> Plan:
        """The same plan with one tiny network."""
        return replace(self, n_samples=24, attempts=1, few=1, small=True)

    @property
    def designs(self) -> dict[str, Design]:
        """By name."""
        chosen = dict(list(FAMILIES[self.family].items())[: self.few])
        return {name: design.tiny() if self.small else design for name, design in chosen.items()}


@dataclass(frozen=True)
class KnownLayers:
    """Layers of one network, in the order in which they are computed, and what is known of them.

    Attributes
    ----------
    reps : Representations
    kinds : tuple of str
        Of each layer: "convolution", "embedding", "middle", "hidden" or "end".
    parts, stages, functions : tuple of int
        Of each layer: the part of the architecture, the stage of training, and the function that it
        belongs to.
    accuracies : tuple of float
        Held-out, of each stage; () of a network that was not trained.
    attempt : int
        0 if it learned at once.
    learned : bool
        Whether it is what its design says; one that is not is no ground truth.
    seconds : float
        Of one processor, for all attempts.
    """

    reps: fs.Representations
    kinds: tuple[str, ...]
    parts: tuple[int, ...]
    stages: tuple[int, ...]
    functions: tuple[int, ...]
    accuracies: tuple[float, ...]
    attempt: int
    learned: bool
    seconds: float

    def only(self, layers: str) -> KnownLayers:
        """The layers of one of ``LAYERS``, such as "ends"."""
        kept = [k for k, kind in enumerate(self.kinds) if kind in LAYERS[layers]]
        chosen = {key: tuple(getattr(self, key)[k] for k in kept) for key in LABELS}
        return replace(self, reps=self.reps.select([self.reps.names[k] for k in kept]), **chosen)

    def unnamed(self) -> KnownLayers:
        """The same layers under names that do not tell where a part begins, such as "state 3"."""
        called = {"embedding": "state", "end": "state"}
        names = [f"{called.get(kind, kind)} {k}" for k, kind in enumerate(self.kinds)]
        return replace(self, reps=fs.Representations(dict(zip(names, self.reps.values(), strict=True))))

    @property
    def starts(self) -> tuple[int, ...]:
        """The truth: the layers, counted from 0, with which a new function begins; () if there is one."""
        return _changes(self.functions)

    @property
    def stage_starts(self) -> tuple[int, ...]:
        """The layers with which a new stage begins, whether it computes or only hands on."""
        return _changes(self.stages)

    @property
    def part_starts(self) -> tuple[int, ...]:
        """The layers with which a new part of the architecture begins, whatever it computes."""
        return _changes(self.parts)


def _changes(labels: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(k for k in range(1, len(labels)) if labels[k] != labels[k - 1])


@dataclass(frozen=True, kw_only=True, repr=False)
class Known(Stored):
    """The networks of one family and seed, by name."""

    networks: Mapping[str, KnownLayers]


class Trained(NamedTuple):
    """A network, its inputs and answers, how well each stage was learned, and at which attempt."""

    network: KnownNetwork
    data: Data
    accuracies: tuple[float, ...]
    attempt: int
    learned: bool


def train_until_learned(design: Design, seed: int, n_samples: int = 100, attempts: int = ATTEMPTS) -> Trained:
    """Train a network until it has learned, at most so many times.

    Parameters
    ----------
    design : Design
    seed : int
        Of weights, inputs, tables and labels; each attempt draws others.
    n_samples : int
        Held-out inputs, at least; of random labels, which have none, inputs that were trained on.
    attempts : int
    """
    sizes = design.sizes
    for attempt in range(attempts):
        drawn = np.random.default_rng([seed, attempt]).integers(2**31, size=3).tolist()
        data = make_data(
            design.operations, sizes.p, sizes.operands, drawn[0], design.n_train, max(n_samples, 2000)
        )
        network = design.network(digits()[0] if sizes.convolutions else None, drawn[1])
        how_well: list[Learned] = []
        if design.trained:
            how_well = train(network, design.operations, data, design.recipe, drawn[2])
        accuracies = tuple(stage.accuracy for stage in how_well)
        learned = all(accuracy >= design.least for accuracy in accuracies)
        if learned:
            break
    return Trained(network, data, accuracies, attempt, learned)


def make(design: Design, seed: int, n_samples: int = 100, attempts: int = ATTEMPTS) -> KnownLayers:
    """Train a network, and capture its layers on so many inputs; see :func:`train_until_learned`."""
    began = time.process_time()
    network, data, *how = train_until_learned(design, seed, n_samples, attempts)
    names, kinds, parts, stages = zip(*network.points(), strict=True)
    reps = fs.capture(network, [data.test_inputs[:n_samples]], list(names), "cls", progress=False)
    functions = tuple(design.functions[k] for k in stages)
    seconds = round(time.process_time() - began, 1)
    return KnownLayers(reps.select(names), kinds, parts, stages, functions, *how, seconds)


def compute(plan: Plan, run: Run) -> Record:
    """Train all networks of a family; those that are finished are resumed."""
    made: dict[str, KnownLayers] = {}
    for name, design in progress_bar(list(plan.designs.items()), plan.family, run.progress):
        path = run.resume("layers.safetensors", [name, design.to_dict(), plan.n_samples, plan.attempts])
        if path and path.exists():
            made |= _read([path])
            continue
        one = {name: make(design, network_seed(plan.family, name, run.seed), plan.n_samples, plan.attempts)}
        if path:
            _write(path, one, LAYERS["all"])
        made |= one
    _write(run.folder / STREAM, made, LAYERS["stream"])
    _write(run.folder / INNER, made, ("hidden",))
    return run.store(
        [STREAM],
        _results(made),
        parameters=asdict(plan) | {"designs": {name: d.to_dict() for name, d in plan.designs.items()}},
        encoder=f"{len(made)} networks of the family {plan.family!r}",
        data=f"{plan.n_samples} inputs that were not trained on, or random labels that were",
        seconds=sum(known.seconds for known in made.values()),
        device="cpu",
    )


def network_seed(family: str, name: str, seed: int) -> int:
    """Another one for every network."""
    return int(digest(json.dumps([family, name, seed]))[:8], 16)


def _results(made: Mapping[str, KnownLayers]) -> dict[str, float]:
    least = {f"least accuracy of {name}": min(k.accuracies) for name, k in made.items() if k.accuracies}
    return {"learned": float(sum(k.learned for k in made.values())), **least}


def _write(path: Path, made: Mapping[str, KnownLayers], kinds: tuple[str, ...]) -> None:
    """The layers of these kinds in half precision; their places among all layers are written with them."""
    tensors: dict[str, NDArray] = {}
    told = {}
    for name, known in made.items():
        kept = [k for k, kind in enumerate(known.kinds) if kind in kinds]
        layers = [[k, known.reps.names[k], *(getattr(known, key)[k] for key in LABELS)] for k in kept]
        tensors |= {f"{name}/{k}": known.reps[layer].astype(np.float16) for k, layer, *_ in layers}
        told[name] = [layers, known.accuracies, known.attempt, known.learned, known.seconds]
    write_tensors(path, tensors, {"format": FORMAT, "networks": json.dumps(told)})


def _read(paths: list[Path]) -> dict[str, KnownLayers]:
    """All layers of all networks in some files that were written together."""
    layers: dict[str, dict[int, tuple]] = {}
    rest: dict[str, list] = {}
    for path in paths:
        tensors, header = read_tensors(path, FORMAT)
        for name, (told, *rest[name]) in json.loads(header["networks"]).items():
            here = {place: (tensors[f"{name}/{place}"], *what) for place, *what in told}
            layers[name] = layers.get(name, {}) | here
    found = {}
    for name, here in layers.items():
        arrays, names, *labels = zip(*(here[k] for k in sorted(here)), strict=True)
        reps = fs.Representations(dict(zip(names, arrays, strict=True)))
        accuracies, *how = rest[name]
        found[name] = KnownLayers(reps, *labels, tuple(accuracies), *how)
    return found


def read(folder: Path, record: Record) -> Known:
    """The stream of the networks in a folder."""
    return Known(networks=_read([folder / STREAM]), record=record)


EXPERIMENTS = {
    f"{GROUP}/{family}": Experiment(f"{GROUP}/{family}", GROUP, Plan(family), compute, read, SEEDS)
    for family in FAMILIES
}


def load(family: str, profile: str = "laptop", seed: int = 0) -> Known:
    """The stream of the networks of a family; errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{family}", profile, seed)


def load_all(family: str, seed: int = 0) -> Known:
    """The same with the hidden layers.

    Raises
    ------
    StoredResultError
        If the hidden layers are not here.
    """
    found = load(family, seed=seed)
    folder = data_dir() / folder_of(f"{GROUP}/{family}", seed)
    if not (folder / INNER).exists():
        raise StoredResultError(
            f"{folder / INNER} is missing; the archive of the known boundaries has it, or "
            f"`make experiments ONLY={GROUP}/{family} SEED={seed}` makes it again"
        )
    return replace(found, networks=_read([folder / STREAM, folder / INNER]))
