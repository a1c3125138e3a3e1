"""What a later plan starts with: marketing, deals on their way, customers, people and initiatives at the
start of each period."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.fromrun import DEALS, HEADS, JOINING, SPENT, STARTED, row_keys
from optimizer.plan.sellers import dates
from optimizer.plan.tables import ALL
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

ENTERED = ("worked", "organic", "gain_worked", "gain_organic")
"""Blocks whose amounts are of the period in which an opportunity enters."""
HALF = 0.5
"""A start of at least this is one: solvers round."""
COLUMNS = ("table", "column", "row", "period", "after", "value")


def openings(solution: Solution) -> pd.DataFrame:
    """One row a state, row of its table, period and `after`: the value at the start of that period.

    marketing, geometric: stock[c,t] = rate stock[c,t-1] + (1 or 1 - rate) spend[c,t-1]; with a profile what
    is spent in each period (`fromrun.SPENT`). markets that are led by opportunities: deals that those which
    entered before bring `after` periods later, and in the first one what waits. customers: at the end of the
    period before. sellers: the day on which an open seat was filled before, as days since 1970. roles: heads
    that have been there for `after` periods, and those who come `after` periods later. initiatives: periods
    since the start, where they started before. Units: those of the columns; `after` is 0 where a state has
    none. Raises `ValueError` without a plan.
    """
    parts = [
        *_stock(solution),
        *_spent(solution),
        *_deals(solution),
        *_customers(solution),
        *_seats(solution),
        *_roles(solution),
        *_started(solution),
    ]
    if not parts:
        return pd.DataFrame({name: [] for name in COLUMNS})
    return pd.concat(parts, ignore_index=True)


def _spent(solution: Solution) -> list[pd.DataFrame]:
    """Spend of rows whose carryover is a profile, by the period in which it is spent."""
    table = solution.plan.tables.get("marketing")
    if solution.inputs.marketing is None or table is None:
        return []
    rows = np.flatnonzero([name not in ("", ALL) for name in table.choices("carryover_profile")])
    if not len(rows):
        return []
    spend = solution.activities.blocks["spend"].values(solution.x)[rows]
    return [_frame(solution, "marketing", SPENT, np.array(row_keys(table), dtype=object)[rows], spend)]


def _seats(solution: Solution) -> list[pd.DataFrame]:
    """The first day of everybody who fills an open seat, in the periods after the one of the start."""
    seats, table = solution.inputs.selling.sellers.open_seats, solution.plan.tables.get("sellers")
    if seats is None or table is None:
        return []
    named = np.flatnonzero(seats.role < 0)
    start = solution.activities.blocks["hire"].values(solution.x)[named] > HALF
    days = solution.sellers.calendar.starts[: start.shape[1]].astype("datetime64[D]").astype(np.float64)
    rows = seats.seller[named]
    earliest = dates(table, "from")[rows].astype("datetime64[D]")
    known = np.where(np.isnat(earliest), -np.inf, earliest.astype(np.int64).astype(np.float64))
    first = np.maximum((start * days).sum(axis=1), known)
    before = np.cumsum(start, axis=1) - start > 0
    values = np.where(before, first[:, None], np.nan)
    keys = np.array(row_keys(table), dtype=object)[rows]
    return [_frame(solution, "sellers", "from", keys, values).dropna(subset="value")]


def _started(solution: Solution) -> list[pd.DataFrame]:
    """Periods since the start of every initiative that started in an earlier period."""
    block, table = solution.activities.blocks.get("start"), solution.plan.tables.get("initiatives")
    if block is None or table is None:
        return []
    start = block.values(solution.x) > HALF
    ages = np.cumsum(np.cumsum(start, axis=1), axis=1) - 1
    values = np.where(ages > 0, ages.astype(np.float64), np.nan)
    keys = np.array(table.text("initiative"), dtype=object)
    return [_frame(solution, "initiatives", STARTED, keys, values).dropna(subset="value")]


def _stock(solution: Solution) -> list[pd.DataFrame]:
    marketing, table = solution.inputs.marketing, solution.plan.tables.get("marketing")
    if marketing is None or table is None:
        return []
    rate = np.nan_to_num(table.numbers("carryover_rate"))
    rows = np.flatnonzero(rate > 0)
    if not len(rows):
        return []
    spend = solution.activities.blocks["spend"].values(solution.x)[rows]
    weight = np.where(table.yes("normalised"), 1.0 - rate, 1.0)[rows]
    stock = np.nan_to_num(table.numbers("opening_stock"))[rows]
    before = []
    for period in range(solution.sellers.num_periods):
        before.append(stock)
        stock = rate[rows] * stock + weight * spend[:, period]
    keys = np.array(row_keys(table), dtype=object)[rows]
    return [_frame(solution, "marketing", "opening_stock", keys, np.stack(before, axis=1))]


def _customers(solution: Solution) -> list[pd.DataFrame]:
    block, table = solution.activities.blocks.get("customers"), solution.plan.tables.get("customers")
    if block is None or table is None:
        return []
    periods = solution.sellers.num_periods
    at_end = block.values(solution.x)[:, : periods - 1]
    before = np.hstack([table.numbers("customers")[:, None], at_end])
    keys = np.array(row_keys(table), dtype=object)
    return [_frame(solution, "customers", "customers", keys, before)]


def _deals(solution: Solution) -> list[pd.DataFrame]:
    """Deals of opportunities that entered before each period, by the periods until they are decided.

    deals[m,t,j] = won[m,t+j] of what entered before t + opening[m,t+j]
        + (backlog[m,t+j] + kept[m] waiting[m,t-1] where j = 0) / units_per_deal[m,t+j]
    """
    cube, table = solution.activities.cube, solution.plan.tables.get("markets")
    funnel = cube.inputs.funnel
    if funnel is None or table is None:
        return []
    led, per_deal = funnel.led, cube.markets.units_per_deal
    keys = np.array(row_keys(table), dtype=object)[led]
    left = funnel.kept[:, None] * _of_markets(solution, "waiting")
    opening, parts = _of_markets(solution, "opening") + funnel.backlog / per_deal, []
    for period in range(solution.sellers.num_periods):
        found = opening + _won_before(solution, period)
        if period:
            found[:, period] += left[:, period - 1] / per_deal[:, period]
        ahead = found[led, period:]
        # The first age says that the market is known, also where nothing is on its way.
        told = np.where((ahead > 0) | (np.arange(ahead.shape[1]) == 0), ahead, np.nan)
        parts.append(_by_age(solution, "markets", DEALS, keys, period, told))
    return parts


def _of_markets(solution: Solution, name: str) -> FloatArray:
    """A block of markets by market and period, run-out periods included; 0 where it is not there."""
    block, found = solution.activities.blocks.get(name), _nothing(solution)
    if block is not None and block.markets is not None:
        np.add.at(found, block.markets, block.values(solution.x))
    return found


def _nothing(solution: Solution) -> FloatArray:
    cube = solution.activities.cube
    return np.zeros((len(cube.markets.names), cube.num_periods))


def _won_before(solution: Solution, period: int) -> FloatArray:
    """Deals won by market and period of what entered before `period`."""
    activities, marketing = solution.activities, solution.inputs.marketing
    x, found = solution.x.copy(), _nothing(solution)
    for name in ENTERED:
        if name in activities.blocks:
            x[activities.blocks[name].columns[:, period:]] = 0.0
    for flow, block in (("won", "worked"), ("won_organic", "organic")):
        if flow not in activities.flows:
            continue
        of_row = activities.blocks[block].markets
        if flow == "won" and marketing is not None:
            of_row = marketing.yields.market
        assert of_row is not None
        values = activities.flows[flow].terms.values(x)
        np.add.at(found, of_row, values.reshape(len(of_row), -1))
    return found


def _roles(solution: Solution) -> list[pd.DataFrame]:
    """Heads of each role by the periods that they have been there, and hires who have not come yet."""
    roles, table = solution.inputs.roles, solution.plan.tables.get("roles")
    if roles is None or table is None:
        return []
    blocks, keys = solution.activities.blocks, np.array(row_keys(table), dtype=object)
    heads = blocks["staff"].values(solution.x).reshape(*roles.opening.shape, -1)
    hires, parts = np.round(blocks["role_hire"].values(solution.x)), []
    for period in range(1, solution.sellers.num_periods):
        # Column j: who was decided on j - lead periods after this one, so before it for j < lead.
        joining = np.zeros((len(keys), max(1, int(roles.lead.max()))))
        for row, lead in enumerate(roles.lead.tolist()):
            decided = period - lead + np.arange(lead)
            known = decided >= 0
            joining[row, np.flatnonzero(known)] = hires[row, decided[known]]
        there = roles.stay[:, None] * heads[:, :, period - 1]
        older = np.hstack([joining[:, :1], there[:, :-1]])
        older[:, -1] += there[:, -1]
        parts.append(_by_age(solution, "roles", HEADS, keys, period, older))
        coming = np.hstack([np.zeros((len(keys), 1)), joining[:, 1:]])
        parts.append(_by_age(solution, "roles", JOINING, keys, period, coming))
    return parts


def _by_age(
    solution: Solution, table: str, column: str, keys: NDArray[Any], period: int, values: FloatArray
) -> pd.DataFrame:
    """Values (rows, ages) of the start of one period in long form; NaN is left out."""
    rows, ages = np.nonzero(~np.isnan(values))
    columns = {
        "table": np.full(len(rows), table, dtype=object),
        "column": np.full(len(rows), column, dtype=object),
        "row": keys[rows],
        "period": np.full(len(rows), solution.sellers.calendar.period[period], dtype=object),
        "after": ages,
        "value": values[rows, ages],
    }
    return pd.DataFrame(columns).astype(dict.fromkeys(COLUMNS[:4], "str"))


def _frame(
    solution: Solution, table: str, column: str, keys: NDArray[Any], values: FloatArray
) -> pd.DataFrame:
    """Values (rows, T) in long form."""
    periods = solution.sellers.calendar.period
    columns = {
        "table": np.full(values.size, table, dtype=object),
        "column": np.full(values.size, column, dtype=object),
        "row": np.repeat(keys, values.shape[1]),
        "period": np.tile(np.array(periods, dtype=object), values.shape[0]),
        "after": np.zeros(values.size, dtype=np.int64),
        "value": values.ravel(),
    }
    return pd.DataFrame(columns).astype(dict.fromkeys(COLUMNS[:4], "str"))
