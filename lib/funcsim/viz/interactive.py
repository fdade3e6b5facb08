"""Interactive figures that work on a static page: all they can show is in the page, and what
moves them runs in the reader's browser.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from funcsim._internal.deprecation import renamed_keyword
from funcsim.viz.chooser import Choice, chooser_html
from funcsim.viz.explorer import explorer_html
from funcsim.viz.matching import matching_html

try:
    import ipywidgets
    from IPython.display import HTML
except ImportError as error:
    raise ImportError(f"figures that move need {error.name}: pip install 'funcsim[widgets]'") from error

if TYPE_CHECKING:
    from funcsim.groups import Partition
    from funcsim.layer_map import LayerMap


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
def explorer(
    m: LayerMap, alt: str, groups: Partition | None = None, digits: int = 3, vmax: float | None = None
) -> HTML:
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
    vmax : float, optional
        The value of the brightest colour; the largest of `m` if not given.

    Returns
    -------
    IPython.display.HTML
        A mouse, a finger and the arrow keys move the mark; no kernel is needed.
    """
    return HTML(explorer_html(m, alt, groups, digits, vmax))


def matching(pairs: Mapping[str, tuple[ArrayLike, ArrayLike]], alt: str, caption: str = "") -> HTML:
    """Pairs of clouds whose Gromov-Wasserstein problem is solved in the page, step by step.

    Parameters
    ----------
    pairs : mapping of str to (array, array)
        What the list calls a pair, and its two clouds, (n, d) and (n, e), with n from 3 to 40. Where d and e
        are 2, the points can be dragged. Otherwise they are layers: the page uses their whole distances, and
        draws two principal components.
    alt : str
        What the picture of the first pair shows, for who cannot see it.
    caption : str
        What stands below the figure.

    Returns
    -------
    IPython.display.HTML
        Distances are divided by their mean, as in :func:`funcsim.gw`. A mouse, a finger and the keyboard move
        the points; no kernel is needed. Without scripts there is a picture of the first pair.

    Raises
    ------
    ValueError
        If there is no pair, or one whose clouds have different numbers of points, too few or too many.
    RepresentationError
        If a cloud is no representation; a DegenerateLayerError if its points coincide.
    """
    return HTML(matching_html(pairs, alt, caption))


def chooser(choices: Mapping[str, Choice], label: str) -> HTML:
    """Maps of which the reader sees one at a time.

    Parameters
    ----------
    choices : mapping of str to Choice
        By what the reader chooses, a few words each; the first stands there at the beginning.
    label : str
        What is chosen, above the choices.

    Returns
    -------
    IPython.display.HTML
        A mouse, a finger and the arrow keys choose; without scripts all maps are there.

    Raises
    ------
    ValueError
        If there are fewer than two maps to choose from.
    """
    return HTML(chooser_html(choices, label))
