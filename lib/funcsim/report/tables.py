"""What was found as tables: for a page, for a spreadsheet, and for machines.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Mapping
from csv import QUOTE_NONNUMERIC
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from funcsim._intervals import Intervals
from funcsim.report import twin
from funcsim.report.analysis import Analysis
from funcsim.report.findings import tested
from funcsim.report.steps import block_range, steps_of

#: With these a spreadsheet takes a cell for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def groups_table(found: Analysis) -> pd.DataFrame:
    """One row per group: its layers, and how sure it is that it starts there."""
    table = found.partition.to_frame()
    p_values = dict(zip(found.partition.boundaries, found.partition.boundary_p_values, strict=True))
    steps, names = steps_of(found.intervals).values, found.map.names
    stops = [*table["start"][1:], len(names)]
    ranges = [block_range(names, a, b)[0] for a, b in zip(table["start"], stops, strict=True)]
    table.insert(1, "range", ranges)
    table["step at its start"] = [steps[k - 1] if k else np.nan for k in table["start"]]
    table["p of its start"] = [p_values.get(k, np.nan) for k in table["start"]]
    table["in share of halves"] = [
        found.intervals.boundary_frequency[k] if k else np.nan for k in table["start"]
    ]
    table["group"] += 1
    return table


def cuts_table(found: Analysis) -> pd.DataFrame:
    """One row per number of groups: where the best cut is, and in how many halves it is there."""
    names = found.map.names
    rows = []
    for cut in found.cuts:
        edges = pairwise((0, *cut.boundaries, len(names)))
        ranges = ", ".join(block_range(names, a, b)[0] for a, b in edges)
        rows.append((len(cut.boundaries) + 1, ranges, f"{cut.same:.0%}", f"{cut.near:.0%}"))
    return pd.DataFrame(rows, columns=["groups", "ranges", "same in halves", "within one layer in halves"])


def checks_table(found: Analysis) -> pd.DataFrame:
    """One row per check: what was done, what came out, and whether the finding survives."""
    words = {True: "yes", False: "no", None: "not run"}
    rows = [(c.name, c.what, c.outcome, words[c.survives]) for c in found.checks]
    return pd.DataFrame(rows, columns=["check", "what was changed", "outcome", "survives"])


def csv(table: pd.DataFrame, index: bool = False) -> str:
    """A table as CSV in which no text is a formula."""
    safe = table.map(defused).rename(columns=defused, index=defused)
    return str(safe.to_csv(index=index, quoting=QUOTE_NONNUMERIC))  # else a bare \\r would end a row


def defused(cell: Any) -> Any:
    """A text that no spreadsheet takes for a formula; numbers stay."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def as_json(found: Analysis, record: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in the report, for machines."""
    m, sure = found.map, found.intervals
    return {
        "record": dict(record),
        "layers": m.names,
        "map": _numbers(m.values),
        "certified_lower_bounds": None if m.lower is None else _numbers(m.lower),
        "interval": {"level": sure.level, "low": _numbers(sure.low), "high": _numbers(sure.high)},
        "spread": _numbers(sure.spread),
        "p_value": tested(found.partition),
        "boundaries": found.partition.boundaries,
        "boundary_p_values": found.partition.boundary_p_values,
        "boundary_frequency": sure.boundary_frequency.tolist(),
        "boundaries_by_width_alone": None if found.by_width is None else found.by_width.boundaries,
        "beside": None if found.beside is None else _beside(found.beside),
        "possible_cuts": [asdict(cut) for cut in found.cuts],
        "checks": [asdict(check) for check in found.checks],
        "untrained_twin": twin.as_json(sure, found.twin),
        "against": None
        if found.against is None
        else {"layers": found.against.columns, "map": _numbers(found.against.values)},
        "warnings": found.warnings,
    }


def _beside(found: Intervals) -> dict[str, Any]:
    return {
        "measure": found.map.measure,
        "map": _numbers(found.map.values),
        "p_value": tested(found.partition),
        "boundaries": found.partition.boundaries,
    }


def _numbers(values: Any) -> list[Any]:
    """Rows of numbers; what is not comparable is null."""
    return [[x if np.isfinite(x) else None for x in row] for row in values.tolist()]
