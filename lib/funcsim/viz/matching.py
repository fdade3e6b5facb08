"""Two clouds whose matching a reader solves in the page: it needs no kernel, no network and no other file.

The picture of the first pair stands there without scripts too. With scripts its points can be dragged, and
the search of :mod:`funcsim.gromov` runs in the reader's browser, step by step, beside its lower bounds.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from funcsim._internal.typing import Array
from funcsim.geometry import as_array, distance_matrix, principal_coordinates
from funcsim.gromov.coupling import as_permutation
from funcsim.gromov.solver import GWResult, solve

HERE = Path(__file__).parent
FIGURE = Template((HERE / "matching.html").read_text(encoding="utf-8"))
SCRIPTS = {name: (HERE / f"matching_{name}.js").read_text(encoding="utf-8") for name in ("search", "figure")}
#: How many points a cloud may have, so that a browser solves it at once.
LEAST, MOST = 3, 40
#: The box of a cloud, what stays free at its edges, and how far the second box is from the first.
WIDTH, HEIGHT, MARGIN, GAP = 300, 260, 16, 20
STILL = (
    "The picture shows the matching that the library found: distance {:.4f}, lower bound {:.4f}. "
    "Where scripts may run, it can be solved here."
)


def matching_html(pairs: Mapping[str, tuple[ArrayLike, ArrayLike]], alt: str, caption: str = "") -> str:
    """Pairs of clouds to solve in the page, as HTML; see :func:`funcsim.viz.interactive.matching`."""
    if not pairs:
        raise ValueError("pairs is empty; give at least one name with two clouds")
    data = [_pair(name, *pair) for name, pair in pairs.items()]
    first, second = next(iter(pairs.values()))
    found = solve(distance_matrix(first), distance_matrix(second))
    return FIGURE.substitute(
        alt=html.escape(alt, quote=True),
        caption=caption and f'<figcaption style="color: inherit">{html.escape(caption)}</figcaption>',
        still=STILL.format(found.distance, found.lower_bound),
        data=json.dumps({"pairs": data}).replace("<", "\\u003c"),  # no name can end the script
        **SCRIPTS,
        **_still(data[0], found),
    )


def _pair(name: str, left: ArrayLike, right: ArrayLike) -> dict[str, Any]:
    """What the script needs of a pair: places in the boxes and, if those are only a picture, distances."""
    clouds = {"left": as_array(left, f"{name}, left"), "right": as_array(right, f"{name}, right")}
    counts = [len(cloud) for cloud in clouds.values()]
    if counts[0] != counts[1] or not LEAST <= counts[0] <= MOST:
        raise ValueError(
            f"{name!r} has clouds of {counts[0]} and {counts[1]} points; both must have the same number, "
            f"from {LEAST} to {MOST}"
        )
    distances = {side: distance_matrix(cloud, name=f"{name}, {side}") for side, cloud in clouds.items()}
    flat = all(cloud.shape[1] == 2 for cloud in clouds.values())
    pair: dict[str, Any] = {"name": name}
    for side, cloud in clouds.items():
        pair[side] = _in_box(cloud if cloud.shape[1] == 2 else principal_coordinates(cloud)).tolist()
    if not flat:
        above = np.triu_indices(counts[0], k=1)
        pair["distances"] = {side: D[above].round(6).tolist() for side, D in distances.items()}
    return pair


def _in_box(points: Array) -> Array:
    """The first two columns (n, 2), as large as the box allows, to thousandths; upwards is upwards."""
    plane = np.zeros((len(points), 2))
    shown = np.asarray(points, dtype=np.float64)[:, :2]
    plane[:, : shown.shape[1]] = shown
    plane -= (plane.min(axis=0) + plane.max(axis=0)) / 2
    size, room = np.ptp(plane, axis=0), np.array([WIDTH, HEIGHT]) - 2.0 * MARGIN
    scale = min(r / s for r, s in zip(room, size, strict=True) if s > 0)
    return (plane * [scale, -scale] + [WIDTH / 2, HEIGHT / 2]).round(3)


def _still(pair: dict[str, Any], found: GWResult) -> dict[str, str]:
    """The points of a pair and the lines of a matching, as SVG."""
    left, right = np.array(pair["left"]), np.array(pair["right"])
    right[:, 0] += WIDTH + GAP
    match = as_permutation(found.plan)
    assert match is not None  # equal counts: the search is one of permutations
    return {
        "lines": "".join(
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'
            for (x1, y1), (x2, y2) in zip(left, right[match], strict=True)
        ),
        **{
            side: "".join(f'<circle cx="{x:g}" cy="{y:g}" r="6"/>' for x, y in cloud)
            for side, cloud in (("left", left), ("right", right))
        },
    }
