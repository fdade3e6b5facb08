"""pyproject.toml, constraints.txt and environment.yml say the same."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
CONDA_NAMES = {"pytorch": "torch"}  # where conda calls a package differently

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
EXTRAS = PROJECT["optional-dependencies"]
PINS = {
    canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if (text := line.split("#")[0].strip())
    for pin in [Requirement(text)]
}


def bounds(requirements: list[str]) -> dict[str, str]:
    """Name -> bounds, in one spelling."""
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(CONDA_NAMES.get(r.name, r.name)): str(r.specifier) for r in parsed}


def test_conda_asks_for_the_same():
    asked = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(item["pip"] for item in asked if isinstance(item, dict))
    assert "-e ." in pip
    conda = bounds(
        [item for item in asked if isinstance(item, str)] + [item for item in pip if item != "-e ."]
    )
    conda.pop("pip")
    assert conda.pop("python") == "<3.14,>=3.11"
    assert conda == bounds(PROJECT["dependencies"] + EXTRAS["book"] + EXTRAS["text"] + EXTRAS["widgets"])


def test_every_python_is_named_everywhere():
    """The gate of the Makefile, the classifiers, the workflow, and what readers are told."""
    minors = ["3.11", "3.12", "3.13"]
    assert PROJECT["requires-python"] == f">={minors[0]}"
    assert [c.split()[-1] for c in PROJECT["classifiers"] if "Python :: 3." in c] == minors
    assert yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())["jobs"]["check"]["strategy"][
        "matrix"
    ] == {"python": minors}
    told = "3.11, 3.12 or 3.13"
    for name in ("Makefile", "README.md", "CONTRIBUTING.md", "book/how-to-use.md"):
        assert f"Python {told}" in (ROOT / name).read_text(), name
    gate = ", ".join(f"({m.replace('.', ', ')})" for m in minors)
    assert (ROOT / "Makefile").read_text().count(f"({gate})") == 2


@pytest.mark.parametrize(
    "text", PROJECT["dependencies"] + [text for extra in EXTRAS.values() for text in extra]
)
def test_pin_satisfies_bound(text):
    requirement = Requirement(text)
    assert requirement.specifier, "has no lower bound"
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)], prereleases=True)


def test_pins_are_exact_and_name_no_index():
    text = (ROOT / "constraints.txt").read_text()
    assert PINS["torch"] == "2.13.0"
    assert not re.search(r"https?:|--index|--find-links|\+cpu|@", text)
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", pin) for pin in PINS.values())


def test_this_environment_follows_the_pins():
    installed = PROJECT["dependencies"] + EXTRAS["book"] + EXTRAS["test"] + EXTRAS["text"]
    names = [Requirement(text).name for text in installed]
    found = {}
    for name in map(canonicalize_name, names):
        try:
            found[name] = version(name).split("+")[0]
        except PackageNotFoundError:
            pytest.fail(f"{name} is not installed")
    assert found == {name: PINS[name] for name in found}


def test_contributing_shows_the_layers_that_are_checked():
    contract = CONTRACTS["Inside funcsim imports point one way"]
    picture = (ROOT / "CONTRIBUTING.md").read_text().split("within funcsim:\n")[1].split("```")[0]
    shown = [re.split(" {2,}", line.strip())[0].split() for line in picture.splitlines()]
    assert shown == [layer.split(" | ") for layer in contract["layers"]]
