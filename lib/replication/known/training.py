"""Training of a network of known boundaries, one function after the other (claim C33).

Each function is learned by blocks of its own and a readout, with everything before them frozen. Operands
that a later function of the same part takes are to stay readable, by linear readouts that are thrown
away. Whether a function was learned is decided on inputs that are held out.

Taught in chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from replication.known.tasks import Data, Operation, operand_of
from replication.models.known_network import KnownNetwork, Part

#: From the rows of a batch to the stream there: (batch, positions, width).
Stream = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Recipe:
    """How each function is trained.

    Attributes
    ----------
    steps : int
        At most. Training ends earlier once the held-out accuracy was at least `enough` in so many `checks`
        in a row.
    batch, check_every, checks : int
    enough : float
    lr, weight_decay : float
        Of AdamW. The learning rate rises in 50 steps and falls to a tenth by the end.
    keep : float
        Weight of the loss by which operands stay readable.
    """

    steps: int = 2000
    batch: int = 256
    check_every: int = 50
    checks: int = 2
    enough: float = 0.998
    lr: float = 3e-3
    weight_decay: float = 0.05
    keep: float = 0.3

    def lr_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        return self.lr * min((step + 1) / 50, 1 - 0.9 * step / self.steps)


@dataclass(frozen=True)
class Learned:
    """Held-out accuracy of a function, given what the network before it really hands on; steps it took."""

    accuracy: float
    steps: int


class Samples:
    """Inputs, the answers of all functions, and the stream as far as the network is trained."""

    def __init__(self, network: KnownNetwork, inputs: Tensor, answers: Tensor) -> None:
        self.network, self.inputs, self.answers = network, inputs, answers
        self.stream: Tensor | None = None  # behind the blocks that are trained; None before the first

    def __len__(self) -> int:
        return len(self.inputs)

    def embedded(self, part: int, adapted: bool) -> Stream:
        """The stream with which a part begins, of the rows asked for."""
        carried = None
        if part:
            assert self.stream is not None
            before = self.network.parts[part - 1]
            carried = self.stream if adapted else before.answer(self.stream, -1).argmax(dim=1)
        return lambda rows: self.network.entered(
            self.inputs[rows], part, None if carried is None else carried[rows], adapted
        )

    def frozen(self) -> Stream:
        """The stream behind what is trained."""
        stream = self.stream
        assert stream is not None
        return lambda rows: stream[rows]


def train(
    network: KnownNetwork, operations: tuple[Operation, ...], data: Data, recipe: Recipe, seed: int
) -> list[Learned]:
    """Train all functions of a network in place; how well each was learned."""
    train_set = Samples(network, data.train_inputs, data.train_answers)
    test_set = Samples(network, data.test_inputs, data.test_answers)
    found: list[Learned] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for k, part in enumerate(network.parts):
            first = 0
            for j, last in enumerate(part.ends):
                function = len(found)
                starts = [s.frozen() if j else s.embedded(k, False) for s in (train_set, test_set)]
                kept = _needed(operations, function, len(part.ends) - j, data.train_inputs.shape[1] - 1)
                fit = _Fit(part, j, first, last, train_set, test_set, function, kept, recipe)
                learned = fit(starts, _learning(part, j, first, last))
                if part.adapter is not None:
                    starts = [s.embedded(k, True) for s in (train_set, test_set)]
                    learned = fit(starts, [*part.adapter.parameters()])
                found.append(learned)
                for samples, start in zip((train_set, test_set), starts, strict=True):
                    samples.stream = _ran(part, start, first, last, len(samples))
                first = last
    return found


def _needed(operations: tuple[Operation, ...], function: int, left: int, operands: int) -> list[int]:
    """The operands of the functions that still follow in the same part."""
    later = [operand_of(operations, k, operands) for k in range(function + 1, function + left)]
    return sorted({operand for operand in later if operand is not None})


def _learning(part: Part, function: int, first: int, last: int) -> list[nn.Parameter]:
    """What a function of a part trains: its blocks and readout, and if it is the first the embeddings."""
    modules: list[nn.Module] = [*part.blocks[first:last], part.readouts[function]]
    if function == 0:
        modules += [part.convolutions, part.first, part.operands]
    return [p for module in modules for p in module.parameters()] + [part.position] * (function == 0)


@torch.no_grad()
def _ran(part: Part, start: Stream, first: int, last: int, n: int) -> Tensor:
    return torch.cat([part.run(start(rows), first, last) for rows in torch.arange(n).split(1024)])


@dataclass(frozen=True)
class _Fit:
    """The training of one function of a part."""

    part: Part
    function: int
    first: int
    last: int
    train_set: Samples
    test_set: Samples
    column: int
    kept: list[int]
    recipe: Recipe

    def __call__(self, starts: list[Stream], learning: list[nn.Parameter]) -> Learned:
        """Train these parameters from streams to train on and held out."""
        recipe, width = self.recipe, self.part.operands[0].embedding_dim
        p = self.part.readouts[0][1].out_features
        keepers = nn.ModuleList(nn.Sequential(nn.LayerNorm(width), nn.Linear(width, p)) for _ in self.kept)
        optimizer = torch.optim.AdamW(  # fused: a third less time for networks this small
            [*learning, *keepers.parameters()], lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True
        )
        targets, right, step = self.train_set.answers[:, self.column], 0, 0
        batch = min(recipe.batch, len(targets))
        while step < recipe.steps and right < recipe.checks:
            optimizer.param_groups[0]["lr"] = recipe.lr_at(step)
            rows = torch.randint(len(targets), (batch,))
            stream = self.part.run(starts[0](rows), self.first, self.last)
            loss = cross_entropy(self.part.answer(stream, self.function), targets[rows])
            for operand, keeper in zip(self.kept, keepers, strict=True):
                numbers = self.train_set.inputs[rows, 1 + operand]
                loss = loss + recipe.keep * cross_entropy(keeper(stream[:, 0]), numbers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step % recipe.check_every == 0:
                right = right + 1 if self._accuracy(starts[1]) >= recipe.enough else 0
        for parameter in learning:
            parameter.grad = None
        return Learned(self._accuracy(starts[1]), step)

    @torch.no_grad()
    def _accuracy(self, start: Stream) -> float:
        """On what is held out."""
        stream = _ran(self.part, start, self.first, self.last, len(self.test_set))
        predicted = self.part.answer(stream, self.function).argmax(dim=1)
        return (predicted == self.test_set.answers[:, self.column]).double().mean().item()
