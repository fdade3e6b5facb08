"""Lines, dots, bars and distributions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from funcsim.viz.style import BLUE, GREY, LINES, ORANGE, new_figure


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

    Raises
    ------
    ValueError
        If there are more lines than can be told apart.
    """
    if len(lines) > len(LINES):
        raise ValueError(f"{len(lines)} lines, and only {len(LINES)} can be told apart; draw two figures")
    fig, ax = new_figure()
    for (name, values), (colour, dashes) in zip(lines.items(), LINES, strict=False):
        values = np.asarray(values)
        places = np.arange(1, len(values) + 1) if x is None else np.asarray(x)
        marker = "o" if len(values) <= 20 else ""
        ax.plot(places, values, dashes, color=colour, label=name, lw=2, marker=marker, ms=4)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale=yscale)
    if xscale == "linear" and (x is None or np.issubdtype(np.asarray(x).dtype, np.integer)):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
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
    ax.scatter(left[:, 0], left[:, 1], color=BLUE, marker="o", s=26, label="X", zorder=2)
    ax.scatter(right[:, 0], right[:, 1], color=ORANGE, marker="^", s=30, label="Y", zorder=2)
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
            label = group if row == 0 else None
            ax.stairs(
                height, edges, baseline=len(rows) - 1 - row, color=colour, ls=dashes, lw=1.6, label=label
            )
    ax.set_yticks(range(len(rows)), rows[::-1])
    ax.set(xlabel=xlabel, ylim=(-0.1, len(rows)))
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return fig
