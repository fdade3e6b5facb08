"""Records: of which code a stored result is."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from replication import stored
from replication.registry import EXPERIMENTS
from replication.run import tiny
from replication.stored import Record, data_dir, store

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted(p.relative_to(data_dir()).as_posix() for p in data_dir().rglob("record.json"))


def git(folder, *words):
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A repository whose code may be changed."""
    for name in ("lib/funcsim", "lib/replication", "lib/exercises", "data"):
        path = tmp_path / "clone" / name / "file.py"
        path.parent.mkdir(parents=True)
        path.write_text("")
    git(tmp_path / "clone", "init", "-q")
    git(tmp_path / "clone", "add", "-A")
    git(tmp_path / "clone", "commit", "-qm", "All of it")
    monkeypatch.setattr(stored, "LIB", tmp_path / "clone/lib")
    return tmp_path / "clone"


def record_in(folder):
    fields = {"experiment": "one", "command": "make one", "parameters": {}, "seed": 0, "device": "CPU"}
    return store(folder, [], **fields, seconds=1.0, encoder="a network", data="pairs", results={})


def test_the_commit_is_that_of_the_code(clone, tmp_path):
    head = git(clone, "rev-parse", "HEAD")
    for name in ("lib/exercises", "data"):  # no number depends on these
        (clone / name / "file.py").write_text("changed")
    record = record_in(tmp_path)
    assert record.commit == head
    assert f"code {head[:10]}; made by" in str(record)


@pytest.mark.parametrize("name", ["lib/funcsim/file.py", "lib/replication/new.py"])
def test_a_record_made_on_changed_code_says_so_when_it_is_printed(clone, tmp_path, name):
    (clone / name).write_text("changed")
    assert f"code {git(clone, 'rev-parse', 'HEAD')[:10]}-dirty; made by" in str(record_in(tmp_path))


def test_without_git_the_commit_is_unknown(clone, tmp_path):
    shutil.rmtree(clone / ".git")
    if subprocess.run(["git", "-C", str(clone), "rev-parse"], capture_output=True).returncode == 0:
        pytest.skip("the temporary folder lies in a repository")
    record = record_in(tmp_path)
    assert record.commit == "unknown"
    assert "code unknown; made by" in str(replace(record))


def test_there_are_records():
    assert len(RECORDS) > 50


@pytest.mark.parametrize("name", RECORDS)
def test_the_commit_of_a_record_is_in_the_history(name):
    commit = Record(**json.loads((data_dir() / name).read_text())).commit
    assert commit != "unknown"
    assert not commit.endswith("-dirty")
    try:
        shallow = git(ROOT, "rev-parse", "--is-shallow-repository")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not in a git repository")
    if shallow == "true":
        pytest.skip("the history is not complete: git fetch --unshallow")
    git(ROOT, "cat-file", "-e", f"{commit}^{{commit}}")


def test_a_tiny_result_is_computed_once_for_all_who_share_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FUNCSIM_TINY", str(tmp_path))
    experiment, made = EXPERIMENTS["model-0"], []

    def compute(plan, run):
        made.append(plan)
        return experiment.compute(plan, run)

    counted = replace(experiment, compute=compute)
    first, second = (tiny.__wrapped__(counted, 0) for _ in range(2))
    assert len(made) == 1
    assert first.history.train_loss == second.history.train_loss
    wider = replace(counted, plan=replace(counted.plan, d_mlp=256))
    tiny.__wrapped__(wider, 0)
    assert len(made) == 2, "another plan has another result"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")], "nothing else is left"
