"""Fine-tuning in which the updates of all blocks have equal norm: a control of section 5.3.

If blocks near the output stand apart only because fine-tuning changes them most, they should not
stand apart when it changes all blocks by the same share of their norm. After each step the update of
every block since the beginning is scaled to the mean of all blocks, which is what learning rates of
their own would do, without having to be guessed.

Taught in chapter 10.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replication.models.encoders import Encoder
from replication.training.fine_tuning import StepCallback

Blocks = list[list[nn.Parameter]]
Start = list[list[Tensor]]


def blocks_and_start(encoder: Encoder) -> tuple[Blocks, Start]:
    """The parameters of each block, and copies of their values now."""
    blocks = [parameters for name, parameters in encoder.parts.items() if name.startswith("block ")]
    return blocks, [[p.detach().clone() for p in block] for block in blocks]


@torch.no_grad()
def relative_update_norm(blocks: Blocks, start: Start) -> Tensor:
    """The norm of each block's update since `start`, relative to its norm there (blocks,)."""
    norms = [_norm(update) for update in _updates(blocks, start)]
    return torch.stack([norm.cpu() / _norm(s) for norm, s in zip(norms, start, strict=True)])


def equal_updates(encoder: Encoder) -> StepCallback:
    """What to do after every step of a fine-tuning that begins with `encoder` as it is now."""
    blocks, start = blocks_and_start(encoder)

    @torch.no_grad()
    def after_step(model: nn.Module, step: int, lr: float) -> None:
        norms = relative_update_norm(blocks, start)
        for block, updates, norm in zip(blocks, _updates(blocks, start), norms.tolist(), strict=True):
            for p, update in zip(block, updates, strict=True):
                p += update * (norms.mean().item() / norm - 1)

    return after_step


def _updates(blocks: Blocks, start: Start) -> list[list[Tensor]]:
    pairs = zip(blocks, start, strict=True)
    return [[p - s.to(p.device) for p, s in zip(block, values, strict=True)] for block, values in pairs]


def _norm(tensors: list[Tensor]) -> Tensor:
    return torch.stack([t.double().square().sum() for t in tensors]).sum().sqrt()
