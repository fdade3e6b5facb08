"""How many inputs a map is made of.

A map holds matrices of inputs by inputs, and its time grows with the cube of their number. So there is
a number beyond which a random part of them is taken, and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from funcsim.errors import InputError

FEWEST = 10
#: Inputs beyond which a random part is taken, unless another number is asked for.
MOST = 2000


def enough(things: list[Any], where: str, what: str) -> list[Any]:
    """The same things, if there are ten of them; otherwise an InputError."""
    if len(things) < FEWEST:
        raise InputError(f"{where} {len(things)} {what}; at least {FEWEST} are needed, 200 are better")
    return things


def taken(things: Sequence[Any], most: int, seed: int) -> list[Any]:
    """At most `most` of the things, drawn at random, in their old order."""
    if len(things) <= most:
        return list(things)
    chosen = np.random.default_rng(seed).choice(len(things), most, replace=False)
    return [things[k] for k in sorted(chosen)]
