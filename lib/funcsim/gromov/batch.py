"""Many pairs of layers at once, on a graphics card or any other PyTorch device.

The same starts as for one pair, but what has no batched form is replaced: a soft plan is
made hard by matching best with best, and no Frank-Wolfe steps are taken. The result is a
matching that no exchange improves, not a fixed point of Frank-Wolfe; the costs
are measured in double precision all the same. So the values differ from those of the processor.
For pairs of 256 samples of random, trained and real layers the distances lay 0.2 to 1.6 % higher on
average, at effort "usual" between 3 % lower and 10 % higher (with ties), at "thorough" between 1 % lower
and 4 % higher.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from funcsim.gromov.effort import REHEATING_STEPS, Effort, Plan, check_effort
from funcsim.gromov.entropic import TEMPERATURES, entropic_plan
from funcsim.gromov.graduated_assignment import graduated_assignment
from funcsim.gromov.space import MetricSpace, comes_first, from_the_middle
from funcsim.gromov.two_opt import rearranged, two_opt

Pair = tuple[int, int]

VERSION = "batched/3"

#: How often a matching is made soft again where that is repeated: on a device, all pairs together.
REHEATINGS = 4

#: Working arrays of one pair, in units of one (n, n) matrix in single precision.
ARRAYS_PER_PAIR = 16
CPU_BYTES = 2**30


def solve_batch(
    rows: list[MetricSpace],
    columns: list[MetricSpace],
    pairs: list[Pair],
    device: str | torch.device,
    effort: Effort = "usual",
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
    device, plan = torch.device(device), check_effort(effort)
    first_column = 0 if columns is rows else len(rows)
    stack = _Stack(rows if columns is rows else [*rows, *columns], device)
    size = chunk_size(rows[0].n, device)
    for begin in range(0, len(pairs), size):
        chunk = pairs[begin : begin + size]
        turned = [one_way_round(rows, columns, i, j, first_column) for i, j in chunk]
        i, j = (torch.tensor(side, device=device) for side in zip(*turned, strict=True))
        match = _best_matches(stack, i, j, plan)
        for pair, (first, second), permutation in zip(chunk, turned, match, strict=True):
            yield pair, _interval(stack, first, second, permutation)


def one_way_round(
    rows: list[MetricSpace], columns: list[MetricSpace], i: int, j: int, first_column: int
) -> Pair:
    """Places of a pair in the stack, in the order in which it is solved, whoever is named first."""
    return (i, first_column + j) if comes_first(rows[i], columns[j]) else (first_column + j, i)


def chunk_size(n: int, device: torch.device) -> int:
    """How many pairs of n points fit on a device at once: at least one."""
    free = torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else CPU_BYTES
    return max(1, int(free // (4 * n * n * ARRAYS_PER_PAIR)))


class _Stack:
    """Layers side by side on a device; double precision stays where the costs are measured."""

    def __init__(self, given: list[MetricSpace], device: torch.device) -> None:
        spaces = [from_the_middle(space) for space in given]

        def stack(name: str, dtype: torch.dtype) -> Tensor:
            return torch.stack(
                [torch.as_tensor(getattr(s, name), dtype=dtype, device=device) for s in spaces]
            )

        self.single = stack("single", torch.float32)
        self.factors = stack("factors", torch.float32)
        self.weights = stack("weights", torch.float32)
        self.eigenvalues = stack("eigenvalues", torch.float64)
        self.means = stack("eccentricity", torch.float64)
        self.order = stack("order", torch.long)
        self.scale = torch.tensor([s.scale for s in spaces], dtype=torch.float64, device=device)
        self.spaces = spaces
        self.device = device

    def distances(self, k: int) -> Tensor:
        return torch.as_tensor(self.spaces[k].distances, device=self.device)


def _best_matches(stack: _Stack, i: Tensor, j: Tensor, plan: Plan) -> Tensor:
    """The best end (b, n) of the searches of an effort, for each of b pairs."""
    A, B = stack.single[i], stack.single[j]
    mean_a, mean_b = ((stack.means[k] / stack.scale[k, None]).float() for k in (i, j))
    weights = stack.weights[i], stack.weights[j]
    soft = graduated_assignment(mean_a, mean_b, stack.factors[i], stack.factors[j], *weights)
    identity = torch.gather(stack.order[j].argsort(dim=1), 1, stack.order[i])
    by_distance = torch.arange(A.shape[-1], device=A.device).expand(identity.shape)
    starts = [greedy_mutual_matching(soft), by_distance, identity]
    starts += [
        greedy_mutual_matching(entropic_plan(A, B, TEMPERATURES[name]))
        for name in plan.starts
        if name in TEMPERATURES
    ]
    best, most = identity, torch.full((len(A),), -torch.inf, device=A.device)
    for start in starts:
        best, most = _better(A, B, best, most, start)
    for _ in range(REHEATINGS if plan.polishes_all else 1):
        for temperature in plan.reheated:
            whole = torch.zeros_like(A).scatter_(2, best[:, :, None], 1.0)
            soft = entropic_plan(A, B, temperature, whole, REHEATING_STEPS)
            best, most = _better(A, B, best, most, greedy_mutual_matching(soft))
    return best


def _better(A: Tensor, B: Tensor, best: Tensor, most: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """For each pair whichever is better: the best so far, or what exchanges make of a start (b, n)."""
    match = two_opt(A, B, start)
    agreement = (A * rearranged(B, match)).sum(dim=(1, 2))
    return torch.where((agreement > most)[:, None], match, best), torch.maximum(agreement, most)


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


def _interval(stack: _Stack, i: int, j: int, match: Tensor) -> list[float]:
    """Distance of a matching (n,), and the eigenvalue bound, in double precision."""
    D1, D2 = stack.distances(i), stack.distances(j)
    distance = ((D1 - D2[match][:, match]) ** 2).mean().sqrt()
    n = len(match)
    spread = ((stack.eigenvalues[i] - stack.eigenvalues[j]) ** 2).sum() / n**2
    rows = [stack.means[k].sort().values for k in (i, j)]
    middle = rows[0].mean() - rows[1].mean()
    bound = (spread + 2 * ((rows[0] - rows[1] - middle) ** 2).mean() + middle**2).sqrt()
    return [float(distance), min(float(bound), float(distance))]
