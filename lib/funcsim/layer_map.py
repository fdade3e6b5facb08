"""The layer map: one number for every pair of layers.

Taught in chapter 06.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from funcsim._internal.deprecation import renamed_keyword
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim._internal.typing import Array
from funcsim.errors import FileFormatError
from funcsim.geometry import Normalize
from funcsim.metric_form import MetricForm, as_distances, check_metric_form, metric_form_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from funcsim.gromov.effort import Effort
    from funcsim.groups import Partition


FORMAT = "funcsim.layer_map/1"


@dataclass(frozen=True)
class LayerMap:
    """Distances or similarities between layers.

    Attributes
    ----------
    values : array, shape (L, M), float64
        Entry (i, j) compares layer ``names[i]`` with layer ``columns[j]``. Without unit if
        the layers were normalised, otherwise in the units of the representations.
    names : tuple of str
        Layers of the rows, in execution order.
    columns : tuple of str
        Layers of the columns; the same for one model.
    measure : str
        Which of :func:`funcsim.measures`.
    normalize : {"mean", "max"} or None
        How each layer was scaled beforehand.
    n_samples : int
        On how many samples.
    lower : array, shape (L, M), float64, or None
        Certified lower bounds of `values`, in the same units.
    is_similarity : bool
        True for a similarity such as CKA, False for a distance.
    metric_form : str
        How a value becomes a distance, as :class:`funcsim.Measure` declares it; see
        :func:`funcsim.metric_distances`. Without it, what is known of the measure of that name, or else
        "one minus" for a similarity and "distance" for a distance.
    effort : {"quick", "usual", "thorough"} or None
        How long each pair was searched for, by the measure "gw"; None where that is not known, and for
        measures that do not search.

    Examples
    --------
    >>> import numpy as np
    >>> names = ("a", "b")
    >>> m = LayerMap(np.array([[0.0, 0.5], [0.5, 0.0]]), names, names, "gw", "mean", 100)
    >>> m
    LayerMap(2x2, measure='gw', normalize='mean', 100 samples)
    >>> float(m.to_frame().loc["a", "b"])
    0.5
    """

    values: Array
    names: tuple[str, ...]
    columns: tuple[str, ...]
    measure: str
    normalize: Normalize
    n_samples: int
    lower: Array | None = None
    is_similarity: bool = False
    metric_form: MetricForm | None = None
    effort: Effort | None = None

    def __post_init__(self) -> None:
        if self.metric_form is None:
            object.__setattr__(self, "metric_form", metric_form_of(self.measure, self.is_similarity))
        check_metric_form(str(self.metric_form))
        shape = (len(self.names), len(self.columns))
        for array in (self.values, self.lower):
            if array is not None and array.shape != shape:
                raise ValueError(f"a map of {shape} layers cannot hold values of {array.shape}")

    def __repr__(self) -> str:
        rows, columns = self.values.shape
        return (
            f"LayerMap({rows}x{columns}, measure={self.measure!r}, "
            f"normalize={self.normalize!r}, {self.n_samples} samples)"
        )

    @property
    def within_one_model(self) -> bool:
        """Whether rows and columns are the same layers."""
        return self.names == self.columns

    def renamed(self, names: Sequence[str], columns: Sequence[str] | None = None) -> LayerMap:
        """The same map under other names, such as "block 1" for "encoder.layer.0".

        Parameters
        ----------
        names : sequence of str
            One for each row; for a map within one model also for its column.
        columns : sequence of str, optional
            One for each column; of a map of two models the columns else keep their names.

        Raises
        ------
        ValueError
            If there are not as many names as layers.
        """
        if columns is None:
            columns = names if self.within_one_model else self.columns
        return replace(self, names=tuple(names), columns=tuple(columns))

    def defined(self) -> LayerMap:
        """Without the layers that compare with nothing: all their values are NaN."""
        known = ~np.isnan(self.values)
        rows, columns = (np.flatnonzero(known.any(axis=axis)) for axis in (1, 0))
        kept = np.ix_(rows, columns)
        return replace(
            self,
            values=self.values[kept],
            names=tuple(self.names[i] for i in rows),
            columns=tuple(self.columns[j] for j in columns),
            lower=None if self.lower is None else self.lower[kept],
        )

    def to_frame(self) -> pd.DataFrame:
        """The values as a table (L, M) with the layers' names on both sides."""
        return pd.DataFrame(self.values, index=list(self.names), columns=list(self.columns))

    @renamed_keyword("blocks", "groups")
    def plot(self, groups: Partition | None = None, title: str | None = None) -> Figure:
        """Draw the map; see :func:`funcsim.viz.layer_map`."""
        from funcsim import viz  # here: viz draws maps, and matplotlib is slow to import

        return viz.layer_map(self, groups=groups, title=title)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file that :meth:`load` reads back."""
        tensors = {"values": self.values}
        if self.lower is not None:
            tensors["lower"] = self.lower
        described = {k: getattr(self, k) for k in ("names", "columns", "measure", "normalize")}
        described |= {"n_samples": self.n_samples, "larger_is_similar": self.is_similarity}
        described |= {"metric_form": self.metric_form, "effort": self.effort}
        write_tensors(path, tensors, {"format": FORMAT, "map": json.dumps(described)})

    @classmethod
    def load(cls, path: str | Path) -> LayerMap:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FileFormatError
            If the file is cut off, is not safetensors, or holds something else.
        FileNotFoundError
            If there is no such file.
        """
        tensors, metadata = read_tensors(path, FORMAT)
        if "values" not in tensors:
            raise FileFormatError(f"{path} is a layer map without values; make it again")
        try:
            described = json.loads(metadata["map"])
            read = cls(
                values=tensors["values"],
                names=tuple(described["names"]),
                columns=tuple(described["columns"]),
                measure=described["measure"],
                normalize=described["normalize"],
                n_samples=described["n_samples"],
                lower=tensors.get("lower"),
                is_similarity=described.get("larger_is_similar", False),
                metric_form=described.get("metric_form"),
                effort=described.get("effort"),
            )
            wrong = _impossible(read)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"{path} describes no layer map ({error!r}); make it again") from None
        if wrong:
            raise FileFormatError(f"{path} is no layer map: {wrong}; make it again")
        return read


def _impossible(m: LayerMap) -> str | None:
    """What no map can be, in a few words."""
    if any(len(set(names)) < len(names) for names in (m.names, m.columns)):
        return "two layers have the same name"
    if not m.n_samples >= 1:
        return f"it says that it was made of {m.n_samples} samples"
    if m.lower is not None:
        room = 1e-6 * (1 + np.abs(np.nan_to_num(m.values)).max(initial=0))
        if bool((m.lower > m.values + room).any()):
            return "lower bounds lie above the values"
    return None


def dissimilarity(m: LayerMap) -> Array:
    """Distances (L, L) from a map of one model: symmetric, zero on the diagonal.

    A map of similarities, ``m.is_similarity``, is subtracted from 1.

    Raises
    ------
    ValueError
        If `m` compares two models or holds NaN or infinity.
    """
    values = _symmetric(m)
    values = 1.0 - values if m.is_similarity else values
    return values - np.diag(values.diagonal())


def metric_distances(m: LayerMap) -> Array:
    """A map of one model as distances in the metric form of its measure, ``m.metric_form``.

    A measure, its square and one minus it may be drawn with very different contrast. In the
    metric form they are the same numbers, and those of a straight path of layers add up:

    ====================  ===========================  =====================================
    form                  distance of a value v        measures
    ====================  ===========================  =====================================
    "distance"            v                            gw, rsm, euclidean, wasserstein, agw, msid,
                                                       procrustes, cka-angular
    "root"                sqrt(v)                      squares, such as what POT calls GW
    "angle"               arccos(v)                    cka and cca with their forms, cknna
    "angle of one minus"  arccos(1 - v)                cosine
    "root of one minus"   sqrt(1 - v)                  rsa, rsa-pearson
    "one minus"           1 - v                        mutual-knn, any other similarity
    ====================  ===========================  =====================================

    Parameters
    ----------
    m : LayerMap
        Of L layers with one another.

    Returns
    -------
    array, shape (L, L), float64
        Symmetric, zero on the diagonal; in the units of the map's values, or in radians.

    Raises
    ------
    ValueError
        If `m` compares two models, holds NaN or infinity, or a root would be taken of a negative
        number.

    Notes
    -----
    An angle or a root takes what is rounding, 1e-16, to 1e-8: layers that are the same but for
    rounding come out so far apart. Similarities outside [-1, 1], as some estimates give, are
    taken for the nearer end.

    References
    ----------
    Williams, Kunz, Kornblith, Linderman (2021), Generalized shape metrics on neural
    representations, for the angle of CKA and of CCA.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> names = ("a", "b", "c")  # directions 45 degrees apart, on one circle
    >>> values = np.cos(np.pi / 4 * np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]]))
    >>> m = fs.LayerMap(values, names, names, "cka", "mean", 100, is_similarity=True)
    >>> (fs.metric_distances(m) / np.pi * 180).round(1).tolist()
    [[0.0, 45.0, 90.0], [45.0, 0.0, 45.0], [90.0, 45.0, 0.0]]
    """
    assert m.metric_form is not None  # LayerMap sees to it
    values = as_distances(_symmetric(m), m.metric_form)
    return values - np.diag(values.diagonal())


def _symmetric(m: LayerMap) -> Array:
    size_within_one_model(m)
    if not np.isfinite(m.values).all():
        raise ValueError("this map holds NaN or infinity; leave out the layers that cause it")
    return (m.values + m.values.T) / 2


def size_within_one_model(m: LayerMap) -> int:
    """How many layers a map of one model has; a ValueError if it compares two."""
    if not m.within_one_model:
        raise ValueError("this map compares two models; groups are cut in the map of one model")
    return len(m.names)
