"""One row per sample: whether what a layer returned is that, or looks like it by chance.

Counting rows unmasks a batch that was split, a weight matrix, a squeezed sample, time before samples. Where
counts agree by chance, PyTorch's own modules tell by their type which axis they take for the samples'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from funcsim._batches import Call
from funcsim.errors import CaptureError

#: Axes of what these modules take when it holds no samples' axis.
UNBATCHED = {nn.Conv1d: 2, nn.Conv2d: 3, nn.Conv3d: 4, nn.RNNBase: 2, nn.MultiheadAttention: 2, nn.Linear: 1}
SEQUENCES = (nn.RNNBase, nn.MultiheadAttention)


@dataclass
class Witnesses:
    """What PyTorch's modules said of one pass: samples on the second axis, or no samples' axis at all."""

    call: Call
    time_first: list[tuple[str, int, int]] = field(default_factory=list)  # module, steps, samples

    @contextmanager
    def listening(self, model: nn.Module) -> Iterator[None]:
        handles = [
            module.register_forward_pre_hook(self._of(name or "model"), with_kwargs=True)
            for name, module in model.named_modules()
            if any(isinstance(module, kind) for kind in UNBATCHED)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _of(self, name: str) -> Any:
        def look(module: nn.Module, args: Any, kwargs: Any) -> None:
            x = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
            if x is None or x.is_nested or not x.ndim:
                return
            axes = next(n for kind, n in UNBATCHED.items() if isinstance(module, kind))
            whole = isinstance(module, SEQUENCES) or any(x.shape == s for s in self._shapes())
            if x.ndim == axes and x.shape[0] in self.call.n_samples and whole:
                raise CaptureError(
                    f"{name!r} ({type(module).__name__}) takes a batch of shape {tuple(x.shape)} "
                    "for one sample; "
                    "if it is one, pass x[None]; if it is many, give each an axis of features"
                )
            if is_time_first(module) and x.ndim == 3:
                self.time_first.append((name, x.shape[0], x.shape[1]))

        return look

    def _shapes(self) -> list[Any]:
        return [value.shape for value in self.call.named.values() if isinstance(value, Tensor)]

    def n_samples(self) -> frozenset[int]:
        """How many samples the batch may have, once it is known whether time comes first in it."""
        for _, steps, samples in self.time_first:
            if steps != samples and any(tuple(s[:2]) == (steps, samples) for s in self._shapes()):
                return frozenset([samples])
        return self.call.n_samples


def is_time_first(module: nn.Module) -> bool:
    """Whether a module of PyTorch's returns (time, batch, features)."""
    if isinstance(module, nn.TransformerEncoder | nn.TransformerDecoder):
        return len(module.layers) > 0 and is_time_first(module.layers[0])
    if isinstance(module, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
        return is_time_first(module.self_attn)
    kinds = (nn.RNNBase, nn.MultiheadAttention, nn.Transformer)
    return isinstance(module, kinds) and not module.batch_first


def check_rows(rows: dict[str, Tensor], n_samples: Collection[int]) -> None:
    """Raise a CaptureError unless every layer has as many rows as the batch has samples."""
    if not n_samples:
        return
    expected = " or ".join(map(str, sorted(n_samples)))
    for name, layer in rows.items():
        if len(layer) in n_samples:
            continue
        base = name.split("#")[0]
        calls = sum(other.split("#")[0] == base for other in rows)
        why = (
            "it ran several times, on parts of the batch; capture the model without what splits it"
            if calls > 1
            else "its first axis is not the samples'; choose another layer, or pass a pooling function "
            "that returns (batch, features)"
        )
        raise CaptureError(f"layer {name!r} gives {len(layer)} rows for a batch of {expected} samples: {why}")
