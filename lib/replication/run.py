"""One run of an experiment: what every table and figure that takes long is made by.

An experiment is a *plan*, which says what is computed and knows how to be tiny; ``compute(plan, run)``,
which writes files into ``run.folder`` and ends with ``run.store``; and ``read(folder, record)``, which
brings the result back. The rest is here: where files go, from what an interrupted run goes on, the record,
and the tiny variant of profile `smoke`, which goes the same way through a temporary folder.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

import torch

from funcsim._internal.hashing import digest
from replication.stored import Record, data_dir, describe_device, folder_of, load_record, store
from replication.training.checkpoint import FORMAT

#: Where interrupted runs leave what they go on from.
WORK = Path("_build/experiments")
PROFILES = ("smoke", "laptop", "full")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Run:
    """An experiment that is being computed.

    Attributes
    ----------
    experiment : str
    profile : str
        "smoke" is tiny.
    seed : int
    device : str
    out : Path, optional
        In the place of ``data/``.
    work : Path, optional
        Where to leave what an interrupted run goes on from; None leaves nothing.
    progress : bool
        Show bars with the time left.
    encoder : str, optional
        Its name, if the experiment takes one.
    """

    experiment: str
    profile: str = "full"
    seed: int = 0
    device: str = "cpu"
    out: Path | None = None
    work: Path | None = WORK
    progress: bool = True
    encoder: str | None = None

    @property
    def smoke(self) -> bool:
        """Whether all is to be tiny."""
        return self.profile == "smoke"

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return (self.out or data_dir()) / folder_of(self.experiment, self.seed)

    def key(self, parameters: object) -> str:
        """A name for what is resumed, another one for all that makes other numbers; JSON's types only."""
        where = torch.device(self.device).type
        return digest(json.dumps([parameters, self.seed, where, self.smoke, FORMAT], sort_keys=True))[:12]

    def resume(self, name: str, parameters: object) -> Path | None:
        """The file or folder of that name which an interrupted run of the same parameters has left, or
        leaves."""
        return self.states and self.states / self.key(parameters) / name

    @property
    def states(self) -> Path | None:
        """The folder of all that this run leaves to go on from; another run's are beside it."""
        size = "smoke" if self.smoke else "full"
        kind = torch.device(self.device).type
        return self.work and self.work / self.experiment / f"{size}-{kind}-seed-{self.seed}"

    def forget(self) -> None:
        """Remove what this run has left to go on from, and nobody else's."""
        if self.work is None or self.states is None:
            return
        shutil.rmtree(self.states, ignore_errors=True)
        for folder in self.states.parents:
            if folder == self.work or not folder.is_dir() or any(folder.iterdir()):
                return
            folder.rmdir()

    def store(
        self,
        files: list[str],
        results: Mapping[str, float],
        *,
        parameters: dict[str, Any],
        encoder: str,
        data: str,
        seconds: float,
        device: str | None = None,
    ) -> Record:
        """Write the record of the `files` in :attr:`folder`; `device` if it was another than asked."""
        asked = f"PROFILE={self.profile} ONLY={self.experiment} DEVICE={self.device} SEED={self.seed}"
        return store(
            self.folder,
            files,
            experiment=self.experiment,
            command=f"make experiments {asked}",
            parameters=parameters,
            seed=self.seed,
            device=describe_device(device or self.device),
            seconds=round(seconds, 1),
            encoder=encoder,
            data=data,
            results=dict(results),
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class Stored:
    """What is read back; `record` is None only before it is stored.

    Printed, it names what it holds and where this comes from, and no numbers. A class that inherits is a
    dataclass with ``repr=False``, or it would print its arrays.
    """

    record: Record | None = None

    def __repr__(self) -> str:
        held = ", ".join(field.name for field in fields(self) if field.name != "record")
        return f"{type(self).__name__}({held}): {self.origin}"

    @property
    def origin(self) -> str:
        """In one line, where this comes from."""
        return str(self.record or "computed now and not stored")


@dataclass(frozen=True, eq=False)
class Experiment(Generic[Result]):
    """What the command line can make: by its own name, or with all others of its group.

    Attributes
    ----------
    name, group : str
    plan : object
        What is computed; ``plan.tiny()`` is the same in seconds.
    compute : callable
        From plan and :class:`Run` to the record of what it has stored.
    read : callable
        From the folder of the files, and their record, to the result.
    seeds : tuple of int
        Those that are stored.
    encoder : str, optional
        The one it takes if nobody names another; without it, it takes none.
    """

    name: str
    group: str
    plan: Any
    compute: Callable[[Any, Run], Record]
    read: Callable[[Path, Record], Result]
    seeds: tuple[int, ...] = (0,)
    encoder: str | None = None

    def run(
        self,
        profile: str = "full",
        seed: int = 0,
        device: str = "cpu",
        out: Path | None = None,
        work: Path | None = WORK,
        progress: bool = True,
        encoder: str | None = None,
    ) -> Record:
        """Compute and store; what is interrupted goes on from what it has left in `work`."""
        chosen = self.encoder and ("tiny" if profile == "smoke" else encoder or self.encoder)
        run = Run(self.name, profile, seed, device, out, work, progress, chosen)
        return self.compute(self.plan.tiny() if run.smoke else self.plan, run)


def load_result(
    experiments: Mapping[str, Experiment[Result]], name: str, profile: str = "laptop", seed: int = 0
) -> Result:
    """What is stored of an experiment; at profile "smoke" its tiny variant, computed once in a process.

    Raises
    ------
    StoredResultError
        If stored files are missing or differ from their record.
    ValueError
        If there is no such experiment or profile.
    """
    if name not in experiments:
        raise ValueError(f"there is no experiment {name!r}; there is {', '.join(experiments)}")
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r} is unknown; use 'smoke', 'laptop' or 'full'")
    if profile == "smoke":
        return tiny(experiments[name], seed)
    record = load_record(name, seed)
    return experiments[name].read(data_dir() / folder_of(name, seed), record)


@cache
def tiny(experiment: Experiment[Result], seed: int) -> Result:
    """The result of profile "smoke", computed once for all processes that share a folder FUNCSIM_TINY."""
    shared, name = os.environ.get("FUNCSIM_TINY"), folder_of(experiment.name, seed)
    with TemporaryDirectory(dir=shared) as scratch:
        kept = Path(shared, digest(repr(experiment.plan))[:12]) if shared else Path(scratch)
        if not (kept / name).exists():
            experiment.run("smoke", seed, out=Path(scratch), work=None, progress=False)
            if shared:
                (kept / name).parent.mkdir(parents=True, exist_ok=True)
                with suppress(OSError):  # another process was faster
                    Path(scratch, name).rename(kept / name)
        record = Record(**json.loads((kept / name / "record.json").read_text()))
        return experiment.read(kept / name, record)
