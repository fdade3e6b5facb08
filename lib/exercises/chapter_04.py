"""Networks that add: levels of sums, honest splits, the delay of grokking, and the shape of errors."""

from __future__ import annotations

import numpy as np

from exercises.asking import Answer, array, call, number, passed, require


def third_sum(answer: Answer) -> None:
    """`third_sum(a, b, moduli)`: the last of three nested sums."""
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(11), np.arange(11), indexing="ij"))
    equal = array(answer, (121,), a, b, (11, 11, 11))
    require(
        np.array_equal(equal, (a + 3 * b) % 11),
        "With three equal moduli p it should be (a + 3 b) mod p.",
    )
    nested = array(answer, (121,), a, b, (11, 7, 5))
    require(
        not np.array_equal(nested, (a + 3 * b) % 5),
        "With moduli that shrink you leave out the remainders on the way. Take one after every sum.",
    )
    wanted = (((a + b) % 11 + b) % 7 + b) % 5
    require(
        np.array_equal(nested, wanted),
        "With the moduli 11, 7 and 5 it is (((a + b) mod 11 + b) mod 7 + b) mod 5.",
    )
    differs = np.mean(wanted != (a + 3 * b) % 5)
    passed(f"Without the remainders on the way {100 * differs:.0f} % of the pairs would come out otherwise.")


def split(answer: Answer) -> None:
    """`split(n, share, seed)`: rows to train on, and the others."""
    found = call(answer, 1000, 0.8, 0)
    require(
        isinstance(found, tuple) and len(found) == 2, "Return two arrays: rows to train on, and the others."
    )
    train, rest = (np.asarray(rows) for rows in found)
    require(len(train) == 800, f"80 % of 1,000 rows are 800, and you have {len(train)}.")
    require(
        len(np.intersect1d(train, rest)) == 0, "Some rows are on both sides. Then validation tests memory."
    )
    require(len(np.union1d(train, rest)) == 1000, "Some rows are on neither side.")
    require(
        abs(np.mean(train) - np.mean(rest)) < 100,
        "The rows are not mixed: all pairs of some numbers would be missing from training.",
    )
    again, other = (np.asarray(call(answer, 1000, 0.8, seed)[0]) for seed in (0, 1))
    require(np.array_equal(again, train), "The same seed should give the same split.")
    require(not np.array_equal(np.sort(other), np.sort(train)), "Another seed should give another split.")
    passed("Every row is on one side, by chance, and the same chance for the same seed.")


def delay(answer: Answer) -> None:
    """`delay(train, val, level)`: how much later validation first reaches a level."""
    train = np.array([0.0, 0.5, 0.95, 1.0, 1.0, 1.0, 1.0])
    val = np.array([0.0, 0.0, 0.0, 0.1, 0.9, 0.85, 1.0])
    require(
        number(answer, train, val, 0.9) == 2,
        "Training first reaches 0.9 in epoch 2, validation in epoch 4: two epochs. What a curve does "
        "afterwards, falling below again, does not count.",
    )
    require(number(answer, train, train, 0.9) == 0, "Of a curve to itself the delay is 0.")
    never = number(lambda *x: _finite(call(answer, *x)), train, 0 * val, 0.9)
    require(never == -1, "If validation never reaches the level, the answer should be infinity: `np.inf`.")
    passed("Two epochs here; and infinity for a network that only knows by heart.")


def _finite(x: float) -> float:
    return -1.0 if x == np.inf else x


def off_by(answer: Answer) -> None:
    """`off_by(answers, targets, inner, outer)`: the share of errors that are off by one inner modulus."""
    targets = np.array([0, 5, 10, 16, 3, 8, 2, 2])
    answers = np.array([0, 5, 10, 13, 6, 9, 2, 2])  # three errors: -3, +3, +1
    found = number(answer, answers, targets, 3, 17)
    require(
        not np.isclose(found, 2 / 8), "You divide by all answers. It should be a share of the wrong ones."
    )
    require(
        not np.isclose(found, 1 / 3),
        "An answer can be off by one inner modulus in both directions: up, and down.",
    )
    require(np.isclose(found, 2 / 3), f"Two of three errors are off by 3, and you have {found:.2f}.")
    around = number(answer, np.array([1, 15]), np.array([15, 1]), 3, 17)
    require(
        np.isclose(around, 1), "From 15 to 1 it is 3 steps, modulo 17. Take the remainder of the difference."
    )
    none = number(answer, targets, targets, 3, 17)
    require(none == 0, "If nothing is wrong, return 0.")
    passed(
        "Errors of one kind mean that a network knows nearly everything: here, all but the inner remainders."
    )
