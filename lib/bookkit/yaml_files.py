"""The YAML files of a book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bookkit.errors import BookError
from bookkit.files import read_text


def read_yaml(path: Path) -> dict[str, Any]:
    """What a YAML file says by name.

    Raises
    ------
    BookError
        If it is missing, no YAML, or no list of names with values.
    """
    try:
        content = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise BookError(f"{path}: no YAML{where} ({reason}); `git diff` shows what was changed") from None
    if not isinstance(content, dict):
        raise BookError(f"{path}: must hold names with values (`name: value`), and does not")
    return content
