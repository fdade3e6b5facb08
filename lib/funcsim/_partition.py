"""A layer map in, groups out, with the answer "one group" allowed.

Distances between layers grow with the number of layers in between, in any deep network, and
the steps from layer to layer are never quite even. A boundary is more than that: a step, or
two or three in a row, out of proportion to the other steps of the chain. A chain that speeds
up and stays fast has no boundary, and one odd layer is not a group.

Taught in chapter 06.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import SpectralClustering

from funcsim._internal.deprecation import renamed_keyword
from funcsim._internal.typing import Array
from funcsim.changes import Change, changes_of
from funcsim.groups import Partition
from funcsim.kinds import checked_kinds, warn_if_alternating
from funcsim.layer_map import LayerMap, dissimilarity, metric_distances, size_within_one_model
from funcsim.outlying_steps import (
    MIN_STEPS,
    LogSteps,
    evidence,
    log_steps,
    null_distribution,
    remove_largest,
)

if TYPE_CHECKING:
    from funcsim._untrained import UntrainedTwin


@renamed_keyword("max_blocks", "max_groups")
def partition(
    m: LayerMap,
    *,
    kinds: Sequence[str] | None = None,
    max_groups: int | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    twin: UntrainedTwin | None = None,
) -> Partition:
    """Cut the layers of a map into contiguous groups, or say that there is only one.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L). It is cut in its metric form, see :func:`metric_distances`, so
        that a measure and its square have the same groups.
    kinds : sequence of str, optional
        The kind of each layer, such as "attention" and "end", in their order: steps are
        compared with steps into layers of the same kind. Without it, a layer's kind is its
        name without the numbers, see :func:`funcsim.kinds.kinds_from_names`.
    max_groups : int, optional
        Keep only this many groups, those between the boundaries of the largest effect.
    alpha : float
        How often a chain of independent uneven steps may be cut.
    seed : int
        Of the simulated null.
    twin : UntrainedTwin, optional
        Maps of the same layers in untrained copies, see :func:`funcsim.untrained_twin`. Each
        is tested in the same way, and its p-value stands beside that of the map.

    Returns
    -------
    Partition
        With every change that was found: its kind, its effect, its p-value. The p-value of
        the partition is that of the hypothesis that there is no boundary.

    Raises
    ------
    ValueError
        If `m` compares two models or holds NaN or infinity, `kinds` or `twin` does not fit,
        or `max_groups` or `alpha` is out of range.

    Warns
    -----
    MixedKindsWarning
        If layers of several kinds seem to be compared as if they were of one.

    Notes
    -----
    *Steps.* The step into layer k is the least of D[k - 1, k], D[k - 1, k + 1] and
    D[k - 2, k], which forgives one odd layer; its logarithm is taken. A step below 1e-9 of
    the largest is a copy of a tensor and is left out.

    *Test.* The generalised extreme Studentised deviate test, one-sided: the step that lies
    farthest above the mean of its kind, in standard deviations of all others, is removed;
    again, up to six times or a third of the steps. Each stage has its own tail probability
    among 9,999 chains of independent normal log steps, whatever their spread, and the p-value
    is that of the least of them (the first stage has 84 % of the level). The standard
    deviation is never taken to be below 0.08.

    *What counts as a boundary.* Outliers, with the steps beside them that are nearer to them
    than to the rest, form runs. One step is a jump, and may set a single layer apart at an
    end. Two or three steps in a row between slower ones are a transition, if their two ends
    are as far apart as its largest step. A longer run, or one of two and more that lasts to
    an end, is a speed-up and no boundary. Where kinds alternate, steps of one kind are
    neighbours, too, so a chain that slows down kind by kind is not cut. The effect is the
    run's geometric mean in units of the larger step beside it, and must reach 1.25.

    *Assumptions.* Log steps of one kind are independent, about normal, and of one spread
    along the chain. How often the level holds where this is wrong, and how often boundaries
    are found, is measured by the experiment level-and-power. With fewer than six layers the
    answer is one group.

    References
    ----------
    Rosner (1983), "Percentage points for a generalized ESD many-outlier procedure".

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> where = np.cumsum([0, 1.0, 1.2, 0.9, 1.1, 6.0, 0.8, 1.0, 1.1, 1.2])
    >>> names = tuple(f"block {k}" for k in range(10))
    >>> line = np.abs(np.subtract.outer(where, where))
    >>> p = fs.partition(fs.LayerMap(line, names, names, "gw", "mean", 100))
    >>> p.boundaries, p.changes[0].kind, round(p.changes[0].effect, 1), p.p_value <= 0.05
    ((5,), 'jump', 5.5, True)
    """
    size = size_within_one_model(m)
    if max_groups is not None and not 1 <= max_groups <= size:
        raise ValueError(f"max_groups={max_groups} is out of range; {size} layers form 1 to {size}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} is out of range; it lies between 0 and 1")
    if twin is not None and (twin.names, twin.measure) != (m.names, m.measure):
        raise ValueError(
            f"the untrained twin has {len(twin.names)} layers under {twin.measure!r}, this map has {size} "
            f"under {m.measure!r}; make the twin with the layers and the measure of the map"
        )
    distances = metric_distances(m)
    told = checked_kinds(kinds, m.names)
    steps = log_steps(distances, told)
    warn_if_alternating(steps.values, steps.kinds.tolist())
    changes, p_value = _tested(steps, distances, alpha, seed)
    boundaries = [change for change in changes if change.is_boundary]
    if max_groups is not None:
        boundaries = sorted(boundaries, key=lambda change: -change.effect)[: max_groups - 1]
    kept = [change for change in changes if not change.is_boundary or change in boundaries]
    twin_p_values = []
    for values in () if twin is None else twin.maps:
        apart = metric_distances(replace(m, values=values, lower=None))
        twin_p_values.append(_tested(log_steps(apart, told), apart, alpha, seed)[1])
    found = _contiguous(m, sorted(change.start for change in boundaries), p_value, kept)
    return replace(found, twin_p_values=tuple(twin_p_values))


def _tested(steps: LogSteps, distances: Array, alpha: float, seed: int) -> tuple[list[Change], float]:
    """The changes that are significant at alpha, and the p-value of there being no boundary."""
    n = len(steps.values)
    if n < MIN_STEPS or n - len(set(steps.kinds.tolist())) < 3:
        return [], 1.0
    order, t = remove_largest(steps.values[None], steps.kinds)
    found: list[Change] = []
    least: dict[int, float] = {}  # of the boundaries, by where they start
    for stage, p_value in enumerate(null_distribution(steps.kinds, seed).p_values(t[0]).tolist()):
        changes = changes_of(steps, distances, set(order[0, : stage + 1].tolist()), p_value)
        for change in changes:
            if change.is_boundary:
                least[change.start] = min(p_value, least.get(change.start, 1.0))
        if p_value <= alpha and changes:
            found = changes
    found = [replace(change, p_value=least.get(change.start, change.p_value)) for change in found]
    return found, min(least.values(), default=1.0)


@renamed_keyword("n_blocks", "n_groups")
def partition_into(m: LayerMap, n_groups: int, *, kinds: Sequence[str] | None = None) -> Partition:
    """The contiguous groups with the most evidence, for a given number of them; no test is made.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L).
    n_groups : int
        How many groups.
    kinds : sequence of str, optional
        As in :func:`partition`.

    Returns
    -------
    Partition
        Without a p-value. Groups start at the steps that stand out most by themselves; two
        boundaries are at least two layers apart.

    Raises
    ------
    ValueError
        If `m` compares two models or holds NaN or infinity, or the groups do not fit.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> bent = {f"bent {k}": np.tanh(3 * x) + 0.01 * k * x**2 for k in range(3)}
    >>> m = fs.compare(fs.Representations({"x": x, "moved": x + 0.01 * x**2, **bent}), measure="rsm")
    >>> fs.partition_into(m, 2).boundaries
    (2,)
    """
    size = size_within_one_model(m)
    if not 1 <= n_groups <= max(1, size // 2):
        raise ValueError(f"n_groups={n_groups} is out of range; choose from 1 to {max(1, size // 2)}")
    by_layer = boundary_evidence(m, kinds=kinds)
    cuts: list[int] = []
    for k in np.argsort(-by_layer, kind="stable"):
        if len(cuts) < n_groups - 1 and k > 0 and all(abs(k - cut) > 1 for cut in cuts):
            cuts.append(int(k))
    return _contiguous(m, sorted(cuts), None)


def boundary_evidence(m: LayerMap, *, kinds: Sequence[str] | None = None) -> Array:
    """How far the step into each layer stands out from the other steps of its kind.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L).
    kinds : sequence of str, optional
        As in :func:`partition`.

    Returns
    -------
    array, shape (L,)
        In standard deviations of the other log steps; minus infinity for the first layer and
        for copies of the layer before.

    Raises
    ------
    ValueError
        If `m` compares two models or holds NaN or infinity, or `kinds` does not fit.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> where = np.cumsum([0, 1.0, 1.2, 0.9, 6.0, 0.8, 1.0])
    >>> line = np.abs(np.subtract.outer(where, where))
    >>> names = tuple("abcdefg")
    >>> int(fs.boundary_evidence(fs.LayerMap(line, names, names, "gw", "mean", 100)).argmax())
    4
    """
    size = size_within_one_model(m)
    steps = log_steps(metric_distances(m), checked_kinds(kinds, m.names))
    by_layer = np.full(size, -np.inf)
    by_layer[steps.into] = evidence(steps)
    return by_layer


def _contiguous(
    m: LayerMap, cuts: Sequence[int], p_value: float | None, changes: Sequence[Change] = ()
) -> Partition:
    labels = np.searchsorted(cuts, np.arange(len(m.names)), side="right")
    return Partition(
        names=m.names,
        labels=tuple(labels.tolist()),
        p_value=p_value,
        method="contiguous",
        changes=tuple(changes),
    )


@renamed_keyword("n_blocks", "n_groups")
def spectral_partition(m: LayerMap, n_groups: int = 2, *, seed: int = 0) -> Partition:
    """The paper's alternative: spectral clustering of the inverted map.

    Parameters
    ----------
    m : LayerMap
        Of one model, (L, L).
    n_groups : int
        How many clusters; the paper takes two. One is not an answer it can give.
    seed : int
        Of the k-means step.

    Returns
    -------
    Partition
        Blocks need not be contiguous; there is no p-value.

    Raises
    ------
    ValueError
        If `m` compares two models or holds NaN or infinity, or `n_groups` is below 2 or not
        below L.

    Notes
    -----
    The affinity of two layers is the largest distance of the map minus theirs. The paper
    (section 5.2) does not say how it inverts the map; this is the plainest way.

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> values = 1.0 - np.kron([[1.0, 0.1], [0.1, 1.0]], np.ones((3, 3)))
    >>> names = tuple("abcdef")
    >>> fs.spectral_partition(fs.LayerMap(values, names, names, "gw", "mean", 100)).groups
    (('a', 'b', 'c'), ('d', 'e', 'f'))
    """
    size = size_within_one_model(m)
    if not 2 <= n_groups < size:
        raise ValueError(f"n_groups={n_groups} is out of range; choose from 2 to {size - 1}")
    values = dissimilarity(m)
    affinity = values.max() - values
    found = SpectralClustering(
        n_groups, affinity="precomputed", assign_labels="kmeans", random_state=seed
    ).fit_predict(affinity)
    order = {label: i for i, label in enumerate(dict.fromkeys(found.tolist()))}
    return Partition(
        names=m.names, labels=tuple(order[k] for k in found.tolist()), p_value=None, method="spectral"
    )
