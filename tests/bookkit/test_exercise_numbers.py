"""Exercises are counted in each chapter, and other things as Sphinx does."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace


def test_each_chapter_begins_with_one():
    path = Path(__file__).parents[2] / "book/_ext/exercise_numbers.py"
    spec = importlib.util.spec_from_file_location("exercise_numbers", path)
    extension = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extension)
    numbers = {
        "notebooks/01-a": {"exercise": {"ex-b": (1,), "ex-a": (2,)}, "figure": {"f": (7,)}},
        "notebooks/02-b": {"exercise": {"ex-c": (3,)}},
        "book/index": {"exercise": {"ex-d": (4,)}},
    }
    env = SimpleNamespace(toc_fignumbers=numbers)
    assert extension.count_again(None, env) == []
    assert numbers["notebooks/01-a"] == {
        "exercise": {"ex-b": ("01", 1), "ex-a": ("01", 2)},
        "figure": {"f": (7,)},
    }
    assert numbers["notebooks/02-b"] == {"exercise": {"ex-c": ("02", 1)}}
    assert numbers["book/index"] == {"exercise": {"ex-d": (4,)}}
