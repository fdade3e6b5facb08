"""Graduated assignment: a first guess at the global matching, soft at first and hard at the end.

Frank-Wolfe steps stop at the first local minimum. A soft assignment sees all matchings at
once: at a high temperature everything is matched with everything, and the plan hardens as
the temperature falls, coarse shape first, details later. Each layer is represented by its
leading eigenvectors, which makes a step cheap and smooth; the details are left to the
exact search that follows. Works on many pairs at once, on any device.

Source: Gold and Rangarajan (1996), "A graduated assignment algorithm for graph matching". That
Gromov-Wasserstein becomes a small problem in the leading directions of both clouds is also the
idea of CNT-GW: Houry, Feydy, Vialard (2026), arXiv:2602.06658, whose program keeps the leading
coordinates of a kernel PCA and stops there; here an exact search follows.

Taught in chapter 02.
"""

from __future__ import annotations

from torch import Tensor

from funcsim.gromov.sinkhorn import gibbs_kernel, sinkhorn_scaling

#: The first temperature, in standard deviations of the benefit; the factor from step to step; the steps.
INITIAL_TEMPERATURE, COOLING_FACTOR, COOLING_STEPS = 1.0, 0.8, 20
SINKHORN_ROUNDS = 5


def graduated_assignment(
    rows_a: Tensor,
    rows_b: Tensor,
    factors_a: Tensor,
    factors_b: Tensor,
    weights_a: Tensor,
    weights_b: Tensor,
) -> Tensor:
    """Cool from "everything with everything".

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
    temperature = INITIAL_TEMPERATURE * benefit.std(dim=(-1, -2), keepdim=True).clamp(min=1e-12)
    for _ in range(COOLING_STEPS):
        kernel = gibbs_kernel(benefit, temperature)
        rows, columns = sinkhorn_scaling(kernel, SINKHORN_ROUNDS)
        from_a = factors_a.transpose(-1, -2) * (rows / n)[..., None, :]
        plan = (from_a @ kernel) @ (factors_b * columns[..., :, None])  # (..., r, r)
        benefit = left @ plan @ right + constant
        temperature = temperature * COOLING_FACTOR
    return benefit
