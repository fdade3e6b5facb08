"""A model of the transformers library: in a folder, or on the Hugging Face hub at a revision.

Weights are read from safetensors files only unless the reader allows others, code is never fetched,
and the hub is asked only if ``FUNCSIM_HUB=1``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from funcsim.errors import ModelError


def find_model(name: str) -> tuple[str, dict[str, Any]]:
    """Where a model is, and what else the loader needs to know.

    Parameters
    ----------
    name : str
        A folder, or ``owner/model@revision`` with a revision of 40 digits.

    Returns
    -------
    place : str
        The folder or the repository.
    options : dict
        For ``from_pretrained``: the revision, or that nothing is fetched.

    Raises
    ------
    ModelError
        If it is neither, or on the hub and ``FUNCSIM_HUB`` is not 1.
    """
    if Path(name).is_dir():
        return name, {"local_files_only": True}
    match = re.fullmatch(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40})", name)
    if not match:
        raise ModelError(
            f"there is no model {name!r}: it is no folder, and not owner/model@revision with a revision of "
            "40 digits"
        )
    repository, revision = match.groups()
    if os.environ.get("FUNCSIM_HUB") != "1":
        raise ModelError(
            f"{name} is not at hand: name a folder that holds it, or set FUNCSIM_HUB=1 to allow its download "
            f"from the Hugging Face hub ({repository}@{revision[:7]})"
        )
    return repository, {"revision": revision}


def origin_of(place: str, options: dict[str, Any]) -> str:
    """Repository and revision, or folder, of what :func:`find_model` has found."""
    return f"{place}@{options['revision'][:7]}" if "revision" in options else place


@contextmanager
def quiet() -> Iterator[None]:
    """Without the loader's bar, and without its report that the classifier is new."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
