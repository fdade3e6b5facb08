"""Soft assignments: a kernel brought to equal sums. Works on one matrix or on many at once."""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST = 1e-30


def soft_kernel(benefit: Tensor, temperature: Tensor | float) -> Tensor:
    """``exp(benefit / temperature)``, (..., n, n), each row divided by its largest entry."""
    kernel = benefit - benefit.amax(dim=-1, keepdim=True)
    kernel /= temperature
    return kernel.clamp_(min=-80.0).exp_()  # e^-80 is still a number in single precision


def balance(kernel: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """Sinkhorn's algorithm: factors (..., n) and (..., n) that bring row and column sums near one."""
    columns = torch.ones_like(kernel[..., 0, :])
    for _ in range(rounds):
        rows = (kernel @ columns[..., None])[..., 0].clamp_(min=SMALLEST).reciprocal_()
        columns = (rows[..., None, :] @ kernel)[..., 0, :].clamp_(min=SMALLEST).reciprocal_()
    return rows, columns
