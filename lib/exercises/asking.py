"""Ask a reader's function, and say in a sentence what came of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Answer = Callable[..., Any]
Interval = tuple[float, float]
IS_NOW = {"return": "returns", "be": "is"}
HAS = {"return": "returns", "be": "has"}


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
    return as_number(call(function, *given), f"`{_name(function)}`", "return")


def as_number(found: Any, what: str = "What you return", verb: str = "be") -> float:
    """The same of a value that is at hand; `what` begins the sentence about it.

    Raises
    ------
    NotYetError
        If it is not one finite number.
    """
    is_now = IS_NOW[verb]
    try:
        value = float(found)
    except (TypeError, ValueError):
        raise NotYetError(f"{what} should {verb} one number, and {is_now} {type(found).__name__}.") from None
    require(np.isfinite(value), f"{what} {is_now} {value}, which is no finite number.")
    return value


def numbers(found: dict[Any, Any], function: Answer) -> dict[Any, float]:
    """What `function` found, if under each key there is one finite number.

    Raises
    ------
    NotYetError
        If there is not; the message names the key.
    """
    return {key: as_number(value, f"{key!r} of `{_name(function)}`") for key, value in found.items()}


def array(function: Answer, shape: tuple[int, ...], *given: Any) -> NDArray[np.float64]:
    """The same, if it is an array of finite numbers of this shape.

    Raises
    ------
    NotYetError
        If it is not, or for the reasons of :func:`call`.
    """
    return as_array(call(function, *given), shape, f"`{_name(function)}`", "return")


def as_array(
    found: Any, shape: tuple[int, ...], what: str = "What you return", verb: str = "be"
) -> NDArray[np.float64]:
    """The same of a value that is at hand; `what` begins the sentence about it.

    Raises
    ------
    NotYetError
        If it is no array of finite numbers of this shape.
    """
    is_now = IS_NOW[verb]
    try:
        values = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        raise NotYetError(f"{what} should {verb} an array, and {is_now} {type(found).__name__}.") from None
    require(
        values.shape == shape, f"{what} should {verb} an array of shape {shape}, and {is_now} {values.shape}."
    )
    require(bool(np.isfinite(values).all()), f"{what} {HAS[verb]} numbers that are not finite.")
    return values


def arrays(found: dict[Any, Any], shape: tuple[int, ...], function: Answer) -> dict[Any, NDArray[np.float64]]:
    """What `function` found, if under each key there is an array of finite numbers of this shape.

    Raises
    ------
    NotYetError
        If there is not; the message names the key.
    """
    whose = f"of `{_name(function)}`"
    return {key: as_array(value, shape, f"{key!r} {whose}") for key, value in found.items()}


def between(low_and_high: Any, what: str, widest: float, least: float = 0, most: float = 100) -> Interval:
    """A prediction: its lower end and its upper end, if it could turn out wrong.

    Raises
    ------
    NotYetError
        If it is no pair of numbers in order, lies outside of what is possible, or is wider than `widest`.
    """
    form = f"predict {what} as two numbers, the lower end and the upper end"
    if not isinstance(low_and_high, tuple | list) or len(low_and_high) != 2:
        raise NotYetError(f"First {form}.")
    try:
        low, high = (float(end) for end in low_and_high)
    except (TypeError, ValueError):
        raise NotYetError(f"First {form}.") from None
    require(
        least <= low <= high <= most,
        f"Please {form}, both from {least:g} to {most:g}, the smaller one first.",
    )
    require(
        high - low <= widest + 1e-9,
        f"From {low:g} to {high:g} is too wide to be wrong. Your ends may be {widest:g} apart at most.",
    )
    return low, high


def outcome(what: str, low_and_high: Interval, found: float, unit: str = "%") -> str:
    """What was predicted beside what was found, in a sentence."""
    low, high = low_and_high
    where = "inside" if low <= found <= high else "below" if found < low else "above"
    return f"{what}: you predicted {low:g} to {high:g} {unit} and found {found:.1f} {unit}, {where}."


def require(condition: bool | np.bool_, otherwise: str) -> None:
    """Go on, or raise :class:`NotYetError` with what is to be said otherwise."""
    if not condition:
        raise NotYetError(otherwise)


def passed(what_it_shows: str) -> None:
    """The last line of a check."""
    print(f"Right. {what_it_shows}")


def _name(function: Answer) -> str:
    return getattr(function, "__name__", "your function")
