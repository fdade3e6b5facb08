"""A model of the transformers library with all the weights that its layers need.

A loader fills what it does not find with random numbers and goes on. Here each weight that was not found
is replaced by NaN and the network is run: if NaN comes out of a layer, the layer needs that weight. So a
pooler that no captured layer reads may be missing, and nothing else.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import funcsim as fs
from funcsim._batches import Batch
from funcsim.errors import FuncsimError, ModelError
from funcsim.hub import quiet
from funcsim.pooling import Pool
from funcsim.report.texts import first_line

ALLOW = "--allow-missing-weights (allow_missing=True) goes on all the same, and the report says so"


@dataclass(frozen=True)
class Loaded:
    """A model, and what its files and its configuration disagree about.

    Attributes
    ----------
    model : nn.Module
        Of an encoder and a decoder the encoder.
    absent : dict of str to tensor or None
        What was not found, or not in its size: by its name the numbers made up for it.
    left : tuple of str
        Weights of the network's own parts that its configuration has no place for.
    others : tuple of str
        Weights that belong to no part of the network, such as a classifier's.
    """

    model: nn.Module
    absent: Mapping[str, Tensor | None]
    left: tuple[str, ...]
    others: tuple[str, ...]


def load_model(name: str, place: str, loading: dict[str, Any], any_weights: bool) -> Loaded:
    """Load a model from a folder or the hub.

    Raises
    ------
    ModelError
        If the files are missing, damaged, or of no kind that may be read.
    """
    from transformers import AutoModel

    weights = {} if any_weights else {"use_safetensors": True}
    with quiet():
        try:
            model, info = AutoModel.from_pretrained(
                place, output_loading_info=True, ignore_mismatched_sizes=True, **weights, **loading
            )
        except Exception as error:  # whatever a damaged file makes the loader's own code raise
            raise ModelError(
                f"{name} could not be loaded from {place}: {first_line(error)} (only safetensors weights are "
                "read unless you allow others with --any-weights)"
            ) from None
    if info["error_msgs"]:
        raise ModelError(f"{name} could not be loaded from {place}: {info['error_msgs'][0]}")
    known = {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers())}
    wrong = [key if isinstance(key, str) else key[0] for key in info["mismatched_keys"]]
    absent = {key: known.get(key) for key in sorted({*info["missing_keys"], *wrong})}
    parts = {part for part, _ in model.named_children()}
    left: list[str] = []
    others: list[str] = []
    for key in sorted(info["unexpected_keys"]):
        inside = key.removeprefix(f"{model.base_model_prefix}.")
        if inside not in known:
            (left if inside.split(".")[0] in parts else others).append(key)
    # The encoder of a T5 can be saved alone: its configuration has no decoder, and the loader makes one up.
    whole = model.config.is_encoder_decoder or {"encoder", "decoder"} <= parts
    encoder = model.get_encoder() if whole else model
    return Loaded(encoder, absent, tuple(left), tuple(others))


def check_weights(
    name: str, loaded: Loaded, batch: Batch, layers: Sequence[str], pool: Pool, allow: bool
) -> list[str]:
    """What a reader of the report should know of the weights.

    Raises
    ------
    ModelError
        If a layer needs a weight that was not found, or the configuration leaves out weights of the
        network, unless `allow` is true.
    """
    notes = []
    if loaded.absent and _needed(loaded, batch, layers, pool):
        notes.append(
            f"{len(loaded.absent)} weights that the layers need are not in the files of {name}, or have "
            f"another size, and are random numbers: {_some(loaded.absent)}"
        )
    if loaded.left:
        notes.append(
            f"{len(loaded.left)} weights in the files of {name} have no place in the network that its "
            f"configuration describes: {_some(loaded.left)}"
        )
    if notes and not allow:
        raise ModelError(f"{'; '.join(notes)}. Are configuration and weights of one model? {ALLOW}")
    if loaded.others:
        notes.append(
            f"Not read, since they belong to no part of this network: {len(loaded.others)} weights, "
            f"{_some(loaded.others)}"
        )
    return [f"{note}." for note in notes]


def _some(names: Sequence[str] | Mapping[str, Any]) -> str:
    shown = list(names)[:3]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def _needed(loaded: Loaded, batch: Batch, layers: Sequence[str], pool: Pool) -> bool:
    """Whether any of the absent weights reaches a layer, told by NaN in their place."""
    found = [value for value in loaded.absent.values() if value is not None]
    if len(found) < len(loaded.absent):
        return True  # nothing to try it with
    values = [value for value in found if value.is_floating_point()]
    kept = [value.detach().clone() for value in values]
    try:
        with torch.no_grad():
            for value in values:
                value.fill_(torch.nan)
        fs.capture(loaded.model, [batch], layers=list(layers), pool=pool, progress=False)
    except FuncsimError:  # NaN in a layer
        return True
    finally:
        with torch.no_grad():
            for value, old in zip(values, kept, strict=True):
                value.copy_(old)
    return False
