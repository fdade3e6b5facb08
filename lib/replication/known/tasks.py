"""What the networks of known boundaries compute: functions of small integers, one upon the other (claim C33).

An input is a first number, or the picture of one, and three operands. The first function takes the first
number and the first operand; each later one the answer before it and the next operand, in turn.

Taught in chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from sklearn.datasets import load_digits
from torch import Tensor

Operation = Literal["read", "sum", "difference", "table", "same", "permutation", "random"]
#: Operations that hand on what is there already: under another name, at most.
HANDED_ON = ("same", "permutation")
#: Operations that take an operand.
COMBINING = ("sum", "difference", "table")
TRAIN_SHARE = 0.8
N_TRAIN, N_TEST = 60_000, 2_000


@dataclass(frozen=True)
class Data:
    """Inputs (n, 1 + operands), and what each function answers (n, functions): to train on, and held out."""

    train_inputs: Tensor
    train_answers: Tensor
    test_inputs: Tensor
    test_answers: Tensor


@lru_cache
def digits() -> tuple[Tensor, Tensor]:
    """Pixels (1797, 64) of scikit-learn's digits, between 0 and 1, and what they show (1797,)."""
    pixels, shown = load_digits(return_X_y=True)
    return torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(shown)


def apply(operation: Operation, x: Tensor, y: Tensor, p: int, generator: torch.Generator) -> Tensor:
    """One function of integers (n,) below `p`; what is random in it is drawn from `generator`.

    "table" is a Latin square: sums of two numbers that are renamed at random, with renamed answers.
    """
    if operation in ("read", "same"):
        return x
    names = [torch.randperm(p, generator=generator) for _ in range(3)]
    if operation == "permutation":
        return names[0][x]
    if operation == "random":
        return torch.randint(p, x.shape, generator=generator)
    if operation == "difference":
        return (x - y) % p
    if operation == "sum":
        return (x + y) % p
    return names[2][(names[0][x] + names[1][y]) % p]


def operand_of(operations: tuple[Operation, ...], function: int, operands: int) -> int | None:
    """Which operand a function takes: operands come in turn; None if it takes none."""
    if operations[function] not in COMBINING:
        return None
    return sum(one in COMBINING for one in operations[:function]) % operands


def make_data(
    operations: tuple[Operation, ...],
    p: int,
    operands: int,
    seed: int,
    n_train: int = N_TRAIN,
    n_test: int = N_TEST,
) -> Data:
    """Draw inputs without replacement, most for training, and answer all functions.

    Parameters
    ----------
    operations : tuple of str
        With "read" as the first, the first number of an input is the number of a picture; those held out
        are of other pictures.
    p, operands, seed, n_train, n_test : int
        With labels at random there is nothing to hold out: the inputs to train on are taken for both.
    """
    generator = torch.Generator().manual_seed(seed)
    if operations[0] == "read":
        shown = digits()[1]
        order = torch.randperm(len(shown), generator=generator)
        split = int(TRAIN_SHARE * len(shown))
        pools = [order[:split], order[split:]]
        drawn = [
            torch.cat(
                [
                    pool[torch.randint(len(pool), (n, 1), generator=generator)],
                    torch.randint(p, (n, operands), generator=generator),
                ],
                dim=1,
            )
            for pool, n in zip(pools, (n_train, n_test), strict=True)
        ]
        first = [shown[inputs[:, 0]] for inputs in drawn]
    else:
        every = torch.cartesian_prod(*[torch.arange(p)] * (1 + operands))
        order = torch.randperm(len(every), generator=generator)
        split = int(TRAIN_SHARE * len(every))
        drawn = [every[order[:split][:n_train]], every[order[split:][:n_test]]]
        if operations == ("random",):
            drawn[1] = drawn[0]
        first = [inputs[:, 0] for inputs in drawn]
    tables = int(torch.randint(2**31, (), generator=generator))
    answers = [_answers(operations, a, b[:, 1:], p, tables) for a, b in zip(first, drawn, strict=True)]
    return Data(drawn[0], answers[0], drawn[1], answers[1])


def _answers(operations: tuple[Operation, ...], first: Tensor, numbers: Tensor, p: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)  # the same tables for what is trained and held out
    x, found = first, []
    for k, operation in enumerate(operations):
        operand = operand_of(operations, k, numbers.shape[1])
        x = apply(operation, x, numbers[:, operand or 0], p, generator)
        found.append(x)
    return torch.stack(found, dim=1)
