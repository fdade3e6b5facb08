"""Ablations: the strongest cut, a stack without a block, points lost with an interval, how many suffice."""

from __future__ import annotations

import numpy as np

from exercises.asking import Answer, array, call, number, passed, require


def strongest_cut(answer: Answer) -> None:
    """`strongest_cut(values)`: after how many layers a distance map (L, L) has its largest step."""
    values = np.array([[0, 1, 2, 9], [1, 0, 1, 5], [2, 1, 0, 3], [9, 5, 3, 0]], dtype=float)
    found = number(answer, values)
    require(found != 2, "Counted from 0 that is the step. Asked for is how many layers come before it.")
    require(
        found == 3,
        "From the third layer to the fourth is 3, from the others to the next 1: three layers come before "
        f"the largest step. You have {found:g}.",
    )
    far = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0))) ** 2
    far[0, 1] = far[1, 0] = 3
    require(
        number(answer, far) == 1,
        "The first and the last layer are the farthest apart here, but a cut is between neighbours.",
    )
    passed("That is the prediction, and it is written down before anything is cut.")


def without_block(answer: Answer) -> None:
    """`without_block(blocks, k)`: a function that applies all of a list of functions but number k, from 1."""
    blocks = [lambda x: x + 1, lambda x: 10 * x, lambda x: x - 3]
    cut = call(answer, blocks, 2)
    require(callable(cut), "It should return a function: the network without that block.")
    require(cut(5) != 6, "That is without both the second and the third block.")
    require(cut(5) != 57, "That is with all three blocks.")
    require(cut(5) != 60, "That is without the third block. Blocks are counted from 1.")
    require(cut(5) == 3, f"(5 + 1) - 3 is 3, and your network without its second block says {cut(5)}.")
    require(call(answer, blocks, 1)(5) == 47, "Without the first block it is 10 * 5 - 3 = 47.")
    require(call(answer, blocks, 3)(5) == 60, "Without the third block it is 10 * (5 + 1) = 60.")
    passed("Each block adds to the stream that it was given; without one, the next still can.")


def points_lost(answer: Answer) -> None:
    """`points_lost(whole, part)`: percent of texts lost, and half of a 95 % interval, on the same texts."""
    whole = np.array([True] * 90 + [False] * 10)
    part = whole.copy()
    part[:8] = False
    part[90:94] = True
    lost, half = array(answer, (2,), whole, part)
    require(not np.isclose(lost, 0.04), "This is a share. Points are percent.")
    require(
        not np.isclose(lost, -4), "What is lost is positive: accuracy of the whole less that of the part."
    )
    require(
        np.isclose(lost, 4), f"90 of 100 are right, and then 86: 4 points are lost, and you have {lost:.2f}."
    )
    apart = 196 * np.sqrt((0.9 * 0.1 + 0.86 * 0.14) / 100)
    require(
        not np.isclose(half, apart, rtol=0.05),
        "This is the interval of two accuracies on different texts. Here the texts are the same, and the "
        "difference is known text by text.",
    )
    expected = 196 * np.std(whole.astype(float) - part) / 10
    require(
        np.isclose(half, expected, rtol=0.02),
        f"Half of the interval should be 1.96 standard errors of the differences, {expected:.2f} points, and "
        f"you have {half:.2f}.",
    )
    require(
        np.allclose(array(answer, (2,), whole, whole), 0), "If nothing is lost, nothing is uncertain here."
    )
    passed("Eight texts lost and four won: the interval is that of twelve texts, not of a hundred.")


def enough(answer: Answer) -> None:
    """`enough(lost, half, tolerance)`: the least n from which on no loss can be above the tolerance."""
    lost, half = np.array([40, 6, 0.9, 0.5, 0.2, 0.1]), np.array([3, 2, 0.4, 0.3, 0.3, 0.2])
    found = number(answer, lost, half, 1)
    require(
        found != 2,
        "With 2 blocks 0.9 points are lost, give or take 0.4. It may be more than 1: look at the upper end.",
    )
    require(found == 3, f"From 3 blocks on the upper ends are 0.8, 0.5 and 0.3. You have {found:g}.")
    lucky = np.array([40, 0.1, 6, 0.9, 0.2, 0.1])
    require(
        number(answer, lucky, np.full(6, 0.2), 2) == 3,
        "One block alone seems to suffice here, but two do not. Enough is what stays enough with more.",
    )
    require(
        number(answer, lost, half, 0.05) == 6,
        "If not even 5 of the 6 blocks suffice, all 6 are needed: return how many there are.",
    )
    passed('"n blocks suffice" now says for which loss, and how sure.')
