"""Training dynamics: when to look, when a curve is halfway, how sure a lag is, when a boundary stays."""

from __future__ import annotations

import numpy as np

from exercises.asking import Answer, array, call, number, passed, require


def when_to_look(answer: Answer) -> None:
    """`when_to_look(last, n)`: about n steps, evenly spaced in their logarithm."""
    found = np.asarray(call(answer, 1000, 20))
    require(np.issubdtype(found.dtype, np.integer), "Steps are whole numbers.")
    require(
        0 in found and 1000 in found,
        "The state before the first step and the one after the last should be there.",
    )
    require(
        len(np.unique(found)) == len(found) and (np.diff(found) > 0).all(),
        "Some steps are there twice. Near the beginning whole numbers are farther apart than the spacing.",
    )
    require(
        12 <= len(found) <= 21, f"About 20 looks were asked for, or a few less, and these are {len(found)}."
    )
    early = np.mean(found <= 30)
    require(
        early > 0.35,
        f"Of your looks {100 * early:.0f} % are within the first 30 of 1,000 steps. Evenly spaced in the "
        "*logarithm*, nearly half of them are.",
    )
    require(
        len(np.asarray(call(answer, 5, 20))) == 6,
        "Of five steps there are six states; more cannot be looked at.",
    )
    passed("Dense where a network changes fast, sparse where it does not.")


def halfway(answer: Answer) -> None:
    """`halfway(steps, curve)`: after how many steps a curve has first gone half of its way."""
    steps = np.array([0, 1, 2, 4, 8, 16])
    up = np.array([1.0, 1.0, 1.0, 2.0, 2.6, 3.0])
    require(np.isclose(number(answer, steps, up), 4), "From 1 to 3, half of the way is 2: that is at step 4.")
    down = 5 - up
    require(
        np.isclose(number(answer, steps, down), 4),
        "A curve that falls, such as a loss, has a way as well. Count it from its own beginning.",
    )
    between = np.array([0.0, 0.0, 0.0, 0.25, 0.75, 1.0])
    found = number(answer, steps, between)
    require(
        not np.isclose(found, 8),
        "Half of the way is gone between steps 4 and 8, not at 8. Go along the line between them.",
    )
    require(4 < found < 8, f"Half of the way is gone between steps 4 and 8, and you have {found:g}.")
    back = np.array([0.0, 0.1, 0.9, 0.2, 0.4, 1.0])
    found = number(answer, steps, back)
    require(
        1 < found < 2,
        f"It crosses half of its way three times; the first is between 1 and 2, and you have {found:g}.",
    )
    passed("Two curves of different units can now be dated by the same clock.")


def lag(answer: Answer) -> None:
    """`lag(factors)`: mean of factors and the ends of its 95 % interval."""
    found = array(answer, (3,), np.array([0.5, 2.0, 1.0]))
    require(
        not np.isclose(found[0], 3.5 / 3),
        "Twice as late and twice as early should cancel. Take the mean of logarithms.",
    )
    require(
        np.isclose(found[0], 1), f"The mean of 1/2, 2 and 1 as factors is 1, and you have {found[0]:.2f}."
    )
    require(
        np.isclose(found[1] * found[2], 1) and found[1] < 1,
        "Around 1, the ends of the interval should be a factor and its inverse, the smaller one first.",
    )
    wide = np.log2(found[2]) / (1 / np.sqrt(3))
    require(
        not np.isclose(wide, 1.96, atol=0.02),
        "1.96 is for many seeds. With three, Student's distribution has 4.30.",
    )
    require(
        np.isclose(wide, 4.3027, atol=0.01),
        "The interval should reach 4.30 standard errors of the logarithm.",
    )
    passed("Three seeds can tell a factor of two from none only if they agree well.")


def stays_from(answer: Answer) -> None:
    """`stays_from(steps, found, layer)`: from which step on a boundary is always found."""
    steps = [0, 1, 2, 4, 8, 16]
    came_and_went = [(), (8,), (), (8,), (8, 10), (8,)]
    found = number(answer, steps, came_and_went, 8)
    require(found != 1, "At step 1 it is found, but at step 2 it is gone again.")
    require(found == 4, f"From step 4 on it is always found, and you have {found:g}.")
    require(number(answer, steps, [(8,)] * 6, 8) == 0, "If it is always found, it is there from step 0.")
    gone = call(lambda *x: (answer(*x),), steps, [(8,), (8,), (8,), (8,), (8,), ()], 8)[0]
    require(gone is None, "If it is not found at the end it has not come to stay: None.")
    passed("One test in twenty finds a boundary by chance. One that stays is another matter.")
