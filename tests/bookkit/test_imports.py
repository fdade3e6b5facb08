"""A chapter's key has what the chapter imports, and nothing else of `lib/`."""

import json

import pytest

from bookkit.chapters import read_chapter
from bookkit.imports import imported_files
from bookkit.run import chapter_key

FILES = {
    "method/__init__.py": "from importlib import import_module\n_HOMES = {'fit': '_fit'}\n"
    "def __getattr__(name):\n    return getattr(import_module(f'method.{_HOMES[name]}'), name)\n",
    "method/_fit.py": "def fit():\n    from method.core import solve\n    return solve\n",
    "method/core.py": "from . import errors\n",
    "method/errors.py": "",
    "method/unused.py": "",
    "method/view/__init__.py": "from method.view.page import show\n",
    "method/view/page.py": "def show(): ...\n",
    "method/view/page.html": "<p>",
    "method/view/icons/a.svg": "<svg>",
    "paper/__init__.py": "",
    "paper/runs/__init__.py": "",
    "paper/runs/one.py": "from ..models import net\nfrom typing import TYPE_CHECKING\n"
    "if TYPE_CHECKING:\n    from paper.types import Plan\n",
    "paper/runs/two.py": "import paper.models\n",
    "paper/models.py": "net = 1\n",
    "paper/types.py": "",
    "paper/by_hand.py": "import importlib\n\ndef load(name):\n    return importlib.import_module(name)\n",
    "paper/__main__.py": "from paper.runs import two\n",
    "checks/__init__.py": "from checks.asking import ask\n",
    "checks/asking.py": "ask = 1\n",
    "checks/chapter_01.py": "from checks.asking import ask\nfrom paper.types import Plan\n",
    "checks/chapter_02.py": "from checks.asking import ask\n",
    "bookkit/__init__.py": "",
    "bookkit/glue.py": "",
    "bookkit/run.py": "",
}


@pytest.fixture
def lib(book):
    for name, text in FILES.items():
        path = book / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return book / "lib"


METHOD = {f"method/{name}.py" for name in ("__init__", "_fit", "core", "errors")}
VIEW = {"method/view/__init__.py", "method/view/page.py", "method/view/page.html", "method/view/icons/a.svg"}
PAPER = {"paper/__init__.py", "paper/models.py"}
RUNS = {"paper/__init__.py", "paper/runs/__init__.py"}


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("import numpy as np", set()),
        ("import method as m", METHOD),
        ("def f():\n    from method import errors", METHOD),
        ("import method.view", METHOD | VIEW),
        ("from method import view as v", METHOD | VIEW),
        ("from paper.runs.one import x", PAPER | RUNS | {"paper/runs/one.py", "paper/types.py"}),
        ("from paper.runs import two", PAPER | RUNS | {"paper/runs/two.py"}),
        ("name = 'paper.models'", PAPER),
        ("run([python, '-m', 'paper'])", PAPER | RUNS | {"paper/__main__.py", "paper/runs/two.py"}),
        ("import paper.by_hand", {name for name in FILES if name.startswith("paper/")}),
        ("import checks.chapter_01", {"checks/chapter_01.py", "paper/__init__.py", "paper/types.py"}),
        ("from checks.chapter_02 import check", {"checks/chapter_02.py"}),
        ("from bookkit.glue import note", {"bookkit/glue.py"}),
        ("this is no Python", {*FILES, "tool.py"}),
    ],
)  # fmt: skip
def test_what_a_chapter_imports(lib, code, files):
    found = imported_files(lib, code, ("checks", "bookkit"))
    assert {path.relative_to(lib).as_posix() for path in found} == files


def test_a_module_that_cannot_be_parsed_may_import_anything(lib):
    (lib / "paper/models.py").write_text("def")
    assert len(imported_files(lib, "import paper.models")) == len(FILES) + 1


@pytest.mark.parametrize(
    ("edited", "runs"),
    [
        ("method/core.py", True),
        ("method/errors.py", True),
        ("method/view/page.html", True),
        ("checks/chapter_01.py", True),
        ("bookkit/glue.py", True),
        ("method/unused.py", False),
        ("paper/models.py", False),
        ("checks/asking.py", False),
        ("checks/__init__.py", False),
        ("checks/chapter_02.py", False),
        ("bookkit/run.py", False),
        ("bookkit/__init__.py", False),
    ],
)
def test_an_edit_changes_the_key_of_what_imports_the_file(book, lib, write, edited, runs):
    (book / "pyproject.toml").write_text('[tool.bookkit]\nshallow = ["checks"]\n')
    source = write(
        "01-a",
        "# %%\nimport method as m\nfrom bookkit.glue import note\n",
        "# %%\nfrom checks import chapter_01 as check\nfrom method.view import show\n",
        '# %% tags=["set-up", "remove-cell"]\nimport paper.models\n',
    )

    def key():
        return chapter_key(book, source, read_chapter(source), {"profile": "smoke"})

    before = key()
    (lib / edited).write_text(f"{FILES[edited]}\n# {json.dumps('edited')}\n")
    assert (key() != before) == runs


def test_without_shallow_packages_all_that_is_imported_counts(lib):
    found = {
        path.relative_to(lib).as_posix() for path in imported_files(lib, "from checks import chapter_02")
    }
    assert found == {"checks/__init__.py", "checks/asking.py", "checks/chapter_02.py"}
