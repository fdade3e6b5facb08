"""Known targets: controls, spaces of labels, and when two targets are one space."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform

from exercises.asking import Answer, array, call, passed, require


def control(answer: Answer) -> None:
    """`control(target, rng)`: a target of which nothing can be learned."""
    target = np.random.default_rng(0).choice(5, p=[0.6, 0.1, 0.1, 0.1, 0.1], size=400)
    found = array(answer, (400,), target, np.random.default_rng(1)).astype(int)
    require(not np.array_equal(found, target), "That is the target itself.")
    counts, wanted = (np.bincount(x, minlength=5) for x in (found, target))
    require(
        np.array_equal(counts, wanted),
        f"In the target the values occur {wanted.tolist()} times, in your control {counts.tolist()}. A probe "
        "that always says the most frequent value should do as well on both.",
    )
    require(
        np.mean(found == target) < 0.6,
        "Your control agrees with the target too often for chance.",
    )
    other = array(answer, (400,), target, np.random.default_rng(2)).astype(int)
    require(not np.array_equal(found, other), "Another generator should give another order.")
    passed("The same values equally often, in an order that no input explains.")


def on_a_circle(answer: Answer) -> None:
    """`on_a_circle(values, modulus)`: a target as points in the plane."""
    values = np.arange(12)
    points = array(answer, (12, 2), values, 12)
    D = squareform(pdist(points))
    require(
        np.isclose(D[0, 11], D[0, 1]),
        "11 and 0 are neighbours modulo 12, as 0 and 1 are, and should be equally near. Is a full turn 2 pi?",
    )
    require(np.isclose(D[0, 6], D.max()), "6 is opposite to 0, and should be the farthest.")
    require(
        np.allclose(np.linalg.norm(points, axis=1), np.linalg.norm(points[0])),
        "All points should be equally far from the centre.",
    )
    require(
        np.allclose(points[:7], array(answer, (7, 2), values[:7], 12)),
        "A point should depend on its value and on the modulus, not on which other values there are.",
    )
    passed("A remainder has no largest value: on a circle nobody has to be last.")


def as_classes(answer: Answer) -> None:
    """`as_classes(values)`: distances between labels that are only the same or not."""
    values = np.array([3, 1, 3, 0, 58])
    D = array(answer, (5, 5), values)
    require(np.isclose(D[0, 2], 0), "Two inputs with the same value should be at distance 0.")
    apart = D[values[:, None] != values]
    require(
        np.allclose(apart, apart[0]) and apart[0] > 0,
        "All different values should be equally far apart: 58 is not farther from 0 than 1 is.",
    )
    passed("A space in which only sameness counts.")


def one_space(answer: Answer) -> None:
    """`one_space(first, second)`: whether two targets are one space, as classes, to Gromov-Wasserstein."""
    rng = np.random.default_rng(0)
    target = np.array([0, 0, 0, 1, 1, 2])
    cases = [
        (target, rng.permutation(target), True, "the same values in another order"),
        (target, np.array([5, 5, 5, 7, 7, 9]), True, "the same groups under other names"),
        (target, np.array([2, 2, 2, 0, 0, 1]), True, "the same groups, names exchanged"),
        (target, np.array([0, 0, 1, 1, 2, 2]), False, "three groups of other sizes"),
        (target, np.array([0, 0, 0, 1, 1, 1]), False, "two groups instead of three"),
    ]
    for first, second, same, what in cases:
        found = call(answer, first, second)
        require(isinstance(found, bool | np.bool_), "It should return True or False.")
        require(
            bool(found) == same,
            f"For {what} it should be {same}. What is left without order and names?",
        )
    passed(
        "With equal moduli all three targets are one space, and Gromov-Wasserstein cannot tell them apart."
    )
