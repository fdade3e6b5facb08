"""One thread, whatever the machine has.

Sums that are split over threads are added in another order, and after some thousand steps of
training the last bits decide a network's accuracy. What is computed on one thread is the same
on two cores of a kind and on sixty-four.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """NumPy, SciPy and PyTorch on one thread inside, as before outside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _libraries().limit(limits=1):
            yield
    finally:
        torch.set_num_threads(before)


@cache
def _libraries() -> ThreadpoolController:
    """Those that hold threads. Looked for once: that takes longer than a small problem."""
    return ThreadpoolController()
