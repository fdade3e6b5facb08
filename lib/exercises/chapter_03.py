"""Measures: CKA by hand, what it says of noise, RSM, and a p-value by permutation."""

from __future__ import annotations

import numpy as np

import funcsim as fs
from exercises.asking import Answer, call, number, passed, require


def linear_cka(answer: Answer) -> None:
    """`linear_cka(X, Y)`: linear CKA of two clouds."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)) + 2, rng.normal(size=(40, 5)) - 1
    y[:, 0] += 3 * x[:, 0]
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    require(np.isclose(number(answer, x, x), 1), "A cloud and itself should be at 1.")
    require(
        np.isclose(number(answer, x, y), number(answer, x + 7, y)),
        "When a cloud is moved your number changes. Centre the columns first.",
    )
    require(
        np.isclose(number(answer, x, y), number(answer, 10 * x, y)),
        "When a cloud is made larger your number changes. Divide by the sizes of both matrices.",
    )
    require(
        np.isclose(number(answer, x, y), number(answer, x @ turn, y)),
        "When a cloud is rotated your number changes. Compare inner products of samples, not of columns.",
    )
    wanted = fs.measures()["cka"](x, y)
    found = number(answer, x, y)
    require(
        not np.isclose(found, wanted**2) and not np.isclose(found**2, wanted),
        "Nearly: it is the square of CKA, or its root.",
    )
    require(
        np.isclose(found, wanted),
        f"For the two clouds of this check it is {wanted:.4f}, and you have {found:.4f}.",
    )
    passed("It forgives rotation, scale and place, and nothing else.")


def samples_and_dimensions(answer: Answer) -> None:
    """`samples_and_dimensions()`: for which noise looks like itself."""
    found = call(answer)
    require(
        isinstance(found, tuple) and len(found) == 2 and all(isinstance(k, int) for k in found),
        "Return two whole numbers: samples, and dimensions.",
    )
    n, d = found
    require(3 < n <= 200 and 1 <= d <= 200, "At least four samples, and at most 200 of each.")
    rng = np.random.default_rng(0)
    clouds = [(rng.normal(size=(n, d)), rng.normal(size=(n, d))) for _ in range(5)]
    plain, debiased = (
        float(np.mean([fs.measures()[name](x, y) for x, y in clouds])) for name in ("cka", "cka-debiased")
    )
    require(
        plain > 0.9,
        f"There the CKA of independent noise is {plain:.2f} on average. Fewer samples, or more dimensions?",
    )
    passed(f"CKA calls independent noise alike, {plain:.2f}. The debiased one says {debiased:.2f}.")


def rsm(answer: Answer) -> None:
    """`rsm(X, Y)`: the difference of the distances of two clouds."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 6))
    require(
        np.isclose(number(answer, x, 5 * x + 1), 0, atol=1e-7),
        "A cloud and itself at five times the size: 0.",
    )
    wanted, found = fs.measures()["rsm"](x, y), number(answer, x, y)
    require(not np.isclose(found, wanted**2), "You have the mean square; take its root.")
    require(
        np.isclose(found, wanted),
        f"For the two clouds of this check it is {wanted:.4f}, and you have {found:.4f}. By which mean do "
        "you divide, and over which entries is the last one?",
    )
    require(
        number(answer, x, y[rng.permutation(20)]) != found,
        "Shuffled samples should change it: it knows which sample is which.",
    )
    passed(f"It is never below the Gromov-Wasserstein distance, here {fs.gw(x, y).distance:.4f}.")


def p_value(answer: Answer) -> None:
    """`p_value(score, X, Y, n, rng)`: how often chance does as well."""

    def score(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.corrcoef(x[:, 0], y[:, 0])[0, 1])

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 1))
    found = number(answer, score, x, x, 99, np.random.default_rng(1))
    require(
        found > 0,
        "Zero would say that chance never does it, after 99 trials. Count the order that we have.",
    )
    require(
        found < 0.9,
        "A cloud and itself should be surely more than chance. Are the samples of one of the two shuffled?",
    )
    require(
        np.isclose(found, 0.01),
        f"A cloud and itself, 99 shuffles: that is 1 / 100, and you have {found:.3f}.",
    )
    against = [
        number(answer, score, x, rng.normal(size=(60, 1)), 39, np.random.default_rng(k)) for k in range(60)
    ]
    require(
        0.35 < float(np.mean(against)) < 0.65,
        f"For clouds that have nothing to do with each other all values should be equally likely; yours are "
        f"{np.mean(against):.2f} on average. Which scores count as at least as large?",
    )
    passed("Small for what is alike, anything for what is not, and never zero.")
