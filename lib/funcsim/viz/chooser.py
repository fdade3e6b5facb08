"""Several layer maps in one place: the reader chooses which one stands there.

Like :mod:`funcsim.viz.explorer` it needs no kernel, no network and no other file. Without scripts, and in
print, all maps stand one beside the other.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from funcsim.groups import Partition
from funcsim.layer_map import LayerMap
from funcsim.viz.explorer import explorer_html

CHOOSER = Template(Path(__file__).with_name("chooser.html").read_text(encoding="utf-8"))
PANEL = Template(
    '<section class="panel"><h4>$name</h4><p>$says</p>$explorer</section>',
)
OPTION = Template('<label><input type="radio" name="map" value="$number"$checked> <span>$name</span></label>')


@dataclass(frozen=True)
class Choice:
    """One of the maps.

    Attributes
    ----------
    m : LayerMap
        (L, M).
    alt : str
        What the map shows, for who cannot see it.
    says : str
        What is to be seen, in a sentence or two, as text.
    groups : Partition, optional
        Outlined if its groups are contiguous.
    vmax : float, optional
        The value of the brightest colour; the largest of the map if not given.
    """

    m: LayerMap
    alt: str
    says: str
    groups: Partition | None = None
    vmax: float | None = None


def chooser_html(choices: Mapping[str, Choice], label: str) -> str:
    """Maps of which the reader sees one at a time, as HTML.

    Parameters
    ----------
    choices : mapping of str to Choice
        By what the reader chooses, a few words each; the first stands there at the beginning.
    label : str
        What is chosen, above the choices.

    Raises
    ------
    ValueError
        If there are fewer than two maps to choose from.

    Examples
    --------
    >>> import numpy as np
    >>> import funcsim as fs
    >>> reps = fs.Representations({name: np.eye(4) for name in ("first", "second")})
    >>> m = fs.compare(reps, measure="rsm", progress=False)
    >>> page = chooser_html({"A": Choice(m, "Dark.", "Alike."), "B": Choice(m, "Dark.", "Alike.")}, "Which?")
    >>> page.count('type="radio"'), page.count("<img")
    (2, 2)
    """
    if len(choices) < 2:
        raise ValueError(f"there is nothing to choose from {len(choices)} map; give two or more")
    return CHOOSER.substitute(
        label=html.escape(label),
        options="".join(
            OPTION.substitute(number=k, name=html.escape(name), checked=" checked" if k == 0 else "")
            for k, name in enumerate(choices)
        ),
        panels="".join(
            PANEL.substitute(
                name=html.escape(name),
                says=html.escape(one.says),
                explorer=explorer_html(one.m, one.alt, one.groups, vmax=one.vmax),
            )
            for name, one in choices.items()
        ),
    )
