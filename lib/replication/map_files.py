"""Files of several maps, and boundaries of layers that may be degenerate: for section 5.2 and the reviews.

Taught in chapter 08.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.geometry import is_degenerate

FORMAT = "funcsim.layer_maps/1"

#: The ten families that the paper and its reviewers name: what stored maps hold.
MEASURES = (
    *("euclidean", "cosine", "wasserstein", "rsm", "rsa", "rsa-pearson", "cca", "svcca", "pwcca"),
    *("cka", "cka-debiased", "cka-rbf", "cka-rbf-debiased", "msid", "agw", "gw"),
)


def boundary_frequency(reps: fs.Representations, n_draws: int) -> NDArray[np.float64]:
    """In which share of random halves of the samples a group begins at each layer; 0 at a degenerate one."""
    frequency = dict.fromkeys(reps, 0.0)
    defined = [name for name, layer in reps.items() if not is_degenerate(layer)]
    if len(defined) > 1:
        intervals = fs.intervals(reps.select(defined), n_draws=n_draws, progress=False)
        frequency |= dict(zip(defined, intervals.boundary_frequency.tolist(), strict=True))
    return np.array(list(frequency.values()))


def save_maps(path: Path, maps: dict[str, fs.LayerMap]) -> None:
    """Write maps that :func:`load_maps` reads back.

    Their keys are what was mapped, normalisation ("raw" if none) and measure, such as "cls/mean/gw"; maps
    of the same things have the same layers.
    """
    layers = {key.split("/")[0]: [layer_map.names, layer_map.n_samples] for key, layer_map in maps.items()}
    header = {"format": FORMAT, "layers": json.dumps(layers)}
    write_tensors(path, {key: layer_map.values for key, layer_map in maps.items()}, header)


def load_maps(path: Path) -> dict[str, fs.LayerMap]:
    """Read what :func:`save_maps` wrote.

    Raises
    ------
    FileFormatError
        If the file is cut off, is not safetensors, or holds something else.
    """
    tensors, header = read_tensors(path, FORMAT)
    layers, maps = json.loads(header["layers"]), {}
    for key, values in tensors.items():
        what, normalize, measure = key.split("/")
        maps[key] = map_of(values, *layers[what], normalize, measure)
    return maps


def map_of(
    values: NDArray, names: list[str] | tuple[str, ...], n_samples: int, normalize: str, measure: str
) -> fs.LayerMap:
    """A map (L, L) of L layers from its values and the parts of its key."""
    scaled, similar = None if normalize == "raw" else normalize, fs.measures()[measure].is_similarity
    names = tuple(names)
    return fs.LayerMap(values, names, names, measure, scaled, n_samples, is_similarity=similar)
