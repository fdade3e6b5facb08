"""The same network before training, many times: what its architecture alone makes of a map.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from funcsim._batches import Batch
from funcsim._capture import capture
from funcsim._compare import compare
from funcsim._internal.progress import progress_bar
from funcsim._internal.typing import Array
from funcsim._state import unwrapped
from funcsim.geometry import Normalize
from funcsim.gromov.effort import Effort
from funcsim.layer_map import LayerMap
from funcsim.nulls import reinitialised
from funcsim.pooling import Pool
from funcsim.representations import Representations
from funcsim.similarity import Measure, look_up, with_effort


@dataclass(frozen=True)
class UntrainedTwin:
    """Layer maps of copies of a network whose weights are as before training.

    Attributes
    ----------
    names : tuple of str
        The L layers, in execution order.
    maps : array, shape (n, L, L)
        The map of each copy, in the units of the measure.
    measure : str
        Which of :func:`funcsim.measures`.
    normalize : {"mean", "max"} or None
        How each layer was scaled beforehand.
    n_samples : int
        On how many samples.
    is_similarity : bool
        True for a similarity such as CKA, False for a distance.
    seeds : tuple of int
        Of the weights of each copy.

    Examples
    --------
    >>> import torch, funcsim as fs
    >>> model = torch.nn.Sequential(*(torch.nn.Linear(3, 3) for _ in range(3)))
    >>> twin = fs.untrained_twin(model, [torch.randn(12, 3)], n=3, measure="rsm")
    >>> twin
    UntrainedTwin(3 networks x 3 layers, measure='rsm', normalize='mean', 12 samples)
    """

    names: tuple[str, ...]
    maps: Array
    measure: str
    normalize: Normalize
    n_samples: int
    is_similarity: bool
    seeds: tuple[int, ...]

    def __repr__(self) -> str:
        return (
            f"UntrainedTwin({len(self.maps)} networks x {len(self.names)} layers, "
            f"measure={self.measure!r}, normalize={self.normalize!r}, {self.n_samples} samples)"
        )

    @property
    def steps(self) -> Array:
        """Distances (n, L - 1) from each layer to the next; a similarity is subtracted from 1."""
        values = np.diagonal(self.maps, offset=1, axis1=1, axis2=2)
        return 1 - values if self.is_similarity else values

    def to_frame(self) -> pd.DataFrame:
        """One row per step from a layer to the next: its median in the copies, smallest and largest."""
        steps = self.steps
        return pd.DataFrame(
            {
                "from": self.names[:-1],
                "to": self.names[1:],
                "median": np.median(steps, axis=0),
                "low": steps.min(axis=0),
                "high": steps.max(axis=0),
            }
        )

    def standing(self, m: LayerMap) -> pd.DataFrame:
        """Where the steps of the trained network stand among those of the copies.

        Training changes the size of all steps. So each is given as a share of the whole way, the
        sum of a network's own steps.

        Parameters
        ----------
        m : LayerMap
            Of the trained network: the same layers, measure and normalisation, as many samples.

        Returns
        -------
        DataFrame
            One row per step: "from", "to", "share" of the way, "median", "low" and "high" of this
            share in the copies, and "as large", the share of copies in which it is at least as
            large. Of 19 copies none has it as large by chance alone once in 20 times.

        Raises
        ------
        ValueError
            If the map is not of the same layers, made in the same way.
        """
        for what in ("names", "measure", "normalize", "n_samples"):
            mine, other = getattr(self, what), getattr(m, what)
            if mine != other:
                raise ValueError(
                    f"the untrained networks have {what}={mine!r}, the map {other!r}; make both of the same "
                    "layers and batches, and in the same way"
                )
        trained = np.diag(m.values, k=1)
        share = _of_the_way(1 - trained if m.is_similarity else trained)
        shares = _of_the_way(self.steps)
        return pd.DataFrame(
            {
                "from": self.names[:-1],
                "to": self.names[1:],
                "share": share,
                "median": np.median(shares, axis=0),
                "low": shares.min(axis=0),
                "high": shares.max(axis=0),
                "as large": (shares >= share).mean(axis=0),
            }
        )


def _of_the_way(steps: Array) -> Array:
    """Steps (..., L - 1) as shares of their sum; where nothing moves each has the same."""
    total = steps.sum(axis=-1, keepdims=True)
    return np.where(total > 0, steps, 1.0) / np.where(total > 0, total, steps.shape[-1])


def untrained_twin(
    model: nn.Module,
    batches: Iterable[Batch],
    *,
    n: int = 19,
    layers: str | Sequence[str] | None = None,
    pool: Pool = None,
    measure: str | Measure = "gw",
    normalize: Normalize = "mean",
    effort: Effort | None = None,
    seed: int = 0,
    init: Callable[[nn.Module, int], object] | None = None,
    jobs: int | None = None,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> UntrainedTwin:
    """Draw the weights of a network anew, capture and compare its layers, n times.

    A boundary that the untrained network shows as well says nothing of what was learned.

    Parameters
    ----------
    model : torch.nn.Module
        It is left as it is.
    batches : iterable
    layers : str, sequence of str, optional
    pool : {"cls", "mean", "last"} or callable, optional
        The three as in :func:`funcsim.capture`; give those of the trained network's map.
    n : int
        How many copies; each costs a capture and a comparison.
    measure : str or Measure
    normalize : {"mean", "max"} or None
    effort : {"quick", "usual", "thorough"}, optional
    jobs : int, optional
        The four as in :func:`funcsim.compare`.
    seed : int
        Of all weights.
    init : callable, optional
        Takes a copy and a seed and draws its weights in place, see
        :func:`funcsim.nulls.reinitialised`. Without it, the network's own resets.
    device : str or torch.device, optional
        Where to capture.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    UntrainedTwin

    Raises
    ------
    ValueError
        If `n` is below 2; naming the parameters that no reset reaches; if the layers of two copies differ;
        and what :func:`funcsim.capture` and :func:`funcsim.compare` refuse.

    Notes
    -----
    Fresh weights are those that the modules draw when they are made. What a network's own
    constructor does to them afterwards is repeated only for models of the transformers library;
    say it by `init` for others.

    Examples
    --------
    >>> import torch, funcsim as fs
    >>> model = torch.nn.Sequential(*(torch.nn.Linear(3, 3) for _ in range(3)))
    >>> batches = [torch.randn(12, 3)]
    >>> twin = fs.untrained_twin(model, batches, n=3, measure="rsm")
    >>> twin.maps.shape
    (3, 3, 3)
    >>> trained = fs.compare(fs.capture(model, batches), measure="rsm")
    >>> twin.standing(trained)["to"].tolist()
    ['1', '2']
    """
    batches = list(batches) if isinstance(batches, Iterator) else batches

    def look(fresh: nn.Module) -> Representations:
        return capture(fresh, batches, layers, pool, device=device, progress=False)

    return twin_of(
        unwrapped(model),
        look,
        n=n,
        measure=measure,
        normalize=normalize,
        effort=effort,
        seed=seed,
        init=init,
        jobs=jobs,
        progress=progress,
    )


def twin_of(
    model: nn.Module,
    look: Callable[[nn.Module], Representations],
    *,
    n: int,
    measure: str | Measure = "gw",
    normalize: Normalize = "mean",
    effort: Effort | None = None,
    seed: int = 0,
    init: Callable[[nn.Module, int], object] | None = None,
    jobs: int | None = None,
    progress: bool = True,
) -> UntrainedTwin:
    """The same for whoever captures in a way of their own: `look` says what the layers of a copy return."""
    if n < 2:
        raise ValueError(f"n={n} is out of range; a band needs at least 2 untrained networks")
    chosen = with_effort(look_up(measure), effort)
    seeds = tuple(int(s) for s in np.random.SeedSequence(seed).generate_state(n))
    maps: list[LayerMap] = []
    for s in progress_bar(seeds, "untrained", progress, n):
        reps = look(reinitialised(model, s, init))
        maps.append(compare(reps, measure=chosen, normalize=normalize, jobs=jobs, progress=False))
        if maps[-1].names != maps[0].names:
            raise ValueError(
                f"the layers of two untrained copies differ: {', '.join(maps[0].names)} and "
                f"{', '.join(maps[-1].names)}; name by layers= those that run in every copy"
            )
    return UntrainedTwin(
        names=maps[0].names,
        maps=np.stack([m.values for m in maps]),
        measure=chosen.name,
        normalize=normalize,
        n_samples=maps[0].n_samples,
        is_similarity=chosen.is_similarity,
        seeds=seeds,
    )
