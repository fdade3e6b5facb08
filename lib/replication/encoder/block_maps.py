"""Maps of the blocks of the encoders of section 5.2 (Figures 6 to 8, 12, 13), and of untrained copies.

The clouds are stored by :mod:`replication.encoder.dense`. What takes minutes to compare is compared here:
the ends of all blocks under every measure, on halves of the texts, and in every snapshot of the training.
No encoder and no text is needed for it, so maps are made again whenever the solver gets better.

Taught in chapters 07 to 10.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

import funcsim as fs
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.geometry import Normalize
from funcsim.similarity.cca import FullRankWarning
from replication.encoder import dense
from replication.map_files import MEASURES, load_maps, save_maps
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record

GROUP = "encoder-maps"
FORMAT = "funcsim.block_maps/1"
FILE, MAPS = "halves.safetensors", "maps.safetensors"
MEASURED = tuple(name for name in MEASURES if name not in (*dense.BY_AXES, "cca", "svcca"))
HALVES = ("gw", "cka-debiased")


@dataclass(frozen=True)
class Plan:
    """What is compared of a stored run.

    Attributes
    ----------
    run : str
        Which of :data:`replication.encoder.dense.PLANS`.
    measures : tuple of str
        Those that do not see the axes of a cloud; the maps of the others are stored with the run. Of the
        three that are canonical correlations one: with fewer texts than dimensions all say the same.
    sublayers : tuple of str
        Of the ends of attention and block.
    n_draws : int
        Random halves of the texts.
    """

    run: str
    measures: tuple[str, ...] = MEASURED
    sublayers: tuple[str, ...] = ("gw", "rsm", "cka-debiased")
    n_draws: int = 20

    def tiny(self) -> Plan:
        """The same plan, small enough for profile `smoke`."""
        return replace(self, n_draws=2)


@dataclass(frozen=True, repr=False)
class BlockMaps(Stored):
    """Maps of an encoder of L blocks.

    Attributes
    ----------
    maps : dict of str to LayerMap
        By cloud, normalisation and measure, such as "mean/mean/gw" or "cls-standardised/raw/rsm";
        "mean-sublayers/mean/gw" has two layers for each block.
    halves : dict of str to array (n_draws, L, L)
        By cloud and measure, such as "mean/gw": normalised maps on random halves of the texts.
    frequency : dict of str to array (L,)
        In which share of them a group starts at each block, by the test.
    snapshots : dict of str to array (S, L, L)
        By pooling and measure, such as "mean/gw"; "mean/gw/raw" is not normalised. "mean/moved" (S, L) is
        the distance of each block to itself before training; "step" (S,). Empty without training.
    """

    maps: dict[str, fs.LayerMap]
    halves: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    frequency: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    snapshots: dict[str, NDArray] = field(default_factory=dict)

    def partition(self, key: str) -> fs.Partition:
        """The groups of a map, by the test."""
        return fs.partition(self.maps[key])

    def spread(self, key: str, level: float = 0.95) -> NDArray[np.float64]:
        """What a map plus or minus holds on as many other texts (L, L), as :func:`funcsim.intervals` has it.

        `key` is one of those of `halves`. A half has as many texts as are left.
        """
        maps = self.halves[key]
        return np.asarray(stats.t.ppf((1 + level) / 2, len(maps) - 1) * maps.std(axis=0, ddof=1))


def compute(plan: Plan, run: Run) -> Record:
    """Compare and store; what is cached of earlier comparisons is not compared again."""
    began = time.perf_counter()
    stored = dense.load(plan.run, run.profile, run.seed)
    result = compare_all(stored, plan, run)
    save_maps(run.folder / MAPS, result.maps)
    groups = {"halves": result.halves, "frequency": result.frequency, "snapshots": result.snapshots}
    arrays = {f"{group}:{key}": x for group, found in groups.items() for key, x in found.items()}
    write_tensors(run.folder / FILE, arrays, {"format": FORMAT})
    assert stored.record is not None
    return run.store(
        [FILE, MAPS],
        {f"p, {key}": float(result.partition(key).p_value or 0.0) for key in ("cls/mean/gw", "mean/mean/gw")},
        parameters=asdict(plan),
        encoder=stored.record.encoder,
        data=stored.record.data,
        seconds=time.perf_counter() - began,
        device="cpu",
    )


def compare_all(stored: dense.DenseRun, plan: Plan, run: Run) -> BlockMaps:
    """All maps of a stored run."""
    maps: dict[str, fs.LayerMap] = {}
    halves: dict[str, NDArray[np.float64]] = {}
    frequency: dict[str, NDArray[np.float64]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FullRankWarning)  # said in chapter 03, and where a map is shown
        for what, reps in progress_bar(stored.clouds.items(), "clouds", run.progress, len(stored.clouds)):
            inner = what.endswith("sublayers")
            for measure in plan.sublayers if inner else plan.measures:
                for scale in ("mean",) if inner else ("mean", None):
                    key = f"{what.replace('/', '-')}/{scale or 'raw'}/{measure}"
                    maps[key] = fs.compare(
                        reps, measure=measure, normalize=scale, degenerate="nan", progress=False
                    )
            if what in dense.POOLINGS:
                for measure in HALVES:
                    found = fs.intervals(reps, measure=measure, n_draws=plan.n_draws, progress=False)
                    halves[f"{what}/{measure}"] = found.draws
                    frequency[f"{what}/{measure}"] = found.boundary_frequency
    return BlockMaps(maps, halves, frequency, _snapshots(stored, run))


def _snapshots(stored: dense.DenseRun, run: Run) -> dict[str, NDArray]:
    """Maps of every snapshot, and how far each block is from itself before training."""
    if not stored.snapshots:
        return {}
    found: dict[str, NDArray] = {"step": stored.snapshots["step"]}
    for pooling in dense.POOLINGS:
        clouds = stored.snapshots[f"clouds/{pooling}"].astype(np.float64)
        raw = clouds * stored.snapshots[f"scale/{pooling}"][:, :, None, None]
        for measure in HALVES:
            found[f"{pooling}/{measure}"] = _maps_over_time(clouds, measure, "mean", run)
        found[f"{pooling}/gw/raw"] = _maps_over_time(raw, "gw", None, run)
        found[f"{pooling}/moved"] = np.array([_apart(clouds[0], layers) for layers in clouds])
    return found


def _apart(before: NDArray, now: NDArray) -> list[float]:
    """Distance of each block to itself."""
    measure = fs.measures()["gw"]
    return [measure(*pair) for pair in zip(before, now, strict=True)]


def _maps_over_time(clouds: NDArray, measure: str, normalize: Normalize, run: Run) -> NDArray[np.float64]:
    """A map (L, L) for each step of clouds (S, L, n, d)."""
    maps = []
    for layers in progress_bar(clouds, f"{measure} over time", run.progress, len(clouds)):
        reps = fs.Representations({f"block {k + 1}": x for k, x in enumerate(layers)})
        maps.append(fs.compare(reps, measure=measure, normalize=normalize, progress=False).values)
    return np.stack(maps)


def read(folder: Path, record: Record) -> BlockMaps:
    """What is stored in a folder."""
    groups: dict[str, dict[str, NDArray]] = {"halves": {}, "frequency": {}, "snapshots": {}}
    for name, array in read_tensors(folder / FILE, FORMAT)[0].items():
        group, key = name.split(":")
        groups[group][key] = array
    return BlockMaps(load_maps(folder / MAPS), **groups, record=record)


EXPERIMENTS = {
    f"{GROUP}/{name}": Experiment(
        f"{GROUP}/{name}", GROUP, Plan(name), compute, read, seeds=dense.SEEDS.get(name, (0,))
    )
    for name in dense.PLANS
}


def load(name: str, profile: str = "laptop", seed: int = 0) -> BlockMaps:
    """What is stored; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, f"{GROUP}/{name}", profile, seed)
