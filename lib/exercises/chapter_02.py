"""The Gromov-Wasserstein distance: its cost, its root, its scale, and what no coupling is below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from exercises.asking import Answer, array, call, number, passed, require
from funcsim.geometry import pairwise_distances
from funcsim.gromov.coupling import cost, from_permutation, product
from funcsim.gromov.solver import solve

Array = NDArray[np.float64]


def _clouds(n: int, *widths: int, seed: int = 0) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)) for d in widths]


def coupling_cost(answer: Answer) -> None:
    """`coupling_cost(D1, D2, T)`: the cost of a coupling."""
    D1, D2 = (pairwise_distances(x) for x in _clouds(7, 2, 3))
    identity = from_permutation(np.arange(7))
    found = number(answer, D1, D1, identity)
    require(abs(found) < 1e-9, "A space that is matched with itself, point by point, costs nothing.")
    spread = number(answer, D1, D2, product(7, 7))
    require(
        not np.isclose(spread, cost(D1, D2, identity)),
        "For the coupling that spreads every point over all others you give the cost of the identity. The "
        "coupling must enter, twice.",
    )
    wanted = cost(D1, D2, product(7, 7))
    require(
        not np.isclose(spread**2, wanted), "That is the distance. The cost is its square: leave out the root."
    )
    require(np.isclose(spread, wanted), f"For two clouds of seven points, all with all, it is {wanted:.4f}.")
    turn = from_permutation(np.roll(np.arange(7), 1))
    require(
        np.isclose(number(answer, D1, D2, turn), cost(D1, D2, turn)),
        "With a permutation that is not its own inverse your cost is wrong. Which index of T belongs to D1?",
    )
    passed("It agrees with the definition for couplings that spread, and for those that permute.")


def three_clouds(answer: Answer) -> None:
    """`three_clouds()`: three clouds that show that the cost is no metric."""
    clouds = call(answer)
    require(isinstance(clouds, tuple | list) and len(clouds) == 3, "Return three arrays of shape (n, d).")
    clouds = [array(lambda x=x: x, np.shape(x)) for x in clouds]
    require(
        all(x.ndim == 2 and len(x) > 1 for x in clouds),
        "Each cloud is an array (n, d) of two points or more.",
    )
    a, b, c = (pairwise_distances(x) for x in clouds)
    direct, first, second = (solve(x, y).cost for x, y in ((a, c), (a, b), (b, c)))
    require(
        direct > 1e-9,
        "The first cloud and the third are of the same shape and size: their cost is zero, and zero "
        "breaks no inequality.",
    )
    require(
        direct > first + second + 1e-9,
        f"The way from the first to the third costs {direct:.3f}, by the second {first:.3f} and "
        f"{second:.3f}: the inequality holds. Two points at a distance are a cloud; what is the cost of "
        "two such clouds?",
    )
    passed(
        f"Straight it costs {direct:.3f}, with a stop on the way {first + second:.3f}. The roots, "
        f"{direct**0.5:.3f} and {first**0.5 + second**0.5:.3f}, are as they should be."
    )


def mean_one(answer: Answer) -> None:
    """`mean_one(points)`: the distance matrix, divided by its mean."""
    (x,) = _clouds(9, 3)
    distances = array(answer, (9, 9), x)
    require(np.allclose(np.diag(distances), 0), "A point is at distance 0 from itself.")
    require(np.allclose(distances, distances.T), "A distance matrix is symmetric.")
    require(
        np.allclose(distances, array(answer, (9, 9), 10 * x + 3)),
        "A cloud that is ten times as large and lies elsewhere should give the same matrix.",
    )
    between = distances[np.triu_indices(9, k=1)].mean()
    require(
        not np.isclose(distances.mean(), 1) or np.isclose(between, 1),
        f"The mean of your whole matrix is 1, but it counts the zeros on the diagonal. The mean over "
        f"pairs of different points is {between:.2f}.",
    )
    require(
        np.isclose(between, 1),
        f"The mean distance of two different points should be 1, and is {between:.2f}.",
    )
    passed("What is left is the shape of the cloud.")


def never_below(answer: Answer) -> None:
    """`never_below(D1, D2)`: a lower bound of the distance, from the sizes of both spaces alone."""
    some = 0.0
    for seed in range(8):
        x, y = _clouds(8, 2, 5, seed=seed)
        D1, D2 = pairwise_distances(x), pairwise_distances((1 + seed) * y)
        bound, distance = number(answer, D1, D2), fs.gw(x, (1 + seed) * y, normalize=None).distance
        require(
            bound <= distance + 1e-9,
            f"For one pair of clouds your bound is {bound:.3f}, and there is a coupling of distance "
            f"{distance:.3f}. What is below the cost need not be below its root.",
        )
        some = max(some, bound / distance)
    require(some > 0.5, "Your bound is always far below the distance. Zero is a bound, but says nothing.")
    passed(
        f"Whatever a search finds, it is not below. At best your bound is {100 * some:.0f} % of the distance."
    )
