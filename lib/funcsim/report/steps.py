"""How far it is from each layer to the next: the first thing to look at in a map.

Taught in chapter 14.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from funcsim._intervals import Intervals
from funcsim.layer_map import LayerMap
from funcsim.viz.maps import short_names

Array = NDArray[np.float64]
WIDTH, HEIGHT = 480, 250
#: A largest step of fewer median steps stands out from nothing: the steps are even.
EVEN = 1.5
LEFT, RIGHT, TOP = 52, 12, 12


@dataclass(frozen=True)
class Steps:
    """Distances between neighbouring layers; entry k leads from layer k to layer k + 1.

    Attributes
    ----------
    values, low, high : array, shape (L - 1,)
        With the spread over inputs, as many as these. A similarity is subtracted from 1.
    """

    values: Array
    low: Array
    high: Array

    @property
    def largest(self) -> int:
        """The index of the layer that the largest step leads into."""
        return int(np.argmax(self.values)) + 1

    @property
    def ratio(self) -> float:
        """The largest step in units of the median step; infinite if the median is zero."""
        median = float(np.median(self.values))
        return float(self.values.max()) / median if median > 0 else float("inf")

    @property
    def half_of_the_way(self) -> tuple[int, int]:
        """The shortest run of layers [first, last) whose steps are half of all steps together."""
        total, n = self.values.sum(), len(self.values)
        for length in range(1, n + 1):
            sums = [self.values[k : k + length].sum() for k in range(n - length + 1)]
            if max(sums) >= total / 2:
                first = int(np.argmax(sums))
                return first, first + length + 1
        return 0, n + 1


def steps_of(found: Intervals) -> Steps:
    """The steps of a map, with their spread: all are of as many inputs, and are compared with one another."""
    values, spread = steps_of_map(found.map), np.diag(found.spread, k=1)
    low = values - spread
    return Steps(values, low if found.map.is_similarity else np.maximum(low, 0.0), values + spread)


def steps_of_map(m: LayerMap) -> Array:
    """The steps of a map alone."""
    values = np.diag(m.values, k=1)
    return 1 - values if m.is_similarity else values


def block_range(names: Sequence[str], start: int, stop: int) -> tuple[str, bool]:
    """Layers start to stop - 1 as a half-open range, ``[first, last)``, and whether blocks are counted.

    Block indices are those in the names where the layers are the blocks of one list, in a row;
    otherwise layers are counted in the order in which they run, from 0.
    """
    matches = [re.fullmatch(r"(.*?)(\d+)", name) for name in names]
    known = [(match[1], int(match[2])) for match in matches if match]
    first = known[0][1] if known else 0
    blocks = len(known) == len(names) and known == [(known[0][0], first + k) for k in range(len(names))]
    shift = first if blocks else 0
    return f"[{start + shift}, {stop + shift})", blocks


def steps_svg(
    steps: Steps,
    names: Sequence[str],
    label: str,
    boundaries: Sequence[int] = (),
    band: tuple[Array, Array] | None = None,
) -> str:
    """A line through the steps with their spread, as an inline SVG in the page's own colours.

    Parameters
    ----------
    steps : Steps
    names : sequence of str
        The L layers.
    label : str
        What is on the vertical axis.
    boundaries : sequence of int
        Layers at which a group starts: marked by a dashed line.
    band : pair of arrays (L - 1,), optional
        Lower and upper ends of what other networks show, drawn behind the line.
    """
    short = short_names(names)
    turned_names = max(map(len, short)) > 3
    foot = 78 if turned_names else 44
    top = max(float(np.nanmax(x)) for x in (steps.high, steps.values, *(band or ()))) or 1.0
    bottom = min(0.0, float(np.nanmin(steps.low)))
    n = len(steps.values)

    def x(k: float) -> float:
        return LEFT + (k + 0.5) * (WIDTH - LEFT - RIGHT) / n

    def y(value: float) -> float:
        return TOP + (top - value) / (top - bottom) * (HEIGHT - TOP - foot)

    def area(low: Array, high: Array, kind: str) -> str:
        there = [f"{x(k):.1f},{y(value):.1f}" for k, value in enumerate(high)]
        back = [f"{x(k):.1f},{y(low[k]):.1f}" for k in reversed(range(n))]
        return f'<polygon class="{kind}" points="{" ".join([*there, *back])}"/>'

    parts = []
    for value in _ticks(bottom, top):
        parts.append(f'<path class="grid" d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    if band is not None:
        parts.append(area(*band, "twin"))
    parts.append(area(steps.low, steps.high, "interval"))
    for k in boundaries:
        parts.append(f'<path class="boundary" d="M{x(k - 1):.1f} {TOP}V{HEIGHT - foot}"/>')
    points = [f"{x(k):.1f},{y(value):.1f}" for k, value in enumerate(steps.values)]
    parts.append(f'<polyline class="line" points="{" ".join(points)}"/>')
    if n <= 60:
        for k, value in enumerate(steps.values):
            told = f"{names[k]} to {names[k + 1]}: {value:.3f} ({steps.low[k]:.3f} to {steps.high[k]:.3f})"
            place = f'cx="{x(k):.1f}" cy="{y(value):.1f}"'
            parts.append(f'<circle class="dot" {place} r="3.5"><title>{html.escape(told)}</title></circle>')
    for k in range(0, n, -(-n // 16)):
        text = html.escape(short[k + 1] if len(short[k + 1]) < 9 else f"{short[k + 1][:7]}…")
        place = f"{x(k):.1f},{HEIGHT - foot + 16}"
        turned = f' transform="rotate(-40 {place})"' if turned_names else ""
        anchor = "middle" if not turned else "end"
        px, py = place.split(",")
        parts.append(f'<text x="{px}" y="{py}" text-anchor="{anchor}"{turned}>{text}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">the step into layer</text>')
    k = steps.largest
    alt = (
        f"{label} from each layer to the next; the largest, {steps.values[k - 1]:.3f}, leads into {names[k]}"
    )
    return (
        f'<svg class="steps" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(alt, True)}">'
        f"{''.join(parts)}</svg>"
    )


def _ticks(bottom: float, top: float) -> list[float]:
    """Round numbers from bottom to top, about four."""
    if not np.isfinite(top - bottom) or top <= bottom:
        return [bottom]
    rough = (top - bottom) / 4
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(k * power for k in (1, 2, 5, 10) if k * power >= rough)
    return [float(k * step) for k in range(int(np.ceil(bottom / step)), int(np.floor(top / step)) + 1)]
