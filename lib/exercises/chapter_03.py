"""Measures: CKA by hand, what it says of noise, a p-value by permutation, and what goes unnoticed."""

from __future__ import annotations

import warnings

import numpy as np

import funcsim as fs
from exercises.asking import Answer, array, call, number, passed, require


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
    rounded = np.repeat([0.0, 1.0], 30)[:, None]
    tied = number(answer, lambda X, Y: 1.0, rounded, rounded, 99, np.random.default_rng(1))
    require(
        np.isclose(tied, 1),
        f"Here every order has the same score, so chance always does as well: 1, and you have {tied:.2f}. An "
        "equal score counts: `>=`.",
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


def predicted(prediction: Answer, changed: Answer) -> None:
    """Which measures do not notice a change of the reader's own."""
    measures = {name: m for name, m in fs.measures().items() if name != "agw"}
    said = call(prediction)
    require(
        isinstance(said, set) and all(isinstance(name, str) for name in said),
        "First predict: a set of names of measures, those that will not notice your change.",
    )
    unknown = sorted(said - set(measures))
    require(
        not unknown, f"There is no measure called {', '.join(unknown)} here. There are {', '.join(measures)}."
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)) * [2.0, 1.4, 1.0, 0.7]
    y = array(changed, x.shape, x)
    require(not np.allclose(y, x), "Your change changes nothing.")
    known = _known_change(x, y)
    require(
        known is None,
        f"Your cloud is the given one, {known}. The page shows what each measure makes of that; take another "
        "change, or add one.",
    )
    require(
        np.linalg.matrix_rank(y - y.mean(axis=0)) > 0,
        "All samples of your cloud coincide: nothing can be compared.",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        noticed = {name: _noticed(measure, x, y) for name, measure in measures.items()}
    missed = sorted(name for name, one in noticed.items() if not one)
    right = sum((name in said) != noticed[name] for name in measures)
    surprises = sorted(said.symmetric_difference(missed))
    passed(
        f"Not noticed by {', '.join(missed) or 'none'}. Of {len(measures)} measures you predicted {right}"
        + (f"; not {', '.join(surprises)}. Why do these differ?" if surprises else ", all.")
    )


def _noticed(measure: fs.Measure, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a pair is farther from "as to itself" than a hundredth of "nothing in common"."""
    nothing = np.exp(np.random.default_rng(1).normal(size=x.shape))
    same = measure(x, x)
    return abs(measure(x, y) - same) > 0.01 * abs(measure(x, nothing) - same)


def _known_change(x: np.ndarray, y: np.ndarray) -> str | None:
    """What the change is called, if it is one of those in the chapter's table, or several of them."""
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    b = b * np.linalg.norm(a) / max(np.linalg.norm(b), 1e-12)
    if np.allclose(a @ a.T, b @ b.T, atol=1e-6):
        return "rotated, moved or scaled"
    rows = [np.flatnonzero(np.isclose(x, row).all(axis=1)) for row in y]
    if all(len(row) for row in rows) and len({int(row[0]) for row in rows}) == len(x):
        return "with its samples shuffled"
    return None
