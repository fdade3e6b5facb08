"""Known targets: a control, a probe by hand, and when two targets are one space."""

from __future__ import annotations

from itertools import combinations

import numpy as np

import funcsim as fs
from exercises.asking import Answer, array, arrays, as_array, call, number, passed, require


def control(answer: Answer) -> None:
    """`control(target, rng)`: a target of which nothing can be learned."""
    target = np.random.default_rng(0).choice(5, p=[0.6, 0.1, 0.1, 0.1, 0.1], size=400)
    given = target.copy()
    found = np.asarray(call(answer, given, np.random.default_rng(1), copies=False))
    require(
        np.array_equal(given, target),
        "The target that you were given is in another order now: `shuffle` works in place. Return a new "
        "array, with `permutation`.",
    )
    found = as_array(found, (400,)).astype(int)
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
    again = array(answer, (400,), target, np.random.default_rng(1)).astype(int)
    require(
        np.array_equal(found, again),
        "Asked again with the same generator, you give another order. Draw with `rng`, not with `np.random`.",
    )
    passed("The same values equally often, in an order that no input explains.")


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


def readout(answer: Answer) -> None:
    """`readout(layer, labels, fitted_on)`: what a linear probe reads off the rows that it has not seen."""
    rng = np.random.default_rng(0)
    side = rng.integers(0, 2, size=90)
    line, names = (1 + 2 * side + 0.1 * rng.normal(size=90))[:, None], np.array([7, 2])[side]
    rows = np.arange(90) < 30
    right = np.mean(_labels(answer, line, names, rows) == names[~rows])
    require(
        right > 0.9,
        f"One number about 1 for the label 7 and about 3 for the label 2, and your probe is right for "
        f"{100 * right:.0f} %. Did you add a column of ones, and give the labels back by their names?",
    )
    corner = rng.integers(0, 4, size=300)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])[corner]
    layer = square + 0.05 * rng.normal(size=(300, 2)) + 20
    labels, rows = np.array([7, 8, 9, 10])[corner], np.arange(300) < 60
    found = _labels(answer, layer, labels, rows)
    require(
        np.mean(found == labels[~rows]) > 0.9,
        "Here four labels lie at the corners of a square. They are names, not sizes: fit a column of zeros "
        "and ones for each label, and take the largest.",
    )
    twin = np.column_stack([layer, layer])
    require(
        np.mean(_labels(answer, twin, labels, rows) == labels[~rows]) > 0.9,
        "With columns that occur twice your probe fails. `np.linalg.lstsq` can solve it, `np.linalg.inv` "
        "cannot.",
    )
    renamed = np.where(rows, labels, np.array([8, 9, 10, 7])[corner])
    require(
        np.array_equal(_labels(answer, layer, renamed, rows), found),
        "What you read off unseen rows depends on the labels of these rows. Fit on the others alone.",
    )
    drawn = np.mean(_labels(answer, rng.normal(size=(300, 2)), labels, rows) == labels[~rows])
    passed(f"It reads {100 * right:.0f} % where the label is there, and {100 * drawn:.0f} % where it is not.")


def _labels(answer: Answer, layer: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return array(answer, (int((~rows).sum()),), layer, labels, rows).astype(int)


def predicted(prediction: Answer, targets: Answer, apart: Answer) -> None:
    """Which of a reader's own targets are one space to Gromov-Wasserstein, as classes."""
    said = call(prediction)
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(MODULUS), np.arange(MODULUS), indexing="ij"))
    own = call(targets, a, b)
    require(
        isinstance(own, dict) and len(own) >= 4,
        "`targets` should return a dictionary with at least four targets, by their names.",
    )
    own = {name: x.astype(int) for name, x in arrays(own, (len(a),), targets).items()}
    require(
        all(len(np.unique(values)) > 1 for values in own.values()),
        "A target with one value is one point. Take others.",
    )
    names = list(own)
    pairs = list(combinations(names, 2))
    require(
        isinstance(said, set)
        and all(isinstance(pair, tuple) and len(pair) == 2 and set(pair) <= set(names) for pair in said),
        f"First predict: a set of pairs of names, such as {{({names[0]!r}, {names[1]!r})}}, of those "
        "targets that are at distance 0.",
    )
    small, halves = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1])
    zero, far = number(apart, small, np.array([5, 9, 5, 7, 9, 5])), number(apart, small, halves)
    require(
        zero < 0.05,
        f"Three groups of three, two and one under other names: 0, and you have {zero:.2f}. The names should "
        "not count: a column of zeros and ones for each class.",
    )
    require(
        far > 0.05,
        "Three groups and two groups are not one space, and you have 0. Is each class a point of its own?",
    )
    points = [(values[:, None] == np.unique(values)).astype(float) for values in (small, halves)]
    wanted = fs.gw(*points).distance
    require(
        np.isclose(far, wanted, rtol=0.1),
        f"For groups of 3, 2 and 1 against 3 and 3 the distance is {wanted:.3f}, and you have {far:.3f}.",
    )
    distances = {(x, y): number(apart, own[x], own[y]) for x, y in pairs}
    one = {pair for pair, distance in distances.items() if distance < 0.05}
    require(
        0 < len(one) < len(pairs),
        "Choose targets of which some are one space and some are not: else nothing was to be predicted.",
    )
    thought = {pair for pair in pairs if pair in said or pair[::-1] in said}
    wrong = sorted(one ^ thought)
    listed = "; ".join(" and ".join(pair) for pair in sorted(one))
    passed(
        f"At distance 0: {listed}. Of {len(pairs)} pairs you predicted {len(pairs) - len(wrong)}."
        + "".join(f" Why not {x} and {y}, {distances[x, y]:.2f}?" for x, y in wrong)
    )


MODULUS = 5
