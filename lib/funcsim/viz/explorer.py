"""A layer map as a piece of a page: it needs no kernel, no network and no other file.

The colours are a picture, so that the map is there without scripts too; names, colour bar and, for few
layers, values stand around and on it as text, so that they follow the page's colours and can be read out.
"""

from __future__ import annotations

import base64
import html
import io
import json
from itertools import pairwise
from pathlib import Path
from string import Template

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Colormap, Normalize, to_hex

from funcsim.groups import Partition
from funcsim.layer_map import LayerMap
from funcsim.viz.maps import colorbar_label, colours_of, contiguous, short_names

EXPLORER = Template(Path(__file__).with_name("explorer.html").read_text(encoding="utf-8"))
#: The most names along a side, and if the page is narrow; the most layers whose values stand in their cells.
MOST_NAMES, MOST_ON_A_PHONE, MOST_VALUES = 25, 12, 13
#: The longest name that is written along a side.
LONGEST = 22


def explorer_html(
    m: LayerMap,
    alt: str,
    groups: Partition | None = None,
    digits: int = 3,
    vmax: float | None = None,
) -> str:
    """A layer map that names both layers and their value wherever it is pointed at, as HTML.

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
    vmax : float, optional
        The value of the brightest colour, for maps that are to be compared or in which few pairs outshine the
        others; the largest of `m` if not given.
    """
    norm, colours = colours_of(m)
    if vmax is not None:
        norm.vmax = vmax
    buffer = io.BytesIO()
    plt.imsave(buffer, colours(norm(m.values)), format="png")
    values = [[None if np.isnan(x) else x for x in row] for row in m.values.round(digits).tolist()]
    data = {"rows": m.names, "columns": m.columns, "values": values}
    rows, columns = m.values.shape
    lowest, highest = f"{norm.vmin:.{digits}f}", f"{norm.vmax:.{digits}f}"
    beyond = " and more" if vmax is not None and np.nanmax(m.values) > vmax else ""
    ends = ("alike", "different")[:: -1 if m.is_similarity else 1]
    stops = ", ".join(to_hex(colours(x)) for x in np.linspace(0, 1, 9))
    return EXPLORER.substitute(
        label=html.escape(f"Layer map of {rows} by {columns} layers; arrow keys move the mark"),
        alt=html.escape(alt, quote=True),
        png=base64.b64encode(buffer.getvalue()).decode(),
        rows=rows,
        columns=columns,
        frames=_frames(groups),
        cells=_cells(m, norm, colours),
        row_names=_names(m.names, "grid-row"),
        column_names=_names(m.columns, "grid-column"),
        upright="upright" if max(map(len, short_names(m.columns))) < 4 else "",
        gradient=f"linear-gradient(to right, {stops})",
        lowest=lowest,
        highest=highest,
        hint="Point at the map, or move with the arrow keys.",
        caption=html.escape(
            f"{colorbar_label(m)}: from {lowest}, {ends[0]}, to {highest}{beyond}, {ends[1]}."
        ),
        data=json.dumps(data).replace("<", "\\u003c"),  # no name can end the script
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


def _names(names: tuple[str, ...], side: str) -> str:
    """The layers along a side, without what all names share; of many some, each in its layer's place."""
    short = short_names(names)
    shown = range(0, len(names), -(-len(names) // MOST_NAMES))
    spare = ("", ' class="spare"') if len(shown) > MOST_ON_A_PHONE else ("", "")
    return "".join(
        f'<span{spare[n % 2]} style="{side}: {k + 1}">{html.escape(_shortened(short[k]))}</span>'
        for n, k in enumerate(shown)
    )


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 + 1 :]}"


def _cells(m: LayerMap, norm: Normalize, colours: Colormap) -> str:
    """The values of a small map, as SVG text in hundredths of a cell, dark on bright and bright on dark."""
    if max(m.values.shape) > MOST_VALUES:
        return ""
    decimals = 2 if np.nanmax(m.values) >= 0.2 else 3
    shares = np.asarray(colours(norm(m.values)))[..., :3] @ [0.2126, 0.7152, 0.0722]
    return "".join(
        f'<text x="{100 * j + 50}" y="{100 * i + 50}" fill="{"#000" if shares[i, j] > 0.45 else "#fff"}">'
        f"{_brief(float(m.values[i, j]), decimals)}</text>"
        for i, j in np.ndindex(m.values.shape)
        if np.isfinite(m.values[i, j])
    )


def _brief(value: float, decimals: int) -> str:
    """A number in few characters."""
    text = f"{value:.{decimals}f}" if abs(value) < 9.995 else f"{value:.3g}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
