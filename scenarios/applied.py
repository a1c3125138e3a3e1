"""What a change did, cell by cell: old -> new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ("place", "table", "column", "row", "period", "old", "new")
PRESENT, ADDED, REMOVED = "present", "added", "removed"
"""Old and new of a row or a rule that leaves or comes."""


@dataclass(frozen=True)
class Applied:
    """The cells of one column that one change touched, N of them; of a key of the plan file N is 1."""

    place: str
    """Where the change is written: `scenarios/downturn.yaml, line 7`."""
    table: str
    """The table; empty for the plan file."""
    column: str
    """The column, or the path of a key of the plan file (`budgets: Marketing: at_most`)."""
    rows: Sequence[str]
    """Labels of each row (N,)."""
    periods: Sequence[str]
    """Period of each cell (N,); empty where the cell has none."""
    old: Sequence[Any]
    """Values before (N,); numbers, texts, or None for a blank."""
    new: Sequence[Any]
    """Values after (N,)."""

    def __len__(self) -> int:
        return len(self.old)

    def lines(self, most: int = 3) -> list[str]:
        """`markets.potential, East / premium: 83 -> 66.4`, and how many more."""
        name = f"{self.table}.{self.column}" if self.table else self.column
        found = []
        for at in range(min(most, len(self))):
            where = " ".join(part for part in (self.rows[at], self.periods[at]) if part)
            cell = f"{name}, {where}" if where else name
            found.append(f"{cell}: {value_text(self.old[at])} -> {value_text(self.new[at])}")
        if len(self) > most:
            found.append(f"{name}: + {len(self) - most}")
        return found


def value_text(value: Any) -> str:
    """A value as it is listed; blanks as `-`."""
    if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
        return "-"
    if isinstance(value, float | np.floating):
        return f"{value:.12g}"
    return str(value)


def changes_frame(applied: Sequence[Applied]) -> pd.DataFrame:
    """Every cell that a change is about: place, table, column, row, period, old and new as text."""
    columns: dict[str, list[str]] = {name: [] for name in COLUMNS}
    for one in applied:
        count = len(one)
        columns["place"] += [one.place] * count
        columns["table"] += [one.table] * count
        columns["column"] += [one.column] * count
        columns["row"] += list(one.rows)
        columns["period"] += list(one.periods)
        columns["old"] += [value_text(value) for value in one.old]
        columns["new"] += [value_text(value) for value in one.new]
    return pd.DataFrame(columns, columns=list(COLUMNS), dtype="str")
