"""Which files of an output folder are ours: only those may be overwritten or removed.

The list lies in the folder itself and only grows: `+name` before a file is written, `-name` after it is
removed. So a stopped run, or two runs at once, leave no file of ours that the list does not have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from bookkit.errors import BookError
from bookkit.files import IGNORED, read_text

NAME = ".bookkit-files"
#: What a stopped run leaves of a file that it was writing; see :func:`bookkit.files.write_atomically`.
PART = re.compile(r"\.(.+)\.\d+")


def listed(out: Path) -> set[str]:
    """The names of our files, relative to `out`."""
    names: set[str] = set()
    for line in read_text(out / NAME).splitlines() if (out / NAME).exists() else []:
        (names.add if line[:1] == "+" else names.discard)(line[1:])
    return names


def claim(out: Path, names: Iterable[str]) -> set[str]:
    """List `names` as files that are about to be written into `out`; returns what was listed before.

    Raises
    ------
    BookError
        If the folder holds a file that is not ours, or a link.
    """
    there = _files(out)
    ours = listed(out)  # after looking: another run lists before it writes
    foreign = sorted(name for name in there if not _is_ours(name, ours) or (out / name).is_symlink())
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise BookError(
            f"{out}: holds {foreign[0]}{more}, not written by this command, which would remove what it "
            "does not know; choose an empty folder, or empty this one (`make clean` does so with _build)"
        )
    _append(out, "+", set(names) - ours)
    return ours


def remove(out: Path, names: Iterable[str]) -> None:
    """Remove files of ours; the caller has claimed the folder."""
    gone = set(names)
    for name in gone:
        (out / name).unlink(missing_ok=True)
    _append(out, "-", gone)


def _append(out: Path, sign: str, names: set[str]) -> None:
    if not names:
        return
    out.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{sign}{name}\n" for name in sorted(names))
    handle = os.open(out / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(handle, lines.encode())  # one call: lines of two runs do not mix
    finally:
        os.close(handle)


def _files(out: Path) -> list[str]:
    paths = (path for path in out.rglob("*") if path.is_symlink() or not path.is_dir())
    names = [path.relative_to(out) for path in paths]
    return [name.as_posix() for name in names if name.name != NAME and not IGNORED & set(name.parts)]


def _is_ours(name: str, ours: set[str]) -> bool:
    if name in ours:
        return True
    folder, _, file = name.rpartition("/")
    part = PART.fullmatch(file)
    return part is not None and f"{folder}/{part[1]}".lstrip("/") in ours
