"""An executed chapter and the record of its run, which lies beside it as `NN-slug.run.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat

from bookkit.errors import BookError
from bookkit.files import read_text, sha256

AGAIN = "run `python -m bookkit run`"
#: What a record holds, and of which type.
FIELDS = {
    "key": str, "sha256": str, "profile": str, "python": str,
    "parameters": dict, "cells": dict, "seconds": float,
}  # fmt: skip


def sidecar(target: Path) -> Path:
    """Where the record of an executed notebook lies."""
    return target.with_suffix(".run.json")


def read_record(target: Path) -> dict[str, Any]:
    """The record of the executed notebook `target`.

    Raises
    ------
    BookError
        If there is none, it is damaged, or the notebook is not the one that it describes.
    """
    path = sidecar(target)
    if not path.exists():
        raise BookError(f"{target}: has no record {path.name} beside it; {AGAIN}")
    try:
        record = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise BookError(f"{path}: no JSON ({error}); {AGAIN}") from None
    if not isinstance(record, dict):
        raise BookError(f"{path}: no record of a run; {AGAIN}")
    for name, kind in FIELDS.items():
        if not isinstance(record.get(name), kind):
            raise BookError(f"{path}: {name!r} is missing, or no {kind.__name__}; {AGAIN}")
    if not target.exists() or sha256(target) != record["sha256"]:
        raise BookError(f"{target}: is not the notebook that {path.name} describes; {AGAIN}")
    return record


def read_executed(target: Path) -> nbformat.NotebookNode:
    """An executed notebook, checked against its record.

    Raises
    ------
    BookError
        As :func:`read_record` and :func:`read_notebook`.
    """
    read_record(target)
    return read_notebook(target)


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Any notebook.

    Raises
    ------
    BookError
        If the file is none.
    """
    text = read_text(path)
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises whatever it stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise BookError(
            f"{path}: no notebook ({reason}); `make pair` and `make book` write them anew"
        ) from None
    return notebook
