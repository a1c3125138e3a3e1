"""Two versions of one table, compared row by row on their keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.calendar import Calendar
from optimizer.plan.rowchecks import ADD_UP, key_columns
from optimizer.plan.tables import Table
from scenarios.applied import ADDED, PRESENT, REMOVED, Applied
from scenarios.tablechange import plain, row_labels

IntArray = NDArray[np.int64]

ROW = "*"
"""Column of a row that is only in one of the two."""


def differences(old: Table, new: Table, calendar: Calendar, place: str) -> list[Applied]:
    """Every cell that differs, a column at a time, then rows that left and rows that came."""
    old_rows, new_rows = paired_rows(old, new)
    found = []
    columns = [*old.frame.columns, *new.frame.columns, *old.by_period, *new.by_period]
    for column in dict.fromkeys(map(str, columns)):
        part = _column_differences(old, new, column, (old_rows, new_rows), calendar, place)
        if len(part):
            found.append(part)
    left = np.setdiff1d(np.arange(len(old)), old_rows)
    came = np.setdiff1d(np.arange(len(new)), new_rows)
    return found + rows_gone(old, left, place) + rows_come(new, came, place)


def rows_gone(table: Table, rows: IntArray, place: str) -> list[Applied]:
    """Rows that left, one entry for all of them."""
    if not len(rows):
        return []
    return [_rows(table, rows, place, PRESENT, REMOVED)]


def rows_come(table: Table, rows: IntArray, place: str) -> list[Applied]:
    """Rows that came, one entry for all of them."""
    if not len(rows):
        return []
    return [_rows(table, rows, place, None, ADDED)]


def _rows(table: Table, rows: IntArray, place: str, old: str | None, new: str) -> Applied:
    count = len(rows)
    return Applied(
        place, table.name, ROW, row_labels(table, rows), [""] * count, [old] * count, [new] * count
    )


def paired_rows(old: Table, new: Table) -> tuple[IntArray, IntArray]:
    """The rows that stand for the same thing in both, as positions of equal length."""
    keys = [key for key in key_columns(old) if key in new.frame.columns]
    count = min(len(old), len(new))
    if old.name in ADD_UP or not keys:
        return np.arange(count), np.arange(count)
    left = pd.DataFrame({**{key: old.frame[key].astype(str) for key in keys}, "_old": np.arange(len(old))})
    right = pd.DataFrame({**{key: new.frame[key].astype(str) for key in keys}, "_new": np.arange(len(new))})
    both = left.merge(right, on=keys, how="inner")
    return both["_old"].to_numpy(np.int64), both["_new"].to_numpy(np.int64)


def _column_differences(
    old: Table, new: Table, column: str, rows: tuple[IntArray, IntArray], calendar: Calendar, place: str
) -> Applied:
    before, after = _grid(old, column)[rows[0]], _grid(new, column)[rows[1]]
    if before.shape[1] != after.shape[1]:
        shape = (len(rows[0]), calendar.size)
        before, after = np.broadcast_to(before, shape), np.broadcast_to(after, shape)
    same = (before == after) | (pd.isna(before) & pd.isna(after))
    at, period = np.nonzero(~same)
    labels = row_labels(new, rows[1][at])
    names = [calendar.period[one] if before.shape[1] > 1 else "" for one in period.tolist()]
    return Applied(
        place, new.name, column, labels, names, plain(before[at, period]), plain(after[at, period])
    )


def _grid(table: Table, column: str) -> NDArray[Any]:
    """A column as (rows, 1) or (rows, T); None where the table has none."""
    if column in table.by_period:
        return table.by_period[column]
    if column not in table.frame.columns:
        return np.full((len(table), 1), None, dtype=object)
    return np.asarray(table.frame[column].to_numpy())[:, None]
