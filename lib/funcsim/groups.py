"""Groups of layers: what a partition of a layer map finds.

Taught in chapter 06.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from funcsim.changes import Change


@dataclass(frozen=True)
class Partition:
    """Blocks of layers.

    Attributes
    ----------
    names : tuple of str
        The layers, in execution order.
    labels : tuple of int
        For each layer the number of its group, counted from 0 in order of appearance.
    p_value : float or None
        Of the hypothesis that there is no boundary; None when no test was made.
    method : str
        "contiguous" or "spectral".
    changes : tuple of Change
        What was found along the chain, in its order: boundaries, each with its effect and its
        p-value, and changes of speed, which are none; () when no test was made.
    twin_p_values : tuple of float
        Of the same test on the maps of untrained copies; () without such maps.

    Examples
    --------
    >>> p = Partition(("a", "b", "c"), (0, 0, 1), p_value=0.01, method="contiguous")
    >>> p.boundaries, p.n_groups, p.groups
    ((2,), 2, (('a', 'b'), ('c',)))
    """

    names: tuple[str, ...]
    labels: tuple[int, ...]
    p_value: float | None
    method: str
    changes: tuple[Change, ...] = ()
    twin_p_values: tuple[float, ...] = ()

    @property
    def boundary_changes(self) -> tuple[Change, ...]:
        """Of `changes` the boundaries: jumps and transitions."""
        return tuple(change for change in self.changes if change.is_boundary)

    @property
    def boundary_p_values(self) -> tuple[float, ...]:
        """One for each boundary, corrected for the search over all steps; () when no test was made."""
        return tuple(change.p_value for change in self.boundary_changes)

    @property
    def boundaries(self) -> tuple[int, ...]:
        """Indices at which the group changes; () for one group."""
        steps = enumerate(pairwise(self.labels), start=1)
        return tuple(i for i, (before, defined) in steps if before != defined)

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return len(set(self.labels))

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The names in each group."""
        return tuple(
            tuple(n for n, label in zip(self.names, self.labels, strict=True) if label == group)
            for group in range(self.n_groups)
        )

    @property
    def n_blocks(self) -> int:
        """The same as `n_groups`, by its name in the first edition."""
        return self.n_groups

    @property
    def blocks(self) -> tuple[tuple[str, ...], ...]:
        """The same as `groups`, by its name in the first edition."""
        return self.groups

    def to_frame(self) -> pd.DataFrame:
        """One row per stretch of neighbouring layers: its group, where it starts, its layers."""
        edges = pairwise((0, *self.boundaries, len(self.labels)))
        rows = [(self.labels[i], i, self.names[i], self.names[j - 1], j - i) for i, j in edges]
        return pd.DataFrame(rows, columns=["group", "start", "first", "last", "layers"])
