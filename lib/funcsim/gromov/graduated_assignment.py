"""A first guess at the global matching: a soft one that hardens while it cools.

Assignment steps stop at the first local minimum. A soft assignment sees all matchings at
once: at a high temperature everything is matched with everything, and the plan hardens as
the temperature falls, coarse shape first, details later. Each layer is represented by its
leading eigenvectors, which makes a step cheap and smooth; the details are left to the
exact search that follows. Works on many pairs at once, on any device.

Taught in chapter 02.
"""

from __future__ import annotations

from torch import Tensor

from funcsim.gromov.sinkhorn import balance, soft_kernel

#: The first temperature, in spreads of the benefit; the factor from step to step; the steps.
HOT, COOLING, STEPS = 1.0, 0.8, 20
SCALINGS = 5


def soft_match(
    rows_a: Tensor,
    rows_b: Tensor,
    factors_a: Tensor,
    factors_b: Tensor,
    weights_a: Tensor,
    weights_b: Tensor,
) -> Tensor:
    """Anneal from "everything with everything".

    Parameters
    ----------
    rows_a, rows_b : tensor (..., n)
        Mean distance of each point.
    factors_a, factors_b : tensor (..., n, r)
    weights_a, weights_b : tensor (..., r)
        Leading eigenvectors and eigenvalues of the centred matrices.

    Returns
    -------
    tensor (..., n, n)
        Benefit of matching i with j at the end; an assignment makes a matching of it.
    """
    n = rows_a.shape[-1]
    left = factors_a * weights_a[..., None, :]
    right = (factors_b * weights_b[..., None, :]).transpose(-1, -2)
    centred = [rows - rows.mean(dim=-1, keepdim=True) for rows in (rows_a, rows_b)]
    # What is left of the benefit when the plan says nothing: match far points with far points.
    constant = centred[0][..., :, None] * centred[1][..., None, :]
    benefit = constant
    temperature = HOT * benefit.std(dim=(-1, -2), keepdim=True).clamp(min=1e-12)
    for _ in range(STEPS):
        kernel = soft_kernel(benefit, temperature)
        rows, columns = balance(kernel, SCALINGS)
        from_a = factors_a.transpose(-1, -2) * (rows / n)[..., None, :]
        plan = (from_a @ kernel) @ (factors_b * columns[..., :, None])  # (..., r, r)
        benefit = left @ plan @ right + constant
        temperature = temperature * COOLING
    return benefit
