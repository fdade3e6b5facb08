"""Interactive figures that work on a static page: all they can show is in the page, and what
moves them runs in the reader's browser.
"""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from funcsim._internal.deprecation import renamed_keyword
from funcsim.viz import colorbar_label, colours_of, contiguous

try:
    import ipywidgets
    from IPython.display import HTML
except ImportError as error:
    raise ImportError(f"figures that move need {error.name}: pip install 'funcsim[widgets]'") from error

if TYPE_CHECKING:
    from funcsim.layer_map import LayerMap, Partition

EXPLORER = Template(Path(__file__).with_name("explorer.html").read_text())


def stepper(figures: Sequence[Figure], alts: Sequence[str], label: str) -> ipywidgets.VBox:
    """Step through figures with a slider and a play button.

    Parameters
    ----------
    figures : sequence of Figure
    alts : sequence of str
        What each figure shows, for who cannot see it.
    label : str
        What the slider counts.

    Raises
    ------
    ValueError
        If there is no figure, or not one description for each.
    """
    if not figures or len(figures) != len(alts):
        raise ValueError(f"{len(figures)} figures need as many descriptions, not {len(alts)}")
    pictures = [_picture(figure, alt) for figure, alt in zip(figures, alts, strict=True)]
    stack = ipywidgets.Stack(pictures, selected_index=0)
    ends = {"min": 0, "max": len(figures) - 1, "value": 0}
    slider = ipywidgets.IntSlider(**ends, description=label, style={"description_width": "initial"})
    play = ipywidgets.Play(**ends, interval=900)
    ipywidgets.jslink((play, "value"), (slider, "value"))
    ipywidgets.jslink((slider, "value"), (stack, "selected_index"))
    return ipywidgets.VBox([ipywidgets.HBox([play, slider]), stack])


def _picture(figure: Figure, alt: str) -> ipywidgets.HTML:
    """A figure as an HTML image, because ipywidgets' own image carries no description."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    return ipywidgets.HTML(
        f'<img alt="{html.escape(alt, quote=True)}" style="max-width: 100%" '
        f'src="data:image/png;base64,{data}">'
    )


@renamed_keyword("blocks", "groups")
def explorer(m: LayerMap, alt: str, groups: Partition | None = None, digits: int = 3) -> HTML:
    """A layer map that names both layers and their value wherever it is pointed at.

    Parameters
    ----------
    m : LayerMap
        (L, M).
    alt : str
        What the map shows, for who cannot see it.
    groups : Partition, optional
        Outlined if its groups are contiguous.
    digits : int
        Decimals of the values told.

    Returns
    -------
    IPython.display.HTML
        A mouse, a finger and the arrow keys move the mark; no kernel is needed.
    """
    norm, colours = colours_of(m)
    buffer = io.BytesIO()
    plt.imsave(buffer, colours(norm(m.values)), format="png")
    data = {"rows": m.names, "columns": m.columns, "values": m.values.round(digits).tolist()}
    rows, columns = m.values.shape
    lowest, highest = f"{norm.vmin:.{digits}f}", f"{norm.vmax:.{digits}f}"
    ends = ("alike", "different")[:: -1 if m.is_similarity else 1]
    return HTML(
        EXPLORER.substitute(
            label=html.escape(f"Layer map of {rows} by {columns} layers; arrow keys move the mark"),
            alt=html.escape(alt, quote=True),
            png=base64.b64encode(buffer.getvalue()).decode(),
            rows=rows,
            columns=columns,
            frames=_frames(groups),
            hint="Point at the map, or move with the arrow keys.",
            caption=html.escape(f"{colorbar_label(m)}: from {lowest}, {ends[0]}, to {highest}, {ends[1]}."),
            data=json.dumps(data).replace("<", "\\u003c"),  # no name can end the script
        )
    )


def _frames(groups: Partition | None) -> str:
    """SVG outlines of contiguous groups, in units of layers."""
    if groups is None or not contiguous(groups):
        return ""
    edges = pairwise([0, *groups.boundaries, len(groups.labels)])
    lines = (("#000", 4), ("#fff", 2))
    return "".join(
        f'<rect x="{a}" y="{a}" width="{b - a}" height="{b - a}" fill="none" stroke="{colour}" '
        f'stroke-width="{width}" vector-effect="non-scaling-stroke"/>'
        for a, b in edges
        for colour, width in lines
    )
