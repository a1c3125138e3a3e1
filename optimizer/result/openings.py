"""What a later plan starts with: the states of marketing and customers at the start of each period."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.fromrun import row_keys
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

COLUMNS = ("table", "column", "row", "period", "value")


def openings(solution: Solution) -> pd.DataFrame:
    """One row a state, row of its table and period: the value at the start of that period.

    stock[c,t] = rate stock[c,t-1] + (1 or 1 - rate) spend[c,t-1] for marketing with a geometric carryover;
    customers at the end of the period before. Units: those of opening_stock and of customers. Raises
    `ValueError` without a plan.
    """
    parts = [*_stock(solution), *_customers(solution)]
    if not parts:
        return pd.DataFrame({name: [] for name in COLUMNS})
    return pd.concat(parts, ignore_index=True)


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
