"""Reading and writing safetensors so that a half-written or foreign file is never trusted."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from funcsim.errors import FileFormatError

PACKED = "funcsim"
CHECKSUM = "sha256"


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes its place only if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))  # less what the umask takes
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_tensors(path: str | Path, tensors: Mapping[str, NDArray], metadata: Mapping[str, str]) -> None:
    """Write arrays of any shape and a text header to a safetensors file, all or nothing.

    The same content gives the same bytes: safetensors writes the entries of a header in no fixed
    order, so a header is packed into one entry. It holds a checksum of all the rest.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    told = {**metadata, CHECKSUM: _checksum(contiguous, metadata)}
    header = {PACKED: json.dumps(told, sort_keys=True)}
    with replacing(path) as temporary:
        save_file(contiguous, temporary, metadata=header)


def read_tensors(path: str | Path, expected: str) -> tuple[dict[str, NDArray], dict[str, str]]:
    """Read arrays and header of a safetensors file whose header says ``format = expected``.

    Raises
    ------
    FileFormatError
        If the file is damaged, is not safetensors, or has another format. Files without a checksum, as
        version 0.1.0 wrote them, are read as they are.
    FileNotFoundError
        If there is no such file.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            metadata = json.loads(metadata.get(PACKED, "null")) or metadata
            metadata = {str(key): value for key, value in dict(metadata).items()}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise FileFormatError(
            f"{path} is not a whole safetensors file ({error}); it may be cut off: make it again"
        ) from None
    if metadata.get("format") != expected:
        raise FileFormatError(
            f"{path} is a safetensors file of format {metadata.get('format')!r}, "
            f"not {expected!r}; was it written by another tool or another step?"
        )
    checksum = metadata.pop(CHECKSUM, None)
    if checksum is not None and checksum != _checksum(tensors, metadata):
        raise FileFormatError(f"{path} was changed since it was written: its checksum differs; make it again")
    return tensors, metadata


def _checksum(tensors: Mapping[str, NDArray], metadata: Mapping[str, str]) -> str:
    """SHA-256 over names, kinds, shapes and values, and over the header."""
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()
