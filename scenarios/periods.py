"""Changes between two periods: which periods are meant, and a column of one number as one value a period."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.calendar import Calendar
from optimizer.plan.inputs import Inputs
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RATES = {"markets": ("price", "margin_rate", "unit_cost", "units_per_deal")}
"""Columns by table that hold in every period as they are."""
AMOUNTS = {
    "markets": ("potential", "potential_revenue", "last_year_units", "last_year_revenue"),
    "sellers": ("capacity",),
}
"""Columns by table that are spread over the periods first."""


def period_positions(
    first: Any, last: Any, calendar: Calendar, place: Callable[..., Place]
) -> IntArray | None:
    """Positions of the periods from `first` to `last`; None where neither is given."""
    if first is None and last is None:
        return None
    try:
        return calendar.positions_between(first, last)
    except InputError as error:
        key = "to" if first is None else "from"
        raise InputError(error.key, place(key, value=first or last), **error.fields) from None


def by_period_values(
    table: Table, column: str, phased: Callable[[str, str], FloatArray], place: Place
) -> FloatArray:
    """A column as one value a period (rows, T), as the plan reads it now.

    Raises `InputError` for a column that the plan reads as one number only.
    """
    if column in table.by_period:
        return table.by_period[column]
    if column in RATES.get(table.name, ()) or column in AMOUNTS.get(table.name, ()):
        return phased(table.name, column)
    able = ", ".join((*RATES.get(table.name, ()), *AMOUNTS.get(table.name, ()))) or "-"
    raise InputError("scenarios.no_periods", place, column=column, table=table.name, able=able)


def phased_column(inputs: Inputs, table: str, column: str) -> FloatArray:
    """A column of a resolved plan by period (rows, T); NaN where its cell is blank.

    Rates hold in every period. Amounts of markets are spread as the plan spreads them; a seller's capacity is
    that of a period at full ramp, of an open seat too.
    """
    data, size = inputs.plan.tables[table], inputs.plan.calendar.size
    given = data.numbers(column)[:, None]
    if column in RATES.get(table, ()):
        return np.broadcast_to(given, (len(data), size)).copy()
    markets = inputs.markets
    if table == "sellers":
        sellers = inputs.selling.sellers
        full = np.divide(
            sellers.capacity,
            sellers.presence,
            out=np.zeros_like(sellers.capacity),
            where=sellers.presence > 0,
        )
        if sellers.open_seats is not None:
            full[sellers.open_seats.seller] = sellers.open_seats.full
        known: FloatArray = np.where(np.isnan(given), np.nan, full)
        return known
    values = {
        "potential": markets.potential,
        "potential_revenue": markets.potential * markets.price,
        "last_year_units": markets.last_year_units,
        "last_year_revenue": markets.last_year_revenue,
    }[column]
    return np.where(np.isnan(given), np.nan, values)
