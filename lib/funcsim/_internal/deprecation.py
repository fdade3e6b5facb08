"""Keywords of an earlier edition, which go on working with a warning."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed_keyword(
    old: str, new: str, told: Callable[[Any], Any] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take its keyword `new` by the name `old`, with a DeprecationWarning.

    Where both do not mean the same, `told` makes the new value of the old one. The decorated function
    raises a TypeError if both are given.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def renamed(*args: P.args, **kwargs: P.kwargs) -> R:
            if old in kwargs:
                name = function.__name__
                if new in kwargs:
                    raise TypeError(f"{name}() got {old!r} and {new!r}, two names of one thing; give {new!r}")
                warnings.warn(f"{name}({old}=...) is now {name}({new}=...)", DeprecationWarning, stacklevel=2)
                value = kwargs.pop(old)
                kwargs[new] = value if told is None else told(value)
            return function(*args, **kwargs)

        return renamed

    return decorate
