"""Changes of rows: rows that leave or come, values and tables from a file, profiles that come later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import InputError, Place
from optimizer.io.cells import Cells, read_cells
from optimizer.io.paths import resolve_inside
from optimizer.plan.names import folded, nearest
from optimizer.plan.profiles import RAMP, SEASON, WORKING_DAYS, kinds_of
from optimizer.plan.read import read_table, table_from_cells
from optimizer.plan.schema import TableSpec
from optimizer.plan.tables import Table
from scenarios.applied import Applied
from scenarios.claims import ALL_CELLS
from scenarios.rows import column_of, matching
from scenarios.schema import TableChange
from scenarios.tablechange import Changed, Context, IntArray, plain, row_labels, set_value
from scenarios.tablediff import differences, rows_come, rows_gone

_NOTHING = np.zeros(0, dtype=np.int64)


def remove_rows(table: Table, change: TableChange, context: Context) -> Changed:
    """Take the rows that `where` means out of the table."""
    if change.remove is not True:
        raise InputError("scenarios.remove_true", context.place("remove"))
    gone = matching(table, change.where, context.source, (*context.path, "where"))
    rows, kept = np.flatnonzero(gone), np.flatnonzero(~gone)
    new = table.some_rows(kept)
    listed = rows_gone(table, rows, context.place().text())
    return Changed(new, kept, tuple(listed), ((ALL_CELLS, rows, _NOTHING),))


def add_rows(table: Table, change: TableChange, context: Context, folder: Path, spec: TableSpec) -> Changed:
    """Put rows at the end of the table, read and checked like the rows of its file."""
    place = context.place("add_rows")
    if isinstance(change.add_rows, str):
        other = spec.model_copy(update={"file": change.add_rows})
        rows = read_table(table.name, other, folder, context.calendar, place)
    else:
        cells = _as_cells(change.add_rows or [], place)
        plain_spec = TableSpec(
            file=spec.file,
            columns={theirs: ours for theirs, ours in spec.columns.items() if theirs in cells.header},
        )
        rows = table_from_cells(table.name, plain_spec, cells, context.calendar, place)
    unknown = [name for name in rows.labels if name not in table.labels]
    if unknown:
        near = nearest(unknown[0], table.frame.columns)
        raise InputError("plan.unknown_column", place, table=table.name, nearest=near)
    new = _joined(table, rows, context, place)
    came = np.arange(len(table), len(new))
    listed = rows_come(new, came, context.place().text())
    return Changed(new, np.arange(len(table)), tuple(listed), ())


def _as_cells(rows: list[dict[str, Any]], place: Place) -> Cells:
    """Rows of a scenario file as the cells of a table."""
    header = list(dict.fromkeys(str(name) for row in rows for name in row))
    if not header:
        raise InputError("plan.expected_entries", place, entry="add_rows")
    columns: dict[str, list[object]] = {name: [row.get(name, "") for row in rows] for name in header}
    numbers = np.arange(1, len(rows) + 1)
    return Cells(header, columns, numbers, file=place.file or "", sheet=None)


def _joined(table: Table, rows: Table, context: Context, place: Place) -> Table:
    """The rows below the table's own; columns that one of them lacks are blank there."""
    missing = [name for name in table.labels if name not in rows.frame.columns]
    if missing:
        raise InputError("scenarios.row_label_missing", place, column=missing[0])
    crossed = [name for name in table.by_period if name in rows.frame.columns]
    if crossed:
        raise InputError("scenarios.row_by_period", place, column=crossed[0])
    names = list(dict.fromkeys([*table.frame.columns, *rows.frame.columns]))
    columns = {name: _stacked(table, rows, str(name)) for name in names}
    by_period = {}
    for name in dict.fromkeys([*table.by_period, *rows.by_period]):
        blank = np.full((1, context.calendar.size), np.nan)
        parts = [part.by_period.get(name, np.repeat(blank, len(part), axis=0)) for part in (table, rows)]
        by_period[name] = np.concatenate(parts)
    numbers = np.concatenate([table.rows, rows.rows])
    return table.replace(frame=pd.DataFrame(columns), rows=numbers, by_period=by_period)


def _stacked(table: Table, rows: Table, name: str) -> Any:
    parts = []
    for part, other in ((table, rows), (rows, table)):
        if name in part.frame.columns:
            parts.append(part.frame[name])
        else:
            parts.append(_blanks(other.frame[name], len(part)))
    return pd.concat(parts, ignore_index=True)


def _blanks(like: pd.Series, count: int) -> pd.Series:
    if like.dtype.kind == "f":
        return pd.Series(np.full(count, np.nan))
    if like.dtype.kind == "M":
        return pd.Series(np.full(count, np.datetime64("NaT", "s")))
    return pd.Series([False] * count if like.dtype.kind == "b" else [""] * count, dtype=like.dtype)


def replace_table(
    table: Table, change: TableChange, context: Context, folder: Path, spec: TableSpec
) -> Changed:
    """The whole table from another file that is read like its own; every cell that differs is listed."""
    place = context.place("replace", value=change.replace)
    other = spec.model_copy(update={"file": change.replace})
    new = read_table(table.name, other, folder, context.calendar, place)
    listed = differences(table, new, context.calendar, context.place().text())
    everything = np.arange(len(table))
    return Changed(new, _NOTHING, tuple(listed), ((ALL_CELLS, everything, _NOTHING),))


def replace_column(table: Table, change: TableChange, context: Context, folder: Path) -> Changed:
    """Values of one column from a file whose other columns are keys; rows that it does not name stay."""
    place = context.place("replace", value=change.replace)
    if len(change.column) != 1:
        raise InputError("scenarios.one_column", place)
    column = column_of(table, change.column[0], context.place("column"))
    if column in table.by_period:
        raise InputError("scenarios.by_period_needs_periods", place, column=column)
    cells = read_cells(resolve_inside(folder, change.replace or "", place), shown=change.replace)
    value_header, keys = _value_and_keys(table, column, cells)
    rows, lines = _rows_by_key(table, keys, cells)
    frame, old = table.frame, _values(table, column)
    values = old.copy()
    numbers, unreadable = cells.numbers(value_header)
    if values.dtype.kind == "f":
        if set(unreadable) & set(lines.tolist()):
            raise cells.number_error(value_header, unreadable[0])
        values[rows] = numbers[lines]
    else:
        labels = cells.labels(value_header)
        for row, line in zip(rows.tolist(), lines.tolist(), strict=True):
            values[row] = set_value(table, column, labels[line] or None, cells.place(line, value_header))
    new = table.replace(frame=frame.assign(**{column: values}))
    labels = row_labels(table, rows)
    listed = Applied(
        context.place().text(),
        table.name,
        column,
        labels,
        [""] * len(rows),
        plain(old[rows]),
        plain(values[rows]),
    )
    return Changed(new, np.arange(len(table)), (listed,), ((column, rows, _NOTHING),))


def _values(table: Table, column: str) -> Any:
    if column in table.frame.columns:
        return table.frame[column].to_numpy().copy()
    return np.full(len(table), np.nan)


def _value_and_keys(table: Table, column: str, cells: Cells) -> tuple[str, dict[str, str]]:
    """The header of the value, and header -> key column for the others."""
    found = {}
    for header in cells.header:
        place = Place(file=cells.file, column=header)
        found[header] = column_of(table, header, place)
        if found[header] not in table.frame.columns and found[header] != column:
            near = nearest(header, table.frame.columns)
            raise InputError("plan.unknown_column", place, table=table.name, nearest=near)
    value = next((header for header, name in found.items() if name == column), None)
    if value is None or len(found) == 1:
        wanted = column if value is None else "-"
        raise InputError("scenarios.file_columns", Place(file=cells.file), column=wanted)
    return value, {header: name for header, name in found.items() if header != value}


def _rows_by_key(table: Table, keys: dict[str, str], cells: Cells) -> tuple[IntArray, IntArray]:
    """The rows of the table that the file names, and the line of the file of each."""
    lines: dict[tuple[str, ...], int] = {}
    for line, key in enumerate(zip(*(cells.labels(header) for header in keys), strict=True)):
        if key in lines:
            first = int(cells.rows[lines[key]])
            raise InputError(
                "plan.keys_twice",
                cells.place(line),
                keys=" / ".join(key),
                columns=", ".join(keys),
                first=first,
            )
        lines[key] = line
    own = list(zip(*(table.frame[name].astype(str) for name in keys.values()), strict=True))
    rows = [row for row, key in enumerate(own) if key in lines]
    unused = set(lines) - set(own)
    if unused:
        key = min(unused, key=lambda one: lines[one])
        known = (" / ".join(one) for one in own)
        raise InputError(
            "scenarios.file_row_unknown", cells.place(lines[key]), keys=" / ".join(key),
            table=table.name, nearest=nearest(" / ".join(key), known, 1),
        )  # fmt: skip
    return np.array(rows, dtype=np.int64), np.array([lines[own[row]] for row in rows], dtype=np.int64)


def shift_profile(table: Table, change: TableChange, context: Context, tables: dict[str, Table]) -> Changed:
    """Let profiles come `shift` periods later: seasons turn round the year, all others move their ages.

    A ramp keeps its first value until then. Raises `InputError` where an age would fall below 0.
    """
    place = context.place("shift", value=change.shift)
    if table.name != "profiles":
        raise InputError("scenarios.shift_profiles", place, table=table.name)
    rows = np.flatnonzero(matching(table, change.where, context.source, (*context.path, "where")))
    names, kinds = np.array(table.text("profile"), dtype=object), kinds_of(tables)
    values, ages = table.numbers("value").copy(), table.text("period_or_age")
    steps = change.shift or 0
    for name in dict.fromkeys(names[rows].tolist()):
        own = np.flatnonzero(names == name)
        kind = kinds[name]
        if len(np.setdiff1d(own, rows)):
            raise InputError("scenarios.shift_whole", place, name=name)
        if kind == SEASON or name == WORKING_DAYS:
            values[own] = np.roll(values[own], steps)
            continue
        for row in own.tolist():
            if kind == RAMP and folded(ages[row]) == "0":
                continue
            if not ages[row].isdigit() or int(ages[row]) + steps < (1 if kind == RAMP else 0):
                raise InputError("scenarios.shift_below", place, name=name, age=ages[row])
            ages[row] = str(int(ages[row]) + steps)
    new = table.replace(frame=table.frame.assign(value=values, period_or_age=ages))
    old_ages = table.frame["period_or_age"].to_numpy()[rows]
    moved_ages = plain(old_ages) != [ages[row] for row in rows]
    pair = (plain(old_ages), [ages[row] for row in rows]) if moved_ages else (
        plain(table.numbers("value")[rows]), plain(values[rows])
    )  # fmt: skip
    column = "period_or_age" if moved_ages else "value"
    listed = Applied(
        context.place().text(), table.name, column, row_labels(table, rows), [""] * len(rows), *pair
    )
    return Changed(new, np.arange(len(table)), (listed,), ((ALL_CELLS, rows, _NOTHING),))
