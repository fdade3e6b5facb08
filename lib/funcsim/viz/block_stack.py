"""A stack of blocks that is cut in two, and what is left of its accuracy."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from funcsim.viz.style import BLUE, GREY, ORANGE


def block_stack(
    n_blocks: int,
    n_kept: int,
    values: Mapping[str, float],
    *,
    xlabel: str,
    vmax: float,
    boundary: int | None = None,
) -> Figure:
    """Draw the first blocks of a stack full and the others empty, and a bar for each value below.

    Parameters
    ----------
    n_blocks, n_kept : int
        How many blocks there are, and how many of the first are kept.
    values : mapping of str to float
        What is left, by name.
    xlabel : str
    vmax : float
        Where the bars' axis ends, so that several of these figures can be compared.
    boundary : int, optional
        After how many blocks a line is drawn.

    Raises
    ------
    ValueError
        If more blocks are kept than there are.
    """
    if not 0 <= n_kept <= n_blocks:
        raise ValueError(f"of {n_blocks} blocks {n_kept} cannot be kept")
    heights = [0.7, 0.35 * len(values) + 0.2]
    fig, (stack, ax) = plt.subplots(
        2, figsize=(6.0, 1.1 + sum(heights)), dpi=110, layout="constrained", height_ratios=heights
    )
    plt.close(fig)
    for k in range(n_blocks):
        colour, hatch = (BLUE, None) if k < n_kept else ("none", "//")
        stack.add_patch(plt.Rectangle((k + 0.08, 0), 0.84, 1, edgecolor=GREY, facecolor=colour, hatch=hatch))
        stack.text(k + 0.5, -0.15, str(k + 1), ha="center", va="top", fontsize=9)
    if boundary is not None:
        stack.axvline(boundary, color=ORANGE, linestyle="--", lw=2)
    stack.set(xlim=(-0.1, n_blocks + 0.1), ylim=(-0.6, 1.2))
    stack.set_axis_off()
    drawn = ax.barh(list(values)[::-1], list(values.values())[::-1], color=BLUE, height=0.6)
    ax.bar_label(drawn, fmt="%.1f", padding=3, fontsize=9)
    ax.set(xlabel=xlabel, xlim=(0, 1.1 * vmax))
    return fig
