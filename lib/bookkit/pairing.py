"""notebooks/NN-slug.ipynb: the copy of a chapter, without outputs, that Colab, Binder and JupyterLab open."""

from pathlib import Path

import nbformat

from bookkit.chapters import chapters, first_line, read_chapter
from bookkit.colab_cell import colab_cell, with_cell, write_colab_cells
from bookkit.errors import report
from bookkit.files import write_atomically


def pair(root: Path) -> None:
    """Write the set-up cell into each .py, and each .ipynb from its .py, where they differ; remove an .ipynb
    that has lost its .py."""
    write_colab_cells(root)
    for source in chapters(root):
        target = source.with_suffix(".ipynb")
        text = nbformat.writes(read_chapter(source)) + "\n"
        same = target.exists() and target.read_text() == text
        if not same:
            write_atomically(target, text)
        print(f"{target.relative_to(root)}: {'unchanged' if same else 'written'}")
    for target in _orphans(root):
        target.unlink()
        print(f"{target.relative_to(root)}: removed, it has no .py")


def pair_check(root: Path) -> None:
    """Fail when a pair differs, an .ipynb holds outputs, or a set-up cell is not that of the template."""
    sources, cell = chapters(root), colab_cell(root)
    findings = [
        f"{source.name}: its set-up cell is missing or another; run `make pair`"
        for source in sources
        if with_cell(text := source.read_text(), cell, source.name) != text
    ]
    findings += [finding for source in sources for finding in compare(source)]
    findings += [f"{target.name}: has no .py beside it; run `make pair`" for target in _orphans(root)]
    report(findings, f"the pairs of {len(sources)} chapters")


def compare(source: Path) -> list[str]:
    """What differs between a chapter and its .ipynb, cell by cell."""
    target = source.with_suffix(".ipynb")
    if not target.exists():
        return [f"{source.name}: has no {target.name}; run `make pair`"]
    ours, theirs = read_chapter(source), nbformat.read(target, as_version=4)
    findings = [
        f"{target.name}: cell {number} holds outputs; run `make pair`"
        for number, cell in enumerate(theirs.cells, 1)
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count)
    ]
    if ours.metadata.get("kernelspec") != theirs.metadata.get("kernelspec"):
        findings.append(f"{target.name}: its kernelspec differs from {source.name}; run `make pair`")
    if len(ours.cells) != len(theirs.cells):
        findings.append(
            f"{target.name}: has {len(theirs.cells)} cells, {source.name} {len(ours.cells)}; run `make pair`"
        )
    for number, (a, b) in enumerate(zip(ours.cells, theirs.cells, strict=False), 1):
        if (a.cell_type, a.source, a.metadata) != (b.cell_type, b.source, b.metadata):
            findings.append(
                f"{target.name}: cell {number} (`{first_line(a)}`) is not that of the .py; run `make pair`"
            )
            break
    return findings


def _orphans(root: Path) -> list[Path]:
    """Chapter .ipynb files without a .py."""
    found = sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb"))
    return [target for target in found if not target.with_suffix(".py").exists()]
