"""Hashing and writing files so that a reader never sees half of one."""

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from bookkit.errors import BookError

IGNORED = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}


def sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_text(path: Path) -> str:
    """A text in UTF-8.

    Raises
    ------
    BookError
        If the file cannot be read, is in another encoding, or begins with a byte-order mark.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BookError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise BookError(f"{path}: not UTF-8 (line {line}); save it in that encoding") from None
    if text.startswith("\ufeff"):
        raise BookError(f"{path}: not plain UTF-8, it begins with a byte-order mark (BOM); save it without")
    return text


def files_below(folder: Path) -> list[Path]:
    """Every file below `folder` that a person wrote, sorted by path."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and not any(part in IGNORED or part.endswith(".egg-info") for part in path.relative_to(folder).parts)
    )


def digest(root: Path, paths: Iterable[Path], *more: str) -> str:
    """One sha256 over names and contents of files, and further strings."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.relative_to(root).as_posix()} {sha256(path)}\n".encode())
    for text in more:
        total.update(f"{text}\n".encode())
    return total.hexdigest()


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write to a file beside `path`, then rename: a stopped run leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_if_different(path: Path, text: str) -> bool:
    """Write a text unless the file holds it already; true when it was written."""
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    write_atomically(path, text)
    return True


def copy_if_different(source: Path, target: Path) -> bool:
    """Copy a file unless the target holds the same bytes; true when it was written."""
    if (
        target.is_file()
        and target.stat().st_size == source.stat().st_size
        and sha256(target) == sha256(source)
    ):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return True
