"""What readers may well write, and what the check says to it."""

import numpy as np
from scipy import stats


def recall(found, true):
    return len(set(found) & set(true)) / len(true) if true else float(not found)


def accuracy_of_both(found, true):
    either = set(found) | set(true)
    return len(set(found) & set(true)) / len(either) if either else 1.0


def one_off(found, true):
    if not found and not true:
        return 1.0
    hits = sum(any(abs(cut - place) <= 1 for place in true) for cut in found)
    return 2 * hits / (len(found) + len(true))


def no_cuts(found, true):
    return 2 * len(set(found) & set(true)) / max(len(found) + len(true), 1)


def without_shift(source, target, rows):
    return source[~rows] @ np.linalg.lstsq(source[rows], target[rows], rcond=None)[0]


def on_all(source, target, rows):
    ones = np.column_stack([source, np.ones(len(source))])
    return ones @ np.linalg.lstsq(ones[rows], target[rows], rcond=None)[0]


def fitted_on_all(source, target, rows):
    ones = np.column_stack([source, np.ones(len(source))])
    return (ones @ np.linalg.lstsq(ones, target, rcond=None)[0])[~rows]


def on_what_is_asked(source, target, rows):
    ones = np.column_stack([source, np.ones(len(source))])
    return (ones @ np.linalg.lstsq(ones[~rows], target[~rows], rcond=None)[0])[~rows]


def by_inverse(source, target, rows):
    ones = np.column_stack([source, np.ones(len(source))])
    inverse = np.linalg.inv(ones[rows].T @ ones[rows])
    return ones[~rows] @ inverse @ ones[rows].T @ target[rows]


def unpaired(one, other, rng):
    drawn = [rng.choice(one, len(one)).mean() - rng.choice(other, len(other)).mean() for _ in range(2000)]
    return one.mean() - other.mean(), *np.quantile(drawn, [0.025, 0.975])


def of_a_chain(one, other, rng):
    difference = one - other
    return difference.mean(), *np.quantile(difference, [0.025, 0.975])


def narrow(one, other, rng):
    difference = one - other
    drawn = rng.choice(difference, (2000, len(difference))).mean(axis=1)
    return difference.mean(), *np.quantile(drawn, [0.16, 0.84])


def plain(distance, lost, depth):
    return stats.spearmanr(distance, lost).statistic


def without_ranks(distance, lost, depth):
    def rest(x):
        return x - np.polyval(np.polyfit(depth, x, 1), depth)

    return stats.pearsonr(rest(distance), rest(lost)).statistic


def as_a_size(distance, lost, depth):
    def rest(x):
        ranks = stats.rankdata(x)
        return ranks - np.polyval(np.polyfit(stats.rankdata(depth), ranks, 1), stats.rankdata(depth))

    return abs(stats.pearsonr(rest(distance), rest(lost)).statistic)


def ninety(one, other, rng):
    difference = one - other
    drawn = rng.choice(difference, (2000, len(difference))).mean(axis=1)
    return difference.mean(), *np.quantile(drawn, [0.05, 0.95])


def by_a_formula(one, other, rng):
    difference = one - other
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return difference.mean(), difference.mean() - 1.96 * error, difference.mean() + 1.96 * error


WRONG = {
    "f1_of_cuts": [
        (recall, "false cuts count"),
        (accuracy_of_both, "F1 1/3"),
        (one_off, "one layer off"),
        (no_cuts, "nothing is to be found"),
    ],
    "made_from": [
        (without_shift, "column of ones"),
        (on_all, "returns all 60"),
        (fitted_on_all, "Fit on `rows` alone"),
        (on_what_is_asked, "Fit on `rows` alone"),
        (by_inverse, "stopped with LinAlgError"),
    ],
    "gain": [
        (unpaired, "in \\*every\\* chain"),
        (of_a_chain, "not of a chain"),
        (narrow, "97.5 %"),
        (ninety, "97.5 %"),
        (by_a_formula, "nothing was drawn"),
    ],
    "beyond_depth": [
        (plain, "Take depth out of both"),
        (without_ranks, "Go over to ranks first"),
        (as_a_size, "should be negative"),
    ],
}
