"""Is an entry of a layer map more than chance? Each beside what layers without anything in common give.

The same two numbers mean different things for wide and for narrow layers, on few and on many samples,
and under different measures. What nothing in common gives is therefore measured, for each pair of layers.

Taught in chapter 03.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from funcsim._compare import compare
from funcsim._internal.progress import progress_bar
from funcsim._internal.typing import Array
from funcsim.geometry import Normalize
from funcsim.layer_map import LayerMap
from funcsim.nulls import permuted, spectrum_matched
from funcsim.representations import Representations
from funcsim.similarity import Measure, look_up

#: Numbers that agree to this share of their size are equal: at least as similar.
DIGITS = 1e-9


@dataclass(frozen=True)
class Calibration:
    """A layer map, and the same map of layers that have nothing in common, n times.

    Attributes
    ----------
    map : LayerMap
        (L, M), as :func:`funcsim.compare` gives it.
    null : str
        What the layers were replaced by: "permuted samples" or "clouds of the same spectrum".
    draws : array, shape (n, L, M)
        The maps without anything in common. A layer with itself is NaN: it is compared with nothing.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> x, y, z = np.random.default_rng(0).normal(size=(3, 30, 200))
    >>> reps = fs.Representations({"x": x, "x again": x + y / 2, "z": z})
    >>> found = fs.calibrate(reps, measure="cka", progress=False)
    >>> found.to_frame()[["value", "null mean", "p"]].round(2)
       value  null mean     p
    0   0.98       0.87  0.05
    1   0.88       0.88  0.40
    2   0.87       0.87  0.85
    """

    map: LayerMap
    null: str
    draws: Array = field(repr=False)

    @property
    def null_mean(self) -> Array:
        """What nothing in common gives on average (L, M), in the units of the map."""
        return self.draws.mean(axis=0)

    @property
    def null_sd(self) -> Array:
        """How much that varies (L, M), as its standard deviation over the draws."""
        return self.draws.std(axis=0, ddof=1)

    @property
    def share(self) -> Array:
        """In which share of the draws (L, M) a pair is at least as similar as the layers are."""
        sign = -1.0 if self.map.is_similarity else 1.0
        room = DIGITS * np.abs(self.map.values)
        counted = (sign * self.draws <= sign * self.map.values + room).mean(axis=0)
        return np.where(np.isnan(self.draws).any(axis=0) | np.isnan(self.map.values), np.nan, counted)

    @property
    def p_values(self) -> Array:
        """The same with the layers themselves as one more draw (L, M), so never below 1 / (n + 1)."""
        n = len(self.draws)
        return (1.0 + n * self.share) / (n + 1)

    def excess(self) -> LayerMap:
        """How far each entry lies from chance to identity: 0 is chance, 1 a layer with itself.

        ``(value - null mean) / (identity - null mean)``, a similarity whatever the measure was; below 0
        where layers are less alike than chance, and NaN where chance is as good as identity, as of CCA on
        fewer samples than features.
        """
        identity, mean = float(self.map.is_similarity), self.null_mean
        room = np.where(np.abs(identity - mean) > DIGITS, identity - mean, np.nan)
        values = (self.map.values - mean) / room
        if self.map.within_one_model:
            np.fill_diagonal(values, 1.0)
        return LayerMap(
            values=values,
            names=self.map.names,
            columns=self.map.columns,
            measure=f"{self.map.measure}, beyond chance",
            normalize=self.map.normalize,
            n_samples=self.map.n_samples,
            is_similarity=True,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per pair of layers: its value, chance's mean and standard deviation, share and p."""
        rows, columns = np.indices(self.map.values.shape).reshape(2, -1)
        if self.map.within_one_model:
            rows, columns = np.triu_indices(len(self.map.names), k=1)
        numbers = {
            "value": self.map.values,
            "null mean": self.null_mean,
            "null sd": self.null_sd,
            "share": self.share,
            "p": self.p_values,
        }
        names = {
            "layer": [self.map.names[i] for i in rows],
            "other": [self.map.columns[j] for j in columns],
        }
        return pd.DataFrame(names | {key: values[rows, columns] for key, values in numbers.items()})


def calibrate(
    reps: Representations,
    other: Representations | None = None,
    *,
    measure: str | Measure = "gw",
    normalize: Normalize = "mean",
    n: int = 19,
    seed: int = 0,
    jobs: int | None = None,
    progress: bool = True,
) -> Calibration:
    """Compare layers, and n times what is left of them when they have nothing in common.

    For a measure that takes sample i of one layer for sample i of the other, that is the samples of each
    layer in an order of its own. One that finds its own matching, such as "gw", cannot see an order; there
    each layer becomes a Gaussian cloud with the same spectrum
    (:func:`funcsim.nulls.permuted`, :func:`funcsim.nulls.spectrum_matched`).

    Parameters
    ----------
    reps : Representations
        L layers, (n_samples, n_features) each.
    other : Representations, optional
        M layers of a second model on the same samples.
    measure : str or Measure
    normalize : {"mean", "max"} or None
        Both as in :func:`funcsim.compare`.
    n : int
        How many draws; each costs one comparison. 19 give a p of 0.05 at least.
    seed : int
        Of the draws.
    jobs : int, optional
        As in :func:`funcsim.compare`.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If `n` is below 2, and what :func:`funcsim.compare` refuses.

    Notes
    -----
    Each p holds for its entry alone: of a hundred entries without anything in common, five have one of
    0.05. Shuffled samples are an exact null if samples are exchangeable, which texts from one document or
    frames of one film are not. Clouds of the same spectrum are no exact null: a p of theirs says that the
    layers share more of their shape than their spectra.

    In a network with a residual stream each layer has most of the one before, so that nearly all entries
    are more than chance; use it across models, for far layers, and for wide layers on few samples, where
    CKA and CCA are high by themselves.

    References
    ----------
    Gröger, Wen, Brbić (2026), "Revisiting the Platonic Representation Hypothesis: An Aristotelian View".
    Their score is set to zero below the upper quantile of chance; :meth:`Calibration.excess` starts at
    its mean and is not cut, and the p stands beside it.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> x = np.random.default_rng(0).normal(size=(20, 3))
    >>> found = fs.calibrate(fs.Representations({"a": x, "b": np.tanh(x)}), n=9, progress=False)
    >>> found.null, found.draws.shape
    ('clouds of the same spectrum', (9, 2, 2))
    """
    chosen = look_up(measure)
    if n < 2:
        raise ValueError(f"n={n} is out of range; at least 2 draws tell a spread")
    compare_all = partial(compare, measure=chosen, normalize=normalize, jobs=jobs, progress=False)
    found = compare_all(reps, other)
    without = permuted if chosen.paired else spectrum_matched
    draws = []
    for s in progress_bar(np.random.SeedSequence(seed).spawn(n), "calibrate", progress, n):
        first, second = (int(k) for k in s.generate_state(2))
        values = compare_all(without(reps, first), None if other is None else without(other, second)).values
        if other is None:
            np.fill_diagonal(values, np.nan)
        draws.append(values)
    null = "permuted samples" if chosen.paired else "clouds of the same spectrum"
    return Calibration(map=found, null=null, draws=np.stack(draws))
