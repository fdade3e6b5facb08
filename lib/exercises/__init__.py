"""Checks of the exercises, one module per chapter: they test properties and speak in sentences.

A check is given a reader's function. It prints what the answer shows, or raises :class:`NotYetError`, which a
notebook shows as one sentence.
"""

from exercises.asking import NotYetError

__all__ = ["NotYetError"]
