"""From a layer's output of any shape to one row of numbers per sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from funcsim.errors import CaptureError

Pool = Literal["cls", "mean", "last"] | Callable[[Tensor], Tensor] | None


def pooler(pool: Pool) -> Callable[[Tensor, str, Any], Tensor]:
    """Return a function (output, layer name, batch) -> rows (batch, features).

    Raises
    ------
    ValueError
        If `pool` is a word that is not known.
    """
    if callable(pool):
        return lambda output, name, batch: _rows(pool(output), name)
    if pool is None:
        return lambda output, name, batch: _rows(output, name)
    if pool not in _BY_NAME:
        raise ValueError(f"pool={pool!r} is unknown; use 'cls', 'mean', 'last' or a function")
    return lambda output, name, batch: _pool_tokens(pool, output, name, batch)


def _rows(output: Tensor, name: str) -> Tensor:
    if output.ndim == 0:
        raise CaptureError(f"layer {name!r} returns a single number, not one row per sample")
    return output.reshape(len(output), -1)


def _pool_tokens(pool: str, output: Tensor, name: str, batch: Any) -> Tensor:
    if output.ndim == 2:  # already one vector per sample, like a classifier's logits
        return output
    if output.ndim != 3:
        raise CaptureError(
            f"layer {name!r} returns shape {tuple(output.shape)}; pool={pool!r} needs (batch, "
            "tokens, features), so pass a function that fits this layer"
        )
    return _BY_NAME[pool](output, _mask(output, name, batch))


def _mask(output: Tensor, name: str, batch: Any) -> Tensor:
    """One for each real token, zero for padding: (batch, tokens)."""
    mask = batch.get("attention_mask") if isinstance(batch, Mapping) else None
    if mask is None:
        return torch.ones(output.shape[:2], dtype=output.dtype, device=output.device)
    if mask.shape != output.shape[:2]:
        raise CaptureError(
            f"layer {name!r} returns {tuple(output.shape[:2])} tokens but the attention mask "
            f"is {tuple(mask.shape)}; pass a pooling function that fits this layer"
        )
    return mask.to(output)


def _mean(output: Tensor, mask: Tensor) -> Tensor:
    return (output.float() * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def _last(output: Tensor, mask: Tensor) -> Tensor:
    positions = torch.arange(mask.shape[1], device=mask.device)
    last = (positions * (mask > 0)).argmax(dim=1)
    return output[torch.arange(len(output), device=output.device), last]


_BY_NAME = {"cls": lambda output, mask: output[:, 0], "mean": _mean, "last": _last}
