"""The shape of the library: it names nothing of the paper, and every public name is documented.

What may import what is a matter of contracts in ``pyproject.toml``, which ``lint-imports`` checks.
"""

import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import funcsim as fs

ROOT = Path(fs.__file__).parent
MODULES = [m.name for m in pkgutil.walk_packages([str(ROOT)], "funcsim.")]
FILES = [path for path in sorted(ROOT.rglob("*")) if path.suffix in (".py", ".html")]

#: Data sets and networks of the paper; the paper itself may be cited.
OF_THE_PAPER = re.compile(
    r"\b(bert|mpnet|minilm|sst-?2|yelp|cifar(-?10)?|resnet(-?9)?|model[-_ ]?[0el]|modular)\b"
    r"|FUNCSIM_(DATA|FROZEN|MODELS)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_names_no_data_and_no_network_of_the_paper(path):
    assert not [match[0] for match in OF_THE_PAPER.finditer(path.read_text())]


def test_help_and_import_do_not_wait_for_pytorch():
    """Under 1.5 seconds of processor time, however busy the machine is."""
    code = """if True:
        import resource, sys, funcsim.cli
        try:
            funcsim.cli.main(["map", "--help"])
        except SystemExit:
            used = resource.getrusage(resource.RUSAGE_SELF)
            print(used.ru_utime + used.ru_stime, "torch" in sys.modules, "matplotlib" in sys.modules)
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    seconds, *imported = done.stdout.splitlines()[-1].split()
    assert imported == ["False", "False"]
    assert float(seconds) < 1.5


def test_no_function_hides_a_module():
    for name in (module for module in MODULES if module.count(".") == 1):
        assert inspect.ismodule(importlib.import_module(name))
        assert getattr(fs, name.split(".")[1], importlib.import_module(name)) is sys.modules[name]


@pytest.mark.parametrize("name", fs.__all__)
def test_public_names_say_what_they_take_give_and_refuse(name):
    thing = getattr(fs, name)
    text = inspect.getdoc(thing)
    parameters = inspect.signature(thing).parameters
    section = "Parameters" if inspect.isfunction(thing) or name == "Representations" else "Attributes"
    if parameters:
        assert f"{section}\n---" in text
    if inspect.isfunction(thing):
        assert "Returns\n---" in text
        assert not parameters or "Raises\n---" in text
    for parameter in parameters:
        assert re.search(rf"^(\w+, )*{parameter}(, \w+)* :", text, re.MULTILINE), parameter


@pytest.mark.parametrize("name", fs.__all__)
def test_public_names_have_an_example(name):
    assert "Examples\n---" in inspect.getdoc(getattr(fs, name))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0
    assert module.__doc__
