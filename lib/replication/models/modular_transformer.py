"""The small transformer of section 5.1, with every representation of Table 1 named.

The architecture is the one of Zhong et al. (2023, "The Clock and the Pizza"), itself a
variant of Nanda et al. (2023): learned embeddings, no LayerNorm, ReLU, no '=' token, the
answer read at the last position. Each of the 31 representations per block in Table 1 of
Gao et al. is the output of a module of its own, so that a hook on a *name* is enough to
read it.

Taught in chapter 04.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

PER_HEAD = ("k", "q", "v", "attn_pre", "attn", "z")


@dataclass(frozen=True)
class ModularTransformerConfig:
    """Sizes of a :class:`ModularTransformer`; the defaults are those of Model 0.

    Parameters
    ----------
    p : int
        The modulus: inputs are pairs of integers in [0, p), the output has p classes.
    n_blocks, n_heads, d_model, d_mlp : int
        Blocks, attention heads per block, width of the residual stream, hidden width.
    causal : bool
        Hide later positions from earlier ones (Nanda et al.). Zhong et al. build the mask
        and never apply it, which is the default here.
    n_classes : int, optional
        How many answers there are; p if not said.
    readouts : pairs of int
        For training layer by layer: (k, m) is a linear layer of m answers after k blocks.
    """

    p: int = 59
    n_blocks: int = 1
    n_heads: int = 4
    d_model: int = 128
    d_mlp: int = 512
    causal: bool = False
    n_classes: int | None = None
    readouts: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "readouts", tuple((int(k), int(m)) for k, m in self.readouts))
        if self.d_model % self.n_heads:
            raise ValueError(
                f"d_model={self.d_model} is not a multiple of n_heads={self.n_heads}; "
                "each head gets d_model / n_heads dimensions"
            )
        ends = [0, *(k for k, _ in self.readouts), self.n_blocks]
        if any(a >= b for a, b in itertools.pairwise(ends)):
            raise ValueError(
                f"readouts after {ends[1:-1]} of {self.n_blocks} blocks: each must come after at "
                "least one block more than the one before, and the last block has its own"
            )

    @property
    def d_head(self) -> int:
        return self.d_model // self.n_heads

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


class Block(nn.Module):
    """Attention and MLP around a residual stream; every step passes through a named point."""

    def __init__(self, config: ModularTransformerConfig) -> None:
        super().__init__()
        self.n_heads, self.d_head, self.causal = config.n_heads, config.d_head, config.causal
        width, hidden = config.d_model, config.d_mlp

        self.resid_pre = nn.Identity()
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)
        for name in PER_HEAD:
            self.add_module(name, nn.ModuleList(nn.Identity() for _ in range(config.n_heads)))
        self.attn_out = nn.Linear(width, width, bias=False)
        self.resid_mid = nn.Identity()
        self.pre = nn.Linear(width, hidden)
        self.post = nn.ReLU()
        self.mlp_out = nn.Linear(hidden, width)
        self.resid_post = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map the residual stream (batch, positions, d_model) to its next state."""
        x = self.resid_pre(x)
        k = self._heads("k", self.to_k(x))
        q = self._heads("q", self.to_q(x))
        v = self._heads("v", self.to_v(x))
        scores = self._observe("attn_pre", q @ k.transpose(-1, -2) / self.d_head**0.5)
        attn = self._observe("attn", self._mask(scores).softmax(dim=-1))
        z = self._observe("z", attn @ v)
        x = self.resid_mid(x + self.attn_out(z.transpose(1, 2).flatten(2)))
        return self.resid_post(x + self.mlp_out(self.post(self.pre(x))))

    def _heads(self, name: str, x: Tensor) -> Tensor:
        """Split (batch, positions, d_model) into (batch, heads, positions, d_head)."""
        split = x.unflatten(-1, (self.n_heads, self.d_head)).transpose(1, 2)
        return self._observe(name, split)

    def _observe(self, name: str, x: Tensor) -> Tensor:
        """Show each head's part of x, shape (batch, heads, ...), to the point of that head."""
        for point, head in zip(getattr(self, name), x.unbind(dim=1), strict=True):
            point(head)
        return x

    def _mask(self, scores: Tensor) -> Tensor:
        if not self.causal:
            return scores
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        return scores.masked_fill(later, float("-inf"))


class ModularTransformer(nn.Module):
    """Predict a function of two integers in [0, p) from their embeddings.

    Parameters
    ----------
    config : ModularTransformerConfig
    seed : int
        Seed of the initial weights; torch's global generator is left alone.

    Notes
    -----
    Initial weights are normal with the standard deviations of Zhong et al.: 1/sqrt(d_model)
    everywhere but 1/sqrt(p) for the unembedding and 1/sqrt(d_mlp) for both MLP matrices.
    """

    def __init__(self, config: ModularTransformerConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):  # PyTorch's own initial values are drawn in vain
            self.embed = nn.Embedding(config.p, config.d_model)
            self.position = nn.Parameter(torch.empty(2, config.d_model))
            self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_blocks))
            self.unembed = nn.Linear(config.d_model, config.n_classes or config.p, bias=False)
            self.readouts = nn.ModuleList(
                nn.Linear(config.d_model, classes, bias=False) for _, classes in config.readouts
            )
        self._initialise(torch.Generator().manual_seed(seed))

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (batch, n_classes) for integer pairs (batch, 2)."""
        return self.unembed(self.stream(pairs, len(self.blocks))[:, -1])

    def stream(self, pairs: Tensor, n_blocks: int) -> Tensor:
        """The residual stream (batch, 2, d_model) after so many blocks."""
        x = self.embed(pairs) + self.position
        for block in self.blocks[:n_blocks]:
            x = block(x)
        return x

    def read(self, pairs: Tensor, stage: int) -> Tensor:
        """What a stage is given for integer pairs (batch, 2): the pairs, or the stream before it."""
        return self.stream(pairs, self.config.readouts[stage - 1][0]) if stage else pairs

    def stages(self) -> list[Stage]:
        """The network cut after each readout; each part shares its weights with the whole."""
        ends = [k for k, _ in self.config.readouts] + [len(self.blocks)]
        starts, heads = [0, *ends], [*self.readouts, self.unembed]
        return [Stage(self, *cut) for cut in zip(starts, ends, heads, strict=False)]

    @property
    def representation_layers(self) -> list[str]:
        """The 31 names per block of Table 1, in the order in which they are computed."""
        heads = range(self.config.n_heads)
        names = ["resid_pre", *(f"{part}.{h}" for part in PER_HEAD for h in heads)]
        names += ["attn_out", "resid_mid", "pre", "post", "mlp_out", "resid_post"]
        return [f"blocks.{b}.{name}" for b in range(self.config.n_blocks) for name in names]

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        c = self.config
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
                continue
            fan = len(parameter) if name.startswith(("unembed", "readouts")) else c.d_model
            fan = c.d_mlp if ".pre." in name or ".mlp_out." in name else fan
            parameter.normal_(0.0, fan**-0.5, generator=generator)


class Stage(nn.Module):
    """Blocks of a network and a linear readout: what is trained at a time, layer by layer.

    Parameters
    ----------
    model : ModularTransformer
    first, last : int
        The blocks [first, last). If the first block is among them, so are the embeddings.
    readout : nn.Linear
    """

    def __init__(self, model: ModularTransformer, first: int, last: int, readout: nn.Linear) -> None:
        super().__init__()
        self.first = first
        self.embed, self.position = (model.embed, model.position) if first == 0 else (None, 0.0)
        self.blocks = model.blocks[first:last]
        self.readout = readout

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, classes) from pairs (batch, 2), or from the stream before the first block."""
        if self.embed is not None:
            x = self.embed(x) + self.position
        for block in self.blocks:
            x = block(x)
        return self.readout(x[:, -1])
