"""The whole market, as far as anybody knows it: one pool for each row that gives a size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.markets import Markets
from optimizer.plan.matching import matching_rows, prefixed
from optimizer.plan.plan import Plan
from optimizer.plan.tables import Table
from optimizer.plan.territories import market_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class SizePool:
    """The size of the whole market that one row gives for the markets it covers: a pool, never copied to
    each."""

    name: str
    markets: IntArray
    revenue: float
    """Currency over the horizon; NaN where the row gives units."""
    units: float
    """Units over the horizon; NaN where the row gives revenue."""
    max_share: float
    """Largest share of it that we may take; NaN without a limit."""


def resolve_sizes(plan: Plan, markets: Markets) -> tuple[SizePool, ...]:
    """The pools of the markets and market_size tables; raises `InputError` where two pools cover one
    market."""
    table = plan.tables["markets"]
    pools = [_pool(table, row, markets.names[row], np.array([row])) for row in range(len(table))]
    coarse = plan.tables.get("market_size")
    if coarse is not None:
        rows, covered = matching_rows(coarse, prefixed(market_columns(markets), "market"))
        for row in range(len(coarse)):
            name = "/".join(coarse.text(column)[row] for column in coarse.labels)
            pools.append(_pool(coarse, row, name, covered[rows == row]))
    known = [pool for pool in pools if not (np.isnan(pool.revenue) and np.isnan(pool.units))]
    times = np.bincount(
        np.concatenate([pool.markets for pool in known] or [np.zeros(0, dtype=np.int64)]),
        minlength=len(markets.names),
    )
    if (times > 1).any():
        raise InputError("model.size_twice", market=markets.names[int(times.argmax())])
    return tuple(known)


def _pool(table: Table, row: int, name: str, markets: IntArray) -> SizePool:
    revenue, units = table.numbers("size_revenue")[row], table.numbers("size_units")[row]
    if not np.isnan(revenue) and not np.isnan(units):
        raise InputError("model.size_in_two_units", table.place(row, "size_units", units))
    return SizePool(name, markets, float(revenue), float(units), float(table.numbers("max_share")[row]))
