"""Finished pairs on disk, found again by content.

One small JSON file per pair, named by the hash of everything its numbers depend on. Each
file carries a checksum, so an entry cut off in the middle is recomputed, not trusted. There
is a limit, about a million pairs: the oldest make room. What a killed process has left half
written is removed. A folder that cannot be written to is said once, and then left alone.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from pathlib import Path

from funcsim._internal.hashing import digest
from funcsim._internal.storage import replacing

#: Pairs in one of the 256 folders; 1,048,576 in all, some 200 bytes each, 4 GiB in blocks of 4 KiB.
MOST_PER_FOLDER = 4096
#: Files written into a folder before it is looked through again.
SWEEP_EVERY = 256
#: Seconds after which a half-written file is nobody's.
ABANDONED = 3600.0

_refused: set[Path] = set()  # that this process could not write to
_written: dict[Path, int] = {}  # files that this process has written, by folder


def cache_dir() -> Path | None:
    """Where pairs are kept: ``FUNCSIM_CACHE``, or funcsim in the user's cache.

    None if it is "off", if there is no home, and if it could not be written to.
    """
    chosen = os.environ.get("FUNCSIM_CACHE", "")
    if chosen.lower() == "off":
        return None
    try:
        default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "funcsim"
    except RuntimeError:
        default = Path("funcsim")
        _refuse(default, "no home is known")
    folder = Path(chosen) if chosen else default
    return None if folder in _refused else folder


def try_out() -> None:
    """Warn now, not after the first pair, if the cache cannot be written to."""
    folder = cache_dir()
    if folder is not None:
        try:
            with replacing(folder / "written"):
                pass
        except OSError as error:
            _refuse(folder, error.strerror or str(error))


def read(folder: Path | None, key: str) -> list[float] | None:
    """The numbers kept under `key`, or None when there are none that can be trusted."""
    if folder is None:
        return None
    try:
        entry = json.loads(_path(folder, key).read_text())
        numbers = [float.fromhex(number) for number in entry["numbers"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return numbers if entry.get("sha256") == _checksum(key, numbers) else None


def write(folder: Path | None, key: str, numbers: list[float]) -> None:
    """Keep `numbers` under `key`, all or nothing; warn once of a folder that cannot be written to."""
    if folder is None or folder in _refused:
        return
    entry = {"numbers": [x.hex() for x in numbers], "sha256": _checksum(key, numbers)}
    path = _path(folder, key)
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(entry))
        count = _written.get(path.parent, 0)
        _written[path.parent] = count + 1
        if count % SWEEP_EVERY == 0:
            _sweep(path.parent)
    except OSError as error:
        _refuse(folder, error.strerror or str(error))


def _refuse(folder: Path, why: str) -> None:
    if folder not in _refused:
        _refused.add(folder)
        warnings.warn(
            f"compared pairs are not kept, since {folder} cannot be written to ({why}); set FUNCSIM_CACHE "
            "to a folder that can be, or to off",
            stacklevel=3,
        )


def _sweep(folder: Path) -> None:
    """Remove what killed processes left half written, and the oldest pairs beyond the limit."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    now = time.time()
    for name in names:
        if name.startswith(".") and now - _time_of(folder / name, now) > ABANDONED:
            (folder / name).unlink(missing_ok=True)
    pairs = [folder / name for name in names if name.endswith(".json")]
    if len(pairs) > MOST_PER_FOLDER:
        pairs.sort(key=lambda path: _time_of(path, 0.0))
        for path in pairs[: len(pairs) - MOST_PER_FOLDER * 7 // 8]:
            path.unlink(missing_ok=True)


def _time_of(path: Path, missing: float) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has removed it
        return missing


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"


def _checksum(key: str, numbers: list[float]) -> str:
    return digest(key, " ".join(x.hex() for x in numbers))
