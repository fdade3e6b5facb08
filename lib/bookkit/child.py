"""A Python program beside this process that ends when it does, even if it is killed.

A process that is killed cannot tell its children so: a kernel would finish its cell, Sphinx its build.
So the child looks every second whether its parent is still there.
"""

from __future__ import annotations

import os
import pkgutil
import sys
import threading
import time

SECONDS = 1.0


def command(function: str, *arguments: str) -> list[str]:
    """A command line that calls ``module:function`` on these arguments, and ends with this process."""
    return [sys.executable, "-P", __file__, str(os.getpid()), function, *arguments]


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)


if __name__ == "__main__":
    parent, function = sys.argv[1:3]
    del sys.argv[1:3]
    if os.name == "posix":
        threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    sys.exit(pkgutil.resolve_name(function)())
