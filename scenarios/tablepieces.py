"""Two versions of a plan's tables, cut into changes that can be put into the first one alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.plan.calendar import Calendar
from optimizer.plan.tables import Table
from scenarios.applied import Applied
from scenarios.tablediff import ROW, differences, paired_rows


@dataclass(frozen=True)
class TablePiece:
    """One column of one table, or the rows (`*`) that left and came, or a whole table that only one has."""

    table: str
    column: str
    applied: tuple[Applied, ...]
    new: Table | None
    """The changed table in the first plan; None: the table is gone."""

    @property
    def name(self) -> str:
        """`markets.potential`."""
        return f"{self.table}.{self.column}"


def table_pieces(old: Mapping[str, Table], new: Mapping[str, Table], calendar: Calendar) -> list[TablePiece]:
    """Every difference between two sets of tables, a column at a time."""
    found = []
    for name in dict.fromkeys([*old, *new]):
        if name in old and name in new:
            found += _of_table(old[name], new[name], calendar)
        else:
            whole = Applied("", "", f"tables: {name}", [""], [""], *_there(name in old, name in new))
            found.append(TablePiece(name, ROW, (whole,), new.get(name)))
    return found


def _there(before: bool, after: bool) -> tuple[list[Any], list[Any]]:
    return (["present" if before else None], ["present" if after else None])


def _of_table(old: Table, new: Table, calendar: Calendar) -> list[TablePiece]:
    parts: dict[str, list[Applied]] = {}
    for one in differences(old, new, calendar, ""):
        parts.setdefault(one.column, []).append(one)
    made = {
        column: _with_rows(old, new) if column == ROW else _with_column(old, new, column) for column in parts
    }
    return [TablePiece(old.name, column, tuple(parts[column]), made[column]) for column in parts]


def _with_column(old: Table, new: Table, column: str) -> Table:
    """The old table with one column of the new one, in the rows that both have."""
    rows, theirs = paired_rows(old, new)
    frame, by_period = old.frame, dict(old.by_period)
    by_period.pop(column, None)
    if column in new.by_period:
        months = np.full((len(old), new.by_period[column].shape[1]), np.nan)
        if column in old.by_period and old.by_period[column].shape == months.shape:
            months = old.by_period[column].copy()
        months[rows] = new.by_period[column][theirs]
        by_period[column] = months
        frame = frame.drop(columns=[column], errors="ignore")
    elif column in new.frame.columns:
        like = new.frame[column]
        values = frame[column].copy() if column in frame.columns else like.iloc[:0].reindex(range(len(old)))
        if column not in frame.columns and like.dtype.kind not in "fM":
            values = values.fillna(False if like.dtype.kind == "b" else "").astype(like.dtype)
        values.iloc[rows] = like.to_numpy()[theirs]
        frame = frame.assign(**{column: values})
    else:
        frame = frame.drop(columns=[column], errors="ignore")
    return old.replace(frame=frame, by_period=by_period)


def _with_rows(old: Table, new: Table) -> Table:
    """The rows of the new table, with the old values where both have a row."""
    rows, theirs = paired_rows(old, new)
    if set(old.frame.columns) != set(new.frame.columns) or set(old.by_period) != set(new.by_period):
        # Rows of tables with other columns cannot be mixed: the new table stands for both.
        return new
    keep = new.some_rows(np.arange(len(new)))
    frame = keep.frame.copy()
    for column in frame.columns:
        values = frame[column].copy()
        values.iloc[theirs] = old.frame[column].to_numpy()[rows]
        frame[column] = values
    by_period = {}
    for column, months in keep.by_period.items():
        mixed = months.copy()
        mixed[theirs] = old.by_period[column][rows]
        by_period[column] = mixed
    return keep.replace(frame=frame, by_period=by_period)
