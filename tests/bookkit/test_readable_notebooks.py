"""The Colab buttons of the pages lead to the branch of the readable chapters, and no other button moves."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COLAB, BINDER = "https://colab.research.google.com", "https://mybinder.org"


@pytest.fixture
def extension():
    path = ROOT / "book/_ext/readable_notebooks.py"
    spec = importlib.util.spec_from_file_location("readable_notebooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_the_colab_button_leads_to_the_branch(extension):
    urls = [
        f"{COLAB}/github/o/r/blob/main/notebooks/01-a.ipynb",
        f"{BINDER}/v2/gh/o/r/main?urlpath=lab/tree/notebooks/01-a.ipynb",
        "https://github.com/o/r/blob/main/notebooks/01-a.py",
    ]
    group = {"type": "group", "buttons": [{"url": url} for url in urls]}
    context = {"header_buttons": [group, {"type": "javascript"}], "repository_branch": "main"}
    options = {"launch_buttons": {"colab_url": COLAB}}
    app = SimpleNamespace(config=SimpleNamespace(html_theme_options=options))
    extension.lead_to_branch(app, "notebooks/01-a", "page.html", context, None)
    assert [button["url"] for button in group["buttons"]] == [
        f"{COLAB}/github/o/r/blob/notebooks/notebooks/01-a.ipynb",
        *urls[1:],
    ]


def test_a_release_fills_the_branch(extension):
    steps = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["book"]["steps"]
    (script,) = (step["run"] for step in steps if "git push" in step.get("run", ""))
    assert script.rstrip().endswith(f" {extension.BRANCH}")
    assert "cp _build/html/_sources/notebooks/*.ipynb _build/branch/notebooks" in script
    commands = [step.get("run", "") for step in steps]
    assert commands.index("make student") > commands.index("make book")
