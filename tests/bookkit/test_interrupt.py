"""Ctrl-C during a run keeps the chapters that are finished, and leaves no kernel behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "lib"


def test_ctrl_c(book, write):
    write("01-a", "# %%\nprint(1)\n")
    write("02-b", "# %%\nimport os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    command = [sys.executable, "-m", "bookkit", "--root", str(book), "run"]
    env = os.environ | {"PYTHONPATH": str(LIB)}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    pid = book / "notebooks" / "pid"
    until = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < until, "the second chapter did not start"
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130, errors
    assert "stopped; what was finished is kept" in errors.splitlines(), errors
    assert str(LIB) not in errors, errors  # no traceback through our code
    done = book / "_build" / "src" / "notebooks"
    assert (done / "01-a.ipynb").exists()
    assert not (done / "02-b.ipynb").exists()
    for _ in range(50):
        if not Path(f"/proc/{pid.read_text()}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{pid.read_text()}").exists(), "the kernel is still running"
