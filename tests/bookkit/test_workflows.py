"""What runs on GitHub: valid files, commands that exist, actions pinned by commit."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
FORMS = [path for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"]
FILES = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": FORMS,
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE/config.yml"],
    "dependabot": [GITHUB / "dependabot.yml"],
    "citation-file-format": [ROOT / "CITATION.cff"],
}


def validate(schema, *paths):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    return subprocess.run([*command, *map(str, paths)], capture_output=True, text=True)


def jobs(path):
    return yaml.safe_load(path.read_text())["jobs"].values()


@pytest.mark.parametrize("schema", FILES)
def test_they_follow_the_schema(schema):
    done = validate(schema, *FILES[schema])
    assert done.returncode == 0, done.stdout


def test_all_are_here():
    assert {path.stem for path in WORKFLOWS} == {"check", "links", "release", "weekly"}
    assert {path.stem for path in FORMS} == {"idea", "mistake"}


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ("github-workflows", "runs-on:"),
        ("github-issue-forms", "body:"),
        ("dependabot", "schedule:"),
        ("citation-file-format", "authors:"),
    ],
)
def test_the_schema_finds_a_mistake(schema, word, tmp_path):
    path = FILES[schema][0]
    broken = tmp_path / path.name
    broken.write_text(path.read_text().replace(word, "wrong:"))
    assert validate(schema, broken).returncode == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_make_target_exists(path):
    commands = [step["run"] for job in jobs(path) for step in job["steps"] if "run" in step]
    called = [
        word
        for command in commands
        if command.startswith("make ")
        for word in command.split()[1:]
        if "=" not in word
    ]
    assert called
    assert set(called) <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_end_and_have_no_more_rights_than_they_need(path):
    assert yaml.safe_load(path.read_text())["permissions"]["contents"] == "read"
    for job in jobs(path):
        assert job["timeout-minutes"] <= 120
        if job.get("permissions", {}).get("id-token") == "write":  # a job that can speak for the project
            assert job["environment"]["name"] in ("github-pages", "pypi")
            assert not any("run" in step for step in job["steps"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit(path):
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    commits = re.findall(r"uses: (\S+)@(\S+)", "".join(p.read_text() for p in WORKFLOWS))
    assert len(set(commits)) == len({name for name, _ in commits}), "one action at two commits"


def test_what_is_released_is_what_the_tag_says():
    release = yaml.safe_load((GITHUB / "workflows/release.yml").read_text())["jobs"]
    runs = [step.get("run", "") for step in release["book"]["steps"]]
    assert any("funcsim-${GITHUB_REF_NAME#v}-py3-none-any.whl" in run for run in runs)
    uploaded = {step["with"].get("name"): step["with"] for step in release["book"]["steps"] if "with" in step}
    assert uploaded["dist"]["path"] == "_build/dist"
    assert release["pypi"]["steps"][0]["with"]["name"] == "dist"
    assert release["pypi"]["needs"] == "book"
