"""What was found, in one folder: a page that needs nothing else, tables, and numbers.

Taught in chapter 14.
"""

from __future__ import annotations

import html
import json
import platform
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from funcsim._internal.storage import replacing
from funcsim.errors import FuncsimError
from funcsim.layer_map import LayerMap
from funcsim.report.analysis import Analysis
from funcsim.viz.interactive import explorer

#: The packages that decide the numbers.
PACKAGES = ("numpy", "POT", "safetensors", "scipy", "torch")
PAGE = Template(Path(__file__).with_name("page.html").read_text())
CITE = """The Functional Similarity contributors. Finding Sub-networks by Functional Similarity,
version {version}.

after

Tian Gao, Amit Dhurandhar, Karthikeyan Natesan Ramamurthy, Dennis Wei. Identifying Sub-networks in
Neural Networks via Functionally Similar Representations. arXiv:2410.16484, 2024."""


def write_report(folder: Path, found: Analysis, title: str, record: Mapping[str, Any]) -> list[Path]:
    """Write ``report.html``, ``report.json``, ``map.csv``, ``groups.csv``; of two networks ``against.csv``.

    Parameters
    ----------
    folder : path
        New, or empty.
    found : Analysis
    title : str
    record : mapping
        What is known of how it came about; versions and the day are added.

    Returns
    -------
    list of path

    Raises
    ------
    FuncsimError
        If there is something in `folder`; it is left as it is.
    """
    check_empty(folder)
    record = {**record, "day": date.today().isoformat(), "versions": versions()}
    groups = groups_table(found)
    files = {
        "map.csv": found.map.to_frame().to_csv(),
        "groups.csv": groups.to_csv(index=False),
        "report.json": json.dumps(as_json(found, record), indent=2, allow_nan=False) + "\n",
        "report.html": page(found, groups, title, record),
    }
    if found.against is not None:
        files["against.csv"] = found.against.to_frame().to_csv()
    for name, text in files.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def check_empty(folder: Path) -> None:
    """Raise a FuncsimError if there is something in a folder that is to be written to."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FuncsimError(f"{folder} is not empty, and nothing is overwritten; name another folder")


def versions() -> dict[str, str]:
    """Of everything that decides the numbers."""
    return {"funcsim": version("funcsim"), "python": platform.python_version()} | {
        name: version(name) for name in PACKAGES
    }


def groups_table(found: Analysis) -> pd.DataFrame:
    """One row per group: its layers, and how sure it is that it starts there."""
    table = found.partition.to_frame()
    p_values = dict(zip(found.partition.boundaries, found.partition.boundary_p_values, strict=True))
    table["p of its start"] = [p_values.get(k, np.nan) for k in table["start"]]
    table["in share of halves"] = [
        found.intervals.boundary_frequency[k] if k else np.nan for k in table["start"]
    ]
    table["group"] += 1
    return table


def as_json(found: Analysis, record: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in the report, for machines."""
    m, sure = found.map, found.intervals
    return {
        "record": dict(record),
        "layers": m.names,
        "map": m.values.tolist(),
        "certified_lower_bounds": None if m.lower is None else m.lower.tolist(),
        "interval": {
            "level": 1 - sure.alpha,
            "low": sure.low.tolist(),
            "high": sure.high.tolist(),
        },
        "p_value": found.partition.p_value,
        "boundaries": found.partition.boundaries,
        "boundary_p_values": found.partition.boundary_p_values,
        "boundary_frequency": sure.boundary_frequency.tolist(),
        "boundaries_by_width_alone": None if found.by_width is None else found.by_width.boundaries,
        "against": None
        if found.against is None
        else {"layers": found.against.columns, "map": found.against.values.tolist()},
        "warnings": found.warnings,
    }


def page(found: Analysis, groups: pd.DataFrame, title: str, record: Mapping[str, Any]) -> str:
    """The report as a page; whatever comes from outside is escaped."""
    m, n = found.map, found.partition.n_groups
    answer = "one group" if n == 1 else f"{n} groups"
    fields = {
        "title": html.escape(title),
        "answer": f"{len(m.names)} layers on {m.n_samples} inputs: {answer}, "
        f"p = {found.partition.p_value:.3f}.",
        "map": explorer(m, f"Layer map of {title}: {answer}", found.partition).data,
        "test": "p is the chance that layers which only drift apart show a step as abrupt as the most "
        "abrupt one here. A share says in how many of "
        f"{found.intervals.n_draws} random halves of the inputs the group starts there, too.",
        "groups": _table(groups),
        "warnings": "".join(f"<li>{html.escape(warning)}</li>" for warning in found.warnings)
        or "<li>Nothing special.</li>",
        "against": "" if found.against is None else _against(found.against),
        "record": html.escape(json.dumps(dict(record), indent=2)),
        "cite": html.escape(CITE.format(version=version("funcsim"))),
    }
    return PAGE.substitute(fields)


def _against(m: LayerMap) -> str:
    """The second map, and which of the other's layers is nearest to each."""
    best = np.argmax(m.values, axis=1) if m.is_similarity else np.argmin(m.values, axis=1)
    values = m.values[np.arange(len(best)), best]
    rows = {"layer": m.names, "nearest": [m.columns[j] for j in best], "value": values}
    shown = explorer(m, "Map of the layers of both networks").data
    return f"<h2>Against the other network</h2>{shown}{_table(pd.DataFrame(rows))}"


def _table(table: pd.DataFrame) -> str:
    rows = table.to_html(index=False, na_rep="", float_format="{:.3f}".format, border=0)
    return f'<div class="wide" tabindex="0">{rows}</div>'
