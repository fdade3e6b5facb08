"""Soft assignments: a Gibbs kernel, scaled to equal sums. Works on one matrix or on many at once."""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST_SUM = 1e-30


def gibbs_kernel(benefit: Tensor, temperature: Tensor | float) -> Tensor:
    """``exp(benefit / temperature)``, (..., n, n), each row divided by its largest entry."""
    kernel = benefit - benefit.amax(dim=-1, keepdim=True)
    kernel /= temperature
    return kernel.clamp_(min=-80.0).exp_()  # e^-80 is still a number in single precision


def sinkhorn_scaling(kernel: Tensor, rounds: int, columns: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Sinkhorn's algorithm: scaling factors (..., n) and (..., n) that bring row and column sums near one.

    It begins with the factors `columns` (..., n) where they are nearly known, else with ones.
    """
    columns = torch.ones_like(kernel[..., 0, :]) if columns is None else columns
    for _ in range(rounds):
        rows = (kernel @ columns[..., None])[..., 0].clamp_(min=SMALLEST_SUM).reciprocal_()
        columns = (rows[..., None, :] @ kernel)[..., 0, :].clamp_(min=SMALLEST_SUM).reciprocal_()
    return rows, columns
