"""How much memory one search takes beyond the two distance matrices that it is given (section 3.2).

Each solver runs in a process of its own. Linux tells the most that a process ever held, and lets it be
counted anew, so what was imported before does not count. What compiles itself for every size does so again
here, and that counts.

Taught in chapter 02.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from funcsim._internal.typing import Array
from funcsim.geometry import distance_matrix
from funcsim.gromov.effort import EFFORTS
from funcsim.gromov.solver import solve
from replication.search import rivals
from replication.search.layers import images_of_clouds

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MIB = 1024  # lines of the status are in KiB


def peaks(n: int, names: tuple[str, ...] | None = None) -> dict[str, float]:
    """MiB by solver, for one pair of clouds of n points; empty where the system is not Linux.

    Parameters
    ----------
    n : int
    names : tuple of str, optional
        Of solvers and efforts; None takes all that are at hand.
    """
    if not FORGET.exists():
        return {}
    every = (*rivals.at_hand()[0], *EFFORTS)
    small = [name for name in every if n <= rivals.MOST_POINTS.get(name, n)]
    return {name: _in_a_child(name, n) for name in (small if names is None else names)}


def _in_a_child(name: str, n: int) -> float:
    command = [sys.executable, "-m", __name__, name, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} failed on {n} points: {done.stderr.strip()[-500:]}")
    return float(done.stdout.split()[-1])


def peak_here(name: str, n: int) -> float:
    """MiB that a search adds to what this process holds, at its highest."""
    first, second = (distance_matrix(cloud) for cloud in images_of_clouds(n, 0, 1))
    small = first[:8, :8], second[:8, :8]

    def search(D1: Array, D2: Array) -> None:
        if name in EFFORTS:
            solve(D1, D2, effort=name)
        else:
            rivals.ALL[name][0](D1, D2)

    search(*small)  # imports
    FORGET.write_text("5")
    before = _status("VmRSS")
    search(first, second)
    return (_status("VmHWM") - before) / MIB


def _status(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1])


if __name__ == "__main__":
    print(peak_here(sys.argv[1], int(sys.argv[2])))
