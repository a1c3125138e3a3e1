"""What a later plan starts with: marketing, customers, people and initiatives at the start of each period."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.fromrun import SPENT, STARTED, row_keys
from optimizer.plan.sellers import dates
from optimizer.plan.tables import ALL
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

HALF = 0.5
"""A start of at least this is one: solvers round."""
COLUMNS = ("table", "column", "row", "period", "value")


def openings(solution: Solution) -> pd.DataFrame:
    """One row a state, row of its table and period: the value at the start of that period.

    marketing, geometric: stock[c,t] = rate stock[c,t-1] + (1 or 1 - rate) spend[c,t-1]; with a profile what
    is spent in each period (`fromrun.SPENT`). customers: at the end of the period before. sellers: the day on
    which an open seat was filled before, as days since 1970. initiatives: periods since the start, where they
    started before. Units: those of the columns. Raises `ValueError` without a plan.
    """
    parts = [
        *_stock(solution),
        *_spent(solution),
        *_customers(solution),
        *_seats(solution),
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
        "value": values.ravel(),
    }
    return pd.DataFrame(columns).astype(dict.fromkeys(COLUMNS[:4], "str"))
