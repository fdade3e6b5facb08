"""What a book asks of itself: the section `[tool.bookkit]` of its `pyproject.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from bookkit.errors import BookError
from bookkit.files import read_text

KINDS = {tuple: "a list of texts", int: "a number", str: "a text", dict: "a table of texts"}


@dataclass(frozen=True)
class Settings:
    """Without a section, a chapter needs nothing but its place in the table of contents.

    Attributes
    ----------
    shallow : tuple of str
        Packages of `lib/` of which only the modules that a chapter itself names belong to its key.
    questions, exercises : int
        How many of these a chapter must have at least.
    answers : str
        The heading of the table that says what a chapter found; empty where none is asked for.
    named_in : dict
        Page -> what a line of it must hold for each chapter, with ``{number}`` and ``{name}`` in place.
    """

    shallow: tuple[str, ...] = ()
    questions: int = 0
    exercises: int = 0
    answers: str = ""
    named_in: dict[str, str] = field(default_factory=dict)


def settings(root: Path) -> Settings:
    """The settings of the book at `root`.

    Raises
    ------
    BookError
        If the file is no TOML, or says something that is no setting.
    """
    path = root / "pyproject.toml"
    if not path.exists():
        return Settings()
    try:
        given = tomllib.loads(read_text(path)).get("tool", {}).get("bookkit", {})
    except tomllib.TOMLDecodeError as error:
        raise BookError(f"{path}: no TOML: {error}") from None
    defaults, known = Settings(), [one.name for one in fields(Settings)]
    values = {}
    for name, value in given.items():
        key = name.replace("-", "_")
        if key not in known:
            raise BookError(f"{path}: [tool.bookkit] knows no {name!r}; it knows {', '.join(known)}")
        value = tuple(value) if isinstance(value, list) else value
        wanted = type(getattr(defaults, key))
        texts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
        if type(value) is not wanted or not all(isinstance(text, str) for text in texts):
            raise BookError(f"{path}: [tool.bookkit] {name} must be {KINDS[wanted]}")
        values[key] = value
    return Settings(**values)
