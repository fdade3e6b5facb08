"""Gromov-Wasserstein distance: are the two clouds of the same shape, whichever sample is which?

``min over couplings T of (sum_ijkl (D1_ik - D2_jl)^2 T_ij T_kl)^(1/2)``, with the Euclidean
distances inside each layer. Blind to translation, rotation, reflection and permutation of
features, and to a permutation of samples. The only one of the ten that answers whether two
layers make the same shape out of possibly different inputs. Public solvers return its square,
which is not a metric, from one start; here the root is returned, from several.

Source: Mémoli (2011). Taught in chapter 02.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from numpy.typing import ArrayLike

from funcsim.geometry import Normalize, distance_matrix
from funcsim.gromov.bounds import cheap_lower_bound
from funcsim.gromov.effort import EFFORTS, Effort
from funcsim.gromov.solver import VERSION, solve
from funcsim.gromov.space import MetricSpace
from funcsim.gromov.space import prepare as summaries
from funcsim.similarity.measure import Measure


def prepare(points: ArrayLike, normalize: Normalize, name: str) -> MetricSpace:
    """The distance matrix (n, n) of a layer and its summaries."""
    return summaries(distance_matrix(points, normalize, name))


def score_with_bound(a: MetricSpace, b: MetricSpace, effort: Effort = "usual") -> tuple[float, float]:
    """The distance found, and a number that no coupling goes below."""
    result = solve(a, b, effort=effort)
    return result.distance, result.lower_bound


def score(a: MetricSpace, b: MetricSpace, effort: Effort = "usual") -> float:
    """The distance found."""
    return score_with_bound(a, b, effort)[0]


GW = Measure(
    name="gw",
    title="GW distance",
    prepare=prepare,
    score=score,
    invariances=frozenset({"translation", "orthogonal", "feature permutation", "sample permutation"}),
    requires_equal_dim=False,
    is_metric=True,
    is_similarity=False,
    metric_form="distance",
    source="Mémoli (2011)",
    version=VERSION,
    paired=False,
    score_with_bound=score_with_bound,
    bound=cheap_lower_bound,
)

#: The same distance, searched for as long as each effort allows; "usual" is :data:`GW` itself.
GW_BY_EFFORT: dict[Effort, Measure] = {
    effort: GW
    if effort == "usual"
    else replace(
        GW,
        score=partial(score, effort=effort),
        score_with_bound=partial(score_with_bound, effort=effort),
        version=f"{VERSION} {effort}",
    )
    for effort in EFFORTS
}
