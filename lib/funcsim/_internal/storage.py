"""Reading and writing safetensors so that a half-written or foreign file is never trusted."""

from __future__ import annotations

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
    order, so a header of several entries is packed into one.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    header = dict(metadata) if len(metadata) == 1 else {PACKED: json.dumps(dict(metadata), sort_keys=True)}
    with replacing(path) as temporary:
        save_file(contiguous, temporary, metadata=header)


def read_tensors(path: str | Path, expected: str) -> tuple[dict[str, NDArray], dict[str, str]]:
    """Read arrays and header of a safetensors file whose header says ``format = expected``.

    Raises
    ------
    FileFormatError
        If the file is damaged, is not safetensors, or has another format.
    FileNotFoundError
        If there is no such file.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            metadata = json.loads(metadata.get(PACKED, "null")) or metadata
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise FileFormatError(
            f"{path} is not a whole safetensors file ({error}); it may be cut off: make it again"
        ) from None
    if metadata.get("format") != expected:
        raise FileFormatError(
            f"{path} is a safetensors file of format {metadata.get('format')!r}, "
            f"not {expected!r}; was it written by another tool or another step?"
        )
    return tensors, metadata
