"""Other solvers of the problem of section 3.2: each turns two distance matrices (n, n) into a plan (n, n).

Those that are no requirement of this package come with the extra ``bench``
(``pip install --constraint constraints.txt --editable '.[bench]'``). One that is not installed is skipped,
and the table says so. Entropic solvers give plans that are not one to
one: what counts is the better of the plan and of the matching that is made of it.

Taught in chapter 02.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import numpy as np
from scipy.optimize import linear_sum_assignment, quadratic_assignment

from funcsim._internal.typing import Array
from funcsim.gromov.coupling import cost, from_permutation, marginal_error, uniform
from funcsim.gromov.solver import conditional_gradient

Solver = Callable[[Array, Array], Array]

#: A plan whose sums are off by more than this share of a point's weight is no coupling.
MOST_MARGINAL_ERROR = 0.01


def pot(D1: Array, D2: Array) -> Array:
    """POT's conditional gradient from its default start, which is the paper's."""
    return conditional_gradient(D1, D2)


def pot_from_identity(D1: Array, D2: Array) -> Array:
    """The same, beginning with each sample matched with itself."""
    return conditional_gradient(D1, D2, from_permutation(np.arange(len(D1))))


def scipy_faq(D1: Array, D2: Array) -> Array:
    """SciPy's FAQ for quadratic assignment, from its default start."""
    return from_permutation(quadratic_assignment(D1, D2, "faq", {"maximize": True}).col_ind)


def scipy_two_opt(D1: Array, D2: Array) -> Array:
    """SciPy's 2-opt, from a random matching."""
    options = {"maximize": True, "rng": np.random.default_rng(0)}
    return from_permutation(quadratic_assignment(D1, D2, "2opt", options).col_ind)


def cajal(D1: Array, D2: Array) -> Array:
    """CAJAL's conditional gradient in C++."""
    from cajal.gw_cython import gw_cython_core

    w = uniform(len(D1))
    sides = [(D, w, D @ w, float(w @ D**2 @ w)) for D in map(np.ascontiguousarray, (D1, D2))]
    return np.asarray(gw_cython_core(*sides[0], *sides[1])[0])


def ott(epsilon: float) -> Solver:
    """Entropic Gromov-Wasserstein of ott-jax, with epsilon relative to the mean of the cost; compiled."""

    @cache
    def compiled() -> Callable:
        import jax
        from ott.geometry.geometry import Geometry
        from ott.problems.quadratic.quadratic_problem import QuadraticProblem
        from ott.solvers.linear.sinkhorn import Sinkhorn
        from ott.solvers.quadratic.gromov_wasserstein import GromovWasserstein

        solver = GromovWasserstein(linear_solver=Sinkhorn(), epsilon=epsilon, relative_epsilon="mean")

        def plan(D1: jax.Array, D2: jax.Array) -> jax.Array:
            return solver(QuadraticProblem(Geometry(cost_matrix=D1), Geometry(cost_matrix=D2))).matrix

        return jax.jit(plan)

    return lambda D1, D2: np.asarray(compiled()(D1, D2), dtype=np.float64)


def torchgw(D1: Array, D2: Array) -> Array:
    """torchgw, which samples anchors: as many as there are points."""
    import torch
    from torchgw import sampled_gw

    sides = {"dist_source": torch.from_numpy(D1).float(), "dist_target": torch.from_numpy(D2).float()}
    torch.manual_seed(0)
    return sampled_gw(**sides, distance_mode="precomputed", M=len(D1)).double().numpy()


#: Solver and the module it needs, by the name in tables.
ALL: dict[str, tuple[Solver, str]] = {
    "POT": (pot, "ot"),
    "POT from identity": (pot_from_identity, "ot"),
    "SciPy FAQ": (scipy_faq, "scipy"),
    "SciPy 2-opt": (scipy_two_opt, "scipy"),
    "CAJAL": (cajal, "cajal"),
    "ott-jax, 1e-2": (ott(1e-2), "ott"),
    "ott-jax, 1e-3": (ott(1e-3), "ott"),
    "torchgw": (torchgw, "torchgw"),
}
#: Compile themselves anew for every size.
COMPILED = {"ott-jax, 1e-2", "ott-jax, 1e-3"}
#: Beyond so many points these would take longer than all others together.
MOST_POINTS = {
    "SciPy 2-opt": 64,
    "SciPy FAQ": 512,
    "torchgw": 512,
    "ott-jax, 1e-3": 512,
    "POT from identity": 1000,
}


@cache
def make_ready(name: str, n: int) -> None:
    """Compile a solver for n points, if it is one that compiles itself; once."""
    if name in COMPILED:
        even = 1.0 - np.eye(n)
        ALL[name][0](even, even)


def at_hand() -> tuple[dict[str, Solver], dict[str, str]]:
    """The solvers that can be run here, and why the others cannot."""
    missing = {name: needs for name, (_, needs) in ALL.items() if find_spec(needs) is None}
    return (
        {name: solver for name, (solver, _) in ALL.items() if name not in missing},
        {name: f"{needs} is not installed; it is in the extra 'bench'" for name, needs in missing.items()},
    )


def reached(D1: Array, D2: Array, plan: Array) -> float:
    """The cost of a plan, or of the matching made of it if that is lower or the plan is no coupling."""
    if not np.isfinite(plan).all():
        return float("nan")
    hard = np.empty(len(D1), dtype=np.intp)
    rows, columns = linear_sum_assignment(-plan)
    hard[rows] = columns
    costs = [cost(D1, D2, from_permutation(hard))]
    if marginal_error(plan) <= MOST_MARGINAL_ERROR / len(D1):
        costs.append(cost(D1, D2, plan))
    return min(costs)
