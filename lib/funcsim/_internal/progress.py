"""One progress bar for everything: with the time left for a person, silent on a built page."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress_bar(items: Iterable[T], label: str, show: bool = True, total: int | None = None) -> Iterable[T]:
    """Wrap `items` in a bar on standard error if `show` and a person is there to see it.

    A person is there when standard error is a terminal or the code runs in a live notebook.
    ``FUNCSIM_PROGRESS=off`` silences every bar; the book is built that way.
    """
    return tqdm(items, desc=label, total=total, disable=not (show and _someone_watches()))


def _someone_watches() -> bool:
    if os.environ.get("FUNCSIM_PROGRESS", "").lower() == "off":
        return False
    return sys.stderr.isatty() or _in_live_notebook()


def _in_live_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
