"""What comes in: batches of any make, and how a model is called with them.

The number of samples of a batch is read off its tensors. Where they do not agree, several numbers are
possible, and a layer must have one of these.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.utils.data import Dataset, IterableDataset

from funcsim.errors import CaptureError

Batch = Tensor | Sequence[Any] | Mapping[str, Any]

#: Arguments whose first axis is the samples', by convention, the most telling first.
INPUTS = ("input_ids", "inputs_embeds", "input_values", "input_features", "pixel_values", "input", "x")
#: Arguments that hold what an earlier pass left behind.
CACHES = ("past_key_values", "past_key_value", "cache_params", "mems")
PLAIN = (str, bytes, int, float, complex, bool, type(None))


@dataclass(frozen=True)
class Call:
    """How a model is called with one batch.

    Attributes
    ----------
    args, kwargs : tuple, dict
    named : dict
        The same by the names of the parameters of ``forward``.
    n_samples : frozenset of int
        What the tensors' first axes allow; one number where they agree, empty if there is no tensor.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    named: dict[str, Any]
    n_samples: frozenset[int]


def each_batch(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The batches one by one, after a look at what they come in.

    Raises
    ------
    CaptureError
        If `batches` is one batch, or holds texts or single numbers instead of batches.
    """
    kind = type(batches).__name__
    if isinstance(batches, Tensor | np.ndarray | PackedSequence):
        what = f"one {kind} of shape {tuple(getattr(batches, 'shape', batches[0].shape))}"
        raise CaptureError(f"batches is {what}, not an iterable of batches; pass [x] instead of x")
    if isinstance(batches, Mapping):
        raise CaptureError(f"batches is one {kind}, not an iterable of batches; pass [x] instead of x")
    if isinstance(batches, str | bytes):
        raise CaptureError("batches is a text; turn texts into tensors first, and pass [x]")
    if isinstance(batches, Dataset) and not isinstance(batches, IterableDataset):
        raise CaptureError(
            f"batches is a {kind}, which gives single samples; pass torch.utils.data.DataLoader(data, "
            "batch_size=32)"
        )
    if not isinstance(batches, Iterable) or hasattr(batches, "iloc"):
        raise CaptureError(f"batches is a {kind}, not an iterable of batches; pass [x] with a tensor x")
    return (_checked(batch, at) for at, batch in enumerate(batches))


def _checked(batch: Any, at: int) -> Any:
    if isinstance(batch, np.generic) or _is_plain(batch):
        what = "text" if _first_plain(batch, str | bytes) else f"{type(batch).__name__} without a tensor"
        raise CaptureError(
            f"batch {at} is {what}; turn each batch into a tensor, or a tuple or dict of tensors, "
            "first (texts with a tokenizer), and pass [x] where there is one batch"
        )
    return batch


def _is_plain(value: Any) -> bool:
    """Whether there is nothing but words and numbers in it."""
    if isinstance(value, Mapping):
        return all(map(_is_plain, value.values()))
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN)


def _first_plain(value: Any, kind: Any) -> bool:
    while isinstance(value, Mapping | tuple | list) and len(value):
        value = next(iter(value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, kind)


def to_place(batch: Any, device: torch.device, dtype: torch.dtype | None) -> Any:
    """A copy of a batch on a device, floating numbers of a type: whatever a model does to it is undone."""
    if isinstance(batch, Tensor):
        return _moved(batch, device, dtype if batch.is_floating_point() else None)
    if isinstance(batch, np.ndarray):
        return to_place(_from_numpy(batch), device, dtype)
    if isinstance(batch, PackedSequence):
        values = _moved(batch.data, device, dtype if batch.data.is_floating_point() else None)
        order = (None if x is None else x.to(device) for x in (batch.sorted_indices, batch.unsorted_indices))
        return PackedSequence(values, batch.batch_sizes, *order)
    if isinstance(batch, Mapping):
        return {key: to_place(value, device, dtype) for key, value in batch.items()}
    if isinstance(batch, tuple | list):
        parts = [to_place(value, device, dtype) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    if isinstance(batch, PLAIN):
        return batch
    if hasattr(batch, "iloc"):
        raise CaptureError(f"a batch holds a {type(batch).__name__}; pass x.to_numpy() instead of x")
    try:
        return copy.deepcopy(batch)  # a key-value cache grows with every pass
    except Exception as error:
        raise CaptureError(
            f"a batch holds a {type(batch).__name__} that cannot be copied ({error}), so a second "
            "pass would give another answer; leave it out"
        ) from None


def _moved(tensor: Tensor, device: torch.device, dtype: torch.dtype | None) -> Tensor:
    if tensor.is_meta:
        raise CaptureError("a batch holds a tensor on the meta device, which has no values")
    return tensor.detach().to(device, dtype or tensor.dtype, copy=True)


def _from_numpy(array: np.ndarray) -> Tensor:
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise CaptureError("a batch holds a masked array; fill its gaps first, as with x.filled(0)")
    try:
        native = np.array(array, dtype=array.dtype.newbyteorder("="), order="C", subok=False)
        return torch.from_numpy(native)
    except TypeError:
        raise CaptureError(
            f"a batch holds an array of {array.dtype}, which is no tensor; turn it into numbers first"
        ) from None


def bound(model: nn.Module, batch: Any) -> Call:
    """How `model` is called with a batch: tuples and lists by position, dicts by name.

    Raises
    ------
    CaptureError
        If they do not fit the parameters of ``forward``, or something stands where a mask or a cache belongs.
    """
    packed = isinstance(batch, PackedSequence)
    args, kwargs = (tuple(batch), {}) if isinstance(batch, tuple | list) and not packed else ((batch,), {})
    if isinstance(batch, Mapping):
        args, kwargs = (), {str(key): value for key, value in batch.items()}
    try:
        named = arguments(model, args, kwargs)
    except TypeError as error:
        raise CaptureError(
            f"a batch does not fit the model's forward(): {error}. Tuples are passed as "
            "positional and dicts as keyword arguments; if your batches are (inputs, labels), "
            "pass `(inputs for inputs, _ in loader)`"
        ) from None
    call = Call(args, kwargs, named, samples_of(named))
    _check_arguments(call)
    return call


def arguments(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a module is called with, by the names of its parameters; a TypeError if it does not fit."""
    signature = inspect.signature(module.forward)
    named: dict[str, Any] = {}
    for name, value in signature.bind(*args, **kwargs).arguments.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            named |= value
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            named |= {f"{name}[{k}]": one for k, one in enumerate(value)}
        else:
            named[name] = value
    return named


def _check_arguments(call: Call) -> None:
    """Labels are often the second of a pair, and land where a mask or a cache belongs."""
    by_position = list(call.named)[: len(call.args)]
    longest = max((t.ndim for value in call.named.values() for t in _tensors(value)), default=0)
    for name, value in call.named.items():
        if not isinstance(value, Tensor) or value.is_nested:
            continue
        if name in CACHES:
            raise CaptureError(
                f"a tensor is passed as {name!r}, where a cache belongs; if your batches are "
                "(inputs, labels), pass `(inputs for inputs, _ in loader)`"
            )
        if "mask" not in name or "head_mask" in name:
            continue
        vector = value.ndim == 1 and longest > 1 and len(value) in call.n_samples
        negative = not value.is_floating_point() and value.dtype != torch.bool and bool((value < 0).any())
        if vector or negative:
            raise CaptureError(
                f"{name!r} is passed "
                f"{'one number for each sample' if vector else 'negative whole numbers'}, which "
                "is no mask; if your batches are (inputs, labels), pass `(inputs for inputs, _ in loader)`"
            )
        if name in by_position and not bool(((value == 0) | (value == 1) | (value < 0)).all()):
            warnings.warn(
                f"the values passed as {name!r} are not zeros and ones; if they are labels, leave them out",
                stacklevel=4,
            )


def samples_of(named: Mapping[str, Any]) -> frozenset[int]:
    """How many samples a batch may have."""
    sizes = {
        name: size for name, value in named.items() if (size := _first_axes(value)) and name not in CACHES
    }
    telling = next((name for name in INPUTS if len(sizes.get(name, ())) == 1), None)
    if telling:
        return sizes[telling]
    without_masks = [size for name, size in sizes.items() if "mask" not in name]
    return frozenset().union(*(without_masks or sizes.values()))


def _first_axes(value: Any) -> frozenset[int]:
    if isinstance(value, PackedSequence):
        return frozenset([int(value.batch_sizes[0])])
    return frozenset(tensor.size(0) for tensor in _tensors(value) if tensor.ndim)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, PackedSequence):
        yield value.data
    elif isinstance(value, Mapping | tuple | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(part)


def run_forward(model: nn.Module, call: Call) -> None:
    """One pass; an error of the model's own says what it was given."""
    try:
        model(*call.args, **call.kwargs)
    except CaptureError:
        raise
    except Exception as error:
        shapes = {name: [tuple(t.shape) for t in _tensors(value)] for name, value in call.named.items()}
        told = ", ".join(f"{name} {', '.join(map(str, of))}" for name, of in shapes.items() if of)
        error.add_note(f"raised by the model in capture, on a batch of {told or 'no tensor'}")
        raise
