"""How much memory things hold."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def nbytes(thing: Any) -> int:
    """Bytes of all arrays in an array, a dataclass, or a container of these."""
    if isinstance(thing, np.ndarray):
        return thing.nbytes
    if is_dataclass(thing):
        return sum(nbytes(getattr(thing, field.name)) for field in fields(thing))
    if isinstance(thing, tuple | list | dict):
        return sum(map(nbytes, thing.values() if isinstance(thing, dict) else thing))
    return 0
