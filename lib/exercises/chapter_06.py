"""Maps: what scale explains, where the steps are, how a partition is scored, what GW forgets."""

from __future__ import annotations

import numpy as np

import funcsim as fs
from exercises.asking import Answer, array, call, number, passed, require
from funcsim.simulated_maps import boundary_f1


def by_scale(answer: Answer) -> None:
    """`by_scale(layers)`: the map that one would guess from the sizes of the clouds alone."""
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(30, 4))
    layers = [cloud, 3 * cloud, 3 * cloud[:, ::-1] + 5, 0.5 * cloud]
    found = array(answer, (4, 4), layers)
    require(np.allclose(np.diag(found), 0), "A layer differs from itself by nothing.")
    require(
        np.allclose(found[1, 2], 0, atol=1e-9),
        "Two clouds of one size at two places should be at 0. Mean distance between points, not length.",
    )
    real = fs.compare(
        fs.Representations({str(k): x for k, x in enumerate(layers)}), normalize=None, progress=False
    ).values
    upper = np.triu_indices(4, k=1)
    require(
        np.corrcoef(found[upper], real[upper])[0, 1] > 0.999,
        "For clouds that differ in size alone the guess should go with the raw map.",
    )
    passed("Where a raw map and this guess agree, the map shows how large the layers are.")


def new_group(answer: Answer) -> None:
    """`new_group(values)`: the layer that begins where the step is largest."""
    where = np.array([0.0, 0.1, 0.2, 1.2, 1.3, 1.4, 1.45])
    values = np.abs(where[:, None] - where[None])
    found = number(answer, values)
    require(
        found != 2,
        "Between layers 2 and 3 the step is largest. The group that begins there begins with layer 3.",
    )
    require(
        not np.isclose(found, 0) and not np.isclose(found, 6),
        "You look at all pairs. A step leads from a layer to the very next.",
    )
    require(found == 3, f"It should be layer 3, counted from 0, and you have {found:g}.")
    passed("That is where an eye would cut. Whether the step is more than drift, it does not say.")


def f1(answer: Answer) -> None:
    """`f1(found, true)`: how well the boundaries that were found fit the true ones."""
    cases = [((5, 8), (5, 8)), ((5,), (5, 8)), ((3, 5, 8), (5, 8)), ((1, 2), (5, 8)), ((), (5,))]
    for found, true in cases:
        wanted, given = boundary_f1(found, true), number(answer, found, true)
        if found == (3, 5, 8):
            require(
                not np.isclose(given, 2 / 3) and not np.isclose(given, 1),
                "Of three cuts two are right and no boundary is missed: both count, not only one of them.",
            )
        require(
            np.isclose(given, wanted),
            f"For cuts {found} and true boundaries {true} it should be {wanted:.2f}, and is {given:.2f}.",
        )
    require(np.isclose(number(answer, (), ()), 1), "No boundary, and none found: that is right, 1.")
    passed("Two times the hits, divided by cuts and boundaries together.")


def forgets(answer: Answer) -> None:
    """`forgets(x)`: a cloud that GW takes for the same, though its inputs are others."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = call(answer, x)
    y = array(lambda: y, (60, np.shape(y)[1] if np.ndim(y) == 2 else 3))
    cka = fs.measures()["cka-debiased"](x, y)
    gw = fs.gw(x, y, normalize=None).distance
    require(
        gw < 0.05,
        f"The Gromov-Wasserstein distance is {gw:.2f}. It forgives rotations, and one thing more.",
    )
    require(
        cka < 0.2,
        f"CKA still says {cka:.2f}: every input has kept its place. What if input 3 got the row of input 7?",
    )
    passed(f"The Gromov-Wasserstein distance is {gw:.2g}, and CKA says {cka:.2f}: nothing of x is left in y.")
