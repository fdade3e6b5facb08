"""Many pairs of layers at once, on a graphics card or any other PyTorch device.

The same search as for one pair, but what has no batched form is replaced: a soft plan is
made hard by matching best with best, and no Frank-Wolfe steps are taken. The result is a
matching that no exchange improves, not a fixed point of Frank-Wolfe; the costs
are measured in double precision all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from funcsim.gromov.graduated_assignment import graduated_assignment
from funcsim.gromov.space import MetricSpace
from funcsim.gromov.two_opt import rearranged, two_opt

Pair = tuple[int, int]

VERSION = "batched/1"

#: Working arrays of one pair, in units of one (n, n) matrix in single precision.
ARRAYS_PER_PAIR = 16
CPU_BYTES = 2**30


def solve_batch(
    rows: list[MetricSpace], columns: list[MetricSpace], pairs: list[Pair], device: str | torch.device
) -> Iterator[tuple[Pair, list[float]]]:
    """Yield each pair (i, j) with the distance of ``rows[i]`` and ``columns[j]``, and a lower bound.

    Parameters
    ----------
    rows, columns : list of MetricSpace
        With n points each.
    pairs : list of (int, int)
    device : str or torch.device
        Memory on it: one (n, n) matrix per layer, and as many pairs at once as fit.

    Yields
    ------
    (int, int), [float, float]
        In the order of `pairs`.
    """
    device = torch.device(device)
    left = _Stack(rows, device)
    right = left if columns is rows else _Stack(columns, device)
    size = chunk_size(rows[0].n, device)
    for begin in range(0, len(pairs), size):
        chunk = pairs[begin : begin + size]
        i, j = (torch.tensor(side, device=device) for side in zip(*chunk, strict=True))
        match = _best_matches(left, right, i, j)
        for pair, permutation in zip(chunk, match, strict=True):
            yield pair, _interval(left, right, pair, permutation)


def chunk_size(n: int, device: torch.device) -> int:
    """How many pairs of n points fit on a device at once: at least one."""
    free = torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else CPU_BYTES
    return max(1, int(free // (4 * n * n * ARRAYS_PER_PAIR)))


class _Stack:
    """Layers side by side on a device; double precision stays where the costs are measured."""

    def __init__(self, spaces: list[MetricSpace], device: torch.device) -> None:
        def stack(name: str, dtype: torch.dtype) -> Tensor:
            return torch.stack(
                [torch.as_tensor(getattr(s, name), dtype=dtype, device=device) for s in spaces]
            )

        self.single = stack("single", torch.float32)
        self.factors = stack("factors", torch.float32)
        self.weights = stack("weights", torch.float32)
        self.eigenvalues = stack("eigenvalues", torch.float64)
        self.means = stack("eccentricity", torch.float64)
        self.scale = torch.tensor([s.scale for s in spaces], dtype=torch.float64, device=device)
        self.spaces = spaces
        self.device = device

    def distances(self, k: int) -> Tensor:
        return torch.as_tensor(self.spaces[k].distances, device=self.device)


def _best_matches(left: _Stack, right: _Stack, i: Tensor, j: Tensor) -> Tensor:
    """The best end (b, n) of three searches for each of b pairs."""
    A, B = left.single[i], right.single[j]
    mean_a, mean_b = ((s.means[k] / s.scale[k, None]).float() for s, k in ((left, i), (right, j)))
    weights = left.weights[i], right.weights[j]
    soft = graduated_assignment(mean_a, mean_b, left.factors[i], right.factors[j], *weights)
    b, n = mean_a.shape
    by_distance = torch.empty_like(mean_a, dtype=torch.long)
    by_distance.scatter_(1, mean_a.argsort(dim=1, stable=True), mean_b.argsort(dim=1, stable=True))
    identity = torch.arange(n, device=A.device).expand(b, n)
    best, most = identity, torch.full((b,), -torch.inf, device=A.device)
    for start in (greedy_mutual_matching(soft), by_distance, identity):
        match = two_opt(A, B, start)
        agreement = (A * rearranged(B, match)).sum(dim=(1, 2))
        best = torch.where((agreement > most)[:, None], match, best)
        most = torch.maximum(agreement, most)
    return best


def greedy_mutual_matching(benefit: Tensor) -> Tensor:
    """A permutation (b, n) from benefits (b, n, n): again and again, match those who prefer each other."""
    benefit = benefit.clone()
    b, n, _ = benefit.shape
    here = torch.arange(n, device=benefit.device).expand(b, n)
    match = torch.full((b, n), -1, dtype=torch.long, device=benefit.device)
    while (match < 0).any():
        choice, answer = benefit.argmax(dim=2), benefit.argmax(dim=1)
        mutual = (torch.gather(answer, 1, choice) == here) & (match < 0)
        if not mutual.any():  # ties: what is left is matched in order, and exchanges do the rest
            taken = _marked(match.clamp(min=0), match >= 0)
            for k in range(b):
                match[k, match[k] < 0] = (~taken[k]).nonzero()[:, 0]
            break
        match = torch.where(mutual, choice, match)
        gone = _marked(choice, mutual)
        benefit.masked_fill_(mutual[:, :, None] | gone[:, None, :], -torch.inf)
    return match


def _marked(where: Tensor, yes: Tensor) -> Tensor:
    """A mask (b, n) that is true where some entry with `yes` points."""
    return torch.zeros_like(where).scatter_reduce_(1, where, yes.long(), "amax").bool()


def _interval(left: _Stack, right: _Stack, pair: Pair, match: Tensor) -> list[float]:
    """Distance of a matching (n,), and the eigenvalue bound, in double precision."""
    i, j = pair
    D1, D2 = left.distances(i), right.distances(j)
    distance = ((D1 - D2[match][:, match]) ** 2).mean().sqrt()
    n = len(match)
    spread = ((left.eigenvalues[i] - right.eigenvalues[j]) ** 2).sum() / n**2
    rows = [s.means[k].sort().values for s, k in ((left, i), (right, j))]
    middle = rows[0].mean() - rows[1].mean()
    bound = (spread + 2 * ((rows[0] - rows[1] - middle) ** 2).mean() + middle**2).sqrt()
    return [float(distance), min(float(bound), float(distance))]
