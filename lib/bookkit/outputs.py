"""What an executed chapter must look like before it becomes a page."""

import hashlib

from nbformat import NotebookNode

from bookkit.chapters import alt_text, dig, first_line, tags

PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
# A page shows the richest form of an output, and these come before a picture.
RICHER = ("application/vnd.jupyter.widget-view+json", "text/html")


def output_findings(notebook: NotebookNode) -> list[str]:
    """Errors, messages on stderr, and pictures without an alt text, one line each."""
    findings = []
    number = 0
    for cell in notebook.cells:
        number += "injected-parameters" not in tags(cell)
        if cell.cell_type != "code":
            continue
        where = f"cell {number} (`{first_line(cell)}`)"
        for output in cell.outputs:
            if output.output_type == "error":
                findings.append(f"{where} ended with {output.ename}: {output.evalue}")
            elif (
                output.output_type == "stream"
                and output.name == "stderr"
                and "allow-stderr" not in tags(cell)
            ):
                text = next((line for line in output.text.splitlines() if line.strip()), "")
                findings.append(
                    f"{where} wrote to stderr: {text.strip()} (meant? tag the cell `allow-stderr`)"
                )
            elif (
                is_picture(output)
                and not alt_text(cell)
                and not {"remove-cell", "remove-output"} & set(tags(cell))
            ):
                findings.append(
                    f"{where} shows a picture without an alt text: "
                    'add mystnb={"image": {"alt": "..."}} to its metadata'
                )
    return list(dict.fromkeys(findings))


def uncaptioned(notebook: NotebookNode) -> list[str]:
    """The tables that a page shows without a caption, one line each."""
    return [
        f"cell `{first_line(cell)}` shows a table without a caption: "
        'add mystnb={"figure": {"caption": "..."}} to its metadata'
        for cell in notebook.cells
        if cell.cell_type == "code"
        and not {"remove-cell", "remove-output"} & set(tags(cell))
        and not dig(cell.metadata, "mystnb", "figure", "caption")
        and any('class="dataframe"' in str(dig(output, "data", "text/html")) for output in cell.outputs)
    ]


def is_picture(output: NotebookNode) -> bool:
    """Whether a page shows this output as an image file."""
    data = output.get("data", {})
    return any(kind in data for kind in PICTURES) and not any(kind in data for kind in RICHER)


def strip_metadata(notebook: NotebookNode) -> NotebookNode:
    """Remove the traces of execution that are no content, and hide the injected parameters from the page."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in tags(cell):
            cell.metadata["tags"] = [*tags(cell), "remove-cell"]
            cell["id"] = hashlib.sha256(f"injected {number}\n{cell.source}".encode()).hexdigest()[:12]
    return notebook


def seconds_per_cell(notebook: NotebookNode) -> dict[str, float]:
    """Seconds that each cell took, by cell id; from papermill's record, which `strip_metadata` drops."""
    return {
        cell["id"]: round(cell.metadata.papermill.duration, 3)
        for cell in notebook.cells
        if cell.metadata.get("papermill", {}).get("duration") is not None
        and "injected-parameters" not in tags(cell)
    }
