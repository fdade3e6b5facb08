"""What readers may well write, and what the check says to it."""

import numpy as np
from scipy.spatial.distance import pdist, squareform

import funcsim as fs
from funcsim.geometry import distance_matrix
from funcsim.gromov.solver import solve


def three_of_one_size():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 2))
    return points, points + 1, -points


def on_a_line():
    return np.array([[0.0], [1.0]]), np.array([[0.0], [5.0]]), np.array([[0.0], [2.0]])


def one_cloud():
    return np.zeros((3, 2))


def on_a_bare_line():
    return np.array([0.0, 1.0]), np.array([0.0, 2.0]), np.array([0.0, 3.0])


def with_a_gap():
    return np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]]), np.array([[0.0], [np.nan]])


def by_the_largest(points):
    distances = squareform(pdist(points))
    return distances / distances.max()


def with_the_diagonal(points):
    distances = squareform(pdist(points))
    return distances / distances.mean()


def only_centred(points):
    return squareform(pdist(points - points.mean(axis=0)))


def of_the_cost(D1, D2):
    return abs((D1**2).mean() - (D2**2).mean())


def nothing(D1, D2):
    return 0.0


def size(D):
    return np.sqrt((D**2).mean())


def second_less_first(D1, D2):
    return size(D2) - size(D1)


def first_less_second(D1, D2):
    return size(D1) - size(D2)


def what_a_search_finds(D1, D2):
    return solve(D1, D2).distance


def of_sums_of_squares(D1, D2):
    return abs(np.linalg.norm(D1) - np.linalg.norm(D2))


def of_squares(points):
    squares = squareform(pdist(points)) ** 2
    return squares / squares[np.triu_indices(len(points), k=1)].mean()


def of_sums(points):
    distances = squareform(pdist(points, "cityblock"))
    return distances / distances[np.triu_indices(len(points), k=1)].mean()


def cost_of(D1, D2, partners):
    return np.mean((D1 - D2[np.ix_(partners, partners)]) ** 2)


def all_exchanged(partners):
    for r in range(len(partners)):
        for s in range(r):
            other = partners.copy()
            other[[r, s]] = other[[s, r]]
            yield other


def the_first_that_helps(D1, D2, partners):
    helps = (p for p in all_exchanged(partners) if cost_of(D1, D2, p) < cost_of(D1, D2, partners))
    return next(helps, partners)


def the_worst(D1, D2, partners):
    return max(all_exchanged(partners), key=lambda p: cost_of(D1, D2, p))


def always_one(D1, D2, partners):
    return min(all_exchanged(partners), key=lambda p: cost_of(D1, D2, p))


def never(D1, D2, partners):
    return partners


def neighbours_alone(D1, D2, partners):
    found = [partners]
    for r in range(len(partners) - 1):
        other = partners.copy()
        other[[r, r + 1]] = other[[r + 1, r]]
        found.append(other)
    return min(found, key=lambda p: cost_of(D1, D2, p))


def to_the_end(D1, D2, partners):
    while True:
        best = min([partners, *all_exchanged(partners)], key=lambda p: cost_of(D1, D2, p))
        if cost_of(D1, D2, best) >= cost_of(D1, D2, partners) - 1e-12:
            return partners
        partners = best


def by_absolute_differences(D1, D2, partners):
    found = [partners, *all_exchanged(partners)]
    return min(found, key=lambda p: np.abs(D1 - D2[np.ix_(p, p)]).mean())


def other_way_round(D1, D2, partners):
    inverse = np.argsort(partners)
    return min([inverse, *all_exchanged(inverse)], key=lambda p: cost_of(D1, D2, p))


def one_partner_moved(D1, D2, partners):
    moved = partners.copy()
    moved[0] = moved[1]
    return moved


def an_order():
    return ["copy", "noise", "own", "narrow, wide", "line, circle"]


def own():
    points = np.random.default_rng(4).normal(size=(24, 2))
    return points, points**3


def by(measure):
    return lambda pairs: {name: measure(*pair) for name, pair in pairs.items()}


def unsearched(X, Y):
    return np.sqrt(((distance_matrix(X) - distance_matrix(Y)) ** 2).mean())


WRONG = {
    "three_clouds": [
        (three_of_one_size, "same shape and size"),
        (on_a_line, "the inequality holds"),
        (one_cloud, "Return three arrays"),
        (on_a_bare_line, r"has the shape \(2,\).*\(n, 1\)"),
        (with_a_gap, "^A cloud of yours has numbers that are not finite"),
    ],
    "mean_one": [
        (by_the_largest, "should be 1, and is 0"),
        (with_the_diagonal, "counts the zeros on the diagonal"),
        (only_centred, "ten times as large"),
        (of_squares, "divide squared distances"),
        (of_sums, "not the Euclidean distances"),
    ],
    "exchange": [
        (the_first_that_helps, "Another leads to"),
        (neighbours_alone, "Another leads to .* Try all pairs"),
        (never, "Another leads to"),
        (by_absolute_differences, "Another leads to .* squared difference"),
        (the_worst, "Which of the two has less"),
        (always_one, "the matching should stay"),
        (to_the_end, "One exchange changes two"),
        (other_way_round, "the matching should stay.*point `partners"),
        (one_partner_moved, "is no permutation"),
    ],
    "predicted": [
        ((lambda: ["copy", "own"], own, by(lambda X, Y: fs.gw(X, Y).distance)), "First predict an order"),
        ((an_order, lambda: np.zeros((20, 2)), by(lambda X, Y: 0.0)), "two arrays of shape"),
        ((an_order, lambda: (np.zeros((19, 2)), np.zeros((19, 2))), by(lambda X, Y: 0.0)), "at least 20"),
        (
            (an_order, own, by(lambda X, Y: fs.gw(X, Y, normalize=None).distance)),
            "Divide by the mean distance",
        ),
        ((an_order, own, by(lambda X, Y: fs.gw(X, Y).cost)), "These are costs"),
        ((an_order, own, by(lambda X, Y: fs.measures()["rsm"](X, Y))), "turned, shuffled"),
        ((an_order, own, by(lambda X, Y: 1.12 * fs.gw(X, Y).distance)), "the distance is .* may stop higher"),
        ((an_order, own, lambda pairs: [0.0] * 5), "a dictionary with a distance"),
        ((an_order, own, by(fs.gw)), r"^`measured\(pairs\)\['copy'\]` should return one number"),
        ((an_order, own, by(unsearched)), "let the matching be searched"),
    ],
    "never_below": [
        (of_the_cost, "need not be below its root"),
        (nothing, "says nothing"),
        (second_less_first, "with both exchanged"),
        (first_less_second, "with both exchanged"),
        (what_a_search_finds, "without any search"),
        (of_sums_of_squares, "root of the mean square"),
    ],
}
