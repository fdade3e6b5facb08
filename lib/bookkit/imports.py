"""Which files below `lib/` a chapter imports, read from the sources without running them.

In doubt it is more: imports inside functions and for annotations count, so does a string that is the full
name of a module, and so do files beside an imported module that are no Python, such as templates. A file
that imports by a computed name depends on the modules beside it that its strings name (a table of lazy
names), or, if none do, on all of its folder.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bookkit.files import files_below, read_text

#: Calls that may import what is not written as an import.
IMPORTERS = {"import_module", "__import__", "iter_modules", "walk_packages", "run_module", "run_path"}


@dataclass(frozen=True)
class Mentions:
    """What a text of Python names that may be a module: for sure, or only if it imports by computed names."""

    modules: frozenset[str]
    strings: frozenset[str]
    computed: bool


def imported_files(lib: Path, code: str, shallow: tuple[str, ...] = ()) -> list[Path]:
    """Every file of `lib` that a text of Python needs, sorted; all of them where one cannot be parsed.

    Parameters
    ----------
    lib : Path
        The folder on Python's path. What it does not hold is somebody else's.
    code : str
        The chapter.
    shallow : tuple of str
        Packages of which only the very modules count that the chapter names, not their `__init__` nor what
        they import from each other. What they import from other packages counts.
    """
    if not lib.is_dir():
        return []
    ours = {path.stem for path in lib.iterdir()}
    found: set[Path] = set()
    try:
        seen = set(mentions(code, "").modules)
        waiting = list(seen)
        while waiting:
            for path in _files_of(lib, waiting.pop()) - found:
                package = path.relative_to(lib).parts[0].removesuffix(".py")
                if package in shallow and path.name == "__init__.py":
                    continue
                found.add(path)
                if package not in shallow:
                    found.update(_beside(path))
                followed = ours - {package} if package in shallow else ours
                targets = {name for name in _targets(lib, path, found) if name.split(".")[0] in followed}
                waiting += targets - seen
                seen |= targets
    except SyntaxError:
        return files_below(lib)
    return sorted(found)


@lru_cache(maxsize=1000)
def mentions(code: str, package: str) -> Mentions:
    """The modules that a text of Python in this package names, as full names."""
    modules, strings, computed = set(), set(), False
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            modules |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if all(part.isidentifier() for part in node.value.lstrip(".").split(".")):
                strings.add(node.value.lstrip("."))
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            literal = node.args and isinstance(node.args[0], ast.Constant)
            computed |= name in IMPORTERS and not literal
    modules |= strings
    if "-m" in code:
        modules |= {f"{name}.__main__" for name in strings}
    beside = {f"{package}.{name}" if package else name for name in strings}
    return Mentions(frozenset(modules), frozenset(beside), computed)


def _targets(lib: Path, path: Path, found: set[Path]) -> Iterator[str]:
    """What a file of `lib` imports; when that cannot be told, its whole folder is added to `found`."""
    named = mentions(read_text(path), ".".join(path.relative_to(lib).parts[:-1]))
    yield from named.modules
    if named.computed:
        listed = [name for name in named.strings if _is_module(lib, name)]
        yield from listed
        if not listed:
            found.update(files_below(path.parent))


def _files_of(lib: Path, name: str) -> set[Path]:
    """The files that are executed when a module of this name is imported: its own, and its packages'."""
    parts = name.split(".")
    places = [lib.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    files = {file for place in places for file in (place / "__init__.py", place.with_suffix(".py"))}
    return {file for file in files if file.is_file()}


def _is_module(lib: Path, name: str) -> bool:
    place = lib.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def _beside(path: Path) -> Iterator[Path]:
    """What lies beside a module and is no Python, and the folders beside it that hold none."""
    for other in path.parent.iterdir():
        if other.is_dir() and other.name != "__pycache__" and not any(other.rglob("*.py")):
            yield from files_below(other)
        elif other.is_file() and other.suffix not in (".py", ".pyc"):
            yield other
