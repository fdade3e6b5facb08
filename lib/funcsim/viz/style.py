"""Colours, dashes and sizes that all figures share."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = "cividis"
BLUE, ORANGE, GREY = "#00498d", "#c8761a", "#6b6b6b"
LINES = ((BLUE, "-"), (ORANGE, "--"), (GREY, ":"), ("#7b2d63", "-."))


def new_figure(width: float = 6.0, height: float = 4.0) -> tuple[Figure, Axes]:
    """A figure in inches that reads well at the width of a phone."""
    fig, ax = plt.subplots(figsize=(width, height), dpi=110, layout="constrained")
    plt.close(fig)
    return fig, ax
