"""Fine-tuning in which every block moves equally far.

If blocks near the output stand apart only because fine-tuning moves them most, they should not
stand apart when it moves all blocks by the same share of their length. After each step the move of
every block from where it began is stretched or shortened to the mean of all blocks, which is what
learning rates of their own would do, without having to be guessed.

Taught in chapter 10.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replication.models.encoders import Encoder
from replication.training.fine_tuning import AfterStep

Blocks = list[list[nn.Parameter]]
Start = list[list[Tensor]]


def blocks_and_start(encoder: Encoder) -> tuple[Blocks, Start]:
    """The parameters of each block, and copies of their values now."""
    blocks = [parameters for name, parameters in encoder.parts.items() if name.startswith("block ")]
    return blocks, [[p.detach().clone() for p in block] for block in blocks]


@torch.no_grad()
def lengths_of_moves(blocks: Blocks, start: Start) -> Tensor:
    """How far each block is from where it began, relative to its length there (blocks,)."""
    lengths = [_length(move) for move in _moves(blocks, start)]
    return torch.stack([length.cpu() / _length(s) for length, s in zip(lengths, start, strict=True)])


def equal_moves(encoder: Encoder) -> AfterStep:
    """What to do after every step of a fine-tuning that begins with `encoder` as it is now."""
    blocks, start = blocks_and_start(encoder)

    @torch.no_grad()
    def after_step(model: nn.Module, step: int, lr: float) -> None:
        lengths = lengths_of_moves(blocks, start)
        for block, moves, length in zip(blocks, _moves(blocks, start), lengths.tolist(), strict=True):
            for p, move in zip(block, moves, strict=True):
                p += move * (lengths.mean().item() / length - 1)

    return after_step


def _moves(blocks: Blocks, start: Start) -> list[list[Tensor]]:
    pairs = zip(blocks, start, strict=True)
    return [[p - s.to(p.device) for p, s in zip(block, values, strict=True)] for block, values in pairs]


def _length(tensors: list[Tensor]) -> Tensor:
    return torch.stack([t.double().square().sum() for t in tensors]).sum().sqrt()
