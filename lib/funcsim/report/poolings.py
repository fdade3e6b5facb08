"""All poolings of tokens in one pass, since the choice may decide what a map shows.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from funcsim.pooling import pool_tokens
from funcsim.report.inputs import Network
from funcsim.representations import Representations

POOLS = ("mean", "last", "cls")


def every_pooling(
    network: Network, capture: Callable[[Network], Representations]
) -> dict[str, Representations]:
    """What layers say, pooled as the network's inputs ask for, and where they are texts in two other ways.

    Parameters
    ----------
    network : Network
    capture : callable
        Captures a network as it is.

    Returns
    -------
    dict of str to Representations
        By the name of the pooling; of one that is no pooling of tokens that one alone.
    """
    texts = all(isinstance(batch, Mapping) and "attention_mask" in batch for batch in network.batches)
    if not texts or network.pool not in POOLS:
        name = "mean" if network.pool else "all"
        return {network.pool if isinstance(network.pool, str) else name: capture(network)}
    side_by_side = capture(replace(network, pool=_three))
    if any(layer.shape[1] % len(POOLS) for layer in side_by_side.values()):
        return {str(network.pool): capture(network)}
    found = {}
    for k, pool in enumerate(POOLS):
        widths = {name: layer.shape[1] // len(POOLS) for name, layer in side_by_side.items()}
        found[pool] = Representations(
            {name: x[:, k * widths[name] : (k + 1) * widths[name]] for name, x in side_by_side.items()}
        )
    return found


def _three(output: Tensor, batch: Any) -> Tensor:
    """(batch, tokens, features) to (batch, 3 features): each pooling beside the other."""
    if output.ndim != 3:
        return torch.cat([output.flatten(1)] * len(POOLS), dim=1)
    mask = batch["attention_mask"].bool()
    fits = mask.shape == output.shape[:2]
    return torch.cat(
        [pool_tokens(pool, output, mask if fits else None, "a layer").float() for pool in POOLS], dim=1
    )
