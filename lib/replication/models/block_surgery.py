"""An encoder whose blocks stand in another order, or are fewer (appendix E; reviews, Table 7).

Keeping the first blocks, leaving one out, and swapping two neighbours are all the same thing: a
list of which blocks to pass, and when.

Taught in chapter 11.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from funcsim.errors import ModelError
from replication.data.sentiment import Corpus
from replication.models.encoders import Encoder


def rearranged(encoder: Encoder, order: Sequence[int]) -> Encoder:
    """A copy of `encoder` with the blocks `order`, counted from 0, and no others.

    Everything else, the classifier included, stays as it is.

    Raises
    ------
    ModelError
        If there is no such block.
    """
    _check(encoder, order)
    model = copy.deepcopy(encoder.model)
    blocks = model.get_submodule(encoder.blocks)
    _put(model, encoder.blocks, [copy.deepcopy(blocks[k]) for k in order])
    model.config.num_hidden_layers = len(order)
    return replace(encoder, model=model)


def first_blocks(encoder: Encoder, n: int) -> Encoder:
    """The first `n` blocks and the classifier."""
    return rearranged(encoder, range(n))


def drop_block(encoder: Encoder, block: int) -> Encoder:
    """All blocks but one, counted from 0."""
    return rearranged(encoder, order_without(encoder.n_blocks, block, block + 1))


def swap_blocks(encoder: Encoder, block: int) -> Encoder:
    """A block, counted from 0, changes places with the next one."""
    return rearranged(encoder, order_swapped(encoder.n_blocks, block))


def order_without(n_blocks: int, first: int, stop: int) -> list[int]:
    """The order of `n_blocks` blocks in which the run ``[first, stop)`` is left out."""
    return [k for k in range(n_blocks) if not first <= k < stop]


def order_swapped(n_blocks: int, block: int) -> list[int]:
    """The order in which a block, counted from 0, has changed places with the next one."""
    order = list(range(n_blocks))
    order[block : block + 2] = reversed(order[block : block + 2])
    return order


@torch.no_grad()
def predict_rearranged(
    encoder: Encoder,
    corpus: Corpus,
    orders: Sequence[Sequence[int]],
    max_length: int,
    batch_size: int = 64,
) -> NDArray[np.float64]:
    """What `encoder` answers with its blocks in each of many orders.

    Blocks before the first that is out of its place are passed once for all orders.

    Parameters
    ----------
    encoder : Encoder
        As it was afterwards.
    corpus : Corpus
        n texts.
    orders : sequence of sequences of int
        R orders, as in :func:`rearranged`.
    max_length, batch_size : int

    Returns
    -------
    array, shape (R, n, 2)
        Logits, in the order of the texts.

    Raises
    ------
    ModelError
        If there is no such block.
    """
    for order in orders:
        _check(encoder, order)
    model, logits = encoder.model.eval(), np.empty((len(orders), len(corpus), 2))
    blocks = list(model.get_submodule(encoder.blocks).children())
    by_length = np.argsort([len(text) for text in corpus.texts], kind="stable")
    for start in range(0, len(corpus), batch_size):
        rows = by_length[start : start + batch_size]
        batch = encoder.encode([corpus.texts[i] for i in rows], max_length)
        outputs = outputs_of(model, blocks, batch)
        for r, order in enumerate(orders):
            same = next((i for i, k in enumerate(order) if i != k), len(order))
            shortened = [Known(outputs[same - 1])] if same else []
            with in_place(model, encoder.blocks, [*shortened, *(blocks[k] for k in order[same:])]):
                logits[r, rows] = model(**batch).logits.double().numpy()
    return logits


class Known(nn.Module):
    """Stands for all blocks up to one, whose output is known."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def forward(self, *_: Any, **__: Any) -> Any:
        return self.output


def outputs_of(model: nn.Module, blocks: Sequence[nn.Module], batch: dict[str, Tensor]) -> list[Any]:
    """What each block outputs on a batch."""
    found: list[Any] = []
    hooks = [block.register_forward_hook(lambda _, __, output: found.append(output)) for block in blocks]
    try:
        model(**batch)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _check(encoder: Encoder, order: Sequence[int]) -> None:
    for k in order:
        if not 0 <= k < encoder.n_blocks:
            raise ModelError(f"{encoder.name} has blocks 0 to {encoder.n_blocks - 1}, and {k} was asked for")


def _put(model: nn.Module, name: str, blocks: Sequence[nn.Module]) -> None:
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, nn.ModuleList(blocks))


@contextmanager
def in_place(model: nn.Module, name: str, blocks: Sequence[nn.Module]) -> Iterator[None]:
    """The model with other blocks for a while."""
    before = list(model.get_submodule(name).children())
    _put(model, name, blocks)
    try:
        yield
    finally:
        _put(model, name, before)
