"""The method for a network that this project has never seen.

:func:`load_network` and :func:`default_layers` make it ready, :func:`study` maps and cuts it,
:func:`write_report` says what was found, in one folder that needs nothing else to be read.

Taught in chapter 14.
"""

from funcsim.own_model.findings import Findings, study
from funcsim.own_model.layers import default_layers
from funcsim.own_model.network import Network, load_network
from funcsim.own_model.report import write_report

__all__ = ["Findings", "Network", "default_layers", "load_network", "study", "write_report"]
