"""Maps of the networks that add (Figures 3 to 5) that take too long to be computed while a page is read.

Each is one call of :func:`funcsim.compare`, on the same sample of all pairs. A :class:`MapPlan` says
what is compared. The networks are those of :mod:`replication.modular_addition.trained_networks`.

Taught in chapter 06, and looked at once more in chapter 15.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import funcsim as fs
from funcsim._internal.storage import replacing
from funcsim.nulls import random_projection_null
from replication.modular_addition import trained_networks
from replication.modular_addition.plans import SEEDS
from replication.run import Experiment, Run, load_result
from replication.stored import Record

NAME = "modular-maps"


@dataclass(frozen=True)
class MapPlan:
    """What a map compares.

    Attributes
    ----------
    network : str
        Which of :data:`replication.modular_addition.plans.PLANS`.
    network_seed : int
    pool : {"last"} or None
        The last position, or both flattened.
    normalize : {"mean"} or None
    measure : str
        Which of :func:`funcsim.measures`.
    control : {"untrained", "width"} or None
        The network before training; or one and the same cloud at every layer, projected to
        the dimension that the layer fills (:func:`funcsim.nulls.random_projection_null`).
    stream : bool
        Only the residual stream, each of its states once.
    n_samples : int
        How many of the pairs.
    """

    network: str
    network_seed: int = 0
    pool: Literal["last"] | None = "last"
    normalize: Literal["mean"] | None = "mean"
    measure: str = "gw"
    control: Literal["untrained", "width"] | None = None
    stream: bool = False
    n_samples: int = 100

    def representations(self, profile: str = "full", seed: int = 0) -> fs.Representations:
        """What is compared: layers of (n_samples, d); `seed` draws the sample."""
        trained = trained_networks.load(self.network, profile, self.network_seed)
        untrained = self.control == "untrained"
        model = trained.plan.network(self.network_seed).eval() if untrained else trained.model
        reps = fs.capture(model, [trained.pairs], pool=self.pool, progress=False)
        if self.stream:
            first, *others = (name for name in reps.names if "resid" in name)
            reps = reps.select([first, *(name for name in others if "resid_pre" not in name)])
        reps = reps.subsample(min(self.n_samples, reps.n_samples), seed)
        return random_projection_null(reps, seed) if self.control == "width" else reps


L = MapPlan("model-l-equal")
E = MapPlan("model-e-equal")

DEEP = {
    "l": L,
    "e": E,
    "l-raw": replace(L, normalize=None),
    "e-raw": replace(E, normalize=None),
    "l-both": replace(L, pool=None),
    "e-both": replace(E, pool=None),
    "l-second": replace(L, network_seed=SEEDS[L.network][1]),
    "l-third": replace(L, network_seed=SEEDS[L.network][2]),
    "e-second": replace(E, network_seed=SEEDS[E.network][1]),
    "e-third": replace(E, network_seed=SEEDS[E.network][2]),
    "l-agw": replace(L, measure="agw"),
    "l-width": replace(L, control="width"),
    "l-untrained": replace(L, control="untrained"),
    "chain": MapPlan("known-boundaries/1-1-1"),
} | {f"l-stream-{n}": replace(L, stream=True, n_samples=n) for n in (100, 1000, 3481)}

MODEL_0 = MapPlan("model-0", pool=None, n_samples=200)


@dataclass(frozen=True)
class MapSet:
    """Maps that are made together, by name."""

    maps: dict[str, MapPlan]

    def tiny(self) -> MapSet:
        """Of tiny networks, by a measure that needs no search."""
        return MapSet({key: replace(plan, n_samples=45, measure="rsm") for key, plan in self.maps.items()})


#: By experiment. Chapter 06 computes the normalised map of Model 0 again, in three lines.
SETS = {
    NAME: MapSet(DEEP),
    f"{NAME}/model-0": MapSet(
        {
            "0": MODEL_0,
            "0-raw": replace(MODEL_0, normalize=None),
            "0-width": replace(MODEL_0, control="width"),
            "0-untrained": replace(MODEL_0, control="untrained"),
        }
    ),
}
MAPS = {key: plan for maps in SETS.values() for key, plan in maps.maps.items()}


def compute(plan: MapSet, run: Run) -> Record:
    """Compute and store every map; one that is finished is resumed as long as its network is the same."""
    seconds, means = 0.0, {}
    for key, one in plan.maps.items():
        trained = trained_networks.load(one.network, run.profile, one.network_seed)
        layer_map, spent = _one(key, one, run, trained.weights_digest)
        layer_map.save(run.folder / f"{key}.safetensors")
        seconds, means[f"mean_{key}"] = seconds + spent, float(layer_map.values.mean())
    return run.store(
        [f"{key}.safetensors" for key in plan.maps],
        means,
        parameters={key: asdict(one) for key, one in plan.maps.items()},
        encoder=", ".join(dict.fromkeys(one.network for one in plan.maps.values())),
        data="samples of all pairs below 59; how many is said with each map",
        seconds=seconds,
        device="cpu",
    )


def _one(key: str, plan: MapPlan, run: Run, weights: str) -> tuple[fs.LayerMap, float]:
    """A map, and the seconds that it took."""
    cached, clock = (run.resume(f"{key}.{kind}", [asdict(plan), weights]) for kind in ("safetensors", "json"))
    if cached and clock and clock.exists():
        return fs.LayerMap.load(cached), json.loads(clock.read_text())
    began = time.perf_counter()
    reps = plan.representations(run.profile, run.seed)
    layer_map = fs.compare(reps, measure=plan.measure, normalize=plan.normalize, progress=run.progress)
    seconds = time.perf_counter() - began
    if cached and clock:
        layer_map.save(cached)
        with replacing(clock) as temporary:
            temporary.write_text(json.dumps(seconds))
    return layer_map, seconds


def read(folder: Path, record: Record) -> tuple[dict[str, fs.LayerMap], str]:
    """All maps of a folder, and in one line where they come from."""
    return {key: fs.LayerMap.load(folder / f"{key}.safetensors") for key in record.parameters}, str(record)


EXPERIMENTS = {name: Experiment(name, NAME, plan, compute, read) for name, plan in SETS.items()}


def load(name: str, profile: str = "laptop", seed: int = 0) -> fs.LayerMap:
    """A stored map.

    Raises
    ------
    StoredResultError
        If stored files are missing or differ from their record.
    ValueError
        If `name` or `profile` is unknown.
    """
    return load_result(EXPERIMENTS, _experiment_of(name), profile, seed)[0][name]


def origin(name: str, profile: str = "laptop", seed: int = 0) -> str:
    """In one line, where a map comes from; errors as of :func:`load`."""
    return load_result(EXPERIMENTS, _experiment_of(name), profile, seed)[1]


def _experiment_of(name: str) -> str:
    """Which experiment makes this map."""
    for experiment, plan in SETS.items():
        if name in plan.maps:
            return experiment
    raise ValueError(f"there is no map {name!r}; there is {', '.join(MAPS)}")
