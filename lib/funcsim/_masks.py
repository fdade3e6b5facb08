"""Which tokens of an output are real: the mask that the layer itself, or a module around it, was called with.

A model hands its masks down. The innermost module that was called with one mask value for each token
knows best: the decoder of an encoder-decoder is called with the decoder's mask, whatever its name outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from funcsim._batches import arguments
from funcsim._state import named_parts
from funcsim.errors import CaptureError

DECODER = ("decoder", "dec", "tgt", "target")
#: Masks of what a decoder reads from elsewhere.
CROSS = ("encoder", "enc", "memory", "cross", "src", "source")
#: A module called with one of these reads another sequence beside its own.
MEMORY = ("encoder_hidden_states", "encoder_outputs", "memory")
NO_PADDING = ("head_mask", "attn_mask", "causal", "masked", "mask_label", "mask_time", "mask_feature")


@dataclass
class Frames:
    """The modules that are running now, from the model to the innermost, with what each was called with."""

    model: nn.Module
    running: list[tuple[nn.Module, dict[str, Any]]] = field(default_factory=list)
    complaints: set[str] = field(default_factory=set)

    @contextmanager
    def following(self, chosen: Mapping[str, nn.Module]) -> Iterator[None]:
        """Keep the list up to date while the model runs, for the chosen modules and all around them."""
        parts = named_parts(self.model)
        around = {
            name: module for name, module in parts.items() if any(c.startswith(f"{name}.") for c in chosen)
        }
        handles = []
        for module in {id(m): m for m in (self.model, *around.values(), *chosen.values())}.values():
            handles.append(module.register_forward_pre_hook(self._enter, with_kwargs=True))
            handles.append(module.register_forward_hook(self._leave, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            self.running.clear()

    def _enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        try:
            named = arguments(module, args, kwargs)
        except (TypeError, ValueError):
            named = dict(kwargs)
        self.running.append((module, named))

    def _leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self.running and self.running[-1][0] is module:
            self.running.pop()

    def mask(self, output: Tensor, name: str) -> Tensor | None:
        """True for each real token of an output (batch, tokens, ...); None if no mask was given.

        Raises
        ------
        CaptureError
            If the masks that were given do not fit the output, or two fit equally well.
        """
        shape = tuple(output.shape[:2])
        decoder = bool(set(name.split(".")) & set(DECODER))
        misfits: dict[str, tuple[int, ...]] = {}
        for module, named in reversed(self.running):
            masks = {key: value for key, value in named.items() if _is_mask(key, value)}
            decoder |= any(named.get(key) is not None for key in MEMORY)
            apart = any(_starts(key, DECODER) for key in named)  # encoder and decoder in one call
            fits = {}
            for key, value in masks.items():
                if _starts(key, CROSS if decoder else ()) or (apart and _starts(key, DECODER) is not decoder):
                    continue
                real = _real(key, value, shape, module)
                if real is not None:
                    fits[key] = real
                elif module is self.model:
                    misfits[key] = tuple(value.shape)
            if fits:
                first, *others = fits.values()
                if not all(torch.equal(first, other) for other in others):
                    raise CaptureError(
                        f"layer {name!r} may be under any of the masks {', '.join(map(repr, fits))}; pass a "
                        "pooling function, which may take (output, batch)"
                    )
                return first
            if module is not self.model and named.get("pixel_values") is not None:
                return None  # pictures beside texts: the texts' mask is not theirs
        if misfits:
            self._misfit(misfits, name, shape)
        return None

    def _misfit(self, masks: dict[str, tuple[int, ...]], name: str, shape: tuple[int, ...]) -> None:
        key, given = next(iter(masks.items()))
        if len(given) <= 2 and not (len(given) == 2 and given[0] == given[1]):
            raise CaptureError(
                f"layer {name!r} returns {shape} tokens but the attention mask {key!r} is "
                f"{given}; pass a pooling function that fits this layer"
            )
        self.complaints.add(
            f"the mask {key!r} of shape {given} does not say which tokens are padding, so all "
            "were pooled; pass one value for each token, or a pooling function"
        )

    def warn_of_padding(self, output: Tensor, pool: str) -> None:
        """Note it if the token ids of an output without a mask begin or end with the padding id."""
        pads = padding_ids(self.model)
        if not pads:
            return
        for _, named in reversed(self.running):
            for value in named.values():
                if (
                    not isinstance(value, Tensor)
                    or value.is_nested
                    or value.dtype not in (torch.int32, torch.int64)
                ):
                    continue
                if value.shape != output.shape[:2]:
                    continue
                padded = torch.isin(value, torch.tensor(sorted(pads), device=value.device))
                after, before = padded[:, -1], padded[:, 0]
                before = before if not bool(before.all()) else before & padded[:, :2][:, -1]
                wrong = {"cls": before, "last": after}.get(pool, after | before) & ~padded.all(dim=1)
                if bool(wrong.any()):
                    self.complaints.add(
                        f"no mask was given, but {int(wrong.sum())} of {len(wrong)} texts begin "
                        "or end with the "
                        f"padding id, so pool={pool!r} took padding for tokens; pass a mask in the batch"
                    )
                return


def padding_ids(model: nn.Module) -> set[int]:
    """What stands for no token: by the model's configuration, and by its embeddings."""
    told = getattr(getattr(model, "config", None), "pad_token_id", None)
    embeddings = {m.padding_idx for m in model.modules() if isinstance(m, nn.Embedding)}
    return {value for value in {told, *embeddings} if isinstance(value, int) and value >= 0}


def _starts(key: str, words: tuple[str, ...]) -> bool:
    return key.split("_")[0] in words


def _is_mask(key: str, value: Any) -> bool:
    return (
        isinstance(value, Tensor)
        and not value.is_nested
        and ("mask" in key or "padding" in key)
        and not any(word in key for word in NO_PADDING)
        and value.ndim > 1
    )


def _real(key: str, mask: Tensor, shape: tuple[int, ...], module: nn.Module) -> Tensor | None:
    """A mask as (batch, tokens) of bool, True for real tokens; None if it says nothing of them."""
    while mask.ndim > 2 and mask.shape[1] == 1:
        mask = mask.squeeze(1)
    if tuple(mask.shape) != shape:
        return None
    padding = "pad" in key
    if shape[0] == shape[1] and not padding and key != "attention_mask" and _attends(mask, module):
        return None
    if padding:  # PyTorch's convention: True, one or minus infinity is padding
        return ~mask if mask.dtype == torch.bool else mask == 0
    if mask.dtype == torch.bool:
        return mask
    added = mask.is_floating_point() and not bool((mask > 0).any())  # to the scores: 0 or minus infinity
    return mask == 0 if added else mask > 0


def _attends(mask: Tensor, module: nn.Module) -> bool:
    """Whether a square mask says which token sees which, and not which are real."""
    seen = mask != 0
    triangular = torch.equal(seen, seen.tril()) or torch.equal(seen, seen.triu())
    return triangular or type(module).__module__.startswith("torch.nn.")
