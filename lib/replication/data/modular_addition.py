"""Modular addition: all pairs (a, b), and what a network must say of them, level by level.

Section 5.1 and appendix A of Gao et al. Model 0 learns one sum. Models E and L learn three
nested ones, each on top of the one before:

    c_1 = (a + b) mod p_1,    c_2 = (c_1 + b) mod p_2,    c_3 = (c_2 + b) mod p_3.

The text that we have does not say which moduli the paper takes. If all are equal, c_3 is
the single sum (a + 3b) mod p, and a network need never compute the others. With moduli 59,
31 and 17 there is no such short cut.

Taught in chapter 04.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """One level: the level before, or a, combined with b; the remainder by a modulus."""

    modulus: int
    operation: Literal["sum", "product"] = "sum"

    def __call__(self, x: Tensor, b: Tensor) -> Tensor:
        """Apply the step to integer tensors (n,)."""
        return (x + b if self.operation == "sum" else x * b) % self.modulus

    def __str__(self) -> str:
        return f"{'+' if self.operation == 'sum' else '*'} b mod {self.modulus}"


SUM = (Step(59),)
EQUAL = (Step(59), Step(59), Step(59))
NESTED = (Step(59), Step(31), Step(17))


@dataclass(frozen=True)
class Split:
    """Inputs (n, ...) and their labels (n,), for training and for validation."""

    train_inputs: Tensor
    train_labels: Tensor
    val_inputs: Tensor
    val_labels: Tensor


def all_pairs(p: int) -> Tensor:
    """All p*p pairs (a, b) as an integer tensor (p*p, 2), a changing slowest."""
    numbers = torch.arange(p)
    return torch.cartesian_prod(numbers, numbers)


def levels(pairs: Tensor, steps: Sequence[Step]) -> Tensor:
    """What each level of a nested task says of integer pairs (n, 2): a tensor (n, n_levels)."""
    a, b = pairs.unbind(dim=1)
    values = [a]
    for step in steps:
        values.append(step(values[-1], b))
    return torch.stack(values[1:], dim=1)


def split_pairs(p: int, train_fraction: float = 0.8, seed: int = 0, steps: Sequence[Step] = ()) -> Split:
    """Split all pairs at random; the same seed always gives the same split.

    Parameters
    ----------
    p : int
        Pairs are of integers in [0, p).
    train_fraction : float
    seed : int
    steps : sequence of Step
        Labels are the last level of these; without them, (a + b) mod p.

    Raises
    ------
    ValueError
        If `train_fraction` leaves no pair for training or for validation.
    """
    pairs = all_pairs(p)
    n_train = int(train_fraction * len(pairs))
    if not 0 < n_train < len(pairs):
        raise ValueError(
            f"train_fraction={train_fraction} leaves {n_train} of {len(pairs)} pairs for "
            "training; it must leave some for training and some for validation"
        )
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed))
    labels = levels(pairs, steps or (Step(p),))[:, -1]
    train, val = order[:n_train], order[n_train:]
    return Split(pairs[train], labels[train], pairs[val], labels[val])
