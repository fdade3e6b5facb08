"""What is looked at in an encoder: what its blocks say of texts, and maps of them.

A map has NaN where a block says the same of all texts. In a sparse encoder there are such blocks:
where no head writes any more, [CLS] knows no text.

Taught in chapters 07 to 09.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.geometry import is_degenerate, principal_coordinates
from funcsim.similarity.cca import FullRankWarning
from replication.data.sentiment import Corpus
from replication.models.encoders import Encoder

MAPS_FORMAT = "funcsim.layer_maps/1"
POOLINGS = ("cls", "mean", "tokens")


def look(
    encoder: Encoder, corpus: Corpus, n_flat: int, max_length: int
) -> tuple[dict[str, fs.Representations], NDArray[np.int64]]:
    """What the blocks say of texts, by pooling, and how many tokens the texts have."""
    layers, width = f"{encoder.blocks}.*", encoder.model.config.hidden_size
    batches = [encoder.encode(corpus.texts[k : k + 50], max_length) for k in range(0, len(corpus), 50)]
    lengths = np.concatenate([batch["attention_mask"].sum(dim=1).numpy() for batch in batches])
    reps = {
        pooling: fs.capture(encoder.model, batches, layers, pooling, progress=False)
        for pooling in POOLINGS[:2]
    }
    flat = encoder.encode(corpus.texts[:n_flat], max_length, fill=True)
    real = np.repeat(flat["attention_mask"].numpy(), width, axis=1)  # padding says nothing
    tokens = fs.capture(encoder.model, [flat], layers, progress=False)
    reps["tokens"] = fs.Representations({name: principal_coordinates(x * real) for name, x in tokens.items()})
    return reps, lengths


def look_twice(encoder: Encoder, corpus: Corpus, max_length: int) -> fs.Representations | None:
    """What is said at [CLS] after the attention and at the end of every block, if it is a BERT."""
    attention = f"{encoder.blocks}.*.attention.output"
    if not any(name.endswith(".attention.output") for name, _ in encoder.model.named_modules()):
        return None
    batches = [encoder.encode(corpus.texts[k : k + 50], max_length) for k in range(0, len(corpus), 50)]
    return fs.capture(encoder.model, batches, [attention, f"{encoder.blocks}.*"], "cls", progress=False)


def maps_of(reps: dict[str, fs.Representations], measures: Iterable[str]) -> dict[str, fs.LayerMap]:
    """By pooling, normalisation and measure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FullRankWarning)  # said in chapter 03, and where a map is shown
        return {
            f"{pooling}/{normalize or 'raw'}/{measure}": fs.compare(
                x, measure=measure, normalize=normalize, degenerate="nan", progress=False
            )
            for pooling, x in reps.items()
            for normalize in ("mean", None)
            for measure in measures
        }


def _defined(reps: fs.Representations) -> list[str]:
    return [name for name, layer in reps.items() if not is_degenerate(layer)]


def boundary_frequency(reps: fs.Representations, n_boot: int) -> NDArray[np.float64]:
    """One number for every layer; a degenerate one begins nothing."""
    kept, found = _defined(reps), dict.fromkeys(reps, 0.0)
    if len(kept) > 1:
        boot = fs.intervals(reps.select(kept), n_draws=n_boot, progress=False)
        found |= dict(zip(kept, boot.boundary_frequency.tolist(), strict=True))
    return np.array(list(found.values()))


def save_maps(path: Path, maps: dict[str, fs.LayerMap]) -> None:
    """Write maps that :func:`load_maps` reads back; those of one pooling have the same layers."""
    told = {key.split("/")[0]: [layer_map.names, layer_map.n_samples] for key, layer_map in maps.items()}
    header = {"format": MAPS_FORMAT, "layers": json.dumps(told)}
    write_tensors(path, {key: layer_map.values for key, layer_map in maps.items()}, header)


def load_maps(path: Path) -> dict[str, fs.LayerMap]:
    """Read what :func:`save_maps` wrote.

    Raises
    ------
    FileFormatError
        If the file is cut off, is not safetensors, or holds something else.
    """
    tensors, header = read_tensors(path, MAPS_FORMAT)
    told, measures, maps = json.loads(header["layers"]), fs.measures(), {}
    for key, values in tensors.items():
        pooling, normalize, measure = key.split("/")
        names, n = tuple(told[pooling][0]), told[pooling][1]
        scaled = None if normalize == "raw" else normalize
        larger = measures[measure].is_similarity
        maps[key] = fs.LayerMap(values, names, names, measure, scaled, n, is_similarity=larger)
    return maps
