"""Run one chapter from top to bottom; on failure say where, in words that a reader understands."""

import ast
import re
import tempfile
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from bookkit.chapters import first_line, tags
from bookkit.errors import BookError
from bookkit.kernel import NAME, isolated_kernel

CELL_TIMEOUT = 1800  # seconds; a cell that waits longer is broken
TRACEBACK_LINES = 14
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def check_parameters(chapter: str, notebook: NotebookNode, parameters: dict[str, object]) -> None:
    """Fail unless one cell is tagged `parameters` and assigns every name in `parameters`."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and "parameters" in tags(cell)]
    if len(cells) != 1:
        raise BookError(f"{chapter}: {len(cells)} cells are tagged `parameters`, there must be exactly one")
    known = assigned_names(cells[0].source)
    for name in parameters:
        if name not in known:
            raise BookError(
                f"{chapter}: unknown parameter {name!r}; the parameters are: {', '.join(known) or 'none'}"
            )


def assigned_names(source: str) -> list[str]:
    """The names that a parameters cell assigns at its top level."""
    names = []
    for statement in ast.parse(source).body:
        targets = (
            statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        )
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names


def execute(
    chapter: str, notebook: NotebookNode, parameters: dict[str, object], cwd: Path, failed: Path
) -> NotebookNode:
    """Execute a chapter in `cwd` and return it with outputs.

    When a cell fails, what was executed is kept as the file `failed`, and a `BookError` names the cell.
    """
    check_parameters(chapter, notebook, parameters)
    notebook.metadata["kernelspec"] = {"name": NAME, "display_name": "Python 3", "language": "python"}
    fold_answers(notebook)
    ids = [cell["id"] for cell in notebook.cells]
    with tempfile.TemporaryDirectory() as scratch, isolated_kernel(Path(scratch)):
        partial = Path(scratch) / "partial.ipynb"
        try:
            return papermill.execute_notebook(
                notebook,
                partial,
                parameters=parameters,
                kernel_name=NAME,
                cwd=cwd,
                progress_bar=False,
                start_timeout=120,
                execution_timeout=CELL_TIMEOUT,
            )
        except (PapermillExecutionError, DeadKernelError, CellTimeoutError) as error:
            if partial.exists():
                failed.parent.mkdir(parents=True, exist_ok=True)
                failed.write_bytes(partial.read_bytes())
            raise BookError(_story(chapter, partial, ids, error, failed)) from None


def fold_answers(notebook: NotebookNode) -> None:
    """Tag solutions so that a page folds what their checks print with their code: it tells the answer.

    One fold holds both. Tagged `hide-input` and `hide-output`, a cell would have two of the same name.
    """
    for cell in notebook.cells:
        if "solution" in tags(cell):
            kept = [tag for tag in tags(cell) if tag not in ("hide-input", "hide-output", "hide-cell")]
            cell.metadata["tags"] = [*kept, "hide-cell"]


def _story(chapter: str, partial: Path, ids: list[str], error: Exception, failed: Path) -> str:
    """Chapter, cell, error, the end of the traceback, and where the notebook is kept."""
    cell = _failed_cell(nbformat.read(partial, as_version=4)) if partial.exists() else None
    where = chapter
    if cell is not None:
        number = f"cell {ids.index(cell['id']) + 1}" if cell["id"] in ids else "the injected parameters"
        where = f"{chapter}, {number} (`{first_line(cell)}`)"
    if isinstance(error, PapermillExecutionError):
        trace = COLOUR.sub("", "\n".join(error.traceback)).splitlines()[-TRACEBACK_LINES:]
        what = f"{error.ename}: {error.evalue}"
    else:
        trace = []
        what = (
            "the kernel died (out of memory?)"
            if isinstance(error, DeadKernelError)
            else "a cell ran too long"
        )
    lines = [f"{where}: {what}", *(f"    {line}" for line in trace)]
    if failed.exists():
        lines.append(f"The notebook up to there: {failed}")
    return "\n".join(lines)


def _failed_cell(notebook: NotebookNode) -> NotebookNode | None:
    """The cell with an error output, or the last that was begun before the kernel went away."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    broken = [cell for cell in code if any(output.output_type == "error" for output in cell.outputs)]
    begun = [cell for cell in code if cell.metadata.get("papermill", {}).get("start_time")]
    return next(iter(broken + begun[::-1]), None)
