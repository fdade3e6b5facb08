"""Maps of the networks that add: those that take too long to be computed while a page is read.

Each is one call of :func:`funcsim.compare`, on the same sample of all pairs. What is compared is
told by a :class:`MapPlan`. The networks are those of :mod:`replication.modular_addition.trained_networks`.

Taught in chapter 06.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import funcsim as fs
from funcsim._internal.hashing import digest
from funcsim._internal.storage import replacing
from funcsim.nulls import random_projection_null
from replication.modular_addition import trained_networks
from replication.modular_addition.plans import SEEDS
from replication.stored import Record, data_dir, describe_device, folder_of, freeze, load_record

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

#: By experiment. One map of Model 0, normalised, is computed in the chapter; these two go with it.
SETS = {
    NAME: DEEP,
    f"{NAME}/model-0": {
        "0-raw": replace(MODEL_0, normalize=None),
        "0-width": replace(MODEL_0, control="width"),
    },
}
MAPS = {key: plan for plans in SETS.values() for key, plan in plans.items()}


def run(
    name: str = NAME,
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = trained_networks.WORK,
    progress: bool = True,
) -> Record:
    """Compute every map of one of :data:`SETS` and freeze them into ``out / <name> / seed-<seed>``.

    A finished map is kept in ``work / <name>``, and not computed again as long as its network is the
    same.
    """
    folder, parts = (out or data_dir()) / folder_of(name, seed), work / name
    plans = _plans(name, profile)
    parts.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    spent: dict[str, float] = {}
    means: dict[str, float] = {}
    for key, plan in plans.items():
        trained = trained_networks.load(plan.network, profile, plan.network_seed)
        told = digest(profile, str(seed), repr(plan), trained.weights_digest)[:12]
        part, clock = (parts / f"{key}-{told}.{kind}" for kind in ("safetensors", "json"))
        if not clock.exists():
            began = time.perf_counter()
            reps = plan.representations(profile, seed)
            m = fs.compare(reps, measure=plan.measure, normalize=plan.normalize, progress=progress)
            m.save(part)
            with replacing(clock) as temporary:
                temporary.write_text(json.dumps(time.perf_counter() - began))
        spent[key] = json.loads(clock.read_text())
        shutil.copyfile(part, folder / f"{key}.safetensors")
        means[f"mean_{key}"] = float(fs.LayerMap.load(part).values.mean())
    return freeze(
        folder,
        [f"{key}.safetensors" for key in spent],
        experiment=name,
        command=f"make experiments PROFILE={profile} ONLY={name} DEVICE={device} SEED={seed}",
        parameters={key: asdict(plan) for key, plan in plans.items()},
        seed=seed,
        device=describe_device("cpu"),
        seconds=round(sum(spent.values()), 1),
        encoder=", ".join(dict.fromkeys(plan.network for plan in plans.values())),
        data="samples of all pairs below 59; how many is said with each map",
        results=means,
    )


def load(name: str, profile: str = "laptop", seed: int = 0) -> fs.LayerMap:
    """A frozen map; at profile "smoke" a tiny one, computed on the spot.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    ValueError
        If `name` is unknown.
    """
    experiment = _experiment_of(name)
    if profile == "smoke":
        plan = _plans(experiment, profile)[name]
        reps = plan.representations(profile, seed)
        return fs.compare(reps, measure=plan.measure, normalize=plan.normalize, progress=False)
    load_record(experiment, seed)
    return fs.LayerMap.load(data_dir() / folder_of(experiment, seed) / f"{name}.safetensors")


def origin(name: str, profile: str = "laptop", seed: int = 0) -> str:
    """In one line, where a map comes from; errors as of :func:`load`."""
    experiment = _experiment_of(name)
    if profile == "smoke":
        return "profile smoke: maps of tiny networks, computed on the spot"
    return str(load_record(experiment, seed))


def _experiment_of(name: str) -> str:
    """Which experiment makes this map."""
    for experiment, plans in SETS.items():
        if name in plans:
            return experiment
    raise ValueError(f"there is no map {name!r}; there is {', '.join(MAPS)}")


def _plans(experiment: str, profile: str) -> dict[str, MapPlan]:
    if profile != "smoke":
        return SETS[experiment]
    # tiny networks, compared by a measure that needs no search
    return {key: replace(plan, n_samples=45, measure="rsm") for key, plan in SETS[experiment].items()}
