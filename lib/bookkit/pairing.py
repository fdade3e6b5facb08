"""notebooks/NN-slug.ipynb: the copy of a chapter, without outputs, that Colab, Binder and JupyterLab open."""

import json
from difflib import SequenceMatcher
from pathlib import Path

import jupytext
import nbformat

from bookkit.chapters import NAME, chapters, first_line, number_of, read_chapter
from bookkit.colab_cell import colab_cell, split_cells, with_cell, write_colab_cells
from bookkit.errors import report
from bookkit.executed import read_notebook
from bookkit.files import read_text, write_atomically
from bookkit.newer import which_is_newer

#: What a chapter keeps of a cell's metadata, in the order of its first line.
METADATA = ("tags", "mystnb", "lines_to_next_cell")


def pair(root: Path) -> None:
    """Write the set-up cell into each .py, and each .ipynb from its .py, where they differ; remove an .ipynb
    that has lost its .py."""
    write_colab_cells(root)
    for source in chapters(root):
        _write_copy(root, source)
    for target in _orphans(root):
        target.unlink()
        print(f"{target.relative_to(root)}: removed, it has no .py")


def take_over(root: Path, only: str) -> None:
    """The other way round: write the cells of an edited .ipynb into its .py, and the .ipynb anew from that.

    Raises
    ------
    BookError
        If there is no such chapter, or its .ipynb is damaged.
    """
    for source in chapters(root, only):
        text, edited = read_text(source), read_notebook(source.with_suffix(".ipynb"))
        write_atomically(source, _with_cells_of(edited, text, read_chapter(source)))
        print(f"{source.relative_to(root)}: written from the .ipynb")
        _write_copy(root, source)


def _with_cells_of(edited: nbformat.NotebookNode, text: str, chapter: nbformat.NotebookNode) -> str:
    """The text of a chapter with other cells; those that are as before keep every blank line."""
    known = [cell.metadata for cell in chapter.cells]
    for cell in edited.cells:  # an .ipynb has lost the order of what a cell's first line says
        ours = {name: cell.metadata[name] for name in METADATA if name in cell.metadata}
        cell.metadata = next((one for one in known if one == ours), nbformat.from_dict(ours))
    edited.metadata["jupytext"] = {"cell_metadata_filter": "tags,mystnb,-all"}
    before, after = split_cells(text), split_cells(jupytext.writes(edited, fmt="py:percent"))[1:]
    keys = [
        [json.dumps([cell.cell_type, cell.source, cell.metadata], sort_keys=True) for cell in one.cells]
        for one in (chapter, edited)
    ]
    for a, b, length in SequenceMatcher(None, *keys, autojunk=False).get_matching_blocks():
        after[b : b + length] = before[1 + a : 1 + a + length]
    parts = [part if part.endswith("\n\n") else part.rstrip("\n") + "\n\n" for part in after]
    return before[0] + "".join(parts).rstrip("\n") + "\n"


def pair_check(root: Path) -> None:
    """Fail when a pair differs, an .ipynb holds outputs, or a set-up cell is not that of the template."""
    sources, cell = chapters(root), colab_cell(root)
    findings = [
        f"{source.name}: its set-up cell is missing or another; run `make pair`"
        for source in sources
        if with_cell(text := read_text(source), cell, source.name) != text
    ]
    findings += [finding for source in sources for finding in compare(source)]
    findings += [f"{target.name}: has no .py beside it; run `make pair`" for target in _orphans(root)]
    report(findings, f"the pairs of {len(sources)} chapters")


def compare(source: Path) -> list[str]:
    """What differs between a chapter and its .ipynb, cell by cell, and how to bring them together."""
    target = source.with_suffix(".ipynb")
    if not target.exists():
        return [f"{source.name}: has no {target.name}; run `make pair`"]
    ours, theirs = read_chapter(source), read_notebook(target)
    outputs = [
        f"{target.name}: cell {number} holds outputs; run `make pair`"
        for number, cell in enumerate(theirs.cells, 1)
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count)
    ]
    if ours.metadata.get("kernelspec") != theirs.metadata.get("kernelspec"):
        outputs.append(f"{target.name}: its kernelspec differs from {source.name}; run `make pair`")
    findings = []
    if len(ours.cells) != len(theirs.cells):
        findings.append(f"{target.name}: has {len(theirs.cells)} cells, {source.name} {len(ours.cells)}")
    for number, (a, b) in enumerate(zip(ours.cells, theirs.cells, strict=False), 1):
        if (a.cell_type, a.source, a.metadata) != (b.cell_type, b.source, b.metadata):
            findings.append(f"{target.name}: cell {number} (`{first_line(a)}`) is not that of the .py")
            break
    if findings:
        number = number_of(source.stem)
        findings[-1] += (
            f". {which_is_newer(source, target)} To keep the .py: `make pair`; what only the .ipynb has "
            f"is then lost. To keep the .ipynb: `python -m bookkit pair --from-ipynb {number}`"
        )
    return [*outputs, *findings]


def _write_copy(root: Path, source: Path) -> None:
    target = source.with_suffix(".ipynb")
    text = nbformat.writes(read_chapter(source)) + "\n"
    same = target.exists() and target.read_bytes() == text.encode()
    if not same:
        write_atomically(target, text)
    print(f"{target.relative_to(root)}: {'unchanged' if same else 'written'}")


def _orphans(root: Path) -> list[Path]:
    """Chapter .ipynb files without a .py."""
    found = sorted((root / "notebooks").glob(f"{NAME}.ipynb"))
    return [target for target in found if not target.with_suffix(".py").exists()]
