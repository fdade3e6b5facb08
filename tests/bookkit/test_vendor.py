"""Browser files: a wrong checksum is an error, and what is in place is not fetched again."""

import hashlib
import json

import pytest

from bookkit import vendor as module
from bookkit.errors import BookError


@pytest.fixture
def manifest(tmp_path):
    """One file of one wheel, whose checksum is that of the bytes `good`."""
    path = tmp_path / "files.json"
    entry = {"to": "site/lib/a.js", "from": "wheel:pkg/a.js", "sha256": hashlib.sha256(b"good").hexdigest()}
    path.write_text(json.dumps({"wheel": "pkg==1", "files": [entry]}))
    return path


@pytest.fixture
def wheel(monkeypatch):
    """A wheel that holds `content`; counts how often it is fetched."""
    fetched = []

    def fetch(requirement, into):
        fetched.append(requirement)
        (into / "pkg").mkdir(parents=True)
        (into / "pkg" / "a.js").write_bytes(wheel.content)
        return into

    wheel = type("Wheel", (), {"content": b"good", "fetched": fetched})
    monkeypatch.setattr(module, "fetch_wheel", fetch)
    return wheel


def test_installs_once(tmp_path, manifest, wheel):
    module.vendor(tmp_path, manifest)
    assert (tmp_path / ".vendor" / "site" / "lib" / "a.js").read_bytes() == b"good"
    module.vendor(tmp_path, manifest)
    assert wheel.fetched == ["pkg==1"]


def test_wrong_checksum_names_file_expected_and_found(tmp_path, manifest, wheel):
    wheel.content = b"evil"
    with pytest.raises(BookError) as error:
        module.vendor(tmp_path, manifest)
    for part in ("a.js", hashlib.sha256(b"good").hexdigest(), hashlib.sha256(b"evil").hexdigest()):
        assert part in str(error.value)
    assert not (tmp_path / ".vendor" / "site" / "lib" / "a.js").exists()


def test_changed_file_is_replaced(tmp_path, manifest, wheel):
    module.vendor(tmp_path, manifest)
    (tmp_path / ".vendor" / "site" / "lib" / "a.js").write_bytes(b"tampered")
    module.vendor(tmp_path, manifest)
    assert (tmp_path / ".vendor" / "site" / "lib" / "a.js").read_bytes() == b"good"


def test_file_that_the_package_lacks(tmp_path, manifest, monkeypatch):
    monkeypatch.setattr(module, "fetch_wheel", lambda requirement, into: into)
    with pytest.raises(BookError, match=r"a.js: the package that should hold it has no a.js"):
        module.vendor(tmp_path, manifest)


def test_without_node_the_npm_of_the_wheel_is_taken(tmp_path, monkeypatch):
    called = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "_call", lambda *command, **how: called.append(command))
    module.fetch_npm(tmp_path, tmp_path / "npm")
    assert called[-1][0] == str(module.Path(module.sys.executable).parent / "npm")
    assert called[-1][1:3] == ("ci", "--ignore-scripts")


def test_lock_names_no_registry():
    lock = json.loads((module.BROWSER / "package-lock.json").read_text())
    assert len(lock["packages"]) > 2
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert not [name for name, package in lock["packages"].items() if name and "integrity" not in package]
