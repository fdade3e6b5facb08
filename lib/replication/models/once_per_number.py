"""A causal modular transformer (section 5.1), computed with half the work.

Under a causal mask the first position sees `a` alone, so it has p states and not p*p: they are
computed once. And of two positions the last one weighs two values, so that its attention is the
sigmoid of one difference. The logits are those of the network but for rounding.

Taught in chapter 04.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replication.models.modular_transformer import Block, ModularTransformer, Stage


class OncePerNumber(nn.Module):
    """A stage of a causal :class:`ModularTransformer`; it shares the stage's weights.

    Parameters
    ----------
    model : ModularTransformer
        With ``causal=True``.
    stage : int
        Which of its stages. What those before it hand on is computed now, and taken as frozen.

    Raises
    ------
    ValueError
        If the mask of `model` is not causal.
    """

    def __init__(self, model: ModularTransformer, stage: int) -> None:
        super().__init__()
        if not model.config.causal:
            raise ValueError("without a causal mask the first position sees b, too; train the stage itself")
        self.p = model.config.p
        self.stage: Stage = model.stages()[stage]
        self.register_buffer("first", None, persistent=False)
        self.register_buffer("last", None, persistent=False)
        if stage:
            numbers = torch.arange(self.p, device=model.position.device)
            with torch.no_grad():
                stream = model.read(torch.cartesian_prod(numbers, numbers), stage)
            self.first, self.last = stream[:: self.p, 0].clone(), stream[:, 1].clone()

    def forward(self, pairs: Tensor) -> Tensor:
        """Logits (batch, classes) for integer pairs (batch, 2)."""
        a, b = pairs.T
        if self.stage.embed is not None:
            first = self.stage.embed.weight + self.stage.position[0]
            last = (self.stage.embed.weight + self.stage.position[1])[b]
        else:
            first, last = self.first, self.last[a * self.p + b]
        for block in self.stage.blocks:
            first, last = _block(block, first, last, a)
        return self.stage.readout(last)


def _block(block: Block, first: Tensor, last: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    """The streams of the first position (p, d_model), by `a`, and of the last (batch, d_model)."""

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (block.n_heads, block.d_head))

    v0, v1 = block.to_v(first), block.to_v(last)
    towards_first = (heads(block.to_q(last)) * heads(block.to_k(first)[a] - block.to_k(last))).sum(-1)
    weight = (towards_first / block.d_head**0.5).sigmoid().unsqueeze(-1)
    z = heads(v1) + weight * heads(v0[a] - v1)
    first, last = first + block.attn_out(v0), last + block.attn_out(z.flatten(1))
    return first + _mlp(block, first), last + _mlp(block, last)


def _mlp(block: Block, x: Tensor) -> Tensor:
    return block.mlp_out(block.post(block.pre(x)))
