"""Layers that another program wrote: a folder of safetensors files, one for each sample, batch or layer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from funcsim.errors import FileFormatError

STATES, IDS = "hidden_states", "token_ids"
AS_LAYERS, AS_BATCHES = ("layer", "block"), ("batch", "chunk", "part", "shard")
Arrays = dict[str, NDArray]


def read_folder(folder: Path, pool: str | None, own: str, load: Callable[[Path], Arrays]) -> Arrays:
    """Layers by name, (samples, features) each; see :meth:`funcsim.Representations.load_folder`.

    A file of the format `own` is read by `load`.
    """
    if pool not in (None, "cls", "mean", "last"):
        raise ValueError(f"pool={pool!r} is unknown; use 'cls', 'mean', 'last' or None")
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    paths = sorted((p for p in folder.iterdir() if p.name.endswith(".safetensors")), key=_in_order)
    if not paths:
        packed = any(path.name.endswith((".zst", ".gz")) for path in folder.iterdir())
        why = "; unpack its files first" if packed else ""
        raise FileNotFoundError(f"there is no file *.safetensors in {folder}{why}")
    files = {path: _read(path, own, load) for path in paths}
    for path, arrays in files.items():
        if not arrays:
            raise FileFormatError(f"{path} holds no array")
    if all({STATES, IDS} <= set(arrays) for arrays in files.values()):
        return _of_samples(files, pool)
    keys = {tuple(sorted(arrays)) for arrays in files.values()}
    if len(paths) > 1 and len(keys) == 1 and not _are_layers(folder, files):
        return _of_batches(files, pool)
    if all(len(arrays) == 1 for arrays in files.values()):
        return {
            path.name.removesuffix(".safetensors"): _pooled(next(iter(arrays.values())), pool, path)
            for path, arrays in files.items()
        }
    if len(paths) == 1:
        return _of_batches(files, pool)
    first, other = paths[0], next(p for p in paths if set(files[p]) != set(files[paths[0]]))
    raise FileFormatError(
        f"{other} holds other layers than {first}; files are one for each batch, with the same "
        "layers in all, or one for each layer, with one array in each"
    )


def _in_order(path: Path) -> list[Any]:
    """By the numbers in a name, as a person would: layer.2 before layer.10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", path.name)]


def _are_layers(folder: Path, files: dict[Path, Arrays]) -> bool:
    """Whether files with one array each, of one name, are layers; an error if nobody can tell."""
    if any(len(arrays) > 1 for arrays in files.values()):
        return False
    names = [path.name.lower() for path in files]
    if all(any(word in name for word in AS_LAYERS) for name in names):
        return True
    if all(any(word in name for word in AS_BATCHES) for name in names):
        return False
    raise FileFormatError(
        f"the files in {folder} may each be a layer or a batch; put 'layer' or 'batch' into all their names"
    )


def _read(path: Path, own: str, load: Callable[[Path], Arrays]) -> Arrays:
    """Names and arrays, in the order of the numbers in the names."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:  # NumPy has no bfloat16
            if own in str(file.metadata() or {}):
                return load(path)
            names = sorted(file.keys(), key=lambda name: _in_order(Path(name)))
            return {name: _as_array(file.get_tensor(name)) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        raise FileFormatError(f"{path} is not a whole safetensors file: {error}") from None


def _as_array(tensor: Any) -> NDArray:
    return (tensor.float() if tensor.is_floating_point() and tensor.itemsize < 4 else tensor).numpy()


def _of_samples(files: dict[Path, Arrays], pool: str | None) -> Arrays:
    rows: list[NDArray] = []  # (layers, features) each
    for path, arrays in files.items():
        states, ids = arrays[STATES], arrays[IDS]
        if states.ndim != 3 or ids.ndim != 1 or len(states) != len(ids):
            raise FileFormatError(
                f"{path} holds {STATES} {states.shape} and {IDS} {ids.shape}; they must be (tokens, layers, "
                "features) and (tokens,)"
            )
        layers = states.transpose(1, 0, 2)
        rows.append(_pooled(layers, pool, path))
        if rows[-1].shape != rows[0].shape:
            raise FileFormatError(_differ(path, rows[-1].shape, next(iter(files)), rows[0].shape, pool))
    return {f"{STATES}.{k}": np.stack([row[k] for row in rows]) for k in range(len(rows[0]))}


def _of_batches(files: dict[Path, Arrays], pool: str | None) -> Arrays:
    first = next(iter(files))
    read: dict[str, list[NDArray]] = {name: [] for name in files[first]}
    for path, arrays in files.items():
        rows = {name: _pooled(array, pool, path) for name, array in arrays.items()}
        counts = {name: len(array) for name, array in rows.items()}
        if len(set(counts.values())) > 1:
            raise FileFormatError(f"the layers in {path} have other numbers of samples: {counts}")
        for name, array in rows.items():
            if read[name] and array.shape[1] != read[name][0].shape[1]:
                raise FileFormatError(_differ(path, array.shape, first, read[name][0].shape, pool))
            read[name].append(array)
    return {name: np.concatenate(parts) for name, parts in read.items()}


def _differ(path: Path, shape: tuple[int, ...], first: Path, other: tuple[int, ...], pool: str | None) -> str:
    why = "" if pool else "; pass pool='mean', 'cls' or 'last' if they have other numbers of tokens"
    return f"{path} gives rows of {shape[1:]} numbers and {first} of {other[1:]}{why}"


def _pooled(array: NDArray, pool: str | None, path: Path) -> NDArray:
    """(samples, tokens, features) to (samples, features)."""
    if array.ndim < 2 or 0 in array.shape:
        raise FileFormatError(
            f"{path} holds an array of shape {array.shape}, which has no samples with features"
        )
    if pool is None or array.ndim == 2:
        return array.reshape(len(array), -1)
    if array.ndim != 3:
        raise FileFormatError(f"{path} holds an array of shape {array.shape}; pool={pool!r} needs three axes")
    if pool == "mean":
        return array.mean(axis=1, dtype=np.float64)
    return array[:, 0 if pool == "cls" else -1]
