"""The Gromov-Wasserstein distance: its root, its scale, a step of its search, what no coupling is below."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

import funcsim as fs
from exercises.asking import Answer, array, as_array, call, number, passed, require
from funcsim.geometry import pairwise_distances
from funcsim.gromov.coupling import cost, from_permutation
from funcsim.gromov.solver import solve

Array = NDArray[np.float64]


def _clouds(n: int, *widths: int, seed: int = 0) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)) for d in widths]


def three_clouds(answer: Answer) -> None:
    """`three_clouds()`: three clouds that show that the cost is no metric."""
    clouds = call(answer)
    require(
        (isinstance(clouds, tuple | list) or (isinstance(clouds, np.ndarray) and clouds.ndim == 3))
        and len(clouds) == 3,
        "Return three arrays of shape (n, d).",
    )
    clouds = [as_array(x, np.shape(x), "A cloud of yours") for x in clouds]
    for x in clouds:
        require(
            x.ndim == 2 and len(x) > 1,
            f"Each cloud is an array (n, d) of two points or more. One of yours has the shape {x.shape}. "
            "Points on a line are an array (n, 1).",
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
    true = pairwise_distances(x)
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
    require(
        not np.allclose(distances, true**2 / (true**2)[np.triu_indices(9, k=1)].mean()),
        "You divide squared distances by their mean. Take the root first: twice as far should be twice "
        "as much.",
    )
    require(
        np.allclose(distances, true / true[np.triu_indices(9, k=1)].mean()),
        "The mean is right, but these are not the Euclidean distances of the points in a new unit.",
    )
    passed("What is left is the shape of the cloud.")


def never_below(answer: Answer) -> None:
    """`never_below(D1, D2)`: a lower bound of the distance, from the sizes of both spaces alone."""
    some, searched = 0.0, True
    for seed in range(8):
        x, y = _clouds(8, 2, 5, seed=seed)
        D1, D2 = pairwise_distances(x), pairwise_distances((1 + seed) * y)
        bound, distance = number(answer, D1, D2), fs.gw(x, (1 + seed) * y, normalize=None).distance
        require(
            bound <= distance + 1e-9,
            f"For one pair of clouds your bound is {bound:.3f}, and there is a coupling of distance "
            f"{distance:.3f}. A size is the root of the mean square. And what is below the cost need not be "
            "below its root.",
        )
        swapped = number(answer, D2, D1)
        require(
            np.isclose(bound, swapped),
            f"For one pair of clouds your bound is {bound:.3f}, and {swapped:.3f} with both exchanged. The "
            "distance is symmetric, so the larger of the two is a bound as well.",
        )
        searched = searched and np.isclose(bound, distance, rtol=1e-6)
        some = max(some, bound / distance)
    require(
        not searched,
        "In every pair your bound is the distance that a search finds. That is never below the least one. "
        "Write a bound without any search.",
    )
    require(some > 0.5, "Your bound is always far below the distance. Zero is a bound, but says nothing.")
    passed(
        f"Whatever a search finds, it is not below. At best your bound is {100 * some:.0f} % of the distance."
    )


def exchange(answer: Answer) -> None:
    """`exchange(D1, D2, partners)`: the same matching with the best exchange of two partners."""
    start = np.arange(8)
    for seed in (8, 7, 6, 5, 4, 3):  # the last one is shown
        D1, D2 = (pairwise_distances(x) for x in _clouds(8, 2, 2, seed=seed))
        found = _matching(answer, D1, D2, start)
        changed = int((found != start).sum())
        require(changed in (0, 2), f"One exchange changes two partners. Yours changes {changed}.")
        before, after = (cost(D1, D2, from_permutation(one)) for one in (start, found))
        require(
            after <= before + 1e-12,
            f"Before your exchange the cost was {before:.4f}, after it {after:.4f}. Which of the two has "
            "less?",
        )
        best = min(cost(D1, D2, from_permutation(one)) for one in _exchanged(start))
        require(
            np.isclose(after, best),
            f"Your exchange leads to a cost of {after:.4f}. Another leads to {best:.4f}. Try all pairs of "
            "points, and take the mean squared difference.",
        )
    known = np.random.default_rng(5).permutation(8)
    moved = D1[np.ix_(known, known)]  # point i of the second is point known[i] of the first
    right = np.argsort(known)
    require(
        np.array_equal(_matching(answer, D1, moved, right), right),
        "If no exchange lowers the cost, the matching should stay. Here every point has found itself: point "
        "i of the first cloud is point `partners[i]` of the second.",
    )
    wrong = right.copy()
    wrong[[1, 4]] = wrong[[4, 1]]
    require(
        np.array_equal(_matching(answer, D1, moved, wrong), right),
        "Here two partners are exchanged, and one exchange repairs it. `partners[i]` is the point of the "
        "second cloud that point i of the first is matched with.",
    )
    rounds, now = 0, start
    while rounds < 50 and not np.array_equal(better := _matching(answer, D1, D2, now), now):
        rounds, now = rounds + 1, better
    end = cost(D1, D2, from_permutation(now))
    passed(
        f"Repeated, it stops after {rounds} exchanges at a cost of {end:.4f}, from {before:.4f}. "
        "No single exchange helps there, which does not make it the least cost."
    )


def _matching(answer: Answer, D1: Array, D2: Array, partners: NDArray[np.intp]) -> NDArray[np.intp]:
    found = array(answer, partners.shape, D1, D2, partners)
    require(
        np.array_equal(np.sort(found), np.arange(len(partners))),
        "In a matching each point of the second cloud occurs once. Yours is no permutation.",
    )
    return found.astype(np.intp)


def _exchanged(partners: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """The matching itself, and all that differ from it by one exchange."""
    yield partners
    for r, s in combinations(range(len(partners)), 2):
        other = partners.copy()
        other[[r, s]] = other[[s, r]]
        yield other


def given_pairs() -> dict[str, tuple[Array, Array]]:
    """Four pairs of clouds of 40 points, by name."""
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(40, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    along = np.linspace(0, 1, 40)
    line = np.column_stack([along, 0 * along])
    circle = np.column_stack([np.cos(2 * np.pi * along), np.sin(2 * np.pi * along)])
    return {
        "copy": (cloud, 5 * rng.permutation(cloud) @ turn),
        "noise": (rng.normal(size=(40, 3)), rng.normal(size=(40, 3))),
        "narrow, wide": (rng.normal(size=(40, 3)), rng.normal(size=(40, 60))),
        "line, circle": (line, circle),
    }


def _named(name: str, value: object) -> Answer:
    """A function of this name that returns the value."""

    def given() -> object:
        return value

    given.__name__ = name
    return given


def predicted(prediction: Answer, own: Answer, measured: Answer) -> None:
    """Five pairs of clouds, from the nearest to the farthest, one of them of the reader's own."""
    pairs = given_pairs()
    names = [*pairs, "own"]
    order = call(prediction)
    require(
        isinstance(order, list | tuple) and sorted(map(str, order)) == sorted(names),
        f"First predict an order, from the nearest pair to the farthest: a list of {names}.",
    )
    clouds = call(own)
    require(
        isinstance(clouds, tuple | list)
        and len(clouds) == 2
        and all(np.ndim(x) == 2 for x in clouds)
        and len(clouds[0]) == len(clouds[1]) >= 20,
        "`own` should return two arrays of shape (n, d) and (n, e), with the same n of at least 20.",
    )
    pairs["own"] = (np.asarray(clouds[0], dtype=float), np.asarray(clouds[1], dtype=float))
    found = call(measured, pairs)
    require(
        isinstance(found, dict) and set(found) == set(names),
        f"`measured` should return a dictionary with a distance for each of {names}.",
    )
    distances = {name: number(_named(f"measured(pairs)[{name!r}]", found[name])) for name in names}
    require(
        distances["copy"] < 0.1,
        f"The copy is turned, shuffled and five times as large, and yours is at {distances['copy']:.2f}. "
        "Divide by the mean distance, and let the matching be searched: `fs.gw` does both if nothing else "
        "is asked for.",
    )
    results = {name: fs.gw(*pair) for name, pair in pairs.items()}
    require(
        not np.isclose(distances["narrow, wide"], results["narrow, wide"].cost, rtol=0.1),
        "These are costs. The distance is the root.",
    )
    for name in names:
        wanted = results[name].distance
        require(
            np.isclose(distances[name], wanted, rtol=0.1, atol=0.01),
            f"For the pair {name!r} the distance is about {wanted:.3f}, and you have {distances[name]:.3f}. "
            "A search from a single start, as POT's, may stop higher.",
        )
    true = sorted(names, key=lambda name: distances[name])
    listed = "; ".join(f"{name} {distances[name]:.2f}" for name in true)
    agree = sum(
        np.isclose(distances[a], distances[b], atol=1e-9)
        or (order.index(a) < order.index(b)) == (distances[a] < distances[b])
        for a, b in combinations(names, 2)
    )
    passed(
        f"From near to far: {listed}. Of ten comparisons of two pairs you predicted {agree} as they came out."
    )
