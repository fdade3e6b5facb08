"""2-opt: improve a matching by exchanging the partners of two points, until no exchange helps.

The standard local search for quadratic assignment problems.

One matrix product gives the gain of all n(n-1)/2 exchanges. Those that are best for both
of their points are disjoint and are carried out together; if they do not add up, fewer are
taken. Works on many pairs at once, on any device.

Taught in chapter 02.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Gains below this share of a point's own part of the objective are rounding.
ROUNDING_OF_GAIN = 1e-6


def two_opt(A: Tensor, B: Tensor, match: Tensor) -> Tensor:
    """Descend to a matching that no exchange of two partners improves.

    Parameters
    ----------
    A, B : tensor (..., n, n), float32
        Symmetric distance matrices with mean near one; the leading axis counts pairs.
    match : tensor of int (..., n)
        Point i of A is matched with point match[i] of B.

    Returns
    -------
    tensor of int (..., n)
        The matchings at the end.
    """
    if A.dim() == 2:
        return two_opt(A[None], B[None], match[None])[0]
    match = match.clone()
    C = rearranged(B, match)
    M, exact = A @ C, True
    while True:
        gain, partner = _best_exchanges(A, C, M)
        order, C_next, improved = _as_many_as_improve(A, C, gain, partner)
        if not improved.any():
            if exact:
                return match
            M, exact = A @ C, True  # updates gather rounding: look once more before stopping
            continue
        match = torch.gather(match, -1, order)
        M, exact = _product_after(A, C, C_next, M, order)
        C = C_next
        if improved.sum() <= len(A) // 2:  # leave the finished ones behind
            rest = improved.nonzero()[:, 0]
            match[rest] = two_opt(A[rest], B[rest], match[rest])
            if not exact:
                done = (~improved).nonzero()[:, 0]
                match[done] = two_opt(A[done], B[done], match[done])
            return match


def rearranged(B: Tensor, order: Tensor) -> Tensor:
    """B (b, n, n) with rows and columns in a new order (b, n)."""
    b, n, _ = B.shape
    if b == 1:  # the same, without an index as large as the matrix
        return B[0].index_select(0, order[0]).index_select(1, order[0])[None]
    flat = order + n * torch.arange(b, device=B.device)[:, None]
    rows = B.reshape(b * n, n).index_select(0, flat.reshape(-1)).reshape(b, n, n)
    return torch.gather(rows, -1, order[:, None, :].expand(b, n, n))


def _best_exchanges(A: Tensor, C: Tensor, M: Tensor) -> tuple[Tensor, Tensor]:
    """Gain (b, n) of each point's best exchange, and the other point; zero unless mutual."""
    own = torch.diagonal(M, dim1=-2, dim2=-1)
    gains = M + M.transpose(-1, -2) - (own[:, :, None] + own[:, None, :])
    gains.addcmul_(A, C, value=2.0)
    gain, partner = gains.max(dim=-1)
    here = torch.arange(M.shape[-1], device=M.device)
    mutual = torch.gather(partner, -1, partner) == here
    worth = gain > ROUNDING_OF_GAIN * own.mean(dim=-1, keepdim=True)
    return torch.where(mutual & worth & (here < partner), gain, torch.zeros_like(gain)), partner


def _as_many_as_improve(A: Tensor, C: Tensor, gain: Tensor, partner: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Exchange the most promising points; for a pair of layers that does not gain, fewer of them."""
    b, n = gain.shape
    here = torch.arange(n, device=A.device).expand(b, n)
    rank = torch.empty_like(partner).scatter_(-1, gain.argsort(dim=-1, descending=True, stable=True), here)
    number = (gain > 0).sum(dim=-1)
    mutual = torch.gather(partner, -1, partner) == here
    # A gain within rounding is none: among equal distances the search would go round in circles.
    least = ROUNDING_OF_GAIN * (A * C).sum(dim=(-1, -2), dtype=torch.float64) / n
    while True:
        chosen = (gain > 0) & (rank < number[:, None])
        both = chosen | (mutual & torch.gather(chosen, -1, partner))
        order = torch.where(both, partner, here)
        C_next = rearranged(C, order)
        improved = ((C_next - C) * A).sum(dim=(-1, -2), dtype=torch.float64) > least
        failed = ~improved & (number > 0)
        if not failed.any():
            return order, C_next, improved
        fewer = torch.where(number > 1, (number // 4).clamp(min=1), 0)
        number = torch.where(failed, fewer, number)


def _product_after(A: Tensor, C: Tensor, C_next: Tensor, M: Tensor, order: Tensor) -> tuple[Tensor, bool]:
    """``A @ C_next``, by an update of low rank when few rows of C have moved; and whether it is exact."""
    b, n = order.shape
    moved = order != torch.arange(n, device=A.device)
    most = int(moved.sum(dim=-1).max())
    if most > n // 8:
        return A @ C_next, True
    rows = moved.to(A.dtype).topk(most, dim=-1).indices  # those that moved, then others that did not
    wide = rows[:, :, None].expand(b, most, n)
    come = torch.gather(C, -2, torch.gather(order, -1, rows)[:, :, None].expand(b, most, n))
    change = torch.gather(A, -2, wide).transpose(-1, -2) @ (come - torch.gather(C, -2, wide))
    if b == 1:
        return (M + change).index_select(2, order[0]), False
    return torch.gather(M + change, -1, order[:, None, :].expand(b, n, n)), False
