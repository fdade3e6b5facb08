"""Lay out what Sphinx reads: configuration, prose and browser files beside the executed notebooks.

Files that did not change are not touched, so that Sphinx reads only what did.
"""

import shutil
from pathlib import Path

from bookkit.errors import BookError
from bookkit.executed import read_record
from bookkit.files import copy_if_different, files_below, read_text, write_if_different
from bookkit.manifest import claim, remove
from bookkit.placeholders import asks, fill
from bookkit.yaml_files import read_yaml


def stage(root: Path, out: Path) -> int:
    """Make `out` mirror the sources of the book; returns how many files were written.

    Raises
    ------
    BookError
        If `out` holds what is not ours, a page or an executed chapter is missing, or a chapter is not as its
        record says.
    """
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
    for name in toc_files(root):
        if name.startswith("notebooks/"):
            read_record(out / f"{name}.ipynb")
    read_yaml(root / "_config.yml")
    ours, written = claim(out, wanted), 0
    for name, source in wanted.items():
        if name.endswith(".md") and asks(text := read_text(source)):
            written += write_if_different(out / name, fill(text, root, out / "notebooks"))
        else:
            written += copy_if_different(source, out / name)
    remove(out, {name for name in ours if not name.startswith(("notebooks/", "failed/"))} - set(wanted))
    return written


def toc_files(root: Path) -> list[str]:
    """Every page of the table of contents, without suffix.

    Raises
    ------
    BookError
        If the file is damaged.
    """
    path = root / "_toc.yml"
    content = read_yaml(path)

    def walk(node: object) -> list[str]:
        if isinstance(node, list):
            return [name for item in node for name in walk(item)]
        if isinstance(node, dict):
            own = [node[key] for key in ("root", "file") if key in node]
            return own + [name for value in node.values() if isinstance(value, list) for name in walk(value)]
        return []

    try:
        names = walk(content)
    except RecursionError:
        raise BookError(f"{path}: a part of it contains itself") from None
    if "root" not in content or not all(isinstance(name, str) for name in names):
        raise BookError(f"{path}: must name its first page, `root: book/index`, and each page by a text")
    return names


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
