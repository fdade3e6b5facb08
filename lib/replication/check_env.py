"""Is everything here that tables, figures and chapters need? A line for each thing, and the way out."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NamedTuple

import torch
from packaging.requirements import Requirement

from replication.errors import StoredResultError
from replication.stored import data_dir, load_record

#: What the extras of the package are for.
EXTRAS = {
    "text": "pre-trained encoders (chapters 07 to 10 and 14)",
    "widgets": "figures that move",
    "book": "to run the chapters and build the pages",
    "test": "to run the tests",
}


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes
    ----------
    level : {"ok", "--", "!!"}
        Here; not here and not needed to read and run; missing.
    text : str
        What, and the way out.
    """

    level: str
    text: str


def check_env() -> list[Finding]:
    """Look at Python, the packages, the stored results, the data, and the machine."""
    return [_python(), *_packages(), *_optional(), _stored(), _data(), *_machine()]


def _python() -> Finding:
    return Finding("ok", f"Python {platform.python_version()}")


def _packages() -> Iterator[Finding]:
    for wanted in _requirements(""):
        have = _installed(wanted)
        if have and wanted.specifier.contains(have, prereleases=True):
            yield Finding("ok", f"{wanted.name} {have}")
        else:
            yield Finding(
                "!!",
                f"{wanted.name} {have or 'is not installed'}; needs {wanted.specifier}: "
                f'pip install "{wanted.name}{wanted.specifier}"',
            )


def _optional() -> Iterator[Finding]:
    for extra, purpose in EXTRAS.items():
        missing = [
            wanted.name
            for wanted in _requirements(extra)
            if not wanted.specifier.contains(_installed(wanted) or "0", prereleases=True)
        ]
        if missing:
            problem = f"{', '.join(missing)} missing or too old; in a clone: pip install -e '.[{extra}]'"
            yield Finding("--", f"{purpose}: {problem}")
        else:
            yield Finding("ok", purpose)


def _requirements(extra: str) -> list[Requirement]:
    """What the package asks for: always, if `extra` is empty, or only for that extra."""
    try:
        parsed = [Requirement(text) for text in requires("funcsim") or []]
    except PackageNotFoundError:  # imported from a folder, not installed
        return []
    if not extra:
        return [r for r in parsed if r.marker is None]
    return [r for r in parsed if r.marker and r.marker.evaluate({"extra": extra})]


def _installed(wanted: Requirement) -> str | None:
    try:
        return version(wanted.name)
    except PackageNotFoundError:
        return None


def _stored() -> Finding:
    """Every file of every record, against its sha256."""
    folder = data_dir()
    records = sorted(folder.glob("**/seed-*/record.json"))
    if not records:
        way_out = "set FUNCSIM_FROZEN to the data folder of a clone of the book"
        return Finding("!!", f"no stored results in {folder}: {way_out}")
    for path in records:
        try:
            load_record(
                path.parents[1].relative_to(folder).as_posix(), int(path.parent.name.removeprefix("seed-"))
            )
        except StoredResultError as error:
            return Finding("!!", str(error))
    return Finding("ok", f"stored results: {len(records)} records in {folder}, all files as recorded")


def _data() -> Finding:
    folder = os.environ.get("FUNCSIM_DATA")
    if folder and Path(folder).is_dir():
        return Finding("ok", f"texts and images in {folder}")
    problem = "FUNCSIM_DATA " + (f"names {folder}, which is no folder" if folder else "is not set")
    return Finding("--", f"{problem}: needed only to compute the stored results anew (make experiments)")


def _machine() -> Iterator[Finding]:
    yield Finding("ok", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        yield Finding("ok", f"graphics card: {torch.cuda.get_device_name()}")
    else:
        yield Finding("--", "no graphics card: all chapters run without one")
