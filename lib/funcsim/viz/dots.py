"""A table as dots with intervals: what is larger is seen at once, and how sure that is, too."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from funcsim.viz.style import GREY, LINES, new_figure

MARKS = ("o", "s", "^", "D")
#: Inches of a row.
ROW = 0.27
#: Characters of a legend that fit above the axes, with 6 for each mark.
LEGEND = 64


def dots(
    values: pd.DataFrame,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    *,
    xlabel: str,
    reference: float | None = None,
    reference_label: str = "",
) -> Figure:
    """Draw a row of dots for each row of a table, told apart by colour and by shape.

    Parameters
    ----------
    values : DataFrame, shape (R, C)
        R rows from the top, by their names; C columns, at most four. NaN is left out.
    low, high : DataFrame, shape (R, C), optional
        Ends of the interval of each value.
    xlabel : str
    reference : float, optional
        Where a dashed line stands.
    reference_label : str
        What it says.

    Raises
    ------
    ValueError
        If there are more columns than can be told apart, no row, or one end of the intervals without the
        other.

    Examples
    --------
    >>> import pandas as pd
    >>> shares = pd.DataFrame({"trained": [0.9, 0.4]}, index=["GW", "CKA"])
    >>> figure = dots(shares, shares - 0.1, shares + 0.1, xlabel="share found")
    >>> figure.axes[0].get_xlabel()
    'share found'
    """
    n_rows, n_columns = values.shape
    if n_columns > len(MARKS):
        raise ValueError(f"{n_columns} columns, and only {len(MARKS)} can be told apart; draw two figures")
    if not n_rows:
        raise ValueError("the table has no row to draw")
    if (low is None) != (high is None):
        raise ValueError("an interval has two ends; give both low and high")
    fig, ax = new_figure(6.0, 0.9 + ROW * n_rows * (1 + 0.25 * (n_columns - 1)))
    for k, (name, column) in enumerate(values.items()):
        places = [n_rows - 1 - row + 0.22 * ((n_columns - 1) / 2 - k) for row in range(n_rows)]
        colour, _ = LINES[k]
        if low is not None and high is not None:
            ax.hlines(places, low[name], high[name], color=colour, lw=1.5, alpha=0.7)
        ax.plot(column, places, MARKS[k], color=colour, ms=5, label=str(name))
    if reference is not None:
        ax.axvline(reference, color=GREY, ls="--", lw=1, label=reference_label or None)
    ax.set_yticks(range(n_rows), [str(name) for name in values.index[::-1]])
    ax.set_ylim(-0.6, n_rows - 0.4)
    ax.set(xlabel=xlabel)
    ax.grid(axis="x", alpha=0.3)
    if n_columns > 1 or reference_label:
        longest = max(map(len, ax.get_legend_handles_labels()[1]))
        ncols = max(1, min(3, LEGEND // (longest + 6)))  # a wider legend would squeeze the axes
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=ncols)
    return fig
