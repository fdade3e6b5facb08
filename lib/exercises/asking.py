"""Ask a reader's function, and say in a sentence what came of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Answer = Callable[..., Any]


class NotYetError(AssertionError):
    """An answer that is not right yet. A notebook shows its message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet. {self}"]


def call(function: Answer, *given: Any, copies: bool = True) -> Any:
    """What a function makes of arguments, or of copies of them.

    Raises
    ------
    NotYetError
        If it is still empty, stops with an error, or returns nothing.
    """
    name = _name(function)
    try:
        found = function(*(copy.deepcopy(given) if copies else given))
    except NotImplementedError:
        raise NotYetError(f"`{name}` is still empty: write its body.") from None
    except Exception as error:
        raise NotYetError(f"`{name}` stopped with {type(error).__name__}: {error}") from error
    if found is None:
        raise NotYetError(f"`{name}` returns nothing. Does it end with `return`?")
    return found


def number(function: Answer, *given: Any) -> float:
    """The same, if it is one finite number.

    Raises
    ------
    NotYetError
        If it is not, or for the reasons of :func:`call`.
    """
    found = call(function, *given)
    name = _name(function)
    try:
        value = float(found)
    except (TypeError, ValueError):
        raise NotYetError(f"`{name}` should return one number, and returns {type(found).__name__}.") from None
    require(np.isfinite(value), f"`{name}` returns {value}, which is no finite number.")
    return value


def array(function: Answer, shape: tuple[int, ...], *given: Any) -> NDArray[np.float64]:
    """The same, if it is an array of finite numbers of this shape.

    Raises
    ------
    NotYetError
        If it is not, or for the reasons of :func:`call`.
    """
    found = call(function, *given)
    name = _name(function)
    try:
        values = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        raise NotYetError(f"`{name}` should return an array, and returns {type(found).__name__}.") from None
    require(
        values.shape == shape,
        f"`{name}` should return an array of shape {shape}, and returns {values.shape}.",
    )
    require(bool(np.isfinite(values).all()), f"`{name}` returns numbers that are not finite.")
    return values


def require(condition: bool | np.bool_, otherwise: str) -> None:
    """Go on, or raise :class:`NotYetError` with what is to be said otherwise."""
    if not condition:
        raise NotYetError(otherwise)


def passed(what_it_shows: str) -> None:
    """The last line of a check."""
    print(f"Right. {what_it_shows}")


def _name(function: Answer) -> str:
    return getattr(function, "__name__", "your function")
