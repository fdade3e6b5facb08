"""The container that carries layers from one step to the next: names in execution order,
one float32 array (n_samples, n_features) each, the same samples in the same order in all.

Taught in chapter 01.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.errors import FileFormatError, LayerSelectionError, RepresentationError
from funcsim.geometry import as_array

FORMAT = "funcsim.representations/1"


class Representations(Mapping[str, NDArray[np.float32]]):
    """Layers of one model on one set of samples.

    Parameters
    ----------
    layers : mapping of str to array, shape (n_samples, n_features)
        In the order in which the layers are computed; this order is kept. Every array has
        the same number of samples; the number of features is free. Values are stored as
        float32, read-only.

    Raises
    ------
    RepresentationError
        Naming the layer: not numeric, not two-dimensional, NaN or infinity, fewer than two
        samples, or another number of samples than the first layer.

    Examples
    --------
    >>> first, second = [[0.0], [1.0]], [[0.0, 1.0], [1.0, 1.0]]
    >>> reps = Representations({"first": first, "second": second})
    >>> reps.names
    ('first', 'second')
    >>> reps["second"].shape
    (2, 2)
    """

    def __init__(self, layers: Mapping[str, ArrayLike]) -> None:
        if not layers:
            raise RepresentationError("no layers were given; a comparison needs at least one")
        self._layers = {str(name): _freeze(array, name) for name, array in layers.items()}
        first = self.names[0]
        for name, array in self._layers.items():
            if len(array) != self.n_samples:
                raise RepresentationError(
                    f"layer {name!r} has {len(array)} samples but layer {first!r} has "
                    f"{self.n_samples}; every layer must see the same samples in the same order"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' names, in execution order."""
        return tuple(self._layers)

    @property
    def n_samples(self) -> int:
        """How many samples each layer holds."""
        return len(next(iter(self._layers.values())))

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name not in self._layers:
            close = difflib.get_close_matches(str(name), self.names, n=3) or self.names[:3]
            raise LayerSelectionError(
                f"there is no layer {name!r}; did you mean {', '.join(map(repr, close))}?"
            )
        return self._layers[name]

    def __contains__(self, name: object) -> bool:
        return name in self._layers

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        ends = self.names if len(self) < 4 else (self.names[0], "...", self.names[-1])
        return f"Representations({len(self)} layers x {self.n_samples} samples: {', '.join(ends)})"

    def select(self, names: Iterable[str]) -> Representations:
        """The named layers, in the order given; an unknown name is a LayerSelectionError."""
        return Representations({name: self[name] for name in names})

    def drop(self, *names: str) -> Representations:
        """All layers but the named ones; an unknown name is a LayerSelectionError."""
        unwanted = {name for name in names if self[name] is not None}
        return Representations({k: v for k, v in self.items() if k not in unwanted})

    def subsample(self, n: int, seed: int = 0) -> Representations:
        """The same `n` samples of every layer, drawn without replacement, in their old order.

        Raises
        ------
        ValueError
            If `n` is below 2 or above the number of samples.
        """
        if not 2 <= n <= self.n_samples:
            raise ValueError(f"cannot draw {n} samples; choose from 2 to {self.n_samples}")
        rows = np.random.default_rng(seed).choice(self.n_samples, n, replace=False)
        rows.sort()
        return Representations({name: array[rows] for name, array in self.items()})

    def head(self, n: int) -> Representations:
        """The first `n` samples of every layer, or all if there are fewer."""
        return Representations({name: array[:n] for name, array in self.items()})

    def save(self, path: str | Path, half: bool = False) -> None:
        """Write a safetensors file that :meth:`load` reads back, order included.

        With `half` in half the size: values about each layer's mean are rounded to float16, and
        distances, which do not depend on the mean, change by a thousandth of the layer's size.
        """
        tensors: dict[str, NDArray] = {}
        for i, array in enumerate(self.values()):
            tensors[str(i)] = array
            if half:
                mean = array.mean(axis=0)
                tensors |= {str(i): (array - mean).astype(np.float16), f"{i}/mean": mean}
        write_tensors(path, tensors, {"format": FORMAT, "names": json.dumps(self.names)})

    @classmethod
    def load(cls, path: str | Path) -> Representations:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FileFormatError
            If the file is cut off, is not safetensors, or holds something else.
        FileNotFoundError
            If there is no such file.
        """
        tensors, metadata = read_tensors(path, FORMAT)
        names = json.loads(metadata["names"])
        means = {k.removesuffix("/mean"): x for k, x in tensors.items() if k.endswith("/mean")}
        layers = {k: x + means[k] if k in means else x for k, x in tensors.items() if "/" not in k}
        if set(layers) != {str(i) for i in range(len(names))}:
            raise FileFormatError(f"{path} names {len(names)} layers but holds {len(layers)}")
        return cls({name: layers[str(i)] for i, name in enumerate(names)})


def _freeze(values: ArrayLike, name: str) -> NDArray[np.float32]:
    array = as_array(values, name)
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)  # always a copy
    if not np.isfinite(single).all():
        raise RepresentationError(
            f"layer {name!r} holds values beyond the range of float32; divide it by a constant"
        )
    single.flags.writeable = False
    return single
