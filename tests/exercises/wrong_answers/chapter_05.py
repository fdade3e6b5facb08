"""What readers may well write, and what the check says to it."""

import numpy as np


def any_values(target, rng):
    return rng.integers(0, target.max() + 1, size=len(target))


def turned_round(target, rng):
    return target[::-1]


def the_target(target, rng):
    return target


def without_pi(values, modulus):
    angle = values / modulus
    return np.c_[np.cos(angle), np.sin(angle)]


def by_the_largest(values, modulus):
    angle = 2 * np.pi * values / values.max()
    return np.c_[np.cos(angle), np.sin(angle)]


def a_line(values, modulus):
    return np.c_[values / modulus, 0 * values]


def differences(values):
    return np.abs(values[:, None] - values[None])


def all_apart(values):
    return 1.0 - np.eye(len(values))


def as_they_stand(first, second):
    return np.array_equal(first, second)


def sorted_values(first, second):
    return np.array_equal(np.sort(first), np.sort(second))


def how_many(first, second):
    return len(np.unique(first)) == len(np.unique(second))


WRONG = {
    "control": [
        (any_values, "always says the most frequent"),
        (turned_round, "Another generator"),
        (the_target, "the target itself"),
    ],
    "on_a_circle": [(without_pi, "full turn"), (by_the_largest, "neighbours"), (a_line, "neighbours")],
    "as_classes": [(differences, "58 is not farther"), (all_apart, "same value should be at distance 0")],
    "one_space": [
        (as_they_stand, "same values in another order"),
        (sorted_values, "other names"),
        (how_many, "other sizes"),
    ],
}
