"""Lay out what Sphinx reads: configuration, prose and browser files beside the executed notebooks.

Files that did not change are not touched, so that Sphinx reads only what did.
"""

import shutil
from pathlib import Path

import yaml

from bookkit.errors import BookError
from bookkit.files import copy_if_different, files_below, write_if_different
from bookkit.placeholders import asks, fill


def stage(root: Path, out: Path) -> int:
    """Make `out` mirror the sources of the book; returns how many files were written."""
    wanted = {path.name: path for path in (root / "_config.yml", root / "_toc.yml")}
    wanted |= _tree(root / "book", "book")
    wanted |= _tree(root / "book" / "_static", "_static")
    wanted |= _tree(root / ".vendor" / "site", "book/_vendor")
    missing = [name for name in toc_files(root) if not _source_exists(root, out, name)]
    if missing:
        raise BookError(
            "_toc.yml names pages that are not there (run `python -m bookkit run` first?): "
            + ", ".join(missing)
        )
    written = 0
    for name, source in wanted.items():
        if name.endswith(".md") and asks(text := source.read_text()):
            written += write_if_different(out / name, fill(text, root, out / "notebooks"))
        else:
            written += copy_if_different(source, out / name)
    for folder in ("book", "_static"):
        for path in files_below(out / folder) if (out / folder).is_dir() else []:
            if path.relative_to(out).as_posix() not in wanted:
                path.unlink()
    return written


def toc_files(root: Path) -> list[str]:
    """Every page of the table of contents, without suffix."""

    def walk(node: object) -> list[str]:
        if isinstance(node, list):
            return [name for item in node for name in walk(item)]
        if isinstance(node, dict):
            own = [node[key] for key in ("root", "file") if key in node]
            return own + [name for value in node.values() if isinstance(value, list) for name in walk(value)]
        return []

    return walk(yaml.safe_load((root / "_toc.yml").read_text()))


def clean_build(build: Path) -> None:
    """Forget what Sphinx built before."""
    for name in ("html", ".doctrees", "jupyter_execute"):
        shutil.rmtree(build / name, ignore_errors=True)


def _source_exists(root: Path, out: Path, name: str) -> bool:
    if name.startswith("notebooks/"):
        return (out / f"{name}.ipynb").exists()
    return (root / f"{name}.md").exists()


def _tree(folder: Path, prefix: str) -> dict[str, Path]:
    """Target name -> source for every file below a folder; `book/_static` goes to `_static` alone."""
    if not folder.is_dir():
        return {}
    named = {f"{prefix}/{path.relative_to(folder).as_posix()}": path for path in files_below(folder)}
    return {name: path for name, path in named.items() if not name.startswith("book/_static/")}
