"""Entropic plan: the soft matching that is its own best answer at one temperature.

Graduated assignment cools from everything with everything, in the leading directions of both
clouds, and is hard at the end. Here the temperature stays where it is and all directions count: the
plan is exchanged for the soft assignment of its own benefits until it settles. It keeps more of the
shape than a matching can, and a descent from there ends lower than from most other places.

Source: Peyré, Cuturi, Solomon (2016), "Gromov-Wasserstein averaging of kernel and distance matrices".

Taught in chapter 02.
"""

from __future__ import annotations

from torch import Tensor, bool, ones_like, where, zeros_like

from funcsim.gromov.sinkhorn import gibbs_kernel, sinkhorn_scaling

#: In units of the benefit of two clouds with mean distance one, by the name of the start.
TEMPERATURES = {"entropic": 0.005, "entropic, cooler": 0.003, "entropic, warmer": 0.01}
STEPS, SINKHORN_ROUNDS = 40, 10
#: A plan has settled when no benefit moves by so many temperatures.
SETTLED = 0.01


def entropic_plan(
    A: Tensor, B: Tensor, temperature: float, plan: Tensor | None = None, steps: int = STEPS
) -> Tensor:
    """Settle at a temperature.

    Parameters
    ----------
    A, B : tensor (..., n, n), float32
        Symmetric distance matrices with mean near one; leading axes count pairs.
    temperature : float
        How soft the plan is, in units of the benefit.
    plan : tensor (..., n, n), optional
        Where to begin; its rows sum to one. Without it, everything with everything.
    steps : int
        At most so many.

    Returns
    -------
    tensor (..., n, n)
        Benefit of matching i with j at the end; an assignment makes a matching of it.
    """
    n = A.shape[-1]
    (left, rows_a), (right, rows_b) = _centred(A), _centred(B)
    # What is left of the benefit when the plan says nothing: match far points with far points.
    constant = rows_a[..., :, None] * rows_b[..., None, :]
    benefit = constant if plan is None else left @ (plan @ right) / n + constant
    columns, settled = ones_like(rows_b), zeros_like(benefit[..., :1, :1], dtype=bool)
    for _ in range(steps):
        kernel = gibbs_kernel(benefit, temperature)
        rows, columns = sinkhorn_scaling(kernel, SINKHORN_ROUNDS, columns)
        kernel *= rows[..., :, None]
        kernel *= columns[..., None, :]
        onward = left @ (kernel @ right) / n + constant
        settled |= (onward - benefit).abs().amax(dim=(-1, -2), keepdim=True) < SETTLED * temperature
        if settled.all():
            break
        benefit = where(settled, benefit, onward)  # each pair by itself, whatever its neighbours do
    return benefit


def _centred(D: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix (..., n, n) without the means of its rows and columns; and those, without theirs."""
    rows = D.mean(dim=-1)
    mean = rows.mean(dim=-1, keepdim=True)
    return D - rows[..., :, None] - rows[..., None, :] + mean[..., None], rows - mean
