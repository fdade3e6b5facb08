"""The container that carries layers from one step to the next: names in execution order,
one float32 array (n_samples, n_features) each, the same samples in the same order in all.

Taught in chapter 01.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from funcsim._folder import read_folder
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.dimensions import is_dominant, largest_share, standardised
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
        Naming the layer: its name is taken, not numeric, not two-dimensional, NaN or infinity, fewer than two
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
        twice = [name for name, times in Counter(map(str, layers)).items() if times > 1]
        if twice:
            raise RepresentationError(
                f"{len(layers)} layers have {len(set(map(str, layers)))} names: {twice[0]!r} is "
                "there as a word and as something else; give each layer a name of its own"
            )
        self._layers = {str(name): _freeze(array, str(name)) for name, array in layers.items()}
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

    def standardised(self) -> Representations:
        """Each dimension of each layer brought to mean 0 and variance 1 over the samples.

        A dimension that does not vary, up to rounding, becomes 0 and keeps its place: it adds nothing to
        a distance. A layer in which none varies is 0 throughout, which :func:`funcsim.compare` refuses by
        name. Dimensions that hardly vary count as much as all others: compare both ways.

        Examples
        --------
        >>> reps = Representations({"a": [[1.0, 5.0, 0.0], [3.0, 5.0, 100.0]]})
        >>> reps.standardised()["a"].tolist()
        [[-1.0, 0.0, -1.0], [1.0, 0.0, 1.0]]
        """
        return Representations({name: standardised(layer) for name, layer in self.items()})

    def dominant_dimensions(self) -> pd.DataFrame:
        """How much of each layer's variance its most varying dimension has.

        Returns
        -------
        DataFrame
            One row per layer, in execution order: ``layer``; ``dimension``, counted from 0; ``share`` of
            the variance, from 0 to 1; and whether it is ``dominant``: more than a fifth, and more than
            fifty times what each dimension would have if all had the same.

        References
        ----------
        Timkey and van Schijndel (2021), "All Bark and No Bite: Rogue Dimensions in Transformer
        Language Models Obscure Representational Quality".

        Examples
        --------
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(50, 200))
        >>> reps = Representations({"even": x, "one": x * np.where(np.arange(200) == 7, 20, 1)})
        >>> reps.dominant_dimensions()[["layer", "dominant"]].to_dict("list")
        {'layer': ['even', 'one'], 'dominant': [False, True]}
        >>> int(reps.dominant_dimensions()["dimension"][1])
        7
        """
        rows = [(name, *largest_share(layer), layer.shape[1]) for name, layer in self.items()]
        table = pd.DataFrame(rows, columns=["layer", "dimension", "share", "dominant"])
        table["dominant"] = [is_dominant(share, d) for _, _, share, d in rows]
        return table

    def save(self, path: str | Path, half: bool = False) -> None:
        """Write a safetensors file that :meth:`load` reads back, order included.

        With `half` in half the size: values about each layer's mean are scaled and rounded to float16, and
        distances, which do not depend on the mean, change by a thousandth.

        Raises
        ------
        RepresentationError
            With `half`, before anything is written: if a sample lies so much nearer to the mean than
            another that it would be lost.
        """
        tensors: dict[str, NDArray] = {}
        for i, (name, array) in enumerate(self.items()):
            parts = _halved(array, name) if half else {"": array}
            tensors |= {f"{i}{part}": values for part, values in parts.items()}
        write_tensors(path, tensors, {"format": FORMAT, "names": json.dumps(self.names)})

    @classmethod
    def load(cls, path: str | Path) -> Representations:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FileFormatError
            If the file is cut off, was changed, is not safetensors, or holds something else.
        FileNotFoundError
            If there is no such file.
        """
        tensors, metadata = read_tensors(path, FORMAT)
        try:
            names = [str(name) for name in json.loads(metadata["names"])]
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"{path} does not name its layers ({error!r}); make it again") from None
        whole = {key for key in tensors if "/" not in key}
        if whole != {str(i) for i in range(len(names))}:
            raise FileFormatError(f"{path} names {len(names)} layers but holds {len(whole)}")
        if len(set(names)) < len(names):
            raise FileFormatError(f"{path} names a layer twice; make it again")
        try:
            return cls({name: _restored(tensors, str(i)) for i, name in enumerate(names)})
        except RepresentationError as error:
            raise FileFormatError(f"{path} holds what is no representation: {error}") from None

    @classmethod
    def load_folder(
        cls, folder: str | Path, pool: Literal["cls", "mean", "last"] | None = None
    ) -> Representations:
        """Read the safetensors files of a folder, as model servers and other programs write them.

        Parameters
        ----------
        folder : path
            Its files, in the order of the numbers in their names, are one of these:

            - *one for each sample*: ``hidden_states`` (tokens, layers, features) and ``token_ids``
              (tokens,), as vLLM extracts them; layers are called ``hidden_states.0``, ...;
            - *one for each batch*: all hold the same layers, by name, (samples, features) or (samples,
              tokens, features) each; files of :meth:`save` too;
            - *one for each layer*: each holds one array; the layer is called by the file's name.

            Two files or more with one array each, under the same name in all, are layers if their file
            names say "layer" or "block", and batches if they say "batch", "chunk", "part" or "shard".
        pool : {"cls", "mean", "last"}, optional
            How tokens become one row of numbers; all are taken for real. Without it they are flattened.

        Returns
        -------
        Representations

        Raises
        ------
        FileFormatError
            Naming the file: damaged, or not one of the three.
        FileNotFoundError
            If there is no such folder, or no safetensors file in it.
        RepresentationError
            As for :class:`Representations`.
        """
        return cls(read_folder(Path(folder), pool, FORMAT, lambda path: dict(cls.load(path))))


def _halved(array: NDArray[np.float32], name: str) -> dict[str, NDArray]:
    """A layer about its mean in float16, with the mean and the power of two that it was divided by.

    The largest value becomes 2**14 to 2**15: half precision reaches nine decades below it.
    """
    mean = array.mean(axis=0, dtype=np.float64).astype(np.float32)
    about = array.astype(np.float64) - mean
    largest = np.abs(about).max()
    scale = 2.0 ** (np.floor(np.log2(largest)) - 14) if largest else 1.0
    values = (about / scale).astype(np.float16)
    wrong = np.linalg.norm(values * scale - about, axis=1) > 1e-3 * np.linalg.norm(about, axis=1)
    if wrong.any():
        raise RepresentationError(
            f"layer {name!r} spans too many decades for half precision: sample "
            f"{int(wrong.argmax())} would be lost beside others; save it with half=False"
        )
    return {"": values, "/mean": mean, "/scale": np.array([scale])}


def _restored(tensors: Mapping[str, NDArray], key: str) -> NDArray:
    """A layer as it was; files of version 0.1.0 have no scale, and whole ones no mean."""
    values = tensors[key]
    if f"{key}/scale" in tensors:
        values = values * tensors[f"{key}/scale"].astype(np.float64)
    return values + tensors[f"{key}/mean"] if f"{key}/mean" in tensors else values


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
