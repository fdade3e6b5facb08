"""Fine-tuning an encoder: pooling, F1, how sure an accuracy is, and neighbourhoods."""

from __future__ import annotations

import numpy as np

from exercises.asking import Answer, array, number, passed, require


def pool_mean(answer: Answer) -> None:
    """`pool_mean(states, mask)`: the mean over the real tokens of every text."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(3, 6, 4))
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]])
    found = array(answer, (3, 4), states, mask)
    require(np.allclose(found[0], states[0].mean(axis=0)), "Without padding it is the mean over all tokens.")
    require(
        not np.allclose(found[1], states[1].mean(axis=0)),
        "Padding has been counted: the second text has two tokens, not six.",
    )
    require(
        not np.allclose(found[1], states[1, :2].sum(axis=0) / 6),
        "The sum is over real tokens, but it is divided by the number of places. Divide by the number of "
        "tokens.",
    )
    require(
        np.allclose(found[1], states[1, :2].mean(axis=0)) and np.allclose(found[2], states[2, 0]),
        "For the second text it should be the mean of its first two tokens, for the third its only one.",
    )
    louder = states.copy()
    louder[mask == 0] = 1e6
    require(
        np.allclose(array(answer, (3, 4), louder, mask), found),
        "What stands in the padding should not matter.",
    )
    passed("A text says the same, however much padding its batch has.")


def f1(answer: Answer) -> None:
    """`f1(answers, labels)`: F1 of the positive class."""
    labels = np.array([1, 1, 1, 0, 0, 0])
    everything = number(answer, np.ones(6, dtype=int), labels)
    require(
        not np.isclose(everything, 0.5),
        "For an encoder that calls everything positive you give 0.5. That is its accuracy, or its precision.",
    )
    require(
        np.isclose(everything, 2 / 3),
        "An encoder that calls everything positive, on balanced classes, has an F1 of 2/3.",
    )
    require(np.isclose(number(answer, labels, labels), 1), "If every answer is right it is 1.")
    some = number(answer, np.array([1, 0, 0, 0, 0, 1]), labels)
    require(
        np.isclose(some, 2 / 5),
        f"One hit, two positives missed, one false alarm: 2 / 5, and you have {some:.2f}.",
    )
    require(number(answer, np.zeros(6, dtype=int), labels) == 0, "If nothing is called positive it is 0.")
    passed("Two thirds, for an encoder that has learned nothing: look at what F1 starts from.")


def margin(answer: Answer) -> None:
    """`margin(accuracy, n)`: half the width of a 95 % interval."""
    found = number(answer, 0.89, 872)
    require(
        not np.isclose(found, 1.96 * 0.89 * 0.11 / 872, rtol=0.1),
        "That is a variance. The interval is made of its root, the standard error.",
    )
    require(
        not np.isclose(found, 1.96 * np.sqrt(0.89 * 0.11), rtol=0.1),
        "That is how much one answer varies. The mean of n answers varies less.",
    )
    require(
        not np.isclose(found, np.sqrt(0.89 * 0.11 / 872), rtol=0.05),
        "That is the standard error. The 95 % interval reaches 1.96 of them to either side.",
    )
    require(
        np.isclose(found, 0.0208, atol=0.0005),
        f"For 89 % of 872 texts it is 2.1 points, 0.021, and you have {found:.4f}.",
    )
    require(
        np.isclose(number(answer, 0.5, 400) / number(answer, 0.5, 1600), 2),
        "Four times as many texts should halve it.",
    )
    passed("Two encoders that differ by less than two points on 872 texts may well be equally good.")


def kept(answer: Answer) -> None:
    """`kept(x, y, k)`: overlap of the k nearest neighbours in two clouds."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    require(
        np.isclose(number(answer, x, 3 * x + 1, 5), 1), "A larger copy elsewhere has the same neighbours: 1."
    )
    other = rng.normal(size=(80, 3))
    chance = number(answer, x, other, 5)
    require(
        chance < 0.12,
        f"Two clouds that have nothing in common have an overlap of {chance:.2f}. Does every point count "
        "as its "
        "own neighbour?",
    )
    moved = x.copy()
    moved[:40] = x[:40][::-1]
    near = [set(np.argsort(np.linalg.norm(c - c[i], axis=1))[1:6]) for i in range(80) for c in (x, moved)]
    pairs = list(zip(near[::2], near[1::2], strict=True))
    wanted = float(np.mean([len(a & b) / len(a | b) for a, b in pairs]))
    found = number(answer, x, moved, 5)
    of_k = float(np.mean([len(a & b) / 5 for a, b in pairs]))
    require(
        not np.isclose(found, of_k),
        "You divide by k. The Jaccard index divides by the number of points that are in either "
        "neighbourhood.",
    )
    require(
        np.isclose(found, wanted),
        f"For the clouds of this check it is {wanted:.3f}, and you have {found:.3f}.",
    )
    passed(f"Half of the points moved, and {100 * wanted:.0f} % of the neighbourhoods are kept.")
