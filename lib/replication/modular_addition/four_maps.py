"""One network, four maps: the picture of `README.md` about the claims of section 5.1, from what is stored.

    python -m replication.modular_addition.four_maps book/_static/four-maps.png

The file says which maps it was made of, so that a test can tell when they have changed.

Taught in chapter 15.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import funcsim as fs
from funcsim._internal.hashing import digest
from funcsim.kinds import MixedKindsWarning
from funcsim.viz import colours_of, contiguous
from replication.modular_addition import maps

#: The stored map of Model 0 behind each title.
FOUR = {"raw": "0-raw", "normalised": "0", "before training": "0-untrained", "width alone": "0-width"}
#: What the PNG calls the text that names its maps.
SOURCE = "Source"


def load(profile: str = "laptop", seed: int = 0) -> dict[str, fs.LayerMap]:
    """The four maps (31, 31) by title; errors as of :func:`replication.modular_addition.maps.load`."""
    return {title: maps.load(name, profile, seed) for title, name in FOUR.items()}


def brightest(four: dict[str, fs.LayerMap]) -> dict[str, float]:
    """The value of the brightest colour by title: one for the three maps without scale, one for the raw."""
    shared = max(float(m.values.max()) for m in four.values() if m.normalize)
    return {title: shared if m.normalize else float(m.values.max()) for title, m in four.items()}


def picture(four: dict[str, fs.LayerMap]) -> Figure:
    """The maps in a row, with the groups that the test finds, each under its title and their number."""
    fig, axes = plt.subplots(1, len(four), figsize=(9.6, 2.9), dpi=110, layout="constrained")
    plt.close(fig)
    top = brightest(four)
    for ax, (title, m) in zip(axes, four.items(), strict=True):
        groups = _groups(m)
        norm, colours = colours_of(m)
        norm.vmax = top[title]
        ax.imshow(m.values, cmap=colours, norm=norm, interpolation="nearest")
        edges = [0, *groups.boundaries, len(m.names)] if contiguous(groups) else []
        for start, stop in pairwise(edges):
            corner, size = (start - 0.5, start - 0.5), stop - start
            for colour, width in (("black", 3.0), ("white", 1.5)):
                ax.add_patch(Rectangle(corner, size, size, fill=False, ec=colour, lw=width, clip_on=False))
        ax.set_title(title, fontsize=12)
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(f"{groups.n_groups} group{'s' if groups.n_groups > 1 else ''} by the test", fontsize=10)
    return fig


def _groups(m: fs.LayerMap) -> fs.Partition:
    """By the test. That the layers are of many kinds is said in chapter 06."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedKindsWarning)
        return fs.partition(m)


def source(four: dict[str, fs.LayerMap]) -> str:
    """A name for the numbers of the maps."""
    return digest(*(m.values for m in four.values()))[:12]


def main(arguments: Sequence[str]) -> int:
    """Write the picture."""
    if len(arguments) != 1:
        print("say where to: python -m replication.modular_addition.four_maps FILE.png", file=sys.stderr)
        return 2
    four = load()
    picture(four).savefig(arguments[0], metadata={SOURCE: source(four)})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
