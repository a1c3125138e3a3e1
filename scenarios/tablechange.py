"""One change of one table: the changed table, and every cell as it was and as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.calendar import Calendar
from optimizer.plan.names import folded, nearest
from optimizer.plan.source import KeyPath, Source
from optimizer.plan.tables import Table
from scenarios.applied import Applied
from scenarios.periods import by_period_values, period_positions
from scenarios.rows import column_of, date_at, declaration, kind_of, label_at, matching, number_at, yes_at
from scenarios.schema import TableChange

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PhasedColumn = Callable[[str, str], FloatArray]
"""(table, column) -> the column by period (rows, T) as the changed plan reads it."""


@dataclass(frozen=True)
class Changed:
    """What one change of a table gives."""

    table: Table
    kept: IntArray
    """Which rows of the table before stay (rows kept,), in order; added rows come after them."""
    applied: tuple[Applied, ...]
    claims: tuple[tuple[str, IntArray, IntArray], ...]
    """Cells that the change is about: column ("*": all), rows of the table before, periods (empty: all)."""


@dataclass(frozen=True)
class Context:
    """Where a change stands, and what it needs to know of the plan."""

    source: Source
    path: KeyPath
    calendar: Calendar
    phased: PhasedColumn

    def place(self, *keys: str | int, value: object = None) -> Place:
        """The place of a key of the change."""
        return self.source.place((*self.path, *keys), value)


def change_cells(table: Table, change: TableChange, context: Context) -> Changed:
    """set, multiply and add; between `from` and `to` the column becomes one value a period."""
    if not change.column:
        raise InputError("scenarios.column_missing", context.place())
    rows = np.flatnonzero(matching(table, change.where, context.source, (*context.path, "where")))
    periods = period_positions(change.first, change.last, context.calendar, context.place)
    applied, claims = [], []
    for name in change.column:
        place = context.place("column", value=name)
        column = column_of(table, name, place)
        old = table
        table = _with_cells(table, column, change, rows, periods, context)
        applied.append(_cells(old, table, column, rows, periods, context))
        claims.append((column, rows, np.zeros(0, np.int64) if periods is None else periods))
    return Changed(table, np.arange(len(table)), tuple(applied), tuple(claims))


def _with_cells(
    table: Table, column: str, change: TableChange, rows: IntArray, periods: IntArray | None, context: Context
) -> Table:
    if periods is None and column not in table.by_period:
        return _with_values(table, column, change, rows, context)
    action = _action(change)
    if periods is None and action in ("set", "add") and _is_amount(table, column):
        raise InputError("scenarios.by_period_needs_periods", context.place(action), column=column)
    where = context.place("column", value=column)
    months = by_period_values(table, column, context.phased, where).copy()
    positions = np.arange(context.calendar.size) if periods is None else periods
    cells = np.ix_(rows, positions)
    months[cells] = _numbers(months[cells], table, column, change, rows, context)
    frame = table.frame.drop(columns=[column], errors="ignore")
    return table.replace(frame=frame, by_period={**table.by_period, column: months})


def _with_values(table: Table, column: str, change: TableChange, rows: IntArray, context: Context) -> Table:
    kind, frame = kind_of(table, column), table.frame
    if declaration(table, column) is None and column not in frame.columns:
        raise InputError("plan.unknown_column", context.place("column"), table=table.name, nearest="-")
    if kind in ("number", "money"):
        values: Any = table.numbers(column).copy()
        values[rows] = _numbers(values[rows], table, column, change, rows, context)
    else:
        if _action(change) != "set":
            raise InputError("scenarios.set_only", context.place(_action(change)), column=column, kind=kind)
        values = frame[column].copy() if column in frame.columns else _blank_column(kind, len(table))
        values.iloc[rows] = set_value(table, column, change.set, context.place("set", value=change.set))
    return table.replace(frame=frame.assign(**{column: values}))


def _numbers(
    old: FloatArray, table: Table, column: str, change: TableChange, rows: IntArray, context: Context
) -> FloatArray:
    """The new numbers of cells; a blank cannot be multiplied or added to: its value is derived later."""
    if "set" in change.model_fields_set:
        value = (
            np.nan if change.set is None else number_at(change.set, context.place("set", value=change.set))
        )
        return np.full_like(old, value)
    action = _action(change)
    blank = np.isnan(old) if old.ndim == 1 else np.isnan(old).any(axis=1)
    if blank.any():
        cell = table.place(int(rows[int(blank.argmax())]), column)
        raise InputError("scenarios.blank_cell", context.place(action), cell=cell, action=action)
    return (
        old + (change.add or 0.0)
        if action == "add"
        else old * (1.0 if change.multiply is None else change.multiply)
    )


def set_value(table: Table, column: str, value: Any, place: Place) -> Any:
    """A value as the column holds it; None is a blank."""
    kind = kind_of(table, column)
    if kind == "date":
        return np.datetime64("NaT") if value is None else date_at(value, place, ends=column == "to")
    if kind == "yes_no":
        return yes_at(value, place)
    if value is None:
        return ""
    text = label_at(value, place, column)
    declared = declaration(table, column)
    if declared is None or kind != "choice":
        return text
    words = {folded(choice): choice for choice in declared.choices}
    if folded(text) not in words:
        known, near = ", ".join(declared.choices), nearest(text, declared.choices, 1)
        raise InputError("plan.unknown_choice", place, entry=column, known=known, nearest=near)
    return words[folded(text)]


def _blank_column(kind: str, count: int) -> pd.Series:
    if kind == "date":
        return pd.Series(np.full(count, np.datetime64("NaT", "s")))
    if kind == "yes_no":
        return pd.Series(np.zeros(count, dtype=np.bool_))
    return pd.Series([""] * count, dtype=object)


def _cells(
    old: Table, new: Table, column: str, rows: IntArray, periods: IntArray | None, context: Context
) -> Applied:
    """Every touched cell as it was and as it is."""
    labels = row_labels(new, rows)
    before, after = _column(old, column, context), _column(new, column, context)
    if column not in new.by_period:
        names: Sequence[str] = [""] * len(rows)
        values = (plain(before[rows]), plain(after[rows]))
    else:
        positions = np.arange(context.calendar.size) if periods is None else periods
        cells = np.ix_(rows, positions)
        names = [context.calendar.period[at] for at in positions] * len(rows)
        labels = [label for label in labels for _ in positions]
        was = before if before.ndim == 2 else by_period_values(old, column, context.phased, Place())
        values = (plain(was[cells].ravel()), plain(after[cells].ravel()))
    return Applied(context.place().text(), new.name, column, labels, names, *values)


def _column(table: Table, column: str, context: Context) -> Any:
    if column in table.by_period:
        return table.by_period[column]
    if column in table.frame.columns:
        return table.frame[column].to_numpy()
    return np.full(len(table), None, dtype=object)


def plain(values: Any) -> list[Any]:
    """Values as Python holds them: dates as text, blanks as None."""
    if np.issubdtype(values.dtype, np.datetime64):
        return [None if np.isnat(day) else str(day.astype("datetime64[D]")) for day in values]
    return [None if pd.isna(value) else value for value in values.tolist()]


def row_labels(table: Table, rows: IntArray) -> list[str]:
    """The labels of rows joined, `East / premium`; the keys of the table, or all its label columns."""
    names = list(table.labels)
    for declared in ("seller", "resource", "activity", "profile", "period_or_age", "customer_type"):
        if declared in table.frame.columns and declared not in names:
            names.append(declared)
    if table.name == "sellers":
        names = ["seller"]
    columns = [table.frame[name].to_numpy()[rows].tolist() for name in names]
    return [" / ".join(str(part) for part in parts) for parts in zip(*columns, strict=True)] or [""] * len(
        rows
    )


def _action(change: TableChange) -> str:
    return next(name for name in ("set", "multiply", "add") if name in change.model_fields_set)


def _is_amount(table: Table, column: str) -> bool:
    declared = declaration(table, column)
    return declared is not None and (" over the " in declared.unit or " a year" in declared.unit)
