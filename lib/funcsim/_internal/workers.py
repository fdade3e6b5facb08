"""Processes beside this one that end when it does, even if it is killed.

A process that is killed cannot tell its workers so, and they would wait for work, holding memory,
for minutes. So each worker looks every second whether its parent is still there.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import wraps
from multiprocessing import current_process
from typing import Any, TypeVar

import joblib

T = TypeVar("T")
SECONDS = 1.0
_watched: set[int] = set()


def task(function: Callable[..., T], *arguments: Any) -> Any:
    """A task for :class:`joblib.Parallel` whose process ends soon after this one has ended."""
    return joblib.delayed(ending_with(os.getpid(), function))(*arguments)


def ending_with(parent: int, function: Callable[..., T]) -> Callable[..., T]:
    """`function`, which in a child of the process `parent` first sees to it that the child ends with it."""

    @wraps(function)
    def watched(*arguments: Any) -> T:
        _watch(parent)
        return function(*arguments)

    return watched


def _watch(parent: int) -> None:
    """Start looking, once in a process; only the parent's own children do, not the workers of a cluster."""
    if os.name != "posix" or parent in _watched:
        return
    if os.getppid() != parent:
        if current_process().name.startswith("LokyProcess") and not _runs(parent):
            os._exit(1)  # the parent ended while this process was starting
        return
    _watched.add(parent)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)
