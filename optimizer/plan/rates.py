"""The table `rates`: what facts have measured about the rates of the plan, in force from `as_of` on.

    price'[m,t]       = factor price[m,t],  margin' = margin + (factor - 1) price    cost of a unit as it was
    potential'[m,t]   = factor potential[m,t]                                            rate volume
    capacity'[s,t]    = factor capacity[s,t]                                             rate hours
    organic'[m,t]     = factor organic[m,t]                                              rate leads
    conversion'[m,k]  = min(1, factor conversion[m,k]) of the last stage k of a market   rate conversion
    retention'[g]     = min(1, factor retention[g]), the mean factor of its markets      rate retention

A factor of 1 changes nothing. The row with more keys filled wins, by rate.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.markets import Markets
from optimizer.plan.matching import Side, prefixed, winning_rows
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import market_dimensions
from optimizer.plan.sellers import Selling
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def rated_markets(plan: Plan, markets: Markets) -> Markets:
    """The markets at the measured prices and volumes; the same markets without the table `rates`."""
    if plan.tables.get("rates") is None or not markets.names:
        return markets
    side = prefixed(market_dimensions(plan.tables["markets"]), "market")
    price, volume = (_from_as_of(plan, factors(plan, kind, side)) for kind in ("price", "volume"))
    return replace(
        markets,
        price=markets.price * price,
        unit_margin=markets.unit_margin + (price - 1.0) * markets.price,
        potential=markets.potential * volume,
    )


def rated_selling(plan: Plan, selling: Selling) -> Selling:
    """The sellers with the measured hours; the same without the table `rates`."""
    if plan.tables.get("rates") is None:
        return selling
    share = _from_as_of(plan, factors(plan, "hours", prefixed(selling.sellers.labels, "seller")))
    sellers = replace(selling.sellers, capacity=selling.sellers.capacity * share)
    return replace(selling, sellers=sellers)


def behind(plan: Plan, kind: str, side: Side, source: IntArray) -> FloatArray:
    """The factor (K, R) that figures of run-out periods, which are like the periods `source`, still lack: the
    measured one where that period is closed, else 1."""
    if plan.tables.get("rates") is None:
        return np.ones((1, len(source)))
    return np.where(source[None, :] < plan.calendar.past, factors(plan, kind, side)[:, None], 1.0)


def factors(plan: Plan, kind: str, side: Side) -> FloatArray:
    """The factor of one rate for each member of a side (K,), 1 where the table says nothing.

    Raises `InputError` where two rows tie.
    """
    table = plan.tables["rates"]
    size = len(next(iter(side.values())))
    rows = [row for row, name in enumerate(table.choices("rate")) if name == kind]
    if not rows:
        return np.ones(size)
    part = _rows(table, rows)
    found = winning_rows(part, side)
    values = part.numbers("factor")
    return np.where(found >= 0, values[np.maximum(found, 0)], 1.0)


def _rows(table: Table, rows: list[int]) -> Table:
    return table.replace(
        frame=table.frame.iloc[rows].reset_index(drop=True), rows=table.rows[np.array(rows, dtype=np.int64)]
    )


def _from_as_of(plan: Plan, factor: FloatArray) -> FloatArray:
    ahead = np.arange(plan.calendar.size) >= plan.calendar.past
    return np.where(ahead[None, :], factor[:, None], 1.0)
