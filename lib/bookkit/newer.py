"""Which of two files was edited last, as git and as the dates of the files have it."""

from __future__ import annotations

import subprocess
from pathlib import Path


def which_is_newer(first: Path, second: Path) -> str:
    """A sentence or two."""
    by_git, by_date = _by_git(first, second), _by_date(first, second)
    return f"{by_git} {by_date}" if by_git else by_date


def _by_git(first: Path, second: Path) -> str:
    edited = [_git(path, "status", "--porcelain", "--", path.name) for path in (first, second)]
    if None in edited:
        return ""  # no git, or no repository
    if edited[0] and edited[1]:
        return "Git: both were edited since the last commit."
    if edited[0] or edited[1]:
        a, b = (first, second) if edited[0] else (second, first)
        return f"Git: {a.name} was edited since the last commit, {b.name} was not."
    times = [_git(path, "log", "-1", "--format=%ct", "--", path.name) or "0" for path in (first, second)]
    if times[0] == times[1]:
        return "Git: both were committed together."
    return f"Git: {(first if int(times[0]) > int(times[1]) else second).name} was committed last."


def _git(path: Path, *command: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *command], cwd=path.parent, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _by_date(first: Path, second: Path) -> str:
    dates = [path.stat().st_mtime_ns for path in (first, second)]
    if dates[0] == dates[1]:
        return "The dates of the files are equal."
    return f"By the dates of the files, {(first if dates[0] > dates[1] else second).name} is the newer."
