"""Maps of a network while it learns (section 5.3, Figures 7 and 8): what is stored of them, of any network.

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
from replication.map_files import map_of
from replication.run import Stored
from replication.stored import Record

GROUP = "dynamics"
FILE = "dynamics.safetensors"
FORMAT = "funcsim.dynamics/1"
#: The maps of a snapshot: normalisation, and measure.
MAPS = (("mean", "gw"), (None, "gw"), ("mean", "cka-debiased"))


@dataclass(frozen=True, repr=False)
class Dynamics(Stored):
    """A network after some of its steps.

    Attributes
    ----------
    names : tuple of str
        L layers, in execution order.
    n_samples : int
        On how many inputs.
    history : dict of str to array (S, ...)
        After each of S steps. ``step`` (S,); maps (S, L, L) as ``maps/mean/gw``, ``maps/raw/gw``
        and ``maps/mean/cka-debiased``; ``scale`` (S, L), the mean distance between what a layer
        says of two inputs; ``moved``, the norm of each block's update relative to the norm of its
        initial weights. More, depending on the network.
    """

    names: tuple[str, ...]
    n_samples: int
    history: dict[str, NDArray]

    @property
    def steps(self) -> NDArray[np.int64]:
        """After how many steps each snapshot was taken (S,)."""
        return self.history["step"]

    def layer_map(self, snapshot: int, key: str = "mean/gw") -> fs.LayerMap:
        """The map of a snapshot, under one of the three measures."""
        values = self.history[f"maps/{key}"][snapshot].astype(np.float64)
        return map_of(values, self.names, self.n_samples, *key.split("/"))

    def mean_distance(self, key: str = "mean/gw") -> NDArray[np.float64]:
        """The mean over all pairs of layers, after each step (S,)."""
        maps = self.history[f"maps/{key}"].astype(np.float64)
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
    """Write what :func:`read` reads back."""
    layers = {"names": dynamics.names, "n_samples": dynamics.n_samples}
    write_tensors(folder / FILE, dynamics.history, {"format": FORMAT, "layers": json.dumps(layers)})


def read(folder: Path, record: Record) -> Dynamics:
    """What is stored in a folder."""
    history, header = read_tensors(folder / FILE, FORMAT)
    layers = json.loads(header["layers"])
    return Dynamics(tuple(layers["names"]), layers["n_samples"], history, record=record)
