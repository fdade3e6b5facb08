"""Families of measures: two representations of the same samples in, one number out.

:func:`measures` gives them by name; :class:`Measure` makes one of your own.

Taught in chapter 03.
"""

from __future__ import annotations

from funcsim.gromov.effort import Effort, check_effort
from funcsim.similarity.agw import AGW
from funcsim.similarity.cca import CCA, PWCCA, SVCCA
from funcsim.similarity.cka import CKA, CKA_ANGULAR, CKA_DEBIASED, CKA_RBF, CKA_RBF_DEBIASED
from funcsim.similarity.cknna import CKNNA
from funcsim.similarity.cosine import COSINE
from funcsim.similarity.euclidean import EUCLIDEAN
from funcsim.similarity.gw import GW, GW_BY_EFFORT
from funcsim.similarity.measure import INVARIANCES, Measure, check_pair
from funcsim.similarity.msid import MSID
from funcsim.similarity.mutual_knn import MUTUAL_KNN
from funcsim.similarity.procrustes import PROCRUSTES
from funcsim.similarity.rsa import RSA, RSA_PEARSON
from funcsim.similarity.rsm import RSM
from funcsim.similarity.wasserstein import WASSERSTEIN

__all__ = [
    "INVARIANCES",
    "Measure",
    "check_pair",
    "effort_of",
    "is_of_library",
    "look_up",
    "measures",
    "with_effort",
]

_ALL = (
    *(EUCLIDEAN, COSINE, WASSERSTEIN, RSM, RSA, RSA_PEARSON, CCA, SVCCA, PWCCA),
    *(CKA, CKA_DEBIASED, CKA_RBF, CKA_RBF_DEBIASED, CKA_ANGULAR),
    *(PROCRUSTES, MUTUAL_KNN, CKNNA, MSID, AGW, GW),
)


def measures() -> dict[str, Measure]:
    """All measures, by the name under which :func:`funcsim.compare` knows them.

    Returns
    -------
    dict of str to Measure
        Each declares what it needs and what it is blind to; the tests execute every
        declaration.

    Examples
    --------
    >>> measures()["cka"].is_similarity, measures()["gw"].is_similarity
    (True, False)
    """
    return {measure.name: measure for measure in _ALL}


def look_up(measure: str | Measure) -> Measure:
    """The measure of a name, or the one that is given.

    Raises
    ------
    ValueError
        If the name is unknown, or one's own measure has the name of another.
    """
    known = measures()
    if isinstance(measure, Measure):
        if measure.name in known and not is_of_library(measure):
            raise ValueError(f"measure {measure.name!r} is one of the library's; give yours another name")
        return measure
    if measure not in known:
        raise ValueError(f"measure {measure!r} is unknown; there is {', '.join(known)}")
    return known[measure]


def is_of_library(measure: Measure) -> bool:
    """Whether it is one of :func:`measures`, at whatever effort."""
    return any(measure is known for known in (measures().get(measure.name), *GW_BY_EFFORT.values()))


def with_effort(measure: Measure, effort: Effort | None) -> Measure:
    """The same measure, searched for as long as an effort allows; None leaves it as it is.

    Raises
    ------
    ValueError
        If there is no such effort, or nothing is searched for by this measure.
    """
    if effort is None:
        return measure
    check_effort(effort)
    if not (is_of_library(measure) and measure.name == GW.name):
        raise ValueError(f"effort={effort!r}: only 'gw' is searched for; leave it out for {measure.name!r}")
    return GW_BY_EFFORT[effort]


def effort_of(measure: Measure) -> Effort | None:
    """How long a measure searches; None if it computes its number."""
    return next((effort for effort, gw in GW_BY_EFFORT.items() if gw is measure), None)
