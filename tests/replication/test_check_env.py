"""What `python -m replication check-env` finds, here and where something is missing."""

import shutil

import pytest

from replication import check_env as module
from replication.__main__ import main
from replication.check_env import check_env
from replication.stored import data_dir


@pytest.fixture
def told(monkeypatch, capsys, tmp_path):
    """The exit status and what is printed, with one small stored result."""
    one = tmp_path / "model-0/seed-0"
    shutil.copytree(data_dir() / "model-0/seed-0", one)
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path))

    def run():
        status = main(["check-env"])
        return status, capsys.readouterr().out

    return run


def test_all_is_here(told):
    status, said = told()
    assert status == 0
    assert "[!!]" not in said
    for needed in ("[ok] Python 3.1", "[ok] torch ", "[ok] POT ", "stored results: 1 records"):
        assert needed in said


def test_an_old_package_is_named_with_the_way_out(told, monkeypatch):
    monkeypatch.setattr(module, "version", lambda name: "0.1" if name == "scipy" else "99")
    status, said = told()
    assert status == 1
    assert '[!!] scipy 0.1; needs >=1.11: pip install "scipy>=1.11"' in said


def test_a_missing_extra_is_no_fault(told, monkeypatch):
    def installed(name):
        if name == "papermill":
            raise module.PackageNotFoundError(name)
        return "99" if name != "jupyter-book" else "1.9"

    monkeypatch.setattr(module, "version", installed)
    status, said = told()
    assert status == 0
    assert "[--] to run the chapters and build the pages: papermill missing" in said


def test_a_changed_file_is_found(told, tmp_path):
    (tmp_path / "model-0/seed-0/model.safetensors").write_bytes(b"something else")
    status, said = told()
    assert status == 1
    assert "model.safetensors differs from its record" in said


def test_no_stored_results(told, tmp_path):
    shutil.rmtree(tmp_path / "model-0")
    status, said = told()
    assert status == 1
    assert "set FUNCSIM_FROZEN to the data folder of a clone" in said


@pytest.mark.parametrize(("value", "says"), [(None, "is not set"), ("/no/such", "which is no folder")])
def test_data_that_only_experiments_need(monkeypatch, value, says):
    if value is None:
        monkeypatch.delenv("FUNCSIM_DATA", raising=False)
    else:
        monkeypatch.setenv("FUNCSIM_DATA", value)
    (found,) = [finding for finding in check_env() if "FUNCSIM_DATA" in finding.text]
    assert found.level == "--"
    assert says in found.text
