"""Modular transformers in a row, each given the answer of the one before and b: a test of section 5.1.

In a network that passes on its residual stream, a later block may use whatever an earlier one
left there. Here nothing but the answer passes, so every function is necessary, and it is known
where one ends and the next begins.

Taught in chapter 04.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from replication.models.modular_transformer import ModularTransformer, ModularTransformerConfig


class ModularChain(nn.Module):
    """Predict a function of two integers by way of intermediate answers.

    Parameters
    ----------
    configs : sequence of ModularTransformerConfig
        Of each part. Its answers must be numbers that the next part knows.
    seed : int
        Seed of the initial weights; every part has others.

    Raises
    ------
    ValueError
        If a part can give an answer for which the next has no embedding.
    """

    def __init__(self, configs: Sequence[ModularTransformerConfig], seed: int = 0) -> None:
        super().__init__()
        for k, (config, after) in enumerate(itertools.pairwise(configs)):
            if (config.n_classes or config.p) > after.p:
                raise ValueError(
                    f"part {k} has {config.n_classes or config.p} answers and part {k + 1} knows "
                    f"{after.p} numbers; give it a p of at least as many"
                )
        self.parts = nn.ModuleList(
            ModularTransformer(config, len(configs) * seed + k) for k, config in enumerate(configs)
        )

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of the last part for integer pairs (batch, 2)."""
        last = len(self.parts) - 1
        return self.parts[last](self.read(pairs, last))

    def read(self, pairs: Tensor, stage: int) -> Tensor:
        """What a part is given for integer pairs (batch, 2): the answer before it, and b."""
        a, b = pairs.unbind(dim=1)
        for part in self.parts[:stage]:
            a = part(torch.stack([a, b], dim=1)).argmax(dim=1)
        return torch.stack([a, b], dim=1)

    def stages(self) -> list[ModularTransformer]:
        """The parts, each of which is trained by itself."""
        return list(self.parts)

    @property
    def representation_layers(self) -> list[str]:
        """The 31 names per block, part by part."""
        return [
            f"parts.{k}.{name}" for k, part in enumerate(self.parts) for name in part.representation_layers
        ]
