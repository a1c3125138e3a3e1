"""Checks of the rows of a table: keys that repeat, dates and ranges out of order, numbers out of bounds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from optimizer.errors import InputError, Place
from optimizer.plan.columns import TABLES, Column
from optimizer.plan.names import nearest
from optimizer.plan.tables import Table
from optimizer.plan.values import share_high

ADD_UP = ("uses", "curves", "yields", "effects", "locks", "commitments", "credits", "pipeline", "tiers")
"""Tables whose rows add up, so that two rows may have the same keys."""


def check_rows(table: Table) -> None:
    """Raise `InputError` where rows repeat their keys, or dates and ranges are out of order."""
    _check_repeats(table)
    _check_dates(table)
    _check_ranges(table)


def check_values(table: Table) -> None:
    """Raise `InputError` where a value of a table in memory is one that its file could not have had.

    Blanks where a value is needed, numbers that are not finite or out of bounds, and unknown choices.
    """
    if not len(table):
        raise InputError("plan.table_empty", Place(file=table.file, sheet=table.sheet), table=table.name)
    for column in TABLES[table.name].columns:
        for name in (column.name, f"{column.name}_low", f"{column.name}_high"):
            if not table.has(name):
                continue
            if column.kind in ("number", "money"):
                _check_numbers(table, column, name)
            elif column.kind in ("label", "choice", "profile"):
                _check_labels(table, column)


def key_columns(table: Table) -> list[str]:
    """The columns that tell the rows of a table apart."""
    keys = list(TABLES[table.name].keys or table.labels)
    if table.name == "markets":
        keys += [column for column in ("customer_type",) if column in table.frame.columns]
    if table.name in ("marketing", "stages"):
        # A channel or stage may stand once for each region, product or other column that the planner added.
        keys += table.labels
    if table.name == "actuals":
        keys += [column for column in ("period", "returned", "stage") if column in table.frame.columns]
    if table.name == "planned":
        keys += ["period"]
    if table.name == "rates":
        keys += [column for column in ("rate",) if column in table.frame.columns]
    return [*keys, "period_or_age"] if table.name == "profiles" else keys


def _check_repeats(table: Table) -> None:
    """Raise `InputError` with both rows when two have the same keys."""
    if table.name in ADD_UP:
        return
    keys, frame = key_columns(table), table.frame
    repeated = frame.duplicated(keys).to_numpy() if keys else np.arange(len(frame)) > 0
    if repeated.any():
        second = int(repeated.argmax())
        label = " / ".join(str(frame[key][second]) for key in keys) or "-"
        same = (frame[keys] == frame[keys].iloc[second]).all(axis=1).to_numpy() if keys else ~repeated
        first = int(table.rows[int(same.argmax())])
        columns = ", ".join(keys) or "-"
        raise InputError("plan.keys_twice", table.place(second), keys=label, columns=columns, first=first)


def _check_dates(table: Table) -> None:
    frame = table.frame
    if "from" in frame.columns and "to" in frame.columns:
        backwards = (frame["to"] < frame["from"]).to_numpy()
        if backwards.any():
            row = int(backwards.argmax())
            first, last = (str(pd.Timestamp(frame[name][row]).date()) for name in ("from", "to"))
            raise InputError("plan.dates_backwards", table.place(row, "to", last), first=first)


def _check_ranges(table: Table) -> None:
    """Raise `InputError` where low, likely and high of a number cross; blanks are left to their defaults."""
    frame = table.frame
    ends = {
        f"{column.name}{end}": column for column in TABLES[table.name].columns for end in ("_low", "_high")
    }
    for column in dict.fromkeys(ends[name] for name in ends if name in frame.columns):
        ordered = (f"{column.name}_low", column.name, f"{column.name}_high")
        for lower, upper in combinations([name for name in ordered if name in frame.columns], 2):
            crossed = (frame[lower] > frame[upper]).to_numpy()
            if crossed.any():
                row, ranged = int(crossed.argmax()), lower if lower in ends else upper
                place = table.place(row, ranged, f"{frame[ranged][row]:.12g}")
                raise InputError("plan.range_order", place, column=column.name)


def _check_numbers(table: Table, column: Column, name: str) -> None:
    values = table.by_period[name] if name in table.by_period else table.numbers(name)[:, None]
    if column.required and np.isnan(values).any():
        row = int(np.isnan(values).any(axis=1).argmax())
        raise InputError("plan.blank_value", table.place(row, name), column=name)
    for wrong, key in (
        (np.isinf(values), "io.number_not_finite"),
        (values < (-np.inf if column.low is None else column.low), "plan.number_low"),
        (values > (np.inf if column.high is None else column.high), ""),
    ):
        if wrong.any():
            row = int(wrong.any(axis=1).argmax())
            value = float(values[row][wrong[row]][0])
            place = table.place(row, name, f"{value:.12g}")
            header, limit = table.headers.get(name, name), f"{column.low or 0.0:g}"
            if not key:
                raise share_high(value, place, header)
            raise InputError(key, place, column=header, text=f"{value:g}", limit=limit)


def _check_labels(table: Table, column: Column) -> None:
    for row, label in enumerate(table.text(column.name)):
        if column.required and not label:
            raise InputError("plan.blank_label", table.place(row, column.name), column=column.name)
        if column.kind == "choice" and label and label not in column.choices:
            known, near = ", ".join(column.choices), nearest(label, column.choices, 1)
            place = table.place(row, column.name, label)
            raise InputError("plan.unknown_choice", place, entry=column.name, known=known, nearest=near)
