"""`book/claims.yaml`, edited by hand: what the book must answer, and the figures that it redoes."""

from __future__ import annotations

import re
from pathlib import Path

from bookkit.errors import BookError
from bookkit.yaml_files import read_yaml

CLAIMS = "book/claims.yaml"
CLAIM_ID = re.compile(r"[CD]\d\d")
FIGURE_ID = re.compile(r"[FTRS]\d\d")
TAG_BEGINS = re.compile(r"<(?=[A-Za-z/!?])")


def load_claims(path: Path) -> dict[str, dict[str, str]]:
    """Claims and doubts by their id: what was `said`, and perhaps `where`.

    Raises
    ------
    BookError
        If the file is damaged, or an id is not of the form C01 or D01, or stands there twice.
    """
    content = read_yaml(path)
    rows = [*_rows(path, content, "claims", "said"), *_rows(path, content, "doubts", "said")]
    return _by_id(path, rows, CLAIM_ID, "is no id")


def load_figures(path: Path) -> dict[str, dict[str, str]]:
    """Figures and tables by their id: `name`, what it shows (`said`), and perhaps what stands `instead`.

    Raises
    ------
    BookError
        If the file is damaged, or an id stands there twice or is of another form.
    """
    rows = _rows(path, read_yaml(path), "figures", "name", "said")
    return _by_id(path, rows, FIGURE_ID, "is no id of a figure")


def _rows(path: Path, content: dict, kind: str, *needed: str) -> list[dict[str, str]]:
    rows = content.get(kind)
    if not isinstance(rows, list):
        raise BookError(f"{path}: {kind!r} is missing, or no list; write `{kind}: []` if there are none")
    for number, row in enumerate(rows, 1):
        texts = row.values() if isinstance(row, dict) else [None]
        if not all(isinstance(text, str) for text in texts) or not {"id", *needed} <= set(row):
            raise BookError(
                f"{path}: number {number} of {kind!r} needs {', '.join(('id', *needed))}, each a text; "
                "put quotes around a number"
            )
    return [{name: _in_a_cell(text) for name, text in row.items()} for row in rows]


def _in_a_cell(text: str) -> str:
    """Markdown that stays in its cell of a table and brings no HTML of its own."""
    return TAG_BEGINS.sub("&lt;", " ".join(text.split()))


def _by_id(path: Path, rows: list[dict[str, str]], form: re.Pattern[str], otherwise: str) -> dict:
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if not form.fullmatch(row["id"]) or row["id"] in found:
            raise BookError(f"{path}: {row['id']!r} {otherwise}, or stands there twice")
        found[row["id"]] = row
    return found
