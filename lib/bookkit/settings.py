"""What a book asks of itself: the section `[tool.bookkit]` of its `pyproject.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

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
    closing : tuple of str
        Numbers of the chapters that only sum up what others found: no quiz, no exercises and no table of
        answers are asked of them.
    named_in : dict
        Page -> what a line of it must hold for each chapter, with ``{number}`` and ``{name}`` in place.
    """

    shallow: tuple[str, ...] = ()
    questions: int = 0
    exercises: int = 0
    answers: str = ""
    closing: tuple[str, ...] = ()
    named_in: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ProseSettings:
    """How the chapters are to be written: the section `[tool.bookkit.prose]`.

    Attributes
    ----------
    not_yet : tuple of str
        Numbers of the chapters that are not yet held to these rules. The list only shrinks.
    words : int
        Of main text in a chapter, at most.
    sentence : int
        Words in a sentence, at most.
    numbers : int
        Quantities in a sentence, at most.
    code : int
        Characters in a line of code, at most: what a page shows without scrolling.
    least_sections, most_sections : int
        Between the answer at the top and the table of what was found.
    short : str
        The first heading of a chapter: its answer in short. Empty where none is asked for.
    outside : tuple of str
        Headings of the sections that are no main text.
    banned : tuple of str
        Expressions, as regular expressions, for which there is a plainer word.
    plumbing : tuple of str
        Names that serve the text and not the reader: called, imported or asked for in hidden cells only.
    glossary : str
        The page whose terms are linked at their first use; empty where there is none.
    everyday : tuple of str
        Its words that are common outside the glossary as well.
    """

    not_yet: tuple[str, ...] = ()
    words: int = 2200
    sentence: int = 35
    numbers: int = 3
    code: int = 76
    least_sections: int = 0
    most_sections: int = 8
    short: str = ""
    outside: tuple[str, ...] = ("Quiz", "Exercises", "References")
    banned: tuple[str, ...] = ()
    plumbing: tuple[str, ...] = ()
    glossary: str = ""
    everyday: tuple[str, ...] = ()


#: The tables below `[tool.bookkit]` that are read by themselves.
SECTIONS = {"prose": ProseSettings}
Section = TypeVar("Section", Settings, ProseSettings)


def settings(root: Path) -> Settings:
    """The settings of the book at `root`.

    Raises
    ------
    BookError
        If the file is no TOML, or says something that is no setting.
    """
    given = {name: value for name, value in _table(root).items() if name not in SECTIONS}
    return _read(root, "[tool.bookkit]", given, Settings)


def prose_settings(root: Path) -> ProseSettings:
    """How the chapters of the book at `root` are to be written; raises as :func:`settings`."""
    given = _table(root).get("prose", {})
    if not isinstance(given, dict):
        raise BookError(f"{root / 'pyproject.toml'}: [tool.bookkit] prose must be a table of its own")
    return _read(root, "[tool.bookkit.prose]", given, ProseSettings)


def _table(root: Path) -> dict[str, object]:
    path = root / "pyproject.toml"
    if not path.exists():
        return {}
    try:
        return tomllib.loads(read_text(path)).get("tool", {}).get("bookkit", {})
    except tomllib.TOMLDecodeError as error:
        raise BookError(f"{path}: no TOML: {error}") from None


def _read(root: Path, where: str, given: dict[str, object], kind: type[Section]) -> Section:
    path, defaults, known = root / "pyproject.toml", kind(), [one.name for one in fields(kind)]
    values = {}
    for name, value in given.items():
        key = name.replace("-", "_")
        if key not in known:
            raise BookError(f"{path}: {where} knows no {name!r}; it knows {', '.join(known)}")
        value = tuple(value) if isinstance(value, list) else value
        wanted = type(getattr(defaults, key))
        texts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
        if type(value) is not wanted or not all(isinstance(text, str) for text in texts):
            raise BookError(f"{path}: {where} {name} must be {KINDS[wanted]}")
        values[key] = value
    return kind(**values)
