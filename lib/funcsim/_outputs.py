"""What comes out of a module: the one tensor that stands for its samples.

An output may be a tensor, a pair, a dict, a dataclass, nested, packed, ragged, sparse or quantised.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from funcsim.errors import CaptureError

#: Where the outputs of the transformers library hold a representation, the most telling first.
KEYS = ("last_hidden_state", "hidden_states", "logits")


def representation(
    output: Any, module: nn.Module, name: str, n_samples: Collection[int]
) -> tuple[Tensor, Tensor | None]:
    """The tensor that an output stands for, and which of its tokens are real if it tells.

    Returns
    -------
    tensor, shape (n_samples, ...)
    mask : tensor of bool, shape (n_samples, tokens), or None

    Raises
    ------
    CaptureError
        If the output holds no tensor of real numbers.
    """
    if isinstance(module, nn.RNNBase) and isinstance(output, tuple):
        output = output[0]  # what every step says; the second is the last state
    if isinstance(output, tuple | list) and len(output) and isinstance(output[0], PackedSequence):
        output = output[0]
    if isinstance(output, PackedSequence):
        padded, lengths = pad_packed_sequence(output, batch_first=True)
        return _plain(padded, name), _up_to(lengths, padded)
    tensor = output if isinstance(output, Tensor) else _choose(output, name, n_samples)
    if tensor.is_nested:
        parts = [_plain(part, name) for part in tensor.unbind()]
        lengths = torch.tensor([len(part) for part in parts])
        padded = nn.utils.rnn.pad_sequence(parts, batch_first=True)
        return padded, _up_to(lengths, padded)
    return _plain(tensor, name), None


def _up_to(lengths: Tensor, padded: Tensor) -> Tensor:
    steps = torch.arange(padded.shape[1], device=padded.device)
    return steps < lengths.to(padded.device)[:, None]


def _plain(tensor: Tensor, name: str) -> Tensor:
    """A dense tensor of real numbers with the same values."""
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_complex():
        raise CaptureError(
            f"layer {name!r} returns complex numbers; representations are real, so choose another "
            "layer or let the model return torch.view_as_real(output)"
        )
    if tensor.is_meta:
        raise CaptureError(f"layer {name!r} returns a tensor on the meta device, which has no values")
    return tensor


def _choose(output: Any, name: str, n_samples: Collection[int]) -> Tensor:
    named = dict(output) if isinstance(output, Mapping) else {}
    for key in KEYS:
        value = named.get(key, getattr(output, key, None))
        found = [tensor for tensor in _tensors(value) if tensor.ndim]
        if found:
            return found[-1]
    found = list(_tensors(output))
    if not found:
        raise CaptureError(
            f"layer {name!r} returns {type(output).__name__}, which holds no tensor; choose a "
            "module inside or around it"
        )
    real = [
        tensor for tensor in found if tensor.is_floating_point() or tensor.is_complex() or tensor.is_quantized
    ]
    with_axes = [tensor for tensor in real or found if tensor.ndim]
    fitting = [tensor for tensor in with_axes if tensor.size(0) in n_samples]
    wide = [tensor for tensor in fitting if tensor.ndim > 1]  # a vector may fit by chance
    return (wide or fitting or with_axes or found)[0]


def _tensors(value: Any) -> Iterator[Tensor]:
    """All tensors inside, from left to right."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, PackedSequence):
        yield pad_packed_sequence(value, batch_first=True)[0]
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _tensors(getattr(value, field.name))
