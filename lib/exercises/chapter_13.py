"""Is the boundary real: score cuts, make a layer from another, compare two measures, look beyond depth."""

from __future__ import annotations

import numpy as np
from scipy import stats

from exercises.asking import Answer, array, call, number, passed, require


def f1_of_cuts(answer: Answer) -> None:
    """`f1_of_cuts(found, true)`: F1 of boundaries, tuples of places."""
    require(np.isclose(number(answer, (3, 6), (3, 6)), 1), "Cuts that are the truth have an F1 of 1.")
    require(
        np.isclose(number(answer, (), ()), 1),
        "Where nothing is to be found and nothing was, the answer is right: 1.",
    )
    require(
        number(answer, (), (3,)) == 0 and number(answer, (3,), ()) == 0,
        "A boundary that was not found, or one that is not there, gives 0.",
    )
    require(np.isclose(number(answer, (4,), (3,)), 0), "A cut that is one layer off is wrong here.")
    every = number(answer, (1, 2, 3, 4, 5), (3,))
    require(
        not np.isclose(every, 1),
        "Who cuts everywhere finds all boundaries, and should not get full marks: false cuts count, too.",
    )
    require(
        np.isclose(every, 1 / 3),
        f"Five cuts of which one is right: precision 1/5, recall 1, F1 1/3, and you have {every:.2f}.",
    )
    passed("The same score for a test, for a guess, and for an eye.")


def made_from(answer: Answer) -> None:
    """`made_from(source, target, rows)`: the best affine image of the source, where it was not fitted."""
    rng = np.random.default_rng(0)
    source = rng.normal(size=(60, 4))
    target = source @ rng.normal(size=(4, 3)) + [10.0, -5.0, 2.0]
    rows = np.arange(60) < 40
    found = np.asarray(call(answer, source, target, rows))
    require(
        found.shape != (60, 3),
        "It should return the 20 samples on which nothing was fitted, and it returns all 60.",
    )
    found = array(answer, (20, 3), source, target, rows)
    require(
        np.allclose(found, target[~rows]),
        "This target is affine in the source, and you miss it. Is there a column of ones for the shift?",
    )
    wide = rng.normal(size=(60, 70))
    noise = rng.normal(size=(60, 2))
    found = array(answer, (20, 2), wide, noise, rows)
    require(
        not np.allclose(found, noise[~rows]),
        "Noise was foretold without an error, so what is foretold was fitted. Fit on `rows` alone.",
    )
    copied = np.column_stack([source, source])
    require(
        np.allclose(array(answer, (20, 3), copied, target, rows), target[~rows]),
        "With two equal columns there are many best maps; take one of them, with `np.linalg.lstsq` or "
        "`np.linalg.pinv`.",
    )
    passed("What such a map cannot make is what the network does between the two layers.")


def gain(answer: Answer) -> None:
    """`gain(one, other, rng)`: mean difference of two scores over chains, and the ends of its interval."""
    rng = np.random.default_rng(1)
    hard = rng.uniform(size=40)
    one, other = hard + 0.1, hard
    found = array(answer, (3,), one, other, np.random.default_rng(0))
    require(np.isclose(found[0], 0.1), f"The mean difference is 0.10, and you have {found[0]:.2f}.")
    require(
        found[2] - found[1] < 0.02,
        "Here one score is better by 0.1 in *every* chain, so the interval should have no width. "
        "Draw chains, with both of their scores.",
    )
    noisy = hard + 0.1 + rng.normal(scale=0.2, size=40)
    found = array(answer, (3,), noisy, other, np.random.default_rng(0))
    low, high = found[1:]
    require(low < found[0] < high, "The mean should lie between the ends, the smaller one first.")
    error = stats.sem(noisy - other)
    wide = (high - low) / (2 * 1.96 * error)
    require(
        wide < 2,
        f"Your interval is {wide:.1f} times as wide as it should be. "
        "It is that of the *mean*, not of a chain.",
    )
    require(
        0.9 < wide < 1.1,
        f"Your interval is {wide:.2f} times as wide as it should be: "
        "from the 2.5 % to the 97.5 % quantile of the drawn means.",
    )
    again = array(answer, (3,), noisy, other, np.random.default_rng(5))
    require(
        not np.array_equal(again[1:], found[1:]),
        "With another generator your ends are the same to the last digit: nothing was drawn. Draw chains "
        "with `rng`.",
    )
    passed("What all chains share, that some are harder, is not in it.")


def beyond_depth(answer: Answer) -> None:
    """`beyond_depth(distance, lost, depth)`: rank correlation of what depth does not explain."""
    rng = np.random.default_rng(2)
    depth = np.repeat(np.arange(1.0, 9), 40)
    noise = rng.normal(size=(2, len(depth)))
    found = number(answer, depth + 0.3 * noise[0], depth + 0.3 * noise[1], depth)
    require(
        abs(found) < 0.3,
        f"Here distance and loss only share depth, so little should be left, and you have {found:.2f}. Take "
        "depth out of both.",
    )
    found = number(answer, depth + noise[0], depth + noise[0], depth)
    require(found > 0.95, f"Here they share more than depth, and you have {found:.2f} in the place of 1.")
    found = number(answer, np.exp(3 * noise[0]), noise[0] ** 3, depth)
    require(
        found > 0.95,
        "A rank correlation does not change when one stretches an axis, and you have "
        f"{found:.2f} in the place of 1. Go over to ranks first.",
    )
    found = number(answer, depth - noise[0], depth + noise[0], depth)
    require(found < -0.9, "Where more distance is less loss, at equal depth, it should be negative.")
    passed("What a map says beyond the number of layers between two layers.")
