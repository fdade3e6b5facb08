"""The search against its peers, as a picture: what it costs, and what it finds (section 3.2).

Taught in chapter 02.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

#: In the order of the legend, with a mark each.
MARKS = {
    "POT": "D",
    "POT from identity": "d",
    "CAJAL": "P",
    "SciPy FAQ": "X",
    "SciPy 2-opt": "*",
    "ott-jax, 1e-2": "<",
    "ott-jax, 1e-3": ">",
    "torchgw": "^",
    "quick": "v",
    "usual": "o",
    "thorough": "s",
}
#: Drawn where the time grows with n: no more lines than can be told apart.
DRAWN = ("POT", "CAJAL", "ott-jax, 1e-2", "usual")
OURS = ("quick", "usual", "thorough")
#: A cost that is more per cent above the lowest is drawn at the upper edge.
CEILING = 40.0


def price(table: pd.DataFrame) -> Figure:
    """Time against cost: a panel for each kind of layers, a mark for each solver.

    Parameters
    ----------
    table : DataFrame
        Rows of :func:`replication.search.tables.solvers`, of one number of samples.
    """
    kinds = list(dict.fromkeys(table["layers"]))
    columns = min(len(kinds), 3 if len(kinds) > 4 else 2)
    rows = -(-len(kinds) // columns)
    figure = Figure(figsize=(8.4, 2.9 * rows + 1), layout="constrained")
    axes = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)).ravel()
    handles = {}
    for ax, kind in zip(axes, kinds, strict=False):
        of_kind = table[table["layers"] == kind].set_index("solver")
        for number, (name, mark) in enumerate(MARKS.items()):
            if name not in of_kind.index:
                continue
            ours = name in OURS
            (handles[f"the library, {name}" if ours else name],) = ax.plot(
                of_kind.loc[name, "time / POT"],
                min(100 * of_kind.loc[name, "above the lowest by"], CEILING),
                mark,
                color="C0" if ours else f"C{1 + number}",
                markersize=9 if ours else 7,
                clip_on=False,
                zorder=3,
            )
        ax.set_title(kind, fontsize=10)
        ax.set_xscale("log")
        ax.set_ylim(0, CEILING)
        ax.grid(alpha=0.3)
    for ax in axes[len(kinds) :]:
        ax.remove()
    for ax in axes[max(0, len(kinds) - columns) : len(kinds)]:
        ax.set_xlabel("time, POT's as 1")
    figure.supylabel("cost above the lowest (%)", fontsize=10)
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    return figure
