"""Finished pairs on disk, found again by content.

One small JSON file per pair, named by the hash of everything its numbers depend on. Each
file carries a checksum, so an entry cut off in the middle is recomputed, not trusted.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from funcsim._internal.hashing import digest
from funcsim._internal.storage import replacing


def cache_dir() -> Path | None:
    """Where pairs are kept: ``FUNCSIM_CACHE``, or funcsim in the user's cache; "off" is None."""
    chosen = os.environ.get("FUNCSIM_CACHE", "")
    if chosen.lower() == "off":
        return None
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "funcsim"
    return Path(chosen) if chosen else default


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
    """Keep `numbers` under `key`, all or nothing."""
    if folder is None:
        return
    entry = {"numbers": [x.hex() for x in numbers], "sha256": _checksum(key, numbers)}
    with replacing(_path(folder, key)) as temporary:
        temporary.write_text(json.dumps(entry))


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"


def _checksum(key: str, numbers: list[float]) -> str:
    return digest(key, " ".join(x.hex() for x in numbers))
