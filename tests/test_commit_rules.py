"""What is looked at before each commit: the same rules as in `make check`."""

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / ".pre-commit-config.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(CONFIG.read_text())["repos"][0]["hooks"]}


def test_the_configuration_is_valid():
    command = [sys.executable, "-m", "pre_commit", "validate-config"]
    assert subprocess.run([*command, str(CONFIG)], capture_output=True).returncode == 0


def test_nothing_is_fetched():
    assert [repository["repo"] for repository in yaml.safe_load(CONFIG.read_text())["repos"]] == ["local"]
    assert all(hook["language"] == "system" for hook in HOOKS.values())


def test_a_hook_finds_what_breaks_its_rule(tmp_path):
    """In a project of its own with one file that breaks most rules."""

    def run(*command):
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    (tmp_path / ".pre-commit-config.yaml").write_text(CONFIG.read_text())
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / ".venv/bin/python").chmod(0o755)
    (tmp_path / "bad.py").write_text("import os\nx=1  # teh end")  # codespell:ignore
    (tmp_path / "big.bin").write_bytes(bytes(6 * 2**20))
    run("git", "init", "--quiet")
    run("git", "add", "bad.py", "big.bin")
    for name in ("ruff", "ruff-format", "codespell", "end-of-file", "large-files"):
        found = run(sys.executable, "-m", "pre_commit", "run", name)
        assert found.returncode == 1, name + found.stdout
        assert "Failed" in found.stdout
