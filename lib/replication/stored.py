"""Stored results, of whatever table or figure, and the record that says where they came from.

``data/<experiment>/seed-<seed>/`` holds files and one ``record.json`` beside them. The record is
written last, and a file whose sha256 differs from it is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from funcsim._internal.storage import replacing
from funcsim._internal.versions import versions
from replication.errors import StoredResultError

#: Where the code lies whose state decides the numbers: the method, and the replication.
LIB = Path(__file__).resolve().parents[1]
CODE = ("funcsim", "replication")
DIRTY = "-dirty"


@dataclass(frozen=True)
class Record:
    """Where a stored result came from.

    Attributes
    ----------
    experiment, command : str
        Its name, and what to type to make it again.
    parameters : dict
        All that the numbers depend on beside code, seed and device.
    seed : int
    commit : str
        Of the code, "-dirty" appended if it had uncommitted changes; "unknown" without git.
    versions : dict
        Of Python and the packages that decide the numbers.
    device : str
    seconds : float
        Time spent training, summed over interrupted runs.
    encoder, data : str
        The network and the samples actually used.
    results : dict
        The headline numbers.
    files : dict
        The sha256 of each file.
    """

    experiment: str
    command: str
    parameters: dict[str, Any]
    seed: int
    commit: str
    versions: dict[str, str]
    device: str
    seconds: float
    encoder: str
    data: str
    results: dict[str, float]
    files: dict[str, str]

    def __str__(self) -> str:
        commit = self.commit.removesuffix(DIRTY)
        code = commit[:10] + self.commit[len(commit) :]
        return (
            f"{self.experiment}: {self.encoder}, {self.data}, seed {self.seed}; "
            f"{self.seconds:.0f} s on {self.device}, torch {self.versions['torch']}, "
            f"code {code}; made by `{self.command}`"
        )


def data_dir() -> Path:
    """Where stored results live: ``FUNCSIM_FROZEN``, or ``data/`` beside the source tree."""
    chosen = os.environ.get("FUNCSIM_FROZEN")
    return Path(chosen) if chosen else Path(__file__).resolve().parents[2] / "data"


def folder_of(experiment: str, seed: int) -> str:
    """The folder of an experiment at a seed, below the folder of stored results."""
    return f"{experiment}/seed-{seed}"


def store(folder: Path, files: list[str], **fields: Any) -> Record:
    """Write the record of the `files` in `folder`; `fields` are those of :class:`Record`
    that this machine cannot know by itself."""
    record = Record(
        commit=_commit(),
        versions=versions(),
        files={name: _sha256(folder / name) for name in files},
        **fields,
    )
    with replacing(folder / "record.json") as temporary:
        temporary.write_text(json.dumps(asdict(record), indent=2) + "\n")
    return record


def load_record(experiment: str, seed: int = 0) -> Record:
    """The record of a stored experiment at a seed, after checking every file against its sha256.

    Raises
    ------
    StoredResultError
        If the experiment is not stored, or a file is missing or differs.
    """
    folder = data_dir() / folder_of(experiment, seed)
    remake = f"`make experiments ONLY={experiment} SEED={seed}` makes it again"
    try:
        record = Record(**json.loads((folder / "record.json").read_text()))
    except FileNotFoundError:
        raise StoredResultError(
            f"there is no stored experiment {experiment!r} of seed {seed} in {folder}; {remake}, or set "
            "FUNCSIM_FROZEN to a copy of the repository's data folder"
        ) from None
    except (ValueError, TypeError) as error:
        raise StoredResultError(f"{folder}/record.json is damaged ({error}); {remake}") from None
    for name, expected in record.files.items():
        path = folder / name
        if not path.exists() or _sha256(path) != expected:
            problem = "differs from its record" if path.exists() else "is missing"
            raise StoredResultError(f"{path} {problem}; restore it from git, or {remake}")
    return record


def describe_device(device: str) -> str:
    """A device in words, as a record states it."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _commit() -> str:
    """The commit of the code that runs; data and build products do not count as changes."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(LIB), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + (DIRTY if git("status", "--porcelain", *CODE) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
