"""Of which kind is a layer? Steps into layers of one kind are compared with one another.

Taught in chapter 06.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import stats

from funcsim._internal.typing import Array

FEWEST = 3  # layers of a kind: fewer say nothing about it
MOST_KINDS = 4
ALTERNATION_P = 0.001


class MixedKindsWarning(UserWarning):
    """Layers of different kinds are compared as if they were of one."""


def kinds_from_names(names: Sequence[str]) -> tuple[str, ...]:
    """A layer's kind is its name without the numbers in it.

    Kinds of fewer than three layers (an embedding, a last norm) count as the commonest. If
    more than four kinds are left, all layers count as one kind, with a warning.

    Examples
    --------
    >>> kinds_from_names(["embed", "h.0.attn", "h.0", "h.1.attn", "h.1", "h.2.attn", "h.2"])
    ('h.#.attn', 'h.#.attn', 'h.#', 'h.#.attn', 'h.#', 'h.#.attn', 'h.#')
    """
    if not names:
        return ()
    bare = [re.sub(r"\d+", "#", name) for name in names]
    counts = Counter(bare)
    commonest = counts.most_common(1)[0][0]
    kinds = tuple(kind if counts[kind] >= FEWEST else commonest for kind in bare)
    found = len(set(kinds))
    if found > MOST_KINDS:
        warnings.warn(
            f"by their names these {len(names)} layers are of {found} kinds, too many to compare like "
            "with like, so all steps are compared with all; choose the layers of one kind, or give kinds=",
            MixedKindsWarning,
            stacklevel=4,
        )
        return (commonest,) * len(names)
    return kinds


def checked_kinds(kinds: Sequence[str] | None, names: Sequence[str]) -> tuple[str, ...]:
    """The kinds that were given, one for each layer, or those from the names.

    Raises
    ------
    ValueError
        If there are more or fewer kinds than layers.
    """
    if kinds is None:
        return kinds_from_names(names)
    if isinstance(kinds, str) or len(kinds) != len(names):
        raise ValueError(
            f"kinds={kinds!r} does not fit {len(names)} layers; give one kind for each, in their order"
        )
    return tuple(map(str, kinds))


def warn_if_alternating(y: Array, kinds: Sequence[object]) -> None:
    """Say so if every second step is larger and all layers count as one kind."""
    if len(y) < 8 or len(set(kinds)) > 1:
        return
    change = np.diff(y)[: 2 * ((len(y) - 1) // 2)].reshape(-1, 2)
    up_and_down = change[:, 0] - change[:, 1]
    size = np.abs(up_and_down).mean()
    if size < 1e-9 or (
        up_and_down.std() > 1e-9 * size and (stats.ttest_1samp(up_and_down, 0).pvalue > ALTERNATION_P)
    ):
        return
    warnings.warn(
        "every second step of this map is larger than the one before: are its layers of two kinds, such "
        'as attention and end of block? Give kinds=, for instance ["attention", "end", ...], or compare '
        "layers of one kind",
        MixedKindsWarning,
        stacklevel=3,
    )
