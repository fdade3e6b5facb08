"""Which layers of a network form blocks? Functional similarity by Gromov-Wasserstein distance.

train -> :func:`capture` -> :class:`Representations` -> :func:`compare` -> :class:`LayerMap`
-> :func:`partition` -> :class:`Partition`; :func:`gw` compares two clouds by itself.
"""

from funcsim.capture import capture
from funcsim.compare import compare
from funcsim.gw import GWResult, gw
from funcsim.inference import Bootstrap, bootstrap
from funcsim.layer_map import LayerMap
from funcsim.measures import Measure, measures
from funcsim.partition import Partition, partition, spectral_partition
from funcsim.representations import Representations

__all__ = [
    "Bootstrap",
    "GWResult",
    "LayerMap",
    "Measure",
    "Partition",
    "Representations",
    "bootstrap",
    "capture",
    "compare",
    "gw",
    "measures",
    "partition",
    "spectral_partition",
]
__version__ = "0.1.0"
