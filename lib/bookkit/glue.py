"""Keep the numbers and pictures of a cell so that the prose around it can quote and show them."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def note(**values: float | str) -> None:
    """Remember numbers by name: ``note(r2=0.93)`` is quoted as ``{glue:text}`r2:.2f```.

    Whole numbers stay whole, words stay words, everything else becomes a float. Without
    MyST-NB, in a notebook that runs outside the book, there is no prose to fill in and nothing
    happens.
    """
    try:
        from myst_nb import glue
    except ImportError:
        return
    for name, value in values.items():
        kind = int if isinstance(value, Integral) else str if isinstance(value, str) else float
        glue(name, kind(value), display=False)


def keep_figure(name: str, figure: Figure) -> None:
    """Keep a picture for another place of the page, above or below.

    A directive ``{glue:figure}`` with this name, an `alt` text and a caption shows it there. Without MyST-NB
    nothing happens, as for :func:`note`.
    """
    try:
        from myst_nb import glue
    except ImportError:
        return
    glue(name, figure, display=False)
