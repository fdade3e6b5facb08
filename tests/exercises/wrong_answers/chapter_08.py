"""What readers may well write, and what the check says to it."""

import numpy as np
from scipy.stats import pearsonr, spearmanr


def whole_matrix(values, k):
    rows, columns = np.indices(values.shape)
    crossing = (rows < k) != (columns < k)
    return np.corrcoef(crossing.ravel(), values.ravel())[0, 1] ** 2


def one_layer_late(values, k):
    rows, columns = np.triu_indices(len(values), k=1)
    crossing = (rows <= k) & (columns > k)
    return np.corrcoef(crossing, values[rows, columns])[0, 1] ** 2


def not_squared(values, k):
    rows, columns = np.triu_indices(len(values), k=1)
    crossing = (rows < k) & (columns >= k)
    return np.corrcoef(crossing, values[rows, columns])[0, 1]


def two_groups(n):
    group = np.arange(n) >= n // 2
    return (group[:, None] != group[None]).astype(float)


def all_alike(n):
    return 1.0 - np.eye(n)


def one_way(n):
    return np.maximum(np.subtract.outer(np.arange(n), np.arange(n)), 0)


def summed(n, alpha):
    return n * alpha


def all_of_them(n, alpha):
    return alpha**n


def with_diagonal(first, second):
    return spearmanr(first.ravel(), second.ravel()).statistic


def not_ranks(first, second):
    upper = np.triu_indices(len(first), k=1)
    return pearsonr(first[upper], second[upper]).statistic


WRONG = {
    "cut_explains": [
        (whole_matrix, "say nothing about a cut"),
        (one_layer_late, "all that there is"),
        (not_squared, "between the groups"),
    ],
    "no_groups": [
        (two_groups, "The test finds 2 groups"),
        (all_alike, "equally far"),
        (one_way, "symmetric"),
    ],
    "false_alarm": [(summed, "at most 1"), (all_of_them, "none of them errs")],
    "agreement": [(with_diagonal, "makes all maps agree"), (not_ranks, "rank all pairs alike")],
}
