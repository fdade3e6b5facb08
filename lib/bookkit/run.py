"""Execute the chapters that changed, and reuse the others.

A chapter's key is a hash of all it depends on: its source, the files of `lib/` that it imports, the data it
declares, the pinned versions, the interpreter, the kernel's environment, the profile and the parameters.
Beside each executed chapter lies `NN-slug.run.json` with that key, the checksum of the notebook and the
seconds it took.
"""

import json
import platform
import time
from pathlib import Path

import nbformat

from bookkit.chapters import chapters, declared_data, number_of, read_chapter, tags
from bookkit.colab_cell import TAG as COLAB_CELL
from bookkit.errors import BookError
from bookkit.execute import execute
from bookkit.executed import read_record, sidecar
from bookkit.files import digest, files_below, sha256, write_atomically
from bookkit.imports import imported_files
from bookkit.kernel import ENVIRONMENT
from bookkit.manifest import claim, remove
from bookkit.outputs import output_findings, seconds_per_cell, strip_metadata, uncaptioned
from bookkit.settings import prose_settings, settings

PROFILES = ("laptop", "smoke")


def run(
    root: Path,
    out: Path,
    profile: str = "laptop",
    parameters: dict[str, object] | None = None,
    only: str | None = None,
) -> list[Path]:
    """Bring `<out>/notebooks` up to date; returns the executed notebooks. Stops at the first failure."""
    sources = chapters(root, only)
    began, executed = time.monotonic(), 0
    made = []
    for source in sources:
        target, reused = run_chapter(root, source, out, profile, parameters)
        made.append(target)
        executed += not reused
    if only is None:
        wanted = {name for source in sources for name in _results(source.stem)}
        remove(out, {name for name in claim(out, ()) if name.startswith("notebooks/")} - wanted)
    print(
        f"{len(made)} chapters, profile {profile}: {executed} executed, {len(made) - executed} reused, "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )
    return made


def run_chapter(
    root: Path, source: Path, out: Path, profile: str, parameters: dict[str, object] | None = None
) -> tuple[Path, bool]:
    """Execute one chapter unless its result is there; returns the notebook and whether it was reused."""
    chapter = source.stem
    target = out / "notebooks" / f"{chapter}.ipynb"
    values = {"profile": profile, **(parameters or {})}
    claim(out, ())
    notebook = read_chapter(source)
    key = chapter_key(root, source, notebook, values)
    if (record := valid_record(target, key)) is not None:
        print(f"{chapter}: unchanged, reused (took {record['seconds']:.0f} s)", flush=True)
        return target, True
    print(f"{chapter}: executing", end="", flush=True)
    began = time.monotonic()
    failed = f"failed/{chapter}.ipynb"
    remove(out, [failed, *_results(chapter)])  # from here on the old page is out of date, whatever happens
    claim(out, [failed, *_results(chapter)])
    try:
        done = execute(chapter, notebook, values, source.parent, out / failed)
    finally:
        print(f", {time.monotonic() - began:.0f} s", flush=True)
    seconds = time.monotonic() - began
    cells = seconds_per_cell(done)
    asks_captions = number_of(chapter) not in prose_settings(root).not_yet
    if findings := [*output_findings(done), *(uncaptioned(done) if asks_captions else ())]:
        write_atomically(out / failed, nbformat.writes(done) + "\n")
        raise BookError(
            "\n".join([*(f"{chapter}, {finding}" for finding in findings), f"The notebook: {out / failed}"])
        )
    write_atomically(target, nbformat.writes(strip_metadata(done)) + "\n")
    record = {
        "key": key,
        "sha256": sha256(target),
        "profile": profile,
        "parameters": values,
        "seconds": round(seconds, 2),
        "cells": cells,
        "python": platform.python_version(),
    }
    write_atomically(sidecar(target), json.dumps(record, indent=1) + "\n")
    remove(out, [failed])
    return target, False


def chapter_key(root: Path, source: Path, notebook: nbformat.NotebookNode, values: dict[str, object]) -> str:
    """Hash of everything that the outputs of a chapter depend on."""
    code = "\n".join(
        cell.source for cell in notebook.cells if cell.cell_type == "code" and COLAB_CELL not in tags(cell)
    )
    paths = [source, *imported_files(root / "lib", code, (*settings(root).shallow, __package__))]
    paths += [pins for pins in [root / "constraints.txt"] if pins.exists()]
    for folder in declared_data(root, source, notebook):
        paths += files_below(folder)
    more = (json.dumps(known, sort_keys=True) for known in (values, ENVIRONMENT))
    return digest(root, paths, *more, platform.python_version())


def valid_record(target: Path, key: str) -> dict | None:
    """The record of a finished run if it has this key and the notebook is still the one it wrote."""
    try:
        record = read_record(target)
    except BookError:
        return None
    return record if record["key"] == key else None


def _results(chapter: str) -> list[str]:
    """The files of one chapter, relative to the output folder."""
    return [f"notebooks/{chapter}.ipynb", f"notebooks/{chapter}.run.json"]
