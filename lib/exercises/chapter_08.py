"""Groups of an encoder's blocks: what a cut explains, maps without groups, many tests, how maps agree."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

import funcsim as fs
from exercises.asking import Answer, array, number, passed, require


def _line(where: list[float]) -> np.ndarray:
    at = np.array(where)
    return np.abs(at[:, None] - at[None])


def cut_explains(answer: Answer) -> None:
    """`cut_explains(values, k)`: the share of a map's variance that a cut before layer k explains."""
    group = np.array([0, 0, 0, 0, 1, 1])
    perfect = (group[:, None] != group[None]).astype(float)
    found = number(answer, perfect, 4)
    require(
        np.isclose(found, 1),
        f"In this map the cut before layer 4 is all that there is: 1, and you have {found:.2f}.",
    )
    smooth = _line([0, 1, 2, 3, 4, 5])
    rows, columns = np.triu_indices(6, k=1)
    crossing = (rows < 3) & (columns >= 3)
    wanted = np.corrcoef(crossing, smooth[rows, columns])[0, 1] ** 2
    found = number(answer, smooth, 3)
    side = np.arange(6) < 3
    whole = np.corrcoef((side[:, None] != side[None]).ravel(), smooth.ravel())[0, 1] ** 2
    require(
        not np.isclose(found, whole),
        "A layer and itself say nothing about a cut. Take each pair of different layers once.",
    )
    require(
        np.isclose(found, wanted),
        f"For six layers on a line, cut in the middle, it is {wanted:.3f}, and you have {found:.3f}. Two "
        "groups of "
        "pairs, those that cross the cut and those that do not; how much of the variance is between the "
        "groups?",
    )
    passed(
        f"And note: a smooth line, cut in the middle, is explained to {100 * wanted:.0f} %, with no group "
        "in it."
    )


def no_groups(answer: Answer) -> None:
    """`no_groups(n)`: n layers without groups that spectral clustering cuts in two all the same."""
    values = array(answer, (12, 12), 12)
    require(
        np.allclose(values, values.T) and np.allclose(np.diag(values), 0) and (values >= 0).all(),
        "A map of distances is symmetric, not negative, and 0 on the diagonal.",
    )
    names = tuple(f"layer {k}" for k in range(12))
    layer_map = fs.LayerMap(values, names, names, "gw", "mean", 200)
    found = fs.partition(layer_map)
    require(
        found.n_groups == 1,
        f"The test finds {found.n_groups} groups in it (p = {found.p_value:.3f}). No step should be larger "
        "than "
        "those around it.",
    )
    require(
        np.ptp(values[np.triu_indices(12, k=1)]) > 0, "All layers are equally far apart: nothing to cluster."
    )
    groups = fs.spectral_partition(layer_map, 2).labels
    require(
        np.count_nonzero(np.diff(groups)) == 1,
        "Spectral clustering does not cut it into a first and a second half. Let layers drift, one way.",
    )
    passed(f"One group, says the test (p = {found.p_value:.2f}); two, says the clustering, as it was told.")


def false_alarm(answer: Answer) -> None:
    """`false_alarm(n, alpha)`: the chance that at least one of n tests finds what is not there."""
    require(np.isclose(number(answer, 1, 0.05), 0.05), "For one test it is alpha.")
    found = number(answer, 30, 0.05)
    require(found <= 1, f"For 30 tests you have {found:.2f}. A chance is at most 1.")
    require(
        np.isclose(found, 1 - 0.95**30),
        f"For 30 tests at 5 % it is {1 - 0.95**30:.2f}, and you have {found:.2f}. What is the chance that "
        "none "
        "of them errs?",
    )
    passed("Of thirty maps without a boundary, one or two will show one. Say how many maps you have tested.")


def agreement(answer: Answer) -> None:
    """`agreement(first, second)`: rank correlation of two maps of the same layers."""
    rng = np.random.default_rng(0)
    first = _line([0, 1, 2.5, 3, 4.5, 6])
    require(
        np.isclose(number(answer, first, 7 * first**2), 1), "A map and its squares rank all pairs alike: 1."
    )
    noise = rng.uniform(1, 2, size=(6, 6))
    noise = np.triu(noise, k=1) + np.triu(noise, k=1).T
    wanted = spearmanr(*(m[np.triu_indices(6, k=1)] for m in (first, noise))).statistic
    whole = spearmanr(first.ravel(), noise.ravel()).statistic
    found = number(answer, first, noise)
    require(
        not np.isclose(found, whole),
        f"The diagonal is zero in every map, and makes all maps agree: {whole:.2f} for one that is noise. "
        "Each "
        "pair of different layers once.",
    )
    require(
        np.isclose(found, wanted), f"For a map and noise it is {wanted:.2f} here, and you have {found:.2f}."
    )
    passed(f"{found:.2f} for noise. With six layers there are fifteen pairs, and chance goes far.")
