"""What a person sees: figures that return themselves, ready to show or to save.

Every function returns a closed matplotlib Figure: as the last line of a cell it is shown
once, in a script ``.savefig`` keeps it. Colours survive colour blindness and greyscale.
"""

from funcsim.viz.block_stack import block_stack
from funcsim.viz.dots import dots
from funcsim.viz.grids import map_grid, panels, pictures
from funcsim.viz.maps import MOST_LABELS, colorbar_label, colours_of, contiguous, layer_map
from funcsim.viz.plots import bars, curves, matched_clouds, ridges, scatter
from funcsim.viz.style import BLUE, COLOURS, GREY, LINES, ORANGE, new_figure

__all__ = [
    "BLUE",
    "COLOURS",
    "GREY",
    "LINES",
    "MOST_LABELS",
    "ORANGE",
    "bars",
    "block_stack",
    "colorbar_label",
    "colours_of",
    "contiguous",
    "curves",
    "dots",
    "layer_map",
    "map_grid",
    "matched_clouds",
    "new_figure",
    "panels",
    "pictures",
    "ridges",
    "scatter",
]
