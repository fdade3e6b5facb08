"""The method for a network that this project has never seen.

:func:`load_network` and :func:`default_layers` make it ready, :func:`analyse` maps and cuts it,
:func:`write_report` says what was found, in one folder that needs nothing else to be read.

Taught in chapter 14.
"""

from funcsim._layers import default_layers
from funcsim.report.analysis import Analysis, analyse
from funcsim.report.inputs import Network, load_network
from funcsim.report.page import write_report

__all__ = ["Analysis", "Network", "analyse", "default_layers", "load_network", "write_report"]
