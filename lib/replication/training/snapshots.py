"""Snapshots of a network while it learns (section 5.3, Figures 7 and 8), which do not change it.

A network changes fast at first and slowly later, so snapshots are evenly spaced in the logarithm of the
step. A snapshot draws no random number that training would have drawn, so a training with snapshots ends
at the same bits.

Taught in chapter 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.errors import FileFormatError

FORMAT = "funcsim.snapshot/1"

#: What a snapshot holds: arrays by name, of the same shapes each time.
Callback = Callable[[], dict[str, NDArray]]


def log_steps(last: int, n: int) -> tuple[int, ...]:
    """Step 0 and at most `n` steps from 1 to `last`, evenly spaced in their logarithm.

    Early steps that would fall together are counted once, so there may be fewer.

    Raises
    ------
    ValueError
        If `last` or `n` is less than 1.
    """
    if last < 1 or n < 1:
        raise ValueError(f"{n} snapshots of {last} steps cannot be taken; ask for at least 1 of each")
    return (0, *np.unique(np.rint(np.geomspace(1, last, n)).astype(int)).tolist())


@dataclass
class Snapshots:
    """What a callback has returned after some of the steps.

    Parameters
    ----------
    steps : tuple of int
        After how many steps; 0 is before the first.
    callback : callable
    folder : Path, optional
        Where each snapshot is kept at once, so that a training that resumes has those before.
    """

    steps: tuple[int, ...]
    callback: Callback
    folder: Path | None = None
    taken: dict[int, dict[str, NDArray]] = field(default_factory=dict)

    def restore(self) -> None:
        """Bring back what an interrupted training has left in `folder`."""
        for path in self.folder.glob("after-*.safetensors") if self.folder else ():
            self.taken[int(path.stem.removeprefix("after-"))] = read_tensors(path, FORMAT)[0]

    def record(self, step: int, last: bool = False) -> None:
        """Take a snapshot, if it is time to, or if this is the `last` step, whichever it is.

        What was restored is not taken anew: the same steps lead to the same bits.
        """
        if step in self.taken or not (last or step in self.steps):
            return
        with torch.random.fork_rng(devices=[]):
            self.taken[step] = self.callback()
        if self.folder:
            write_tensors(self.folder / f"after-{step}.safetensors", self.taken[step], {"format": FORMAT})

    def stacked(self) -> dict[str, NDArray]:
        """All snapshots in the order of their steps, (S, ...) each, and ``step`` (S,).

        Raises
        ------
        FileFormatError
            If some are missing that should have been taken.
        """
        order = sorted(self.taken)
        missing = [step for step in self.steps if step < order[-1] and step not in self.taken]
        if missing:
            raise FileFormatError(
                f"{self.folder} has no snapshots after the steps {', '.join(map(str, missing))}, though "
                "training went on; remove that folder and begin anew"
            )
        arrays = {name: np.stack([self.taken[step][name] for step in order]) for name in self.taken[order[0]]}
        return {"step": np.array(order), **arrays}
