"""A layer map as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from funcsim._internal.deprecation import renamed_keyword
from funcsim.similarity import measures
from funcsim.viz.style import COLOURS, new_figure

if TYPE_CHECKING:
    from funcsim.groups import Partition
    from funcsim.layer_map import LayerMap

MOST_LABELS = 40


@renamed_keyword("blocks", "groups")
def layer_map(
    m: LayerMap, groups: Partition | None = None, title: str | None = None, vmax: float | None = None
) -> Figure:
    """Draw a layer map: dark is alike, bright is different.

    Parameters
    ----------
    m : LayerMap
    groups : Partition, optional
        Outlined if its groups are contiguous.
    title : str, optional
    vmax : float, optional
        The value of the brightest colour, for maps that are to be compared.
    """
    fig, ax = new_figure(5.4, 6.2)
    norm, colours = colours_of(m)
    if vmax is not None:
        norm.vmax = vmax
    image = ax.imshow(m.values, cmap=colours, norm=norm, interpolation="nearest")
    fig.colorbar(image, ax=ax, location="bottom", label=colorbar_label(m))
    _name_layers(ax, m)
    if groups is not None and contiguous(groups):
        _outline(ax, groups)
    ax.set_title(title or "")
    return fig


def colours_of(m: LayerMap) -> tuple[Normalize, Colormap]:
    """The scale of a map's values and its colours: dark is alike."""
    norm = Normalize(min(0.0, float(np.nanmin(m.values))), float(np.nanmax(m.values)))
    return norm, plt.get_cmap(f"{COLOURS}_r" if m.is_similarity else COLOURS)


def colorbar_label(m: LayerMap) -> str:
    """What the numbers of a map are, in words."""
    known = measures().get(m.measure)
    if known and "isotropic scaling" in known.invariances:
        return known.title  # no normalisation changes it
    unit = "raw" if m.normalize is None else f"each layer's {m.normalize} distance = 1"
    return f"{known.title if known else m.measure} ({unit})"


def contiguous(groups: Partition) -> bool:
    """Whether every group is one run of layers."""
    return len(groups.boundaries) == groups.n_groups - 1


def short_names(names: Sequence[str]) -> list[str]:
    """Names without the leading parts that all dotted names share."""
    skip = _shared_length(names)
    return [name[skip:] for name in names]


def _name_layers(ax: Axes, m: LayerMap) -> None:
    for axis, names in ((ax.xaxis, m.columns), (ax.yaxis, m.names)):
        size, short = (9 if len(names) <= 15 else 7.5), short_names(names)
        shown = range(0, len(names), -(-len(names) // MOST_LABELS))
        axis.set_ticks(shown, [short[i] for i in shown], fontsize=size)
    ax.tick_params(axis="x", rotation=90)
    ax.set(xlabel="layer", ylabel="layer")


def _shared_length(names: Sequence[str]) -> int:
    """How many characters the leading parts take that all dotted names share."""
    columns = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return sum(len(column[0]) + 1 for column in takewhile(lambda c: len(set(c)) == 1, columns))


def _outline(ax: Axes, groups: Partition) -> None:
    edges = [0, *groups.boundaries, len(groups.labels)]
    for start, stop in pairwise(edges):
        corner, size = (start - 0.5, start - 0.5), stop - start
        for colour, width in (("black", 3.2), ("white", 1.6)):
            ax.add_patch(Rectangle(corner, size, size, fill=False, ec=colour, lw=width, clip_on=False))
