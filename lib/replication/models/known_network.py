"""A network of residual blocks that computes one function after another: a test of claims C33 and C36.

Functions may follow one another inside one stream, where nothing marks the border; or a new part
begins, which is given the answer of the part before, embedded again, or its stream through an
adapter. The first part reads a number, or a picture of a digit through convolutions.

Taught in chapter 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

SIDE = 4  # of the feature maps that convolutions make of a picture


@dataclass(frozen=True)
class Sizes:
    """Sizes of a network, and which parts its blocks have.

    Attributes
    ----------
    p : int
        Numbers and answers are integers in [0, p).
    operands : int
        How many numbers there are beside the first one.
    width, hidden, heads : int
        Of the stream, of the hidden layer of a block, and of its attention.
    attention : bool
        Each number has a position of its own, and blocks attend to all of them; the answer is read at
        the first. Otherwise the embeddings of all numbers are added, and blocks are MLPs.
    norm_last : bool
        Normalise the stream after each step ("post-norm"), instead of what a step reads ("pre-norm").
    convolutions : int
        Before the first block; with none, the first input is a number, otherwise a picture.
    """

    p: int = 11
    operands: int = 3
    width: int = 48
    hidden: int = 96
    heads: int = 4
    attention: bool = False
    norm_last: bool = False
    convolutions: int = 0


class Attention(nn.Module):
    """Attention of every position to all positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.into = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, positions, width) to the same shape."""
        q, k, v = self.into(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """One hidden layer."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.into = nn.Linear(width, hidden)
        self.hidden = nn.GELU()
        self.out = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., width) to the same shape."""
        return self.out(self.hidden(self.into(x)))


class Block(nn.Module):
    """A residual block: attention where there are positions, then an MLP."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.norm_last = sizes.norm_last
        steps: list[nn.Module] = [MLP(sizes.width, sizes.hidden)]
        if sizes.attention:
            steps.insert(0, Attention(sizes.width, sizes.heads))
        self.steps = nn.ModuleList(steps)
        self.norms = nn.ModuleList(nn.LayerNorm(sizes.width) for _ in steps)
        self.middle, self.end = nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map the stream (batch, positions, width) to its next state."""
        for k, (step, norm) in enumerate(zip(self.steps, self.norms, strict=True)):
            x = norm(x + step(x)) if self.norm_last else x + step(norm(x))
            if k < len(self.steps) - 1:
                x = self.middle(x)
        return self.end(x)


class Convolution(nn.Module):
    """A convolution of the feature maps of a picture, all in one row: (batch, width)."""

    def __init__(self, sizes: Sizes, first: bool) -> None:
        super().__init__()
        channels = sizes.width // SIDE**2
        self.first = first
        self.into = nn.Conv2d(1 if first else channels, 16, 3, stride=2 if first else 1, padding=1)
        self.out = nn.Conv2d(16, channels, 3, padding=1)
        self.end = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """From pixels (batch, 64) if it is the first, otherwise from the one before (batch, width)."""
        maps = x.unflatten(-1, (1, 2 * SIDE, 2 * SIDE) if self.first else (-1, SIDE, SIDE))
        new = self.out(torch.relu(self.into(maps))).flatten(1)
        return self.end(new if self.first else x + new)


class Part(nn.Module):
    """Embeddings of all numbers, and blocks; answers are read by `readouts` after some of the blocks.

    Parameters
    ----------
    sizes : Sizes
    ends : sequence of int
        After how many blocks each of its functions ends; the last of them is the number of blocks.
    adapted : bool
        Whether the stream of the part before, through an MLP, can stand for the first number.
    """

    def __init__(self, sizes: Sizes, ends: Sequence[int], adapted: bool = False) -> None:
        super().__init__()
        width = sizes.width
        self.attention = sizes.attention
        self.convolutions = nn.ModuleList(Convolution(sizes, k == 0) for k in range(sizes.convolutions))
        self.first = nn.Linear(width, width) if sizes.convolutions else nn.Embedding(sizes.p, width)
        self.operands = nn.ModuleList(nn.Embedding(sizes.p, width) for _ in range(sizes.operands))
        self.position = nn.Parameter(torch.randn(1 + sizes.operands, width) * 0.5)
        self.adapter = nn.Sequential(nn.LayerNorm(width), MLP(width, sizes.hidden)) if adapted else None
        self.start = nn.Identity()
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(ends[-1]))
        self.readouts = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, sizes.p)) for _ in ends
        )
        self.ends = tuple(ends)

    def begin(self, first: Tensor, numbers: Tensor, adapted: bool = False) -> Tensor:
        """The stream before the first block.

        Parameters
        ----------
        first : Tensor
            Numbers (batch,), pictures (batch, 64), or if `adapted` the stream of the part before.
        numbers : Tensor of int, shape (batch, operands)

        Returns
        -------
        Tensor, shape (batch, positions, width)
        """
        for convolution in self.convolutions:
            first = convolution(first)
        head = self.adapter(first[:, 0]) if adapted and self.adapter is not None else self.first(first)
        rest = [table(numbers[:, k]) for k, table in enumerate(self.operands)]
        tokens = torch.stack([head, *rest], dim=1)
        return self.start(tokens + self.position if self.attention else tokens.sum(dim=1, keepdim=True))

    def run(self, x: Tensor, first: int, last: int) -> Tensor:
        """The stream after the blocks [first, last)."""
        for block in self.blocks[first:last]:
            x = block(x)
        return x

    def answer(self, x: Tensor, function: int) -> Tensor:
        """Logits (batch, p) of one of its functions, from the stream where that ends."""
        return self.readouts[function](x[:, 0])


class KnownNetwork(nn.Module):
    """Parts in a row, each of which computes one function or more.

    Parameters
    ----------
    sizes : Sizes
    parts : sequence of sequences of int
        For each part, after how many of its blocks each of its functions ends.
    adapted : bool
        Parts hand on their stream through an adapter, instead of their answer.
    pictures : Tensor, optional
        Pixels (n, 64) of all pictures; the first number of an input is then the number of a picture.
    seed : int
        Of the initial weights; torch's global generator is left alone.
    """

    def __init__(
        self,
        sizes: Sizes,
        parts: Sequence[Sequence[int]],
        adapted: bool = False,
        pictures: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.adapted = adapted
        self.register_buffer("pictures", pictures, persistent=False)
        later = Sizes(**{**vars(sizes), "convolutions": 0})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.parts = nn.ModuleList(
                Part(later if k else sizes, ends, adapted and k > 0) for k, ends in enumerate(parts)
            )

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, p) of the last function for integers (batch, 1 + operands)."""
        carried = None
        for k, part in enumerate(self.parts):
            x = part.run(self.entered(inputs, k, carried, self.adapted), 0, len(part.blocks))
            carried = x if self.adapted else part.answer(x, -1).argmax(dim=1)
        return part.answer(x, -1)

    def entered(self, inputs: Tensor, part: int, carried: Tensor | None, adapted: bool) -> Tensor:
        """The stream (batch, positions, width) with which a part begins.

        Parameters
        ----------
        inputs : Tensor of int, shape (batch, 1 + operands)
        part : int
        carried : Tensor, optional
            What the part before hands on; None for the first part.
        adapted : bool
            Whether that is its stream (batch, positions, width), and not its answer (batch,).
        """
        if carried is None:
            carried = inputs[:, 0] if self.pictures is None else self.pictures[inputs[:, 0]]
        return self.parts[part].begin(carried, inputs[:, 1:], adapted and part > 0)

    def points(self) -> list[tuple[str, str, int, int]]:
        """Each layer that can be compared, in order: its name, its kind, its part and its stage.

        Stages are counted over all parts. Kinds are "convolution", "embedding", "middle", "hidden"
        and "end".
        """
        found, before = [], 0
        for k, part in enumerate(self.parts):
            here = [(f"convolutions.{c}.end", "convolution", 0) for c in range(len(part.convolutions))]
            here.append(("start", "embedding", 0))
            for b, block in enumerate(part.blocks):
                stage = sum(b >= end for end in part.ends)
                if len(block.steps) > 1:
                    here.append((f"blocks.{b}.middle", "middle", stage))
                here.append((f"blocks.{b}.steps.{len(block.steps) - 1}.hidden", "hidden", stage))
                here.append((f"blocks.{b}.end", "end", stage))
            found += [(f"parts.{k}.{name}", kind, k, before + stage) for name, kind, stage in here]
            before += len(part.ends)
        return found
