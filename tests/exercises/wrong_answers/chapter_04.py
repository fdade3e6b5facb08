"""What readers may well write, and what the check says to it."""

import numpy as np


def one_sum(a, b, moduli):
    return (a + 3 * b) % moduli[-1]


def first_alone(a, b, moduli):
    return (a + b) % moduli[0]


def in_order(n, share, seed):
    return np.arange(int(share * n)), np.arange(int(share * n), n)


def drawn_twice(n, share, seed):
    rng = np.random.default_rng(seed)
    return rng.choice(n, int(share * n), replace=False), rng.choice(n, n - int(share * n), replace=False)


def any_seed(n, share, seed):
    rows = np.random.default_rng(0).permutation(n)
    return rows[: int(share * n)], rows[int(share * n) :]


def for_good(train, val, level):
    def reached(curve):
        below = np.flatnonzero(curve < level)
        return np.inf if len(below) == len(curve) else below[-1] + 1

    return reached(val) - reached(train)


def argmax(train, val, level):
    return np.argmax(val >= level) - np.argmax(train >= level)


def of_all(answers, targets, inner, outer):
    apart = (answers - targets) % outer
    return np.mean((apart == inner) | (apart == outer - inner))


def upwards(answers, targets, inner, outer):
    wrong = answers != targets
    return np.mean((answers - targets)[wrong] % outer == inner)


def without_remainder(answers, targets, inner, outer):
    wrong = answers != targets
    return np.mean(np.abs(answers - targets)[wrong] == inner) if wrong.any() else 0


WRONG = {
    "third_sum": [(one_sum, "remainders on the way"), (first_alone, "a \\+ 3 b")],
    "split": [
        (in_order, "not mixed"),
        (drawn_twice, "on both sides"),
        (any_seed, "Another seed should give another"),
    ],
    "delay": [(for_good, "does not count"), (argmax, "should be infinity")],
    "off_by": [
        (of_all, "share of the wrong ones"),
        (upwards, "in both directions"),
        (without_remainder, "modulo 17"),
    ],
}
