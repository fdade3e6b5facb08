"""An encoder whose blocks stand in another order, or are fewer (appendix E; reviews, Table 7).

Keeping the first blocks, leaving one out, and swapping two neighbours are all the same thing: a
list of which blocks to pass, and when.

Taught in chapter 11.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from funcsim.errors import ModelError
from replication.models.encoders import Encoder


def rearranged(encoder: Encoder, order: Sequence[int]) -> Encoder:
    """A copy of `encoder` with the blocks `order`, counted from 0, and no others.

    Everything else, the classifier included, stays as it is.

    Raises
    ------
    ModelError
        If there is no such block.
    """
    n_blocks, name = encoder.n_blocks, encoder.blocks
    for k in order:
        if not 0 <= k < n_blocks:
            raise ModelError(f"{encoder.name} has blocks 0 to {n_blocks - 1}, and {k} was asked for")
    model = copy.deepcopy(encoder.model)
    parent, _, last = name.rpartition(".")
    blocks = model.get_submodule(name)
    setattr(model.get_submodule(parent), last, nn.ModuleList(copy.deepcopy(blocks[k]) for k in order))
    model.config.num_hidden_layers = len(order)
    return replace(encoder, model=model)


def first_blocks(encoder: Encoder, n: int) -> Encoder:
    """The first `n` blocks and the classifier."""
    return rearranged(encoder, range(n))


def drop_block(encoder: Encoder, block: int) -> Encoder:
    """All blocks but one, counted from 0."""
    return rearranged(encoder, [k for k in range(encoder.n_blocks) if k != block])


def swap_blocks(encoder: Encoder, block: int) -> Encoder:
    """A block, counted from 0, changes places with the next one."""
    order = list(range(encoder.n_blocks))
    order[block : block + 2] = reversed(order[block : block + 2])
    return rearranged(encoder, order)
