"""What readers may well write, and what the check says to it."""

import numpy as np
from scipy.spatial.distance import pdist, squareform


def of_the_identity(D1, D2, T):
    return ((D1 - D2) ** 2).mean()


def the_root(D1, D2, T):
    n = D1.shape[0]
    squares = (D1**2).sum() / n**2 + (D2**2).sum() / n**2
    return np.sqrt(max(squares - 2 * np.sum((D1 @ T @ D2) * T), 0))


def transposed(D1, D2, T):
    return (D1**2).mean() + (D2**2).mean() - 2 * np.sum((D1 @ T.T @ D2) * T.T)


def three_of_one_size():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 2))
    return points, points + 1, -points


def on_a_line():
    return np.array([[0.0], [1.0]]), np.array([[0.0], [5.0]]), np.array([[0.0], [2.0]])


def one_cloud():
    return np.zeros((3, 2))


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


WRONG = {
    "coupling_cost": [
        (of_the_identity, "cost of the identity"),
        (the_root, "leave out the root"),
        (transposed, "Which index of T belongs to D1"),
    ],
    "three_clouds": [
        (three_of_one_size, "same shape and size"),
        (on_a_line, "the inequality holds"),
        (one_cloud, "Return three arrays"),
    ],
    "mean_one": [
        (by_the_largest, "should be 1, and is 0"),
        (with_the_diagonal, "counts the zeros on the diagonal"),
        (only_centred, "ten times as large"),
    ],
    "never_below": [(of_the_cost, "need not be below its root"), (nothing, "says nothing")],
}
