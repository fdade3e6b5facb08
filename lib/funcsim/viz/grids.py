"""Small pictures side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from funcsim.viz.maps import colours_of
from funcsim.viz.style import BLUE, COLOURS, ORANGE

if TYPE_CHECKING:
    from funcsim.layer_map import LayerMap


def panels(
    clouds: Mapping[str, NDArray],
    kinds: ArrayLike,
    *,
    xlabel: str = "",
    ylabel: str = "",
    numbered: bool = False,
    columns: int = 3,
) -> Figure:
    """Draw clouds of the same points side by side, (n, 2) each, under their names.

    Parameters
    ----------
    clouds : mapping of str to array (n, 2)
    kinds : array (n,)
        Of each point, 0 or 1: colour and marker.
    xlabel, ylabel : str
        Without them the axes have no unit, and no numbers.
    numbered : bool
        Write each point's number beside it.
    columns : int
    """
    rows = -(-len(clouds) // columns)
    fig, grid = plt.subplots(
        rows, columns, figsize=(6.0, 2.2 * rows), dpi=110, layout="constrained", squeeze=False
    )
    plt.close(fig)
    kinds = np.asarray(kinds)
    for ax in grid.flat[len(clouds) :]:
        ax.set_axis_off()
    for ax, (name, cloud) in zip(grid.flat, clouds.items(), strict=False):
        for kind, colour, marker in ((0, ORANGE, "^"), (1, BLUE, "o")):
            ax.scatter(*cloud[kinds == kind].T, color=colour, marker=marker, s=14 if numbered else 5)
        if numbered:
            for number, point in enumerate(cloud, 1):
                ax.annotate(str(number), point, fontsize=7, xytext=(2, 2), textcoords="offset points")
        ax.set_title(name, fontsize=10)
        ax.margins(0.15 if numbered else 0.05)
        if not xlabel:
            ax.set(xticks=[], yticks=[])
    if xlabel:
        fig.supxlabel(xlabel, fontsize=10)
        fig.supylabel(ylabel, fontsize=10)
    return fig


def map_grid(rows: Mapping[str, Mapping[str, LayerMap]]) -> Figure:
    """Draw maps of few layers side by side: a row per measure, with one scale of colours in each.

    Values that are NaN stay blank.

    Parameters
    ----------
    rows : mapping of str to mapping of str to LayerMap
        The names of the columns are those of the first row.
    """
    few = len(next(iter(rows.values()))) < 3
    fig, cells = _grid(rows, 1.7 if few else 1.25)
    for row, maps in rows.items():
        values = np.concatenate([m.values.ravel() for m in maps.values()])
        norm = Normalize(min(0.0, float(np.nanmin(values))), float(np.nanmax(values)))
        for ax, m in cells[row]:
            image = ax.imshow(m.values, cmap=colours_of(m)[1], norm=norm, interpolation="nearest")
            last = len(m.names) - 1
            ax.set_xticks((0, last), ("1", str(last + 1)), fontsize=7)
            ax.set_yticks((0, last), ("1", str(last + 1)), fontsize=7)
        axes = [ax for ax, _ in cells[row]]
        fig.colorbar(image, ax=axes, shrink=0.9, pad=0.01).ax.tick_params(labelsize=7)
    return fig


def pictures(rows: Mapping[str, Mapping[str, NDArray]]) -> Figure:
    """Draw pictures in rows, each in its own scale from dark to bright.

    Parameters
    ----------
    rows : mapping of str to mapping of str to array (height, width)
        The names of the columns are those of the first row.
    """
    fig, cells = _grid(rows, 0.85)
    for ax, image in (cell for row in cells.values() for cell in row):
        ax.imshow(image, cmap=COLOURS, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
    return fig


def _grid(
    rows: Mapping[str, Mapping[str, Any]], height: float
) -> tuple[Figure, dict[str, list[tuple[Axes, Any]]]]:
    """Axes in rows and columns under their names, each with what is to be drawn there."""
    columns = list(next(iter(rows.values())))
    size = (min(6.4, 0.8 + 1.9 * len(columns)), 0.5 + height * len(rows))
    fig, grid = plt.subplots(
        len(rows), len(columns), figsize=size, dpi=110, layout="constrained", squeeze=False
    )
    plt.close(fig)
    for ax, column in zip(grid[0], columns, strict=True):
        ax.set_title(column, fontsize=9)
    for axes, row in zip(grid, rows, strict=True):
        axes[0].set_ylabel(row, fontsize=9)
    drawn = {
        row: [(ax, things[column]) for ax, column in zip(axes, columns, strict=True)]
        for axes, (row, things) in zip(grid, rows.items(), strict=True)
    }
    return fig, drawn
