"""What readers may well write, and what the check says to it."""

import numpy as np


def from_zero(values):
    return int(np.argmax(np.diag(values, k=1)))


def farthest_pair(values):
    return int(np.unravel_index(np.argmax(values), values.shape)[1])


def smallest_step(values):
    return int(np.argmin(np.diag(values, k=1))) + 1


def forgets_to_skip(blocks, k):
    def cut(x):
        for block in blocks:
            x = block(x)
        return x

    return cut


def one_too_many(blocks, k):
    def cut(x):
        for block in blocks[: k - 1] + blocks[k + 1 :]:
            x = block(x)
        return x

    return cut


def counted_from_0(blocks, k):
    def cut(x):
        for i, block in enumerate(blocks):
            if i != k:
                x = block(x)
        return x

    return cut


def a_number(blocks, k):
    return len(blocks) - 1


def a_share(whole, part):
    apart = whole.astype(float) - part
    return apart.mean(), 1.96 * apart.std() / np.sqrt(len(apart))


def the_wrong_way_round(whole, part):
    apart = part.astype(float) - whole
    return 100 * apart.mean(), 196 * apart.std() / np.sqrt(len(apart))


def other_texts(whole, part):
    variance = sum(x.mean() * (1 - x.mean()) for x in (whole, part))
    return 100 * (whole.mean() - part.mean()), 196 * np.sqrt(variance / len(whole))


def a_standard_deviation(whole, part):
    apart = whole.astype(float) - part
    return 100 * apart.mean(), 196 * apart.std()


def by_the_mean(lost, half, tolerance):
    return int(np.argmax(lost <= tolerance))


def the_first_that_does(lost, half, tolerance):
    fits = lost + half <= tolerance
    return int(np.argmax(fits)) if fits.any() else len(lost)


def never_all(lost, half, tolerance):
    fails = np.flatnonzero(lost + half > tolerance)
    return min(int(fails.max()) + 1, len(lost) - 1)


WRONG = {
    "strongest_cut": [
        (from_zero, "Counted from 0"),
        (farthest_pair, "between neighbours"),
        (smallest_step, "three layers come before"),
    ],
    "without_block": [
        (forgets_to_skip, "all three blocks"),
        (one_too_many, "both the second and the third"),
        (counted_from_0, "counted from 1"),
        (a_number, "return a function"),
    ],
    "points_lost": [
        (a_share, "Points are percent"),
        (the_wrong_way_round, "positive"),
        (other_texts, "different texts"),
        (a_standard_deviation, "standard errors"),
    ],
    "enough": [
        (by_the_mean, "upper end"),
        (the_first_that_does, "stays enough"),
        (never_all, "all 6 are needed"),
    ],
}
