"""Which layers of a network form groups? Functional similarity by Gromov-Wasserstein distance.

train -> :func:`capture` -> :class:`Representations` -> :func:`compare` -> :class:`LayerMap`
-> :func:`partition` -> :class:`Partition`; :func:`gw` compares two clouds by itself.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from funcsim._calibration import Calibration, calibrate
    from funcsim._capture import capture
    from funcsim._compare import compare
    from funcsim._cost import Cost, estimate_cost
    from funcsim._intervals import Intervals, intervals
    from funcsim._partition import boundary_evidence, partition, partition_into, spectral_partition
    from funcsim._untrained import UntrainedTwin, untrained_twin
    from funcsim.gromov import GWResult, gw
    from funcsim.groups import Partition
    from funcsim.layer_map import LayerMap, metric_distances
    from funcsim.representations import Representations
    from funcsim.similarity import Measure, measures

#: Where each public name lives. It is imported when it is first used: PyTorch takes seconds.
_HOMES = {
    "Calibration": "_calibration",
    "Cost": "_cost",
    "GWResult": "gromov",
    "Intervals": "_intervals",
    "LayerMap": "layer_map",
    "Measure": "similarity",
    "Partition": "groups",
    "Representations": "representations",
    "UntrainedTwin": "_untrained",
    "boundary_evidence": "_partition",
    "calibrate": "_calibration",
    "capture": "_capture",
    "compare": "_compare",
    "estimate_cost": "_cost",
    "gw": "gromov",
    "intervals": "_intervals",
    "measures": "similarity",
    "metric_distances": "layer_map",
    "partition": "_partition",
    "partition_into": "_partition",
    "spectral_partition": "_partition",
    "untrained_twin": "_untrained",
}
__all__ = [
    "Calibration",
    "Cost",
    "GWResult",
    "Intervals",
    "LayerMap",
    "Measure",
    "Partition",
    "Representations",
    "UntrainedTwin",
    "boundary_evidence",
    "calibrate",
    "capture",
    "compare",
    "estimate_cost",
    "gw",
    "intervals",
    "measures",
    "metric_distances",
    "partition",
    "partition_into",
    "spectral_partition",
    "untrained_twin",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("funcsim")
    if name not in _HOMES:
        raise AttributeError(f"module 'funcsim' has no attribute {name!r}")
    value = getattr(import_module(f"funcsim.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
