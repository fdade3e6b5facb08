"""What is published: the method alone, under one version, and what it needs."""

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without a network from a copy, since building writes into the tree."""
    clone, out = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    shutil.copytree(
        ROOT / "lib",
        clone / "lib",
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "node_modules"),
    )
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--wheel-dir", str(out), str(clone)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        yield archive


def test_the_wheel_holds_funcsim_alone(wheel):
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"funcsim"}


def test_every_file_of_funcsim_is_in_the_wheel(wheel):
    package = ROOT / "lib/funcsim"
    files = {
        str(path.relative_to(ROOT / "lib"))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files == {name for name in wheel.namelist() if name.startswith("funcsim/")}
    assert {
        "funcsim/py.typed",
        "funcsim/viz/explorer.html",
        "funcsim/viz/chooser.html",
        "funcsim/viz/matching.html",
    } <= files
    assert {"funcsim/viz/matching_search.js", "funcsim/viz/matching_figure.js"} <= files


def test_the_wheel_asks_for_nothing_that_only_the_book_needs(wheel):
    metadata = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    text = wheel.read(metadata).decode()
    asked = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", text, re.MULTILINE)
    assert "torch" in asked
    assert not {name.lower() for name in asked} & {
        "ipython",
        "ipywidgets",
        "packaging",
        "jupytext",
        "pyarrow",
    }


def test_the_version_stands_in_one_place():
    version = Version(PROJECT["version"]).base_version
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    newest = re.search(r"^## \[?(\S+?)\]? - ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest[1] == version
    found = [path.name for path in (ROOT / "lib").rglob("*.py") if "__version__ = " in path.read_text()]
    assert not found


def renamed():
    """The names in the right column of CHANGELOG's table, without their arguments."""
    rows = re.findall(r"^\| `.*\| (.*) \|$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`((?:funcsim|replication)\.[\w.]+)", row)]


@pytest.mark.parametrize("name", renamed())
def test_what_the_changelog_sends_to_is_there(name):
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            thing = getattr(thing, part)
        return
    pytest.fail(f"there is no {name}")
