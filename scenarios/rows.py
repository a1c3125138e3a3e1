"""Which rows and which column of a table a change means."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.io.numbers import NumberFormatError, number_from_yaml
from optimizer.plan.columns import TABLES, Column
from optimizer.plan.dates import date_problem, parse_date, parse_month
from optimizer.plan.names import folded, nearest
from optimizer.plan.source import KeyPath, Source
from optimizer.plan.tables import ALL, Table

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_RANGES = {"number": ("at_least", "at_most"), "money": ("at_least", "at_most"), "date": ("from", "to")}


def column_of(table: Table, name: str, place: Place) -> str:
    """Our name of a column that a change names, by our name or by the planner's.

    Raises `InputError` with the nearest name when the table cannot have it.
    """
    ends = [f"{column.name}{end}" for column in TABLES[table.name].columns for end in ("_low", "_high")]
    known = [*table.frame.columns, *table.by_period]
    declared = TABLES[table.name].column(name)
    if declared is not None:
        return declared.name
    for candidate in (*known, *ends):
        if folded(str(candidate)) == folded(name):
            return str(candidate)
    for ours, theirs in table.headers.items():
        if folded(theirs) == folded(name):
            return str(ours)
    known += [column.name for column in TABLES[table.name].columns]
    raise InputError("plan.unknown_column", place, table=table.name, nearest=nearest(name, known))


def kind_of(table: Table, column: str) -> str:
    """label, number, money, date, yes_no, choice or profile; a column that the planner added is a label."""
    declared = declaration(table, column)
    return "label" if declared is None else declared.kind


def declaration(table: Table, column: str) -> Column | None:
    """What is declared of a column; `potential_low` is as `potential`."""
    bare = column.removesuffix("_low").removesuffix("_high")
    return TABLES[table.name].column(column) or TABLES[table.name].column(bare)


def matching(table: Table, where: Mapping[str, Any], source: Source, path: KeyPath) -> BoolArray:
    """Which rows a filter means (rows,); all rows without a filter.

    A value is a label, a number or a date, a list of them, `{at_least, at_most}` of a number, `{from, to}` of
    a date, or `*`. Raises `InputError` for unknown columns and labels, and when no row is meant.
    """
    found = np.ones(len(table), dtype=np.bool_)
    for name, wanted in where.items():
        here = (*path, name)
        column = column_of(table, name, source.place(here))
        if column not in table.frame.columns:
            known = ", ".join(table.frame.columns)
            raise InputError("scenarios.where_column", source.place(here), column=column, known=known)
        if wanted != ALL:
            found &= _meant(table, column, wanted, source, here)
    if not found.any():
        text = ", ".join(f"{name}: {value}" for name, value in where.items())
        raise InputError("scenarios.nothing_matches", source.place(path), table=table.name, where=text)
    return found


def _meant(table: Table, column: str, wanted: Any, source: Source, path: KeyPath) -> BoolArray:
    kind = kind_of(table, column)
    if isinstance(wanted, dict):
        return _between(table, column, wanted, source, path)
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values:
        raise InputError("plan.scope_value", source.place(path), column=column)
    found = np.zeros(len(table), dtype=np.bool_)
    for at, value in enumerate(values):
        place = source.place((*path, at) if isinstance(wanted, list) else path, value)
        if kind in ("number", "money"):
            found |= table.numbers(column) == number_at(value, place)
        elif kind == "date":
            found |= (table.frame[column] == pd.Timestamp(date_at(value, place))).to_numpy()
        elif kind == "yes_no":
            found |= table.frame[column].to_numpy() == yes_at(value, place)
        else:
            found |= _labelled(table, column, value, place)
    return found


def _labelled(table: Table, column: str, value: Any, place: Place) -> BoolArray:
    text = label_at(value, place, column)
    same = (table.frame[column] == text).to_numpy(dtype=np.bool_)
    if not same.any():
        near = nearest(text, dict.fromkeys(table.text(column)))
        raise InputError("scenarios.label_unknown", place, column=column, nearest=near)
    return np.asarray(same, dtype=np.bool_)


def _between(
    table: Table, column: str, wanted: Mapping[str, Any], source: Source, path: KeyPath
) -> BoolArray:
    """The rows whose number or date lies between two ends; blanks do not."""
    kind = kind_of(table, column)
    ends: tuple[str, ...] = _RANGES.get(kind, ())
    if not wanted or not set(wanted) <= set(ends):
        forms = ", ".join(ends) or "-"
        raise InputError("scenarios.where_range", source.place(path), column=column, forms=forms)
    read = date_at if kind == "date" else number_at
    values = table.frame[column].to_numpy()
    found = ~pd.isna(values)
    for end, value in wanted.items():
        limit = read(value, source.place((*path, end), value))
        found &= (values >= limit) if end == ends[0] else (values <= limit)
    return np.asarray(found, dtype=np.bool_)


def number_at(value: Any, place: Place) -> float:
    """A number as a planner writes it; raises `InputError` with its place."""
    try:
        return float(number_from_yaml(value))
    except NumberFormatError as error:
        raise InputError(error.key, place, **error.fields) from None


def date_at(value: Any, place: Place, ends: bool = False) -> np.datetime64:
    """A day, or a month for its first day (with `ends` its last); raises `InputError` with its place."""
    day = parse_date(value)
    if day is not None:
        return np.datetime64(day, "s")
    month = parse_month(str(value))
    if month is None or month.year is None:
        raise date_problem(value, place)
    first = datetime.date(month.year, month.month, 1)
    after = datetime.date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return np.datetime64(after - datetime.timedelta(days=1) if ends else first, "s")


def yes_at(value: Any, place: Place) -> bool:
    """true or false; raises `InputError` with its place."""
    words = {"true": True, "false": False}
    if str(value).lower() in words:
        return words[str(value).lower()]
    raise InputError("plan.expected_yes_no", place, entry="set")


def label_at(value: Any, place: Place, column: str) -> str:
    """A label as text; raises `InputError` for nothing, lists and mappings."""
    if isinstance(value, str | int | float) and str(value).strip():
        return str(value)
    raise InputError("plan.scope_value", place, column=column)
