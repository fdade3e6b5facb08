"""Families of measures: two representations of the same samples in, one number out.

:func:`measures` gives them by name; :class:`Measure` makes one of your own.

Taught in chapter 03.
"""

from __future__ import annotations

from funcsim.similarity.agw import AGW
from funcsim.similarity.cca import CCA, PWCCA, SVCCA
from funcsim.similarity.cka import CKA, CKA_ANGULAR, CKA_DEBIASED, CKA_RBF, CKA_RBF_DEBIASED
from funcsim.similarity.cknna import CKNNA
from funcsim.similarity.cosine import COSINE
from funcsim.similarity.euclidean import EUCLIDEAN
from funcsim.similarity.gw import GW
from funcsim.similarity.measure import INVARIANCES, Measure, check_pair
from funcsim.similarity.msid import MSID
from funcsim.similarity.mutual_knn import MUTUAL_KNN
from funcsim.similarity.procrustes import PROCRUSTES
from funcsim.similarity.rsa import RSA, RSA_PEARSON
from funcsim.similarity.rsm import RSM
from funcsim.similarity.wasserstein import WASSERSTEIN

__all__ = ["INVARIANCES", "Measure", "check_pair", "look_up", "measures"]

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
        if known.get(measure.name, measure) is not measure:
            raise ValueError(f"measure {measure.name!r} is one of the library's; give yours another name")
        return measure
    if measure not in known:
        raise ValueError(f"measure {measure!r} is unknown; there is {', '.join(known)}")
    return known[measure]
