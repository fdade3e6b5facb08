"""From a layer's output of any shape to one row of numbers per sample."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor, nn

from funcsim.errors import CaptureError

Pool = Literal["cls", "mean", "last"] | Callable[..., Tensor] | None


def check_pool(pool: Pool) -> None:
    """Raise a ValueError unless `pool` is a function or a word that is known."""
    if pool is not None and not callable(pool) and not (isinstance(pool, str) and pool in _BY_NAME):
        raise ValueError(f"pool={pool!r} is unknown; use 'cls', 'mean', 'last' or a function")


def rows_of(output: Tensor, name: str) -> Tensor:
    """All axes but the first flattened: (batch, features)."""
    if output.ndim == 0:
        raise CaptureError(f"layer {name!r} returns a single number, not one row per sample")
    return output.reshape(len(output), prod(output.shape[1:]))


def pool_by_function(pool: Callable[..., Tensor], output: Tensor, name: str, batch: Any) -> Tensor:
    """What a function of the output, or of the output and the batch, makes of it."""
    pooled = pool(output, batch) if _takes_two(pool) else pool(output)
    if not isinstance(pooled, Tensor):
        raise CaptureError(
            f"the pooling function returns {type(pooled).__name__} for layer {name!r}; it must return a "
            "tensor (batch, features)"
        )
    return rows_of(pooled, name)


def _takes_two(pool: Callable[..., Tensor]) -> bool:
    try:
        parameters = inspect.signature(pool.forward if isinstance(pool, nn.Module) else pool).parameters
    except (TypeError, ValueError):  # built-in functions tell nothing
        return False
    needed = [
        p
        for p in parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return len(needed) == 2


def pool_tokens(pool: str, output: Tensor, mask: Tensor | None, name: str) -> Tensor:
    """First token, mean over tokens or last token of (batch, tokens, features), of real tokens only.

    Parameters
    ----------
    pool : {"cls", "mean", "last"}
    output : tensor, shape (batch, tokens, features)
    mask : tensor of bool, shape (batch, tokens), or None
        True for real tokens. Without it all are.
    name : str
        The layer's, for error messages.

    Returns
    -------
    tensor, shape (batch, features)
    """
    if mask is None:
        mask = torch.ones(output.shape[:2], dtype=torch.bool, device=output.device)
    empty = (~mask.any(dim=1)).nonzero()
    if len(empty):
        raise CaptureError(
            f"layer {name!r} has no token to pool for sample {int(empty[0])} of a batch: it is empty, or its "
            "mask is zero everywhere; leave the sample out"
        )
    return _BY_NAME[pool](output, mask)


def mean_over_places(output: Tensor, module: nn.Module) -> Tensor:
    """Mean of (batch, channels, height, width), or of (batch, height, width, channels), over the places.

    The channels come last if the module normalises or maps the last axis and convolves nothing, as in
    transformers that keep their tokens on a grid; otherwise they come second.
    """
    if _channels_last(output, module):
        return output.float().flatten(1, -2).mean(dim=1)
    return output.float().flatten(2).mean(dim=2)


def _channels_last(output: Tensor, module: nn.Module) -> bool:
    second, last = output.shape[1], output.shape[-1]
    parts = list(module.modules())
    convolved = any(
        getattr(part, width, None) == second
        for part in parts
        for width in ("out_channels", "num_features", "num_channels")
    )
    mapped = any(
        (isinstance(part, nn.LayerNorm) and tuple(part.normalized_shape) == (last,))
        or (isinstance(part, nn.Linear) and part.out_features == last)
        for part in parts
    )
    return mapped and not convolved


def _cls(output: Tensor, mask: Tensor) -> Tensor:
    return output[torch.arange(len(output), device=output.device), mask.int().argmax(dim=1)]


def _mean(output: Tensor, mask: Tensor) -> Tensor:
    real = mask.float()
    return output.float().masked_fill(~mask[..., None], 0).sum(dim=1) / real.sum(dim=1, keepdim=True)


def _last(output: Tensor, mask: Tensor) -> Tensor:
    positions = torch.arange(mask.shape[1], device=mask.device)
    last = (positions * mask).argmax(dim=1)
    return output[torch.arange(len(output), device=output.device), last]


_BY_NAME = {"cls": _cls, "mean": _mean, "last": _last}
