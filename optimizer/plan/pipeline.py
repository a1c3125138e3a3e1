"""The pipeline table: what the deals that are open at the start of the plan are expected to bring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.fromrun import DEALS, fitted
from optimizer.plan.lags import closings
from optimizer.plan.markets import Markets
from optimizer.plan.matching import matching_rows, prefixed
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.sellers import dates
from optimizer.plan.stages import Stages
from optimizer.plan.tables import Table
from optimizer.plan.territories import market_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class OpenDeals:
    """What is open before the first open period, by M markets and N periods."""

    deals: FloatArray
    """Deals that it is expected to bring (M, N)."""
    waiting: FloatArray
    """Units that are won and wait for delivery, by the first period in which they can be sold (M, N)."""
    covered: BoolArray
    """Markets that the pipeline covers (M,)."""
    told: BoolArray
    """Markets of which it tells everything that is open at `as_of` (M,)."""


def opening_deals(
    plan: Plan,
    markets: Markets,
    stages: Stages,
    organic: FloatArray,
    lag: FloatArray,
    periods: int,
    log: AssumptionLog,
) -> OpenDeals:
    """What the deals bring that are open at the start (at `as_of` where there are facts, or on the day that
    `open_on` says).

    A market that the pipeline does not cover has what its organic opportunities left open, as if they had
    come at the rate of the same season before. A plan that starts `from` a run has what that run left on its
    way instead. Raises `InputError` for unknown stages and deals that have closed before the plan starts.
    """
    carried = plan.tables["markets"].by_period.get(DEALS)
    if carried is not None:
        found = fitted(np.nan_to_num(carried), periods)
        known = np.asarray(~np.isnan(carried[:, 0]), dtype=np.bool_)
        return OpenDeals(found, np.zeros_like(found), known, known)
    table = plan.tables.get("pipeline")
    nobody: BoolArray = np.zeros(len(markets.names), dtype=np.bool_)
    deals, waiting = np.zeros((len(nobody), periods)), np.zeros((len(nobody), periods))
    covered, told = nobody.copy(), nobody.copy()
    if table is not None:
        row, market = matching_rows(table, prefixed(market_columns(markets), "market"))
        opened, won = _opened(plan, table)[row], table.yes("won")[row]
        covered[market[~won]] = True
        told[market[~won & (opened >= plan.calendar.past)]] = True
        share = _split(markets, row, market, len(table), log)
        timing = _timing(plan, table, stages, row, market, periods + 1)
        probability = np.where(won, 1.0, _probability(table, stages, row, market))
        revenue = (table.numbers("amount")[row] * share * probability)[:, None] * timing[:, :periods]
        last = np.minimum(np.arange(periods), markets.price.shape[1] - 1)
        units = revenue / markets.price[market][:, last]
        np.add.at(waiting, market[won], units[won])
        np.add.at(deals, market[~won], (units / markets.units_per_deal[market][:, last])[~won])
    before = _before(plan, organic, lag, periods) * stages.won[:, None]
    before[covered] = 0.0
    log.note("organic_before", "pipeline", "amount", int(before.any(axis=1).sum()), None, scalable=False)
    return OpenDeals(deals + before, waiting, covered, told)


def _opened(plan: Plan, table: Table) -> IntArray:
    """Period at whose start each row was open (rows,): that of `open_on`, else the first that is no fact.

    Raises `InputError` for days outside the plan.
    """
    calendar, day = plan.calendar, dates(table, "open_on")
    found = np.full(len(table), calendar.past, dtype=np.int64)
    for at in np.flatnonzero(~np.isnat(day)).tolist():
        period = int(np.searchsorted(calendar.starts, day[at]))
        if not calendar.starts[0] <= day[at] <= calendar.starts[calendar.past]:
            place = table.place(at, "open_on", str(day[at]))
            first, last = str(calendar.starts[0]), str(calendar.starts[calendar.past])
            raise InputError("funnel.open_outside", place, first=first, last=last)
        found[at] = period
    return found


def _split(markets: Markets, row: IntArray, market: IntArray, rows: int, log: AssumptionLog) -> FloatArray:
    """Share of each row's amount that each market it covers gets: by potential in money, else last year's
    revenue, else equally."""
    potential = (markets.potential * markets.price).sum(axis=1)
    size = np.where(np.isfinite(potential), potential, np.nansum(markets.last_year_revenue, axis=1))[market]
    total = np.bincount(row, weights=size, minlength=rows)
    count = np.bincount(row, minlength=rows)
    log.note("pipeline_split", "pipeline", "amount", int((count > 1).sum()), None, scalable=False)
    return np.where(total[row] > 0, size / np.where(total > 0, total, 1.0)[row], 1.0 / count[row])


def _position(table: Table, stages: Stages, row: IntArray, market: IntArray) -> IntArray:
    """Place of each row's stage among the stages; -1 where it names none."""
    names = list(stages.names)
    place = np.full(len(table), -1, dtype=np.int64)
    for at, name in enumerate(table.choices("stage")):
        if not name:
            continue
        if name not in names:
            where = table.place(at, "stage", name)
            raise InputError("funnel.stage_unknown", where, stage=name, nearest=nearest(name, names))
        place[at] = names.index(name)
    found = place[row]
    if not names:
        return np.asarray(found, dtype=np.int64)
    lost = (found >= 0) & ~stages.present[market, np.maximum(found, 0)]
    if lost.any():
        at = int(row[lost.argmax()])
        raise InputError(
            "funnel.stage_not_of_market", table.place(at, "stage"), stage=table.choices("stage")[at]
        )
    return np.asarray(found, dtype=np.int64)


def _after(stages: Stages, market: IntArray, place: IntArray) -> BoolArray:
    """The stages from each row's own on (rows, K); none where it names none."""
    return (np.arange(len(stages.names))[None, :] >= place[:, None]) & (place >= 0)[:, None]


def _probability(table: Table, stages: Stages, row: IntArray, market: IntArray) -> FloatArray:
    """Share of each amount that is won: as given, else the conversions from the row's stage on, else all."""
    later = _after(stages, market, _position(table, stages, row, market))
    by_stage = np.where(later, stages.conversion[market], 1.0).prod(axis=1)
    given = table.numbers("probability")[row]
    return np.asarray(np.where(np.isnan(given), by_stage, given), dtype=np.float64)


def _timing(
    plan: Plan, table: Table, stages: Stages, row: IntArray, market: IntArray, ages: int
) -> FloatArray:
    """Share of each amount that closes in each period from the start: on its date, else after the days of the
    stages that are left, the row's deals standing anywhere in their own stage."""
    place = _position(table, stages, row, market)
    later = np.where(_after(stages, market, place), stages.days[market], 0.0)
    own = (
        np.where(place >= 0, stages.days[market, np.maximum(place, 0)], 0.0)
        if stages.names
        else np.zeros(len(row))
    )
    last = later.sum(axis=1) / stages.period_days
    first = last - own / stages.period_days
    opened = _opened(plan, table)
    soon = closings(first, last, ages)
    timing = np.zeros_like(soon)
    for begun in np.unique(opened).tolist():
        own = opened[row] == begun
        timing[own, begun:] = soon[own, : ages - begun]
    close = dates(table, "close")
    for at in np.flatnonzero(~np.isnat(close)).tolist():
        if close[at] < plan.calendar.starts[opened[at]]:
            where = table.place(at, "close", str(close[at]))
            raise InputError("funnel.closed_before", where, first=str(plan.calendar.starts[opened[at]]))
        timing[row == at] = closings_on(plan, close[at], ages)
    return timing


def closings_on(plan: Plan, day: np.datetime64, ages: int) -> FloatArray:
    """1 in the period of a day, later ones at the plan's own pace (ages,)."""
    starts, ends = plan.calendar.starts, plan.calendar.ends
    at = int(np.searchsorted(starts, day, side="right")) - 1
    if day >= ends[-1]:
        length = (ends[-1] - starts[0]).astype(np.float64) / len(starts)
        at = len(starts) + int((day - ends[-1]).astype(np.float64) / length)
    return np.asarray(np.arange(ages) == at, dtype=np.float64)


def _before(plan: Plan, organic: FloatArray, lag: FloatArray, periods: int) -> FloatArray:
    """Organic opportunities of the periods before the plan that are decided in it (M, periods)."""
    year, size = plan.calendar.periods_a_year, organic.shape[1]
    decided = np.zeros((len(organic), periods))
    for back in range(1, lag.shape[1]):
        # The period so many before the first is like the same one a year later, else like the first.
        entered = organic[:, year - back] if 0 <= year - back < size else organic[:, 0]
        reach = min(lag.shape[1] - back, periods)
        decided[:, :reach] += entered[:, None] * lag[:, back : back + reach]
    return decided
