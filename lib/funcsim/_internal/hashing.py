"""A name for content: the same texts and arrays have the same, all others another."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def digest(*parts: str | NDArray[Any]) -> str:
    """The sha256 of texts and arrays, types and shapes included."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            total.update(f"text {len(part)} ".encode() + part.encode())
        else:
            total.update(f"{part.dtype.str} {part.shape} ".encode())
            total.update(np.ascontiguousarray(part).data)
    return total.hexdigest()
