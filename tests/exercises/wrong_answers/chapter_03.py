"""What readers may well write, and what the check says to it."""

import numpy as np


def not_centred(X, Y):
    K, L = X @ X.T, Y @ Y.T
    return (K * L).sum() / (np.linalg.norm(K) * np.linalg.norm(L))


def not_divided(X, Y):
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    return np.linalg.norm(Y.T @ X) ** 2 / np.linalg.norm(Y.T @ Y) ** 2


def the_root(X, Y):
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    K, L = X @ X.T, Y @ Y.T
    return np.sqrt((K * L).sum() / (np.linalg.norm(K) * np.linalg.norm(L)))


def many_samples():
    return 200, 10


def a_list():
    return [10, 200]


def may_be_zero(score, X, Y, n, rng):
    return np.mean([score(X, Y[rng.permutation(len(Y))]) >= score(X, Y) for _ in range(n)])


def both_shuffled(score, X, Y, n, rng):
    larger = 0
    for _ in range(n):
        order = rng.permutation(len(Y))
        larger += score(X[order], Y[order]) >= score(X, Y) - 1e-12
    return (1 + larger) / (n + 1)


def from_below(score, X, Y, n, rng):
    return (1 + sum(score(X, Y[rng.permutation(len(Y))]) <= score(X, Y) for _ in range(n))) / (n + 1)


def strictly(score, X, Y, n, rng):
    seen = score(X, Y)
    return (1 + sum(score(X, Y[rng.permutation(len(Y))]) > seen for _ in range(n))) / (n + 1)


def some_names():
    return {"cca"}


def stretched(x):
    return x * np.geomspace(1, 10, x.shape[1])


WRONG = {
    "linear_cka": [
        (not_centred, "Centre the columns"),
        (not_divided, "should be at 1|made larger"),
        (the_root, "the square of CKA, or its root"),
    ],
    "samples_and_dimensions": [(many_samples, "Fewer samples"), (a_list, "two whole numbers")],
    "p_value": [
        (may_be_zero, "Count the order that we have"),
        (both_shuffled, "one of the two shuffled"),
        (from_below, "surely more than chance"),
        (strictly, "An equal score counts"),
    ],
    "predicted": [
        ((lambda: "cca", stretched), "First predict: a set"),
        ((lambda: {"CCA"}, stretched), "no measure called CCA"),
        ((some_names, lambda x: x), "changes nothing"),
        ((some_names, lambda x: 3 * x[:, ::-1] + 1), "rotated, moved or scaled"),
        ((some_names, lambda x: x[::-1]), "samples shuffled"),
        ((some_names, lambda x: x[:, :3]), "should return an array of shape"),
        ((some_names, lambda x: 0 * x + 1), "samples of your cloud coincide"),
    ],
}
