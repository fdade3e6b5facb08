"""Which versions made a number."""

from __future__ import annotations

import platform
from importlib.metadata import version

#: The packages that decide the numbers.
PACKAGES = ("numpy", "POT", "safetensors", "scipy", "torch")


def versions() -> dict[str, str]:
    """Of Python and the packages that decide the numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
