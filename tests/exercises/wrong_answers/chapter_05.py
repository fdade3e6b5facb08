"""What readers may well write, and what the check says to it."""

import numpy as np

import funcsim as fs


def any_values(target, rng):
    return rng.integers(0, target.max() + 1, size=len(target))


def turned_round(target, rng):
    return target[::-1]


def the_target(target, rng):
    return target


def as_they_stand(first, second):
    return np.array_equal(first, second)


def sorted_values(first, second):
    return np.array_equal(np.sort(first), np.sort(second))


def how_many(first, second):
    return len(np.unique(first)) == len(np.unique(second))


def in_place(target, rng):
    rng.shuffle(target)
    return target


def without_the_generator(target, rng):
    return np.random.permutation(target)  # noqa: NPY002


def columns(labels):
    return (labels[:, None] == np.unique(labels)).astype(float)


def without_ones(layer, labels, fitted_on):
    names = np.unique(labels[fitted_on])
    weights = np.linalg.lstsq(layer[fitted_on], columns(labels[fitted_on]))[0]
    return names[(layer[~fitted_on] @ weights).argmax(axis=1)]


def with_ones(layer):
    return np.column_stack([layer, np.ones(len(layer))])


def of_the_sizes(layer, labels, fitted_on):
    wide, names = with_ones(layer), np.unique(labels[fitted_on])
    weights = np.linalg.lstsq(wide[fitted_on], labels[fitted_on].astype(float))[0]
    guess = wide[~fitted_on] @ weights
    return names[np.abs(guess[:, None] - names).argmin(axis=1)]


def on_all_rows(layer, labels, fitted_on):
    wide, names = with_ones(layer), np.unique(labels)
    weights = np.linalg.lstsq(wide, columns(labels))[0]
    return names[(wide[~fitted_on] @ weights).argmax(axis=1)]


def by_normal_equations(layer, labels, fitted_on):
    wide, names = with_ones(layer), np.unique(labels[fitted_on])
    seen = wide[fitted_on]
    weights = np.linalg.inv(seen.T @ seen) @ seen.T @ columns(labels[fitted_on])
    return names[(wide[~fitted_on] @ weights).argmax(axis=1)]


def numbers_not_names(layer, labels, fitted_on):
    wide = with_ones(layer)
    weights = np.linalg.lstsq(wide[fitted_on], columns(labels[fitted_on]))[0]
    return (wide[~fitted_on] @ weights).argmax(axis=1)


def of_all_rows(layer, labels, fitted_on):
    wide, names = with_ones(layer), np.unique(labels[fitted_on])
    weights = np.linalg.lstsq(wide[fitted_on], columns(labels[fitted_on]))[0]
    return names[(wide @ weights).argmax(axis=1)]


def own_targets(a, b):
    return {"a": a, "b": b, "sum": (a + b) % 5, "product": (a * b) % 5}


def two_pairs():
    return {("a", "b"), ("a", "product")}


def apart(first, second):
    return fs.gw(columns(first), columns(second)).distance


def by_names(first, second):
    return fs.gw(first[:, None].astype(float), second[:, None].astype(float)).distance


def input_by_input(first, second):
    return fs.measures()["rsm"](columns(first), columns(second))


def the_cost(first, second):
    return fs.gw(columns(first), columns(second)).cost


def alike_only(a, b):
    return {"a": a, "b": b, "sum": (a + b) % 5, "twice": (a + 2 * b) % 5}


def as_four_numbers(a, b):
    return {"one": 1, "two": 2, "three": 3, "four": 4}


WRONG = {
    "control": [
        (any_values, "always says the most frequent"),
        (turned_round, "Another generator"),
        (the_target, "the target itself"),
        (in_place, "works in place"),
        (without_the_generator, "Draw with `rng`"),
    ],
    "one_space": [
        (as_they_stand, "same values in another order"),
        (sorted_values, "other names"),
        (how_many, "other sizes"),
    ],
    "readout": [
        (without_ones, "column of ones, and give"),
        (of_the_sizes, "names, not sizes"),
        (numbers_not_names, "by their names"),
        (on_all_rows, "Fit on the others alone"),
        (by_normal_equations, "stopped with LinAlgError|cannot"),
        (of_all_rows, "should return an array of shape"),
    ],
    "predicted": [
        ((two_pairs, lambda a, b: {"a": a, "b": b}, apart), "at least four targets"),
        ((two_pairs, as_four_numbers, apart), "of shape"),
        ((lambda: {"a"}, own_targets, apart), "First predict: a set of pairs"),
        ((lambda: {("a", "c")}, own_targets, apart), "First predict: a set of pairs"),
        ((two_pairs, own_targets, by_names), "The names should not count"),
        ((two_pairs, own_targets, input_by_input), "The names should not count"),
        ((two_pairs, own_targets, lambda first, second: 0.0), "not one space"),
        ((two_pairs, own_targets, the_cost), "the distance is"),
        ((two_pairs, alike_only, apart), "some are one space and some are not|First predict"),
    ],
}
