"""What a decoder loses without some of its blocks, and how much each block changes (reviewers, D04).

Block influence is that of ShortGPT (Men et al., 2025): one minus the cosine of what goes into a block and
what comes out, in the mean over tokens.

Taught in chapter 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from replication.decoder.model import Decoder, token_losses
from replication.models.block_surgery import Known, in_place, outputs_of


@torch.no_grad()
def losses_without(
    decoder: Decoder, ids: NDArray[np.int64], runs: Sequence[tuple[int, int]], batch: int = 16
) -> NDArray[np.float64]:
    """The mean loss of every window without a run of blocks, in nats a token.

    Blocks before a run are passed once for all runs.

    Parameters
    ----------
    decoder : Decoder
        As it was afterwards.
    ids : array, shape (n, tokens)
    runs : sequence of (first, stop)
        R runs of blocks, half-open.
    batch : int
        Windows at once.

    Returns
    -------
    array, shape (R, n)
    """
    model, found = decoder.model.eval(), np.empty((len(runs), len(ids)))
    blocks = list(model.get_submodule(decoder.blocks).children())
    for start in range(0, len(ids), batch):
        part = torch.from_numpy(ids[start : start + batch])
        outputs = outputs_of(model, blocks, {"input_ids": part})
        for r, (first, stop) in enumerate(runs):
            before = [Known(outputs[first - 1])] if first else []
            with in_place(model, decoder.blocks, [*before, *blocks[stop:]]):
                logits = model(input_ids=part).logits
            found[r, start : start + batch] = token_losses(logits, part).mean(dim=1)
    return found


@torch.no_grad()
def state_cosines(decoder: Decoder, ids: NDArray[np.int64], batch: int = 16) -> NDArray[np.float64]:
    """Mean over tokens of the cosine of states: into the first block, and out of each (L + 1, L + 1).

    They are read at the blocks, since what a model calls its last hidden state has been normalised.
    """
    blocks = list(decoder.model.get_submodule(decoder.blocks).children())
    total = np.zeros((len(blocks) + 1,) * 2)
    for part in torch.from_numpy(ids).split(batch):
        entered: list[Tensor] = []
        hook = blocks[0].register_forward_pre_hook(
            lambda _, args, kwargs, entered=entered: entered.append(_state(args or (*kwargs.values(),))),
            with_kwargs=True,
        )
        try:
            left = outputs_of(decoder.model, blocks, {"input_ids": part})
        finally:
            hook.remove()
        units = torch.stack([normalize(x.float(), dim=-1).flatten() for x in (*entered, *map(_state, left))])
        total += (units @ units.T).double().numpy()
    return total / ids.size


def _state(output: Any) -> Tensor:
    """The stream (n, tokens, width): what a block passes on, or the first of what it does."""
    state = output if isinstance(output, Tensor) else output[0]
    assert isinstance(state, Tensor)
    return state


def block_influence(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """One minus the cosine of what goes into each block and what comes out (L,); from (L + 1, L + 1)."""
    return 1 - np.diag(cosines, k=1)
