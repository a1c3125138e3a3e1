"""Pipeline cover: what is open today, by the month in which it closes, against what the plan still needs.

    pipeline[m,t]  = price[m,t] units_per_deal[m,t] (opening[m,t] + sum_l lag[m,l] conversion[m] came[m,t-l])
    missing[m,t]   = max(planned revenue - min(repeat orders, planned revenue) - pipeline, 0)
    to open[m,t]   = missing / (price units_per_deal conversion)
    open by[m,t]   = end of t less the days from lead to signature

`came` are the opportunities of closed periods: those that facts tell of, divided among the markets of a pool
and their sources as planned. Measured rates are in force, and prices as initiatives of the plan change them.
Units: currency, opportunities. Only led markets have a pipeline; in all others the plan needs none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.actuals import Facts
from optimizer.plan.fact_funnel import pool_markets
from optimizer.plan.funnel import Flow
from optimizer.result.kpis import COMPANY
from optimizer.result.solution import Solution
from optimizer.tracking.stageflow import opportunities_by_market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COLUMNS = (
    "scope", "member", "period", "plan", "orders", "pipeline", "cover", "missing", "to_open", "open_by",
    "late",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cover:
    """Currency by led market and open period (M, T1); opportunities to open; days from lead to signature."""

    plan: FloatArray
    orders: FloatArray
    pipeline: FloatArray
    to_open: FloatArray
    days: FloatArray
    """Days from the entry to the signature (M,)."""
    led: NDArray[np.bool_]
    """Markets with a pipeline (M,)."""

    @property
    def missing(self) -> FloatArray:
        """What of the plan nothing open covers (M, T1)."""
        return np.maximum(self.plan - self.orders - self.pipeline, 0.0)


def pipeline_cover(plan: Solution, today: Solution) -> Cover | None:
    """The cover of `plan` by what is open in `today`, the plan kept with facts and measured rates; None
    without a funnel or without anything ahead."""
    funnel, facts = today.inputs.funnel, today.inputs.facts
    size = plan.plan.calendar.size
    if funnel is None or facts is None or facts.past >= size or plan.sales is None:
        return None
    past, markets = facts.past, today.inputs.markets
    planned, paid = _planned(plan, size)
    worth = (markets.price * markets.units_per_deal)[:, past:size] * paid[:, past:]
    led = funnel.led
    deals = _open_deals(plan, today, facts) + funnel.opening[:, past:size]
    pipeline = np.where(led[:, None], deals * worth, 0.0)
    conversion = funnel.of_market.conversion
    each = worth * np.where(conversion > 0, conversion, np.inf)[:, None]
    found = Cover(
        np.where(led[:, None], planned[:, past:], 0.0),
        np.minimum(_orders(plan, past, size) * paid[:, past:], planned[:, past:]), pipeline,
        np.zeros_like(pipeline), funnel.of_market.days, led,
    )  # fmt: skip
    return replace(found, to_open=found.missing / each)


def _planned(plan: Solution, size: int) -> tuple[FloatArray, FloatArray]:
    """Planned revenue by market and period (M, T), and what initiatives make of a price (M, T), 1 without."""
    cube, markets, sales = plan.sellers, plan.inputs.markets, plan.activities.blocks["sales"].values(plan.x)
    revenue, listed = np.zeros((2, len(markets.names), size))
    np.add.at(revenue, cube.pair_market, plan.metrics.by_cell("revenue", plan.x)[:, :size])
    np.add.at(listed, cube.pair_market, plan.metrics.coefficient("revenue")[:, :size] * sales)
    return revenue, np.divide(revenue, listed, out=np.ones_like(revenue), where=listed > 0)


def _orders(plan: Solution, past: int, size: int) -> FloatArray:
    """Planned revenue of orders of customers who are there (M, T1)."""
    funnel, block = plan.inputs.funnel, plan.activities.blocks.get("repeat")
    found = np.zeros((len(plan.inputs.markets.names), size - past))
    if funnel is None or block is None:
        return found
    own = funnel.customers
    units = block.values(plan.x)[:, :size] * own.units_per_order[:, :size]
    revenue = units * plan.inputs.markets.price[own.entry_market, :size]
    np.add.at(found, own.entry_market, revenue[:, past:])
    return found


def _open_deals(plan: Solution, today: Solution, facts: Facts) -> FloatArray:
    """Deals that opportunities of closed periods are expected to bring in open ones (M, T1)."""
    funnel, marketing = today.inputs.funnel, today.inputs.marketing
    assert funnel is not None
    size, blocks = plan.plan.calendar.size, plan.activities.blocks
    scale = _told_over_planned(plan, facts)
    found = np.zeros((len(today.inputs.markets.names), size - facts.past))
    if "organic" in blocks:
        rows = blocks["organic"].markets
        assert rows is not None
        came = blocks["organic"].values(plan.x)[:, : facts.past] * scale[rows]
        np.add.at(found, rows, _later(came, funnel.of_market.of_rows(rows), size))
    if "worked" in blocks and marketing is not None:
        market = marketing.yields.market
        came = blocks["worked"].values(plan.x)[:, : facts.past] * scale[market]
        np.add.at(found, market, _later(came, funnel.of_yield, size))
    return found


def _later(came: FloatArray, flow: Flow, size: int) -> FloatArray:
    """Deals in open periods of what came in closed ones (N, T1)."""
    past = came.shape[1]
    found = np.zeros((len(came), size))
    for lag in np.flatnonzero(flow.lag.any(axis=0)).tolist():
        reach = min(past, size - lag)
        found[:, lag : lag + reach] += came[:, :reach] * flow.lag[:, lag, None]
    return np.asarray(found[:, past:] * flow.conversion[:, None], dtype=np.float64)


def _told_over_planned(plan: Solution, facts: Facts) -> FloatArray:
    """Opportunities of closed periods, as facts tell them over as planned, of the pool of each market
    (M, P0); 1 where nothing is told."""
    planned = opportunities_by_market(plan)[:, : facts.past]
    scale = np.ones_like(planned)
    told = facts.told["opportunities"][:, : facts.past]
    for pool in np.flatnonzero(~np.isnan(told).all(axis=1)).tolist():
        own = pool_markets(facts, pool, plan.inputs.selling)
        whole = planned[own].sum(axis=0)
        known = ~np.isnan(told[pool]) & (whole > 0)
        scale[np.ix_(own, known)] = (told[pool][known] / whole[known])[None, :]
    return scale


def cover_frame(found: Cover, plan: Solution, past: int) -> pd.DataFrame:
    """One row a member of company and columns of markets, and open period.

    Columns: scope, member, period; plan (revenue of led markets), orders (of customers who are there) and
    pipeline (weighted), currency; cover (orders and pipeline over plan); missing (currency); to_open
    (opportunities) and open_by (date until which they have to come, blank where none are missing); late
    (whether that date lies before as_of).
    """
    labels = {"": [""] * len(found.plan)} | dict(plan.inputs.markets.labels)
    parts = [
        _member_rows(found, plan, past, scope, member, np.array(texts) == member)
        for scope, texts in labels.items()
        for member in dict.fromkeys(np.array(texts)[found.led].tolist())
    ]
    frame = pd.DataFrame([row for rows in parts for row in rows], columns=list(COLUMNS))
    texts = dict.fromkeys(("scope", "member", "period", "open_by"), "str")
    return frame.astype({**texts, "late": "bool"})


def _member_rows(
    found: Cover, plan: Solution, past: int, scope: str, member: str, rows: NDArray[np.bool_]
) -> list[tuple[object, ...]]:
    calendar = plan.plan.calendar
    needed, orders, pipeline, missing, to_open = (
        part[rows].sum(axis=0)
        for part in (found.plan, found.orders, found.pipeline, found.missing, found.to_open)
    )
    cover = np.divide(orders + pipeline, needed, out=np.full_like(needed, np.nan), where=needed > 0)
    days = (found.to_open[rows] * found.days[rows, None]).sum(axis=0)
    cycle = np.divide(days, to_open, out=np.zeros_like(days), where=to_open > 0)
    lines: list[tuple[object, ...]] = []
    for at in range(len(needed)):
        open_by = calendar.ends[past + at] - np.timedelta64(1 + round(float(cycle[at])), "D")
        wanted = bool(to_open[at] > 0.5)
        late = wanted and bool(open_by < calendar.starts[past])
        lines.append((
            scope or COMPANY, member, calendar.period[past + at], needed[at], orders[at], pipeline[at],
            cover[at], missing[at], to_open[at], str(open_by) if wanted else "", late,
        ))  # fmt: skip
    return lines
