"""Measures that stand one column a period: months across mapped onto the periods of the plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.calendar import Calendar
from optimizer.plan.columns import TABLES, Column
from optimizer.plan.dates import parse_month
from optimizer.plan.names import nearest
from optimizer.plan.values import FloatArray, KeptCells

_AMOUNTS = ("last_year_", "potential", "size_", "capacity", "organic")
"""Beginnings of measures that add up over time; others are rates, whose mean counts."""
_LAST_YEAR = "last_year_"
_GRAINS = {"month": ("month",), "quarter": ("quarter", "month"), "week": ("week",)}


@dataclass(frozen=True)
class MonthColumns:
    """The columns of one measure, and the period that each belongs to; -1 outside the horizon."""

    measure: Column
    headers: tuple[str, ...]
    positions: NDArray[np.int64]


def measure_of(table: str, name: str, place: Place) -> Column:
    """The number column that months across hold; raises `InputError` when the table has none of this name."""
    column = TABLES[table].column(name)
    if column is None or column.kind not in ("number", "money"):
        numbers = [known.name for known in TABLES[table].columns if known.kind in ("number", "money")]
        near = nearest(name, numbers)
        raise InputError("plan.months_measure", place, measure=name, table=table, nearest=near)
    return column


def match_months(measure: Column, headers: list[str], calendar: Calendar, place: Place) -> MonthColumns:
    """Which period each column belongs to.

    Columns of last year's measures belong to the same period one year later, where the horizon is longer
    than a year to that of its first year; columns outside are not read. Raises `InputError` when the columns
    are no months (quarters, weeks) as the plan has them, when one stands twice, and when one is missing.
    """
    _check_grain(headers, calendar, place)
    position = calendar.last_year_position if measure.name.startswith(_LAST_YEAR) else calendar.plan_position
    found = [position(header) for header in headers]
    positions = np.array([-1 if at is None else at for at in found], dtype=np.int64)
    months = MonthColumns(measure, tuple(headers), positions)
    _check_repeats(months, calendar, place)
    _check_gaps(months, calendar, place)
    return months


def read_months(months: MonthColumns, kept: KeptCells, calendar: Calendar, factor: float) -> FloatArray:
    """The measure by period (rows, T).

    Where several columns make a period, amounts are added and rates averaged. `factor` multiplies money.
    Blank cells stay NaN; a period is blank when all of its columns are.
    """
    rows = len(kept.keep)
    total, count = np.zeros((rows, calendar.size)), np.zeros((rows, calendar.size))
    scale = factor if months.measure.kind == "money" else 1.0
    for header, position in zip(months.headers, months.positions, strict=True):
        if position >= 0:
            values = kept.numbers(header, months.measure) * scale
            total[:, position] += np.nan_to_num(values)
            count[:, position] += ~np.isnan(values)
    is_amount = months.measure.name.startswith(_AMOUNTS)
    values = np.divide(total, 1.0 if is_amount else count, out=np.full_like(total, np.nan), where=count > 0)
    if months.measure.name.startswith(_LAST_YEAR):
        for later in range(calendar.periods_a_year, calendar.size):
            values[:, later] = values[:, later - calendar.periods_a_year]
    return values


def _check_grain(headers: list[str], calendar: Calendar, place: Place) -> None:
    if not headers:
        raise InputError("plan.months_none", place)
    grains = {header: calendar.grain_of(header) for header in headers}
    allowed = _GRAINS[calendar.every]
    for header, grain in grains.items():
        if grain not in allowed or grain != grains[headers[0]]:
            where = Place(file=place.file, sheet=place.sheet, row=place.row, column=header)
            raise InputError("plan.months_grain", where, every=" / ".join(allowed))


def _columns_a_period(months: MonthColumns, calendar: Calendar) -> int:
    return 3 if calendar.every == "quarter" and calendar.grain_of(months.headers[0]) == "month" else 1


def _check_repeats(months: MonthColumns, calendar: Calendar, place: Place) -> None:
    seen: dict[object, str] = {}
    one_each = _columns_a_period(months, calendar) == 1
    for header, position in zip(months.headers, months.positions, strict=True):
        key = (position, None if one_each else parse_month(header))
        if position >= 0 and key in seen:
            where = Place(file=place.file, sheet=place.sheet, row=place.row, column=header)
            raise InputError("plan.months_twice", where, first=seen[key])
        seen[key] = header


def _check_gaps(months: MonthColumns, calendar: Calendar, place: Place) -> None:
    is_last_year = months.measure.name.startswith(_LAST_YEAR)
    needed = min(calendar.size, calendar.periods_a_year) if is_last_year else calendar.size
    inside = months.positions[months.positions >= 0]
    short = np.bincount(inside, minlength=calendar.size)[:needed] < _columns_a_period(months, calendar)
    if short.any():
        missing = ", ".join(calendar.period[at] for at in np.flatnonzero(short)[:12])
        key = "plan.months_missing_last_year" if is_last_year else "plan.months_missing"
        raise InputError(key, place, measure=months.measure.name, missing=missing)
