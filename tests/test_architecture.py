"""The shape of the library: imports point one way, every public name is documented."""

import ast
import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import funcsim as fs

ROOT = Path(fs.__file__).parent
FLOORS = [
    {"errors", "storage", "progress", "threads"},
    {"geometry", "pooling", "segmentation"},
    {"representations", "gw", "models", "tasks", "cache"},
    {"measures", "layer_map", "training"},
    {"capture", "compare", "partition", "passage", "planted", "provenance"},
    {"inference", "nulls", "probes", "stitching"},
    {"experiments"},
    {"bench"},
    {"viz", "widgets", "own_model", "cli", "check_env", "checks"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
MODULES = [m.name for m in pkgutil.walk_packages([str(ROOT)], "funcsim.")]


def imports(path):
    """The modules that a file imports when it is loaded: not inside functions, not for typing."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_file_has_a_floor():
    files = [p for p in ROOT.iterdir() if p.name[0] not in "_." and (p.is_dir() or p.suffix == ".py")]
    places = {p.stem for p in files}
    assert places == set(FLOOR_OF)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path):
    place = path.relative_to(ROOT).with_suffix("").parts[0]
    if place == "__init__":
        return
    for name in imports(path):
        if name.startswith("funcsim."):
            target = name.split(".")[1]
            assert target == place or FLOOR_OF[target] <= FLOOR_OF[place], f"{place} imports {name}"


def test_the_library_knows_nothing_of_the_book():
    for path in ROOT.rglob("*.py"):
        assert not [name for name in imports(path) if name.startswith(("bookkit", "myst_nb"))], path


@pytest.mark.parametrize("name", fs.__all__)
def test_public_names_say_what_they_take_give_and_refuse(name):
    thing = getattr(fs, name)
    text = inspect.getdoc(thing)
    section = "Parameters" if inspect.isfunction(thing) or name == "Representations" else "Attributes"
    if not inspect.isfunction(thing) or inspect.signature(thing).parameters:
        assert section in text
    if inspect.isfunction(thing):
        assert "Returns" in text
        assert "Raises" in text
        for parameter in inspect.signature(thing).parameters:
            assert f"\n{parameter} :" in text or f"{parameter} :" in text, parameter


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0
    assert module.__doc__
