"""The sixty networks whose boundaries are known, in eight families; thirty have none (claims C33, C36).

A design says which functions follow one another, in how many blocks each, and how each takes over from
the one before: inside one stream, behind an adapter, or embedded again.

Taught in chapter 13.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from torch import Tensor

from replication.known.tasks import HANDED_ON, Operation
from replication.known.training import Recipe
from replication.models.known_network import KnownNetwork, Sizes

MLP, ATTENTION, NORM_LAST = Sizes(p=17), Sizes(p=17, attention=True), Sizes(p=17, norm_last=True)
PICTURES = Sizes(p=10, convolutions=3)
NUMBERS = Recipe(steps=4000, checks=4, enough=0.995)
#: Pictures that were not seen in training are not all read right, so training would never be ended.
READING = Recipe(steps=1000, checks=4, enough=0.96)


@dataclass(frozen=True)
class Design:
    """A network, and what it learns.

    Attributes
    ----------
    blocks : tuple of tuple of int
        For each part, how many blocks each of its stages has.
    operations : tuple of str
        What each stage computes, over all parts.
    sizes : Sizes
    recipe : Recipe
    adapted : bool
        Parts are joined by linear adapters; otherwise by answers that are embedded again.
    trained : bool
    least : float
        A network has learned if every stage has at least this held-out accuracy.
    n_train : int
        Inputs to train on, at most.
    """

    blocks: tuple[tuple[int, ...], ...]
    operations: tuple[Operation, ...]
    sizes: Sizes = MLP
    recipe: Recipe = NUMBERS
    adapted: bool = False
    trained: bool = True
    least: float = 0.9
    n_train: int = 60_000

    def __post_init__(self) -> None:
        if len(self.operations) != sum(map(len, self.blocks)):
            raise ValueError(
                f"{len(self.operations)} operations for stages of {self.blocks} blocks; give one each"
            )

    def network(self, pictures: Tensor | None, seed: int) -> KnownNetwork:
        """The network before training."""
        ends = [[sum(part[: k + 1]) for k in range(len(part))] for part in self.blocks]
        return KnownNetwork(self.sizes, ends, self.adapted, pictures, seed)

    @property
    def functions(self) -> tuple[int, ...]:
        """For each stage the number of its function: a stage that only hands on computes none of its own."""
        if not self.trained:
            return (0,) * len(self.operations)
        new = [k > 0 and operation not in HANDED_ON for k, operation in enumerate(self.operations)]
        return tuple(sum(new[: k + 1]) for k in range(len(new)))

    @property
    def n_functions(self) -> int:
        """How many functions follow one another."""
        return self.functions[-1] + 1

    def tiny(self) -> Design:
        """The same, small enough to train in a second."""
        sizes = replace(self.sizes, p=min(self.sizes.p, 10), width=16, hidden=16, heads=2, operands=2)
        recipe = replace(self.recipe, steps=4, check_every=2, batch=16)
        return replace(self, sizes=sizes, recipe=recipe, least=0.0, n_train=64)

    def to_dict(self) -> dict[str, object]:
        """All that the network depends on, in JSON's types."""
        return asdict(self)


def _stages(text: str) -> tuple[tuple[tuple[int, ...], ...], tuple[Operation, ...]]:
    """Blocks and operations from, say, "4 sum, 2 table | 2 same": commas in a part, bars between parts."""
    parts = [[stage.split() for stage in part.split(",")] for part in text.split("|")]
    blocks = tuple(tuple(int(n) for n, _ in part) for part in parts)
    return blocks, tuple(operation for part in parts for _, operation in part)  # type: ignore[misc]


def _design(text: str, sizes: Sizes = MLP, **more: object) -> Design:
    blocks, operations = _stages(text)
    if sizes.convolutions:
        more = {"recipe": READING} | more
    return Design(blocks, operations, sizes, **more)  # type: ignore[arg-type]


CHAINS = {
    "4-4": _design("4 sum | 4 table"),
    "3-5": _design("3 table | 5 difference"),
    "5-3": _design("5 table | 3 sum"),
    "2-6 attention": _design("2 sum | 6 table", ATTENTION),
    "3-3-2": _design("3 table | 3 sum | 2 table"),
    "2-3-3": _design("2 sum | 3 table | 3 difference"),
    "2-2-4 attention": _design("2 table | 2 sum | 4 table", ATTENTION),
    "3-3-3 norm last": _design("3 sum | 3 table | 3 difference", NORM_LAST),
    "2-2-2-2": _design("2 table | 2 sum | 2 table | 2 difference"),
    "3-2-2-3": _design("3 sum | 2 table | 2 difference | 3 table"),
}
STREAMS = {
    "4-4": _design("4 sum, 4 table"),
    "3-5": _design("3 table, 5 difference"),
    "5-3": _design("5 table, 3 sum"),
    "2-6": _design("2 sum, 6 table"),
    "6-2": _design("6 table, 2 table"),
    "4-4 attention": _design("4 table, 4 sum", ATTENTION),
    "3-5 attention": _design("3 sum, 5 table", ATTENTION),
    "4-4 norm last": _design("4 sum, 4 table", NORM_LAST),
    "3-3-2": _design("3 table, 3 sum, 2 table"),
    "2-3-3": _design("2 sum, 3 table, 3 difference"),
    "2-2-4 attention": _design("2 table, 2 sum, 4 table", ATTENTION),
    "2-2-2-2": _design("2 table, 2 sum, 2 table, 2 difference"),
}
JOINED = {
    "4-4": _design("4 sum | 4 table", adapted=True),
    "3-5": _design("3 table | 5 difference", adapted=True),
    "4-4 attention": _design("4 table | 4 sum", ATTENTION, adapted=True),
    "3-3-3": _design("3 sum | 3 table | 3 difference", adapted=True),
}
READERS = {
    "2-4": _design("2 read, 4 sum", PICTURES),
    "1-5": _design("1 read, 5 table", PICTURES),
    "2-3-3": _design("2 read, 3 sum, 3 table", PICTURES),
    "3-3 embedded again": _design("3 read | 3 table", PICTURES),
}
HANDED = {
    "4-4 same": _design("4 sum | 4 same"),
    "3-5 same": _design("3 table | 5 same"),
    "4-4 permutation": _design("4 table | 4 permutation"),
    "5-3 permutation": _design("5 sum | 3 permutation"),
    "4-4 permutation attention": _design("4 table | 4 permutation", ATTENTION),
    "3-3-2 same permutation": _design("3 table | 3 same | 2 permutation"),
    "4-4 same stream": _design("4 sum, 4 same"),
    "3-5 permutation stream": _design("3 table, 5 permutation"),
    "4-4 permutation stream attention": _design("4 sum, 4 permutation", ATTENTION),
    "3-3-2 permutation same stream": _design("3 table, 3 permutation, 2 same"),
}
ONE_FUNCTION = {
    "8 sum": _design("8 sum"),
    "8 table": _design("8 table"),
    "12 table": _design("12 table"),
    "12 difference": _design("12 difference"),
    "8 sum attention": _design("8 sum", ATTENTION),
    "8 table attention": _design("8 table", ATTENTION),
    "8 table norm last": _design("8 table", NORM_LAST),
    "5 read": _design("5 read", PICTURES),
}
UNTRAINED = {
    f"{family} {name}": replace(designs[name], trained=False)
    for family, designs, name in (
        ("chain", CHAINS, "4-4"),
        ("chain", CHAINS, "3-3-2"),
        ("chain", CHAINS, "2-2-4 attention"),
        ("stream", STREAMS, "4-4"),
        ("stream", STREAMS, "4-4 attention"),
        ("reader", READERS, "2-4"),
    )
}
RANDOM_LABELS = {
    "8": _design("8 random", n_train=300),
    "8 of 600": _design("8 random", n_train=600),
    "12": _design("12 random", n_train=300),
    "8 attention": _design("8 random", ATTENTION, n_train=300),
    "8 norm last": _design("8 random", NORM_LAST, n_train=300),
    "12 of 600": _design("12 random", n_train=600),
}
#: Name of a family -> name of a design -> design.
FAMILIES = {
    "chains": CHAINS,
    "streams": STREAMS,
    "joined": JOINED,
    "readers": READERS,
    "handed-on": HANDED,
    "one-function": ONE_FUNCTION,
    "untrained": UNTRAINED,
    "random-labels": RANDOM_LABELS,
}
