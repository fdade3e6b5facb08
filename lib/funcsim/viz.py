"""What a person sees: figures that return themselves, ready to show or to save.

Every function returns a closed matplotlib Figure: as the last line of a cell it is shown
once, in a script ``.savefig`` keeps it. Colours survive colour blindness and greyscale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from funcsim.layer_map import LayerMap
from funcsim.measures import measures
from funcsim.partition import Partition

COLOURS = "cividis"
BLUE, ORANGE, GREY = "#00498d", "#c8761a", "#6b6b6b"
LINES = ((BLUE, "-"), (ORANGE, "--"), (GREY, ":"), ("#7b2d63", "-."))
MOST_LABELS = 40


def new_figure(width: float = 6.0, height: float = 4.0) -> tuple[Figure, Axes]:
    """A figure in inches that reads well at the width of a phone."""
    fig, ax = plt.subplots(figsize=(width, height), dpi=110, layout="constrained")
    plt.close(fig)
    return fig, ax


def layer_map(
    m: LayerMap, blocks: Partition | None = None, title: str | None = None, most: float | None = None
) -> Figure:
    """Draw a layer map: dark is alike, bright is different.

    Parameters
    ----------
    m : LayerMap
    blocks : Partition, optional
        Outlined if its blocks are contiguous.
    title : str, optional
    most : float, optional
        The value of the brightest colour, for maps that are to be compared.
    """
    fig, ax = new_figure(5.4, 6.2)
    norm, colours = colours_of(m)
    if most is not None:
        norm.vmax = most
    image = ax.imshow(m.values, cmap=colours, norm=norm, interpolation="nearest")
    fig.colorbar(image, ax=ax, location="bottom", label=meaning_of(m))
    _name_layers(ax, m)
    if blocks is not None and contiguous(blocks):
        _outline(ax, blocks)
    ax.set_title(title or "")
    return fig


def colours_of(m: LayerMap) -> tuple[Normalize, Colormap]:
    """The scale of a map's values and its colours: dark is alike."""
    norm = Normalize(min(0.0, float(np.nanmin(m.values))), float(np.nanmax(m.values)))
    return norm, plt.get_cmap(f"{COLOURS}_r" if m.larger_is_similar else COLOURS)


def meaning_of(m: LayerMap) -> str:
    """What the numbers of a map are, in words."""
    known = measures().get(m.measure)
    unit = "raw" if m.normalize is None else f"each layer's {m.normalize} distance = 1"
    return f"{known.title if known else m.measure} ({unit})"


def contiguous(blocks: Partition) -> bool:
    """Whether every block is one run of layers."""
    return len(blocks.boundaries) == blocks.n_blocks - 1


def _name_layers(ax: Axes, m: LayerMap) -> None:
    for axis, names in ((ax.xaxis, m.columns), (ax.yaxis, m.names)):
        size, skip = (9 if len(names) <= 15 else 7.5), _shared_length(names)
        shown = range(0, len(names), -(-len(names) // MOST_LABELS))
        axis.set_ticks(shown, [names[i][skip:] for i in shown], fontsize=size)
    ax.tick_params(axis="x", rotation=90)
    ax.set(xlabel="layer", ylabel="layer")


def _shared_length(names: Sequence[str]) -> int:
    """How many characters the leading parts take that all dotted names share."""
    columns = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return sum(len(column[0]) + 1 for column in takewhile(lambda c: len(set(c)) == 1, columns))


def _outline(ax: Axes, blocks: Partition) -> None:
    edges = [0, *blocks.boundaries, len(blocks.labels)]
    for start, stop in pairwise(edges):
        corner, size = (start - 0.5, start - 0.5), stop - start
        for colour, width in (("black", 3.2), ("white", 1.6)):
            ax.add_patch(Rectangle(corner, size, size, fill=False, ec=colour, lw=width, clip_on=False))


def curves(
    lines: Mapping[str, ArrayLike],
    x: ArrayLike | None = None,
    *,
    xlabel: str,
    ylabel: str,
    xscale: str = "linear",
    yscale: str = "linear",
) -> Figure:
    """Draw named lines over a common axis, told apart by colour and by dashes.

    Parameters
    ----------
    lines : mapping of str to array (n,)
    x : array (n,), optional
        Without it 1, ..., n.
    xlabel, ylabel : str
    xscale, yscale : {"linear", "log"}
    """
    fig, ax = new_figure()
    for (name, values), (colour, dashes) in zip(lines.items(), LINES, strict=False):
        values = np.asarray(values)
        places = np.arange(1, len(values) + 1) if x is None else np.asarray(x)
        marker = "o" if len(values) <= 20 else ""
        ax.plot(places, values, dashes, color=colour, label=name, lw=2, marker=marker, ms=4)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale=yscale)
    if xscale == "log":  # doublings, written out
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:g}")
    ax.grid(alpha=0.3)
    if len(lines) > 1:  # above the axes, where no line can pass under it
        columns = 4 if sum(len(name) + 6 for name in lines) < 50 else 2
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns)
    return fig


def matched_clouds(
    X: NDArray, Y: NDArray, plan: NDArray, title: str | None = None, gap: float = 1.0
) -> Figure:
    """Draw two clouds in the plane, (n, 2) each, and a line for each pair a plan matches."""
    fig, ax = new_figure(6.0, 3.4)
    left = X - X.min(axis=0)
    right = Y - Y.min(axis=0) + [left[:, 0].max() + gap, 0.0]
    for i, j in zip(*np.nonzero(plan > 1e-12), strict=True):
        ends = np.stack([left[i], right[j]])
        weight = plan[i, j] / plan.max()
        ax.plot(*ends.T, color=GREY, lw=0.3 + 0.6 * weight, alpha=0.15 + 0.55 * weight, zorder=1)
    ax.scatter(*left.T, color=BLUE, marker="o", s=26, label="X", zorder=2)
    ax.scatter(*right.T, color=ORANGE, marker="^", s=30, label="Y", zorder=2)
    ax.set(title=title or "", xticks=[], yticks=[], aspect="equal")
    ax.legend(frameon=False, loc="upper center", ncols=2, bbox_to_anchor=(0.5, 0.0))
    for side in ax.spines.values():
        side.set_visible(False)
    return fig


def scatter(x: ArrayLike, y: ArrayLike, *, xlabel: str, ylabel: str, diagonal: bool = False) -> Figure:
    """Draw y against x, with the line y = x if asked for."""
    fig, ax = new_figure(4.8, 4.4)
    ax.plot(x, y, "o", color=BLUE, ms=4, alpha=0.6)
    if diagonal:
        ends = [min(ax.get_xlim()[0], ax.get_ylim()[0]), max(ax.get_xlim()[1], ax.get_ylim()[1])]
        ax.plot(ends, ends, "--", color=GREY, lw=1)
    ax.locator_params(nbins=5)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(alpha=0.3)
    return fig


def bars(values: Mapping[str, float], *, ylabel: str) -> Figure:
    """Draw one named bar per value, with its number where there is room."""
    fig, ax = new_figure()
    drawn = ax.bar(list(values), list(values.values()), color=BLUE)
    if len(values) <= 12:
        ax.bar_label(drawn, fmt="%.3g", padding=2, fontsize=9)
    ax.tick_params(axis="x", rotation=90 if len(values) > 4 else 0)
    ax.set(ylabel=ylabel)
    ax.margins(x=0.02, y=0.12)
    return fig


def ridges(groups: Mapping[str, Mapping[str, ArrayLike]], *, xlabel: str, bins: int = 60) -> Figure:
    """Draw the distribution of every sample, one row per name, with the groups over one another.

    Parameters
    ----------
    groups : mapping of group to mapping of name to array
        Samples of any length; the names of the first group are the rows, from the top.
    xlabel : str
    bins : int
        Of each histogram, over the range of all samples.
    """
    rows = list(next(iter(groups.values())))
    everything = np.concatenate([np.ravel(x) for samples in groups.values() for x in samples.values()])
    edges = np.linspace(everything.min(), everything.max(), bins + 1)
    fig, ax = new_figure(6.0, 0.9 + 0.62 * len(rows))
    for group, colour, dashes in zip(groups, (BLUE, ORANGE), ("-", "--"), strict=False):
        for row, name in enumerate(rows):
            density = np.histogram(groups[group][name], edges)[0]
            height = len(rows) - 1 - row + 0.9 * density / density.max()
            told = group if row == 0 else None
            ax.stairs(
                height, edges, baseline=len(rows) - 1 - row, color=colour, ls=dashes, lw=1.6, label=told
            )
    ax.set_yticks(range(len(rows)), rows[::-1])
    ax.set(xlabel=xlabel, ylim=(-0.1, len(rows)))
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return fig


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
    columns = list(next(iter(rows.values())))
    size = (6.4, 0.5 + 1.25 * len(rows))
    fig, grid = plt.subplots(
        len(rows), len(columns), figsize=size, dpi=110, layout="constrained", squeeze=False
    )
    plt.close(fig)
    for axes, (row, maps) in zip(grid, rows.items(), strict=True):
        values = np.concatenate([m.values.ravel() for m in maps.values()])
        norm = Normalize(min(0.0, float(np.nanmin(values))), float(np.nanmax(values)))
        for ax, column in zip(axes, columns, strict=True):
            colours = colours_of(maps[column])[1]
            image = ax.imshow(maps[column].values, cmap=colours, norm=norm, interpolation="nearest")
            last = len(maps[column].names) - 1
            ax.set_xticks((0, last), ("1", str(last + 1)), fontsize=7)
            ax.set_yticks((0, last), ("1", str(last + 1)), fontsize=7)
            if ax in grid[0]:
                ax.set_title(column, fontsize=9)
        axes[0].set_ylabel(row, fontsize=9)
        fig.colorbar(image, ax=list(axes), shrink=0.9, pad=0.01).ax.tick_params(labelsize=7)
    return fig
