"""One progress bar for everything: with the time left for a person, silent on a built page."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
SECONDS = 1.0
THREAD = "progress bar"


def progress_bar(items: Iterable[T], label: str, show: bool = True, total: int | None = None) -> Iterable[T]:
    """Wrap `items` in a bar on standard error if `show` and a person is there to see it.

    A person is there when standard error is a terminal or the code runs in a live notebook.
    ``FUNCSIM_PROGRESS=off`` silences every bar; the book is built that way.
    """
    bar = tqdm(items, desc=label, total=total, disable=not someone_watches(show))
    return bar if bar.disable else _ticking(bar)


def _ticking(bar: tqdm[T]) -> Iterator[T]:
    """The items of a bar whose clock goes on while the first of them takes minutes."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(SECONDS):
            bar.refresh()

    threading.Thread(target=tick, name=THREAD, daemon=True).start()
    try:
        yield from bar
    finally:
        ended.set()


def someone_watches(show: bool = True) -> bool:
    """Whether a person is to see progress, and is there to see it."""
    if not show or os.environ.get("FUNCSIM_PROGRESS", "").lower() == "off":
        return False
    return sys.stderr.isatty() or _in_live_notebook()


def _in_live_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
