"""What was found, in one folder: a page that needs nothing else, tables, and numbers.

Taught in chapter 14.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from funcsim._internal.storage import replacing
from funcsim._internal.typing import Array
from funcsim._internal.versions import versions as numbers
from funcsim._intervals import Intervals
from funcsim.errors import FuncsimError
from funcsim.layer_map import LayerMap
from funcsim.report import twin
from funcsim.report.analysis import Analysis
from funcsim.report.findings import p_in_words, sentences, tested
from funcsim.report.steps import block_range, steps_of, steps_svg
from funcsim.report.tables import as_json, checks_table, csv, cuts_table, groups_table
from funcsim.viz.explorer import explorer_html
from funcsim.viz.maps import colorbar_label

#: The most layers of a map on the page, so that it stays below 1 MB; the tables hold all.
MOST_LAYERS = 160
PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
CITE = """The Functional Similarity contributors. Finding Sub-networks by Functional Similarity,
version {version}.

after

Tian Gao, Amit Dhurandhar, Karthikeyan Natesan Ramamurthy, Dennis Wei. Identifying Sub-networks in
Neural Networks via Functionally Similar Representations. arXiv:2410.16484, 2024."""
UNTESTED = (
    "Whether the same network before training shows the same: compare with its untrained twin.",
    "Other seeds of training, and inputs of another kind than these.",
    "What groups do: whether one can be removed, merged or frozen without harm must be tried on the task.",
    "Parts that were not captured, such as what happens inside the layers.",
)


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
    files = {
        "map.csv": csv(found.map.to_frame(), index=True),
        "groups.csv": csv(groups_table(found)),
        "report.json": json.dumps(as_json(found, record), indent=2, allow_nan=False) + "\n",
        "report.html": page(found, title, record),
    }
    if found.against is not None:
        files["against.csv"] = csv(found.against.to_frame(), index=True)
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
    return {"funcsim": version("funcsim")} | numbers()


def page(found: Analysis, title: str, record: Mapping[str, Any]) -> str:
    """The report as a page; whatever comes from outside is escaped."""
    m = found.map
    pool = record.get("pool")
    shown = [f"{len(m.names)} layers", str(record.get("inputs", f"{m.n_samples} inputs"))]
    shown += ["not pooled" if pool == "all" else f"pooled by {pool}"] if pool else []
    counted = block_range(m.names, 0, len(m.names))[1]
    beside = found.beside
    steps = None if found.twin is None else found.twin.steps
    band = None if steps is None else (steps.min(axis=0), steps.max(axis=0))
    panels = [_panel(found.intervals, title, band)] + ([] if beside is None else [_panel(beside, title)])
    skipped = [] if beside is not None else ["The same under another measure: it was not run."]
    skipped += [f"{c.name} ({c.what}): {c.outcome}." for c in found.checks if c.survives is None]
    fields = {
        "title": html.escape(title),
        "shown": html.escape("; ".join([*shown, colorbar_label(m)])),
        "found": _list(sentences(found)),
        "panels": "".join(panels),
        "draws": str(found.intervals.n_draws),
        "twin": twin.explained(found.twin),
        "counted": "block indices, as in the layers' names"
        if counted
        else "positions in the order in which layers run, from 0",
        "groups": _cards(groups_table(found).drop(columns="start").dropna(axis="columns", how="all")),
        "cuts": _cards(cuts_table(found))
        if found.cuts
        else "<p>Not tried on so many, or so few, layers.</p>",
        "checks": _cards(checks_table(found)),
        "untested": _list([*UNTESTED[found.twin is not None :], *skipped]),
        "warnings": _list(found.warnings or ("Nothing special.",)),
        "against": "" if found.against is None else _against(found.against),
        "record": html.escape(json.dumps(dict(record), indent=2)),
        "layers": _list(m.names),
        "cite": html.escape(CITE.format(version=version("funcsim"))),
    }
    return PAGE.substitute(fields)


def _panel(found: Intervals, title: str, band: tuple[Array, Array] | None = None) -> str:
    """A map and its steps, under one measure."""
    m, groups = found.map, found.partition
    answer = "one group" if groups.n_groups == 1 else f"{groups.n_groups} groups"
    steps = steps_of(found)
    small, step = thinned(m)
    note = "" if step == 1 else f"<p>Every {step}th layer is drawn; map.csv holds all {len(m.names)}.</p>"
    alt = f"Map of {title} by {colorbar_label(m)}: {answer}; largest step into {m.names[steps.largest]}"
    picture = explorer_html(small, alt, groups if step == 1 else None)
    label = f"1 - {m.measure}" if m.is_similarity else m.measure
    line = steps_svg(steps, m.names, label, groups.boundaries, band)
    p = tested(groups)
    test = "not made" if p is None else f"{answer}, {p_in_words(p)}"
    return (
        f'<section class="panel"><h3>{html.escape(colorbar_label(m))}</h3>{picture}{note}'
        f"<h4>Steps from layer to layer ({html.escape(label)})</h4>{line}<p>The test: {test}.</p></section>"
    )


def thinned(m: LayerMap) -> tuple[LayerMap, int]:
    """A map of at most so many layers that a page can hold: every k-th layer, and k."""
    step = -(-max(m.values.shape) // MOST_LAYERS)
    lower = None if m.lower is None else m.lower[::step, ::step]
    names, columns = m.names[::step], m.columns[::step]
    return replace(m, values=m.values[::step, ::step], names=names, columns=columns, lower=lower), step


def _against(m: LayerMap) -> str:
    """The second map, and which of the other's layers is nearest to each."""
    best = np.argmax(m.values, axis=1) if m.is_similarity else np.argmin(m.values, axis=1)
    values = m.values[np.arange(len(best)), best]
    rows = {"layer": m.names, "nearest": [m.columns[j] for j in best], "value": values}
    shown = explorer_html(thinned(m)[0], "Map of the layers of both networks")
    return f"<h2>Against the other network</h2>{shown}{_table(pd.DataFrame(rows))}"


def _list(items: Sequence[str]) -> str:
    return "".join(f"<li>{html.escape(item)}</li>" for item in items)


def _table(table: pd.DataFrame) -> str:
    """A table that scrolls where it is too wide."""
    rows = table.to_html(index=False, na_rep="", float_format="{:.3f}".format, border=0)
    return f'<div class="wide" tabindex="0">{rows}</div>'


def _cards(table: pd.DataFrame) -> str:
    """A table that becomes a list on a phone: each cell with the name of its column."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    body = ""
    for row in table.itertuples(index=False):
        cells = (
            f'<td data-label="{html.escape(name, quote=True)}">{html.escape(_told(value))}</td>'
            for name, value in zip(table.columns, row, strict=True)
        )
        body += f"<tr>{''.join(cells)}</tr>"
    return f'<table class="cards"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _told(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.3f}"
    return str(value)
