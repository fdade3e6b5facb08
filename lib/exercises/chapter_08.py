"""Groups of an encoder's blocks: many tests, maps without groups, spectral clustering, cut and test."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

import funcsim as fs
from exercises.asking import Answer, array, between, call, number, numbers, outcome, passed, require

Array = np.ndarray


def false_alarm(answer: Answer) -> None:
    """`false_alarm(n, alpha)`: the chance that at least one of n tests finds what is not there."""
    require(np.isclose(number(answer, 1, 0.05), 0.05), "For one test it is alpha.")
    found = number(answer, 30, 0.05)
    require(found <= 1, f"For 30 tests you have {found:.2f}. A chance is at most 1.")
    require(
        np.isclose(found, 1 - 0.95**30),
        f"For 30 tests at 5 % it is {1 - 0.95**30:.2f}, and you have {found:.2f}. What is the chance that "
        "none of them errs?",
    )
    strict = number(answer, 30, 0.01)
    require(
        np.isclose(strict, 1 - 0.99**30),
        f"For 30 tests at 1 % it is {1 - 0.99**30:.2f}, and you have {strict:.2f}. Does it depend on alpha?",
    )
    passed("Of thirty maps without a boundary, one or two will show one. Say how many maps you have tested.")


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
        "than those around it.",
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


def two_groups(answer: Answer) -> None:
    """`two_groups(values)`: the two groups of spectral clustering, as booleans."""
    group = np.array([0, 0, 1, 0, 1, 1, 1, 1]) > 0
    noise = np.random.default_rng(0).uniform(0, 0.1, size=(8, 8))
    clear = np.where(_together(group), 0.2, 1.0) + noise + noise.T
    np.fill_diagonal(clear, 0)
    found = _groups(answer, clear)
    require(
        0 < found.sum() < 8,
        "You put all layers into one group. The eigenvector of the smallest eigenvalue has one sign "
        "everywhere; take the next one.",
    )
    require(
        np.array_equal(_together(found), _together(group)),
        f"Here layers {_listed(group)} are near each other, and so are the others. Your groups are "
        f"{_listed(found)} and {_listed(~found)}. Near layers have a large affinity. Groups need be neither "
        "neighbours nor equally large.",
    )
    require(
        np.array_equal(_together(_groups(answer, 10 * clear)), _together(group)),
        "Ten times as large, the same map has other groups with you.",
    )
    cloud = np.random.default_rng(507).normal(size=(7, 2)) * [2, 1]
    cloud[0] += [2, -1]
    uneven = np.linalg.norm(cloud[:, None] - cloud[None], axis=2)
    names = tuple("abcdefg")
    wanted = np.array(fs.spectral_partition(fs.LayerMap(uneven, names, names, "gw", "mean", 100)).labels) > 0
    found = _groups(answer, uneven)
    require(
        np.array_equal(_together(found), _together(wanted)),
        f"In a map with one layer far from the others the groups are {_listed(wanted)} and "
        f"{_listed(~wanted)}, and yours are {_listed(found)} and {_listed(~found)}. Did you divide by the "
        "roots of both degrees?",
    )
    where = np.arange(8.0)
    drift = _groups(answer, np.abs(where[:, None] - where[None]))
    passed(
        f"And of eight layers that drift, all steps alike, it makes {_listed(drift)} and {_listed(~drift)}. "
        "It cannot say that there are no groups."
    )


def _groups(answer: Answer, values: Array) -> Array:
    return array(answer, (len(values),), values) > 0


def _together(group: Array) -> Array:
    return group[:, None] == group[None]


def _listed(group: Array) -> str:
    return str(np.flatnonzero(group).tolist())


def predicted(prediction: Answer, own: Answer, measured: Answer) -> None:
    """What the best cut and the test say of a reader's own network."""
    said = call(prediction)
    parts = ("cut", "share", "groups")
    require(
        isinstance(said, dict) and set(said) == set(parts),
        f"First predict: a dictionary with {', '.join(map(repr, parts))}.",
    )
    share = between(said["share"], "the share in per cent", widest=15)
    torch.manual_seed(0)
    network = call(own)
    require(isinstance(network, nn.Sequential), "`own_network` should return an `nn.Sequential`.")
    size = len(network)
    require(8 <= size <= 12, f"Your network has {size} modules. Take 8 to 12.")
    for part, most in (("cut", size - 1), ("groups", size)):
        require(
            isinstance(said[part], int) and not isinstance(said[part], bool) and 1 <= said[part] <= most,
            f"First predict {part!r}: a whole number from 1 to {most}.",
        )
    x = torch.randn(24, 16, generator=torch.Generator().manual_seed(0))
    for kind, sizes in _CHAINS.items():
        chain = _chain(sizes)
        found = _measured(measured, chain, x)
        layer_map = fs.compare(fs.capture(chain, [x], progress=False), progress=False)
        cut, explained = _best_cut(layer_map.values)
        groups = fs.partition(layer_map).n_groups
        require(
            found["cut"] == cut,
            f"In a network that {kind} the best cut lies before module {cut}, counted from 0, and yours "
            f"before {found['cut']:g}. Distances without scale, and the cut that explains most.",
        )
        require(
            abs(found["share"] - explained) < 2,
            f"In a network that {kind} the best cut explains {explained:.0f} % of the variance, and you have "
            f"{found['share']:.1f}. Take each pair of different modules once, and square the correlation.",
        )
        require(
            found["groups"] == groups,
            f"In a network that {kind} the test finds {groups} group{'s'[: groups != 1]}, and you have "
            f"{found['groups']:g}. A cut into two is not a test.",
        )
        require(chain.training, "The network was in training mode, and now it is not. Leave it as it was.")
    found = _measured(measured, network, x)
    where = np.arange(size)
    drift = _best_cut(np.abs(where[:, None] - where[None]))[1]
    passed(
        f"The best cut lies before module {found['cut']:g}; you predicted {said['cut']}. "
        f"{outcome('Share', share, found['share'])} Even drift of {size} modules has {drift:.0f} %. The test "
        f"finds {found['groups']:g} group{'s'[: found['groups'] != 1]}; you predicted {said['groups']}."
    )


#: How far each module is from the identity. All grow the scale as well, by 1.4.
_CHAINS = {
    "changes once": (0.05,) * 4 + (1.0,) + (0.05,) * 3,
    "changes faster towards its end": (0.03,) * 4 + (0.1, 0.15, 0.2, 0.15),
}


def _chain(sizes: tuple[float, ...]) -> nn.Sequential:
    torch.manual_seed(3)
    chain = nn.Sequential(*(nn.Linear(16, 16, bias=False) for _ in sizes))
    with torch.no_grad():
        for module, size in zip(chain, sizes, strict=True):
            module.weight.copy_(1.4 * (torch.eye(16) + size * torch.randn(16, 16)))
    return chain


def _best_cut(values: Array) -> tuple[int, float]:
    """First layer after the best cut, and the share of the variance that it explains in per cent."""
    rows, columns = np.triu_indices(len(values), k=1)
    entries = values[rows, columns]
    shares = [np.corrcoef(entries, (rows < k) & (columns >= k))[0, 1] ** 2 for k in range(1, len(values))]
    return int(np.argmax(shares)) + 1, 100 * float(max(shares))


def _measured(measured: Answer, network: nn.Sequential, x: torch.Tensor) -> dict[str, float]:
    """The answer for one network, if it is three numbers."""
    found: Any = call(measured, network, x, copies=False)
    require(
        isinstance(found, dict) and set(found) == {"cut", "share", "groups"},
        "`measured` should return a dictionary with 'cut', 'share' and 'groups'.",
    )
    told = numbers(found, measured)
    require(
        not 0 < told["share"] <= 1,
        f"Your share is {told['share']:.2f}. Asked for are per cent, from 0 to 100.",
    )
    return told
