"""From the cells of a planner's file to a validated table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import InputError, Place
from optimizer.io.cells import Cells
from optimizer.plan.calendar import Calendar
from optimizer.plan.cells import cells_of
from optimizer.plan.columns import TABLES, Column
from optimizer.plan.headers import Headers, match_headers
from optimizer.plan.months import match_months, measure_of, read_months
from optimizer.plan.names import nearest
from optimizer.plan.profiles import period_label
from optimizer.plan.rowchecks import check_rows
from optimizer.plan.schema import TableSpec
from optimizer.plan.tables import Table
from optimizer.plan.totals import is_total
from optimizer.plan.values import FloatArray, IntArray, KeptCells


def read_table(name: str, spec: TableSpec, folder: Path, calendar: Calendar, place: Place) -> Table:
    """Read and check one table of the plan; `place` is where the plan file names it.

    Raises `InputError` with file, row, column and value for everything that `optimizer.plan.columns` does not
    allow, blank and repeated keys, sums among the rows, and months that do not fit the calendar.
    """
    return table_from_cells(name, spec, cells_of(spec, folder, place), calendar, place)


def table_from_cells(name: str, spec: TableSpec, cells: Cells, calendar: Calendar, place: Place) -> Table:
    """Check one table whose cells have been read; raises like `read_table`."""
    headers = match_headers(name, spec, cells, calendar)
    kept = KeptCells(cells, _kept_rows(name, spec, cells, headers))
    if not len(kept.keep):
        raise InputError("plan.table_empty", Place(file=cells.file, sheet=cells.sheet), table=name)
    frame = pd.DataFrame(_columns(name, spec, kept, headers))
    table = Table(
        name=name,
        frame=frame,
        by_period=_by_period(kept, headers, calendar, spec, _measure(name, spec, headers, kept, place)),
        file=cells.file,
        sheet=cells.sheet,
        rows=cells.rows[kept.keep],
        labels=tuple(headers.labels),
        headers=headers.shown,
    )
    check_rows(table)
    return table


def _label_headers(name: str, headers: Headers) -> list[str]:
    """Headers of the columns that hold labels, declared or added."""
    declared = [
        headers.known[column.name]
        for column in TABLES[name].columns
        if column.kind == "label" and column.name in headers.known
    ]
    return [*headers.labels.values(), *declared]


def _kept_rows(name: str, spec: TableSpec, cells: Cells, headers: Headers) -> IntArray:
    """Positions of the rows that stay: not blank, not dropped by their label, no sums of others."""
    columns = [(header, cells.labels(header)) for header in _label_headers(name, headers)]
    keep = np.zeros(len(cells), dtype=np.bool_)
    for values in cells.columns.values():
        keep |= np.array([value is not None and value != "" for value in values], dtype=np.bool_)
    for label in spec.drop_rows:
        keep &= ~_rows_labelled(label, columns, cells)
    for header, labels in columns:
        totals = {label for label in set(labels) if is_total(label)}
        sums = keep & np.array([label in totals for label in labels], dtype=np.bool_)
        if sums.any() and spec.total_rows == "refuse":
            raise InputError("plan.total_row", cells.place(int(sums.argmax()), header))
        keep &= ~sums
    return np.flatnonzero(keep)


def _rows_labelled(label: str, columns: list[tuple[str, list[str]]], cells: Cells) -> Any:
    """Which rows carry a label that is to be dropped; raises `InputError` when none does."""
    wanted = " ".join(label.split()).casefold()
    found = np.zeros(len(cells), dtype=np.bool_)
    for _, labels in columns:
        found |= np.array([" ".join(text.split()).casefold() == wanted for text in labels], dtype=np.bool_)
    if not found.any():
        near = nearest(label, (text for _, labels in columns for text in labels if text))
        place = Place(file=cells.file, sheet=cells.sheet)
        raise InputError("plan.drop_nothing", place, label=label, nearest=near)
    return found


def _columns(name: str, spec: TableSpec, kept: KeptCells, headers: Headers) -> dict[str, Any]:
    """Our name -> values of every column, the planner's own labels first."""
    star_allowed = name not in ("markets", "resources", "profiles")
    columns: dict[str, Any] = {
        label: kept.text(header, required=True, star=star_allowed) for label, header in headers.labels.items()
    }
    for column in TABLES[name].columns:
        if column.name in headers.known:
            columns[column.name] = _values(name, column, headers.known[column.name], spec, kept)
        for end in ("_low", "_high"):
            ranged = headers.ranges.get(column.name + end)
            if ranged is not None:
                columns[column.name + end] = _scaled(column, kept.numbers(ranged[0], column), spec)
    if name == "profiles":
        columns["period_or_age"] = [period_label(text) for text in columns["period_or_age"]]
    return columns


def _values(name: str, column: Column, header: str, spec: TableSpec, kept: KeptCells) -> Any:
    if column.kind in ("number", "money"):
        return _scaled(column, kept.numbers(header, column, column.required), spec)
    if column.kind == "date":
        return kept.dates(header, ends=column.name in ("to", "latest", "due")).astype("datetime64[s]")
    if column.kind == "yes_no":
        return kept.yes_no(header)
    if column.kind == "choice":
        return kept.choices(header, column.choices)
    return kept.text(header, required=column.required, star=False)


def _scaled(column: Column, values: FloatArray, spec: TableSpec) -> FloatArray:
    return values * spec.amounts_in if column.kind == "money" else values


def _measure(name: str, spec: TableSpec, headers: Headers, kept: KeptCells, place: Place) -> Column | None:
    """The measure that stands one column a period, if there is one."""
    if spec.months_across is None:
        return None
    measure = measure_of(name, spec.months_across, place)
    if measure.name in headers.known:
        where = Place(file=kept.cells.file, sheet=kept.cells.sheet, row=spec.header_row)
        raise InputError("plan.measure_twice", where, measure=measure.name)
    return measure


def _by_period(
    kept: KeptCells, headers: Headers, calendar: Calendar, spec: TableSpec, measure: Column | None
) -> Mapping[str, FloatArray]:
    if measure is None:
        return {}
    where = Place(file=kept.cells.file, sheet=kept.cells.sheet, row=spec.header_row)
    months = match_months(measure, headers.months, calendar, where)
    return {measure.name: read_months(months, kept, calendar, spec.amounts_in)}
