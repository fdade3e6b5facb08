"""Maps of a network while it learns (section 5.3): what is kept of them, for whatever network.

Taught in chapter 10.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from replication.stored import Record, data_dir, folder_of, load_record

GROUP = "dynamics"
FILE = "dynamics.safetensors"
FORMAT = "funcsim.dynamics/1"
#: The maps of a snapshot: normalisation, and measure.
MAPS = (("mean", "gw"), (None, "gw"), ("mean", "cka-debiased"))


@dataclass(frozen=True)
class Dynamics:
    """What was seen of a network after some of its steps.

    Attributes
    ----------
    names : tuple of str
        The L layers that were looked at, in execution order.
    n_samples : int
        On how many inputs.
    seen : dict of str to array (S, ...)
        After each of S steps. ``step`` (S,); maps (S, L, L) as ``maps/mean/gw``, ``maps/raw/gw``
        and ``maps/mean/cka-debiased``; ``scale`` (S, L), the mean distance between what a layer
        says of two inputs; ``moved``, how far each block's weights are from where they began,
        relative to their length there. More, depending on the network.
    record : Record or None
    """

    names: tuple[str, ...]
    n_samples: int
    seen: dict[str, NDArray]
    record: Record | None

    @property
    def origin(self) -> str:
        """In one line, where this comes from."""
        return str(self.record or "profile smoke: a tiny network, trained on the spot")

    @property
    def steps(self) -> NDArray[np.int64]:
        """After how many steps each snapshot was taken (S,)."""
        return self.seen["step"]

    def layer_map(self, s: int, key: str = "mean/gw") -> fs.LayerMap:
        """The map of snapshot `s`, counted from 0."""
        normalize, measure = key.split("/")
        values = self.seen[f"maps/{key}"][s].astype(np.float64)
        similar = fs.measures()[measure].is_similarity
        scaled = None if normalize == "raw" else normalize
        return fs.LayerMap(
            values, self.names, self.names, measure, scaled, self.n_samples, is_similarity=similar
        )

    def mean_distance(self, key: str = "mean/gw") -> NDArray[np.float64]:
        """The mean over all pairs of layers, after each step (S,)."""
        maps = self.seen[f"maps/{key}"].astype(np.float64)
        return maps[:, *np.triu_indices(len(self.names), k=1)].mean(axis=1)


def maps_now(reps: fs.Representations) -> dict[str, NDArray]:
    """Maps and scale of what the layers say at this moment."""
    maps = {
        f"maps/{normalize or 'raw'}/{measure}": fs.compare(
            reps, measure=measure, normalize=normalize, degenerate="nan", progress=False
        )
        for normalize, measure in MAPS
    }
    arrays = {key: layer_map.values.astype(np.float32) for key, layer_map in maps.items()}
    return arrays | {"scale": np.array([pdist(x).mean() for x in reps.values()])}


def save(folder: Path, dynamics: Dynamics) -> None:
    """Write what :func:`load` reads back."""
    told = {"names": dynamics.names, "n_samples": dynamics.n_samples}
    write_tensors(folder / FILE, dynamics.seen, {"format": FORMAT, "layers": json.dumps(told)})


def load_frozen(name: str, seed: int = 0) -> Dynamics:
    """What was frozen as ``dynamics/<name>``.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    """
    record = load_record(f"{GROUP}/{name}", seed)
    seen, header = read_tensors(data_dir() / folder_of(f"{GROUP}/{name}", seed) / FILE, FORMAT)
    told = json.loads(header["layers"])
    return Dynamics(tuple(told["names"]), told["n_samples"], seen, record)
