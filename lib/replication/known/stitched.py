"""Which layer can stand for which, in networks whose boundaries are known (doubt D04 of the reviews).

Each block end of a network is made from each one before it by the best affine map, and the rest of the
network answers. What is lost is set beside how far apart the two layers are.

Taught on page 13b.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

import funcsim as fs
from funcsim._internal.progress import progress_bar
from funcsim._internal.storage import replacing
from funcsim.layer_map import dissimilarity
from funcsim.stitching import stitch
from replication.known.designs import FAMILIES, Design
from replication.known.networks import ATTEMPTS, LAYERS, network_seed, train_until_learned
from replication.run import Experiment, Run, load_result
from replication.stored import Record

NAME = "known-stitching"
ROWS = "rows.csv"
#: Where there are no answers to lose, nothing is stitched.
WITHOUT_ANSWERS = ("untrained", "random-labels")
DESIGN = ["family", "network"]
DISTANCES = ("gw", "rsm", "cka", "procrustes", "euclidean")


@dataclass(frozen=True)
class Plan:
    """What is stitched: the designs of which families, how many of each, on how many inputs.

    Attributes
    ----------
    n_samples : int
        Held-out inputs; the affine maps are fitted on a random half, and the other half is answered.
    n_compared : int
        Held-out inputs by which layers are compared.
    """

    families: tuple[str, ...] = tuple(family for family in FAMILIES if family not in WITHOUT_ANSWERS)
    few: int | None = None
    n_samples: int = 2000
    n_compared: int = 100
    attempts: int = ATTEMPTS
    distances: tuple[str, ...] = DISTANCES
    small: bool = False

    def tiny(self) -> Plan:
        """The same plan for two tiny networks."""
        return replace(
            self,
            families=("streams", "handed-on"),
            few=1,
            n_samples=60,
            n_compared=20,
            attempts=1,
            distances=("rsm", "cka"),
            small=True,
        )

    @property
    def designs(self) -> dict[tuple[str, str], Design]:
        """By family and name."""
        return {
            (family, name): design.tiny() if self.small else design
            for family in self.families
            for name, design in list(FAMILIES[family].items())[: self.few]
        }


def rows_of(design: Design, seed: int, plan: Plan) -> pd.DataFrame:
    """Train a network, and make each of its block ends from each one before it.

    Returns
    -------
    DataFrame
        One row for each pair of layers, "from" and "to" counted from 0: "right", the share of held-out
        inputs that is answered right with the second made from the first, and their distance under each
        measure. With "from" equal to "to": what the untouched network answers right.
    """
    trained = train_until_learned(design, seed, plan.n_samples, plan.attempts)
    network, inputs = trained.network, trained.data.test_inputs[: plan.n_samples]
    names = [name for name, kind, *_ in network.points() if kind in LAYERS["ends"]]
    fitted = np.random.default_rng(seed).random(len(inputs)) < 0.5
    labels = trained.data.test_answers[: plan.n_samples, -1]
    whole = fs.capture(network, [inputs], names, progress=False).select(names)
    right = stitch(network, inputs, labels, whole, fitted).values
    few = fs.capture(network, [inputs[: plan.n_compared]], names, "cls", progress=False).select(names)
    one, other = np.triu_indices(len(names))
    table = pd.DataFrame({"from": one, "to": other, "right": right[one, other]})
    for measure in plan.distances:
        m = fs.compare(few, measure=measure, jobs=1, progress=False)
        table[measure] = dissimilarity(m)[one, other]
    return table.assign(learned=trained.learned)


def compute(plan: Plan, run: Run) -> Record:
    """Stitch all networks of a seed; networks that are done are resumed."""
    began, tables = time.process_time(), []
    for (family, name), design in progress_bar(list(plan.designs.items()), NAME, run.progress):
        path = run.resume(ROWS, [family, name, design.to_dict(), asdict(plan)])
        if path and path.exists():
            tables.append(pd.read_csv(path, dtype={"network": str}))
            continue
        table = rows_of(design, network_seed(family, name, run.seed), plan)
        for at, (column, value) in enumerate({"family": family, "network": name, "seed": run.seed}.items()):
            table.insert(at, column, value)
        if path:
            _write(path, table)
        tables.append(table)
    _write(run.folder / ROWS, pd.concat(tables, ignore_index=True))
    return run.store(
        [ROWS],
        {"networks": float(len(tables)), "learned": float(sum(t["learned"].all() for t in tables))},
        parameters=asdict(plan),
        encoder="networks whose boundaries are known, of the families " + ", ".join(plan.families),
        data=f"{plan.n_samples} inputs that were not trained on, half of them to fit",
        seconds=time.process_time() - began,
        device="cpu",
    )


def _write(path: Path, table: pd.DataFrame) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.5g")


def read(folder: Path, record: Record) -> tuple[pd.DataFrame, str]:
    """The rows in a folder, and in one line where they come from."""
    return pd.read_csv(folder / ROWS, dtype={"network": str}), str(record)


EXPERIMENTS = {NAME: Experiment(NAME, NAME, Plan(), compute, read)}


def load(profile: str = "laptop", seed: int = 0) -> tuple[pd.DataFrame, str]:
    """The rows, and where they come from; errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, NAME, profile, seed)


def square(rows: pd.DataFrame, column: str = "right") -> np.ndarray:
    """The rows of one network as a symmetric matrix (L, L) of one column."""
    size = int(rows["to"].max()) + 1
    values = np.empty((size, size))
    values[rows["from"], rows["to"]] = values[rows["to"], rows["from"]] = rows[column]
    return values


def layer_map(rows: pd.DataFrame, column: str = "right", plan: Plan | None = None) -> fs.LayerMap:
    """The rows of one network as a map of its L blocks: of a distance, or for "right" of the answers lost."""
    plan = plan or Plan()
    values = square(rows, column)
    if column == "right":
        values = values[0, 0] - values
    names = tuple(f"block {k + 1}" for k in range(len(values)))
    n_samples = plan.n_samples // 2 if column == "right" else plan.n_compared
    return fs.LayerMap(values, names, names, column, None, n_samples)


def over_designs(
    rows: pd.DataFrame, score: Callable[[pd.DataFrame, Sequence[str]], pd.Series], columns: Sequence[str]
) -> pd.DataFrame:
    """A score of each network, such as :func:`rank_correlation`: designs by columns."""
    found = {key: score(network, columns) for key, network in rows.groupby(DESIGN, sort=False)}
    return pd.DataFrame(found).T.rename_axis(DESIGN)


def rank_correlation(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """For one network, how each of these columns goes along with the answers that a stitch loses.

    Spearman's, over all pairs of layers. "depth" is how many layers lie between them.
    """
    apart = rows[rows["from"] < rows["to"]].assign(depth=lambda t: t["to"] - t["from"])
    return apart[list(columns)].corrwith(-apart["right"], method="spearman")


def beyond_depth(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The same, when what depth explains of the ranks of either is taken out: a partial rank correlation."""
    apart = rows[rows["from"] < rows["to"]]
    depth = rankdata(apart["to"] - apart["from"])
    lost = _without(rankdata(-apart["right"]), depth)
    return pd.Series({c: np.corrcoef(_without(rankdata(apart[c]), depth), lost)[0, 1] for c in columns})


def _without(values: np.ndarray, other: np.ndarray) -> np.ndarray:
    """What a straight line over `other` leaves of `values`."""
    return values - np.polyval(np.polyfit(other, values, 1), other)
