"""What a killed run or build has started ends within seconds; a killed process cannot tell it so."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUSY = "import os, time\nopen({path!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
#: ipykernel looks for its parent itself, but some versions only see a parent that is process 1.
BLIND = """# %%
import os, types
import ipykernel.parentpoller
parent = os.getppid()
ipykernel.parentpoller.os = types.SimpleNamespace(getppid=lambda: parent)
"""
SECONDS = 5


def running(pid: str) -> bool:
    """Whether there is such a process, and it has not ended unseen by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def left_by_a_killed(command: str, book: Path, path: Path) -> str | None:
    """The process that wrote its number into `path`, if it outlives the command by some seconds."""
    full = [sys.executable, "-m", "bookkit", "--root", str(book), command]
    with subprocess.Popen(full, env=os.environ | {"PYTHONPATH": str(ROOT / "lib")}) as process:
        until = time.monotonic() + 60
        while not (path.exists() and path.read_text()):
            assert process.poll() is None
            assert time.monotonic() < until, f"{command} did not get so far"
            time.sleep(0.1)
        process.kill()
    pid, until = path.read_text(), time.monotonic() + SECONDS
    while running(pid) and time.monotonic() < until:
        time.sleep(0.1)
    return pid if running(pid) else None


pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc"
)


def test_the_kernel_of_a_killed_run_ends(book, write, tmp_path):
    write("01-a", BLIND, "# %%\n" + BUSY.format(path=str(tmp_path / "pid")))
    assert left_by_a_killed("run", book, tmp_path / "pid") is None


def test_sphinx_of_a_killed_build_ends(book, tmp_path):
    (book / "_config.yml").write_text("sphinx: {local_extensions: {slow: book/_ext}}\n")
    (book / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    (book / "book/_ext").mkdir(parents=True)
    (book / "book/index.md").write_text("# First\n")
    (book / "book/_ext/slow.py").write_text(BUSY.format(path=str(tmp_path / "pid")))
    assert left_by_a_killed("build", book, tmp_path / "pid") is None
