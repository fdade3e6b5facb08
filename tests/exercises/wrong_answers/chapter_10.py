"""What readers may well write, and what the check says to it."""

import numpy as np
from scipy import stats


def evenly(last, n):
    return np.unique(np.linspace(0, last, n).astype(int))


def with_repeats(last, n):
    return np.concatenate([[0], np.geomspace(1, last, n - 1).astype(int)])


def without_zero(last, n):
    return np.unique(np.geomspace(1, last, n).round().astype(int))


def at_the_next(steps, curve):
    gone = (curve - curve[0]) / (curve[-1] - curve[0])
    return steps[np.argmax(gone >= 0.5)]


def of_the_largest(steps, curve):
    return np.interp(curve.max() / 2, curve, steps)


def last_crossing(steps, curve):
    gone = (curve - curve[0]) / (curve[-1] - curve[0])
    k = np.flatnonzero(gone < 0.5)[-1]
    return steps[k] + (0.5 - gone[k]) / (gone[k + 1] - gone[k]) * (steps[k + 1] - steps[k])


def plain_mean(factors):
    error = 1.96 * factors.std(ddof=1) / np.sqrt(len(factors))
    return factors.mean(), factors.mean() - error, factors.mean() + error


def many_seeds(factors):
    log = np.log2(factors)
    error = 1.96 * stats.sem(log)
    return 2 ** log.mean(), 2 ** (log.mean() - error), 2 ** (log.mean() + error)


def of_the_spread(factors):
    log = np.log2(factors)
    error = 4.3027 * log.std(ddof=1)
    return 2 ** log.mean(), 2 ** (log.mean() - error), 2 ** (log.mean() + error)


def first_found(steps, found, layer):
    return next((step for step, cuts in zip(steps, found, strict=True) if layer in cuts), None)


def ever_after(steps, found, layer):
    missing = [k for k, cuts in enumerate(found) if layer not in cuts]
    return steps[min(missing[-1] + 1, len(steps) - 1)] if missing else steps[0]


WRONG = {
    "when_to_look": [
        (evenly, "logarithm"),
        (with_repeats, "there twice"),
        (without_zero, "before the first step"),
    ],
    "halfway": [
        (at_the_next, "Go along the line"),
        (of_the_largest, "half of the way is 2"),
        (last_crossing, "crosses half of its way three times"),
    ],
    "lag": [
        (plain_mean, "mean of logarithms"),
        (many_seeds, "1.96 is for many seeds"),
        (of_the_spread, "4.30 standard errors"),
    ],
    "stays_from": [(first_found, "gone again"), (ever_after, "come to stay")],
}
