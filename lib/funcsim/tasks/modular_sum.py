"""The modular sum: all pairs (a, b) with the label (a + b) mod p, split once and for all.

Section 5.1 and appendix A of Gao et al.; p = 59 gives 3,481 pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Split:
    """Pairs of integers (n, 2) and their labels (n,), for training and for validation."""

    train_pairs: Tensor
    train_labels: Tensor
    val_pairs: Tensor
    val_labels: Tensor


def all_pairs(p: int) -> Tensor:
    """All p*p pairs (a, b) as an integer tensor (p*p, 2), a changing slowest."""
    numbers = torch.arange(p)
    return torch.cartesian_prod(numbers, numbers)


def modular_sum(pairs: Tensor, p: int) -> Tensor:
    """(a + b) mod p for integer pairs (n, 2)."""
    return pairs.sum(dim=1) % p


def split_pairs(p: int, train_fraction: float = 0.8, seed: int = 0) -> Split:
    """Split all pairs at random; the same seed always gives the same split.

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
    train, val = pairs[order[:n_train]], pairs[order[n_train:]]
    return Split(train, modular_sum(train, p), val, modular_sum(val, p))
