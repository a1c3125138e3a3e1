"""The customers table as arrays: who is there, who stays, and what they order again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.markets import Markets
from optimizer.plan.matching import matching_rows, prefixed
from optimizer.plan.plan import Plan
from optimizer.plan.tables import ALL, Table
from optimizer.plan.territories import market_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NEW = "customer_type"


@dataclass(frozen=True, eq=False)
class Customers:
    """G groups of customers over T periods. A group's orders go to the markets of its entries, N in all."""

    names: tuple[str, ...]
    labels: dict[str, list[str]]
    """Market column -> label that all markets of a group share, `*` where they differ (G,)."""
    opening: FloatArray
    """Customers at the start (G,)."""
    reached: FloatArray
    """Those of them whom effects are about (G,)."""
    retention: FloatArray
    """Share of the customers that a year keeps (G,)."""
    kept: FloatArray
    """Share of the customers that a period keeps (G,)."""
    orders: FloatArray
    """Orders a customer and period (G, T)."""
    orders_a_year: FloatArray
    """Orders a customer and year (G,)."""
    entry_group: IntArray
    """Group of each entry (N,)."""
    entry_market: IntArray
    """Market of each entry (N,)."""
    units_per_order: FloatArray
    """Units of the entry's market that an order is worth (N, T)."""
    joins: IntArray
    """Group that the new customers of each market join (M,); -1 where none."""

    def run_on(self, source: IntArray) -> Customers:
        """The customers with further periods, each like the one at `source`."""
        return replace(
            self,
            orders=np.hstack([self.orders, self.orders[:, source]]),
            units_per_order=np.hstack([self.units_per_order, self.units_per_order[:, source]]),
        )


def resolve_customers(plan: Plan, markets: Markets, log: AssumptionLog) -> Customers:
    """Arrays of customers: orders go to the markets of existing customers that a row covers, new customers
    come from those of new ones.

    Raises `InputError` where two rows have the same market, and where a row has no market for its orders.
    """
    table, periods = plan.tables.get("customers"), plan.calendar.size
    if table is None:
        nothing, none = np.zeros(0), np.zeros(0, dtype=np.int64)
        joins = np.full(len(markets.names), -1, dtype=np.int64)
        empty = np.zeros((0, periods))
        return Customers((), {}, nothing, nothing, nothing, nothing, empty, nothing, none, none, empty, joins)
    group, market, joins = _members(table, markets)
    retention = np.nan_to_num(table.numbers("retention"), nan=log.factor("customers_stay"))
    blank = np.isnan(table.numbers("retention"))
    log.note(
        "customers_stay", "customers", "retention", int(blank.sum()), 1.0, "share a year", scalable=False
    )
    orders = np.nan_to_num(table.numbers("orders"), nan=log.factor("one_order_a_year"))
    blank = np.isnan(table.numbers("orders"))
    log.note("one_order_a_year", "customers", "orders", int(blank.sum()), 1.0, "orders a year")
    labels, reached = _labels(markets, group, market, len(table)), table.numbers("reached")
    return Customers(
        names=tuple(
            "/".join(table.text(name)[row] for name in table.labels) or ALL for row in range(len(table))
        ),
        labels=labels,
        opening=table.numbers("customers"),
        reached=np.where(np.isnan(reached), table.numbers("customers"), reached),
        retention=retention,
        kept=retention ** (1.0 / plan.calendar.periods_a_year),
        orders=orders[:, None] * _season(plan, markets, group, market, len(table)),
        orders_a_year=orders,
        entry_group=group,
        entry_market=market,
        units_per_order=_units(table, markets, group, market, log),
        joins=joins,
    )


def _members(table: Table, markets: Markets) -> tuple[IntArray, IntArray, IntArray]:
    """Group and market of every entry, and the group that each market's new customers join."""
    columns = market_columns(markets)
    row, market = matching_rows(table, prefixed(columns, "market"))
    kinds = tuple(name for name in table.labels if name.removeprefix("market.") != NEW)
    wider = prefixed({name: labels for name, labels in columns.items() if name != NEW}, "market")
    open_row, open_market = matching_rows(table.replace(labels=kinds), wider) if wider else (row, market)
    news = markets.is_new[open_market]
    joins = np.full(len(markets.names), -1, dtype=np.int64)
    joins[open_market[news]] = open_row[news]
    buys = ~markets.is_new[market]
    for found, of in ((open_market[news], open_row[news]), (market[buys], row[buys])):
        times = np.bincount(found, minlength=len(markets.names))
        if (times > 1).any():
            twice = int(times.argmax())
            at = int(of[found == twice][-1])
            raise InputError("funnel.customers_twice", table.place(at), market=markets.names[twice])
    idle = np.setdiff1d(np.arange(len(table)), row[buys])
    if len(idle):
        raise InputError("funnel.customers_without_market", table.place(int(idle[0])))
    return row[buys], market[buys], joins


def _labels(markets: Markets, group: IntArray, market: IntArray, count: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, labels in markets.labels.items():
        own = [{labels[at] for at in market[group == row]} for row in range(count)]
        found[name] = [next(iter(seen)) if len(seen) == 1 else ALL for seen in own]
    return found


def _season(plan: Plan, markets: Markets, group: IntArray, market: IntArray, count: int) -> FloatArray:
    """Share of a year's orders in each period (G, T): the mean season of the group's markets."""
    year = plan.calendar.size / plan.calendar.periods_a_year
    total = np.zeros((count, plan.calendar.size))
    np.add.at(total, group, markets.spread[market])
    return total / np.bincount(group, minlength=count)[:, None] * year


def _units(
    table: Table, markets: Markets, group: IntArray, market: IntArray, log: AssumptionLog
) -> FloatArray:
    """Units that an order is worth: its revenue over the price, else a deal of the market."""
    revenue = table.numbers("revenue_per_order")
    log.note(
        "order_is_a_deal",
        "customers",
        "revenue_per_order",
        int(np.isnan(revenue).sum()),
        None,
        scalable=False,
    )
    worth = revenue[group][:, None] / markets.price[market]
    return np.where(np.isnan(worth), markets.units_per_deal[market], worth)
