"""Family opportunity: a led market sells no more than its opportunities, its customers' orders and what
waits.

    sum_s sales[s,m,t] / win_factor[s,m] + waiting[m,t] <= kept[m] waiting[m,t-1]
        + units_per_deal[m,t] (won[m,t] + opening[m,t]) + backlog[m,t]
        + sum_g units_per_order[g,m,t] repeat[g,m,t]
    won[m,t] = sum_k sum_l lag[k,l] conversion[k] worked[k,m,t-l]
        + sum_l lag[m,l] conversion[m] organic[m,t-l]
    sum_{m in pool} (sum_k worked[k,m,t] + organic[m,t]) <= told[pool,t]     closed periods, where facts tell
    the same over what is closed for good >= told[pool,t] less what others can have brought

Units: units of the market. Led markets are those with organic opportunities, open deals, customers or yields;
other markets have no such row. Reference: lagged funnel with retention.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from optimizer.model.builder import fixed_labels
from optimizer.model.context import Context
from optimizer.model.funnel import by_market
from optimizer.model.terms import Terms
from optimizer.plan.fact_funnel import pool_markets, told_markets
from optimizer.plan.fact_sources import closed_for_good, least_closed
from optimizer.plan.funnel import Funnel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_NOTHING = 1e-9


def opportunity(context: Context) -> None:
    """Add one row a period and led market that somebody may sell to."""
    cube = context.cube
    funnel = cube.inputs.funnel
    if funnel is None:
        return
    sold = np.zeros(len(cube.markets.names), dtype=np.bool_)
    sold[cube.pair_market] = True
    led = np.flatnonzero(funnel.led & sold)
    terms = _sold(context) + _brought(context).scaled(-1.0) + _waiting(context)
    names = [cube.markets.names[market] for market in led]

    def labels() -> list[tuple[str, ...]]:
        return [(name, period) for name in names for period in cube.calendar.period]

    context.builder.add_rows("opportunity", rows_of(terms, led, cube.num_periods), labels, upper=0.0)
    _told(context)
    _closed(context, funnel)


def _told(context: Context) -> None:
    """No more opportunities of closed periods are worked than facts tell of, pool by pool."""
    cube, facts = context.cube, context.cube.inputs.facts
    if facts is None:
        return
    told = facts.told["opportunities"][:, : facts.past]
    for pool in np.flatnonzero(~np.isnan(told).all(axis=1)).tolist():
        markets = pool_markets(facts, pool, cube.inputs.selling)
        periods = np.flatnonzero(~np.isnan(told[pool]))
        worked = _worked_in(context, markets, periods)
        if not len(worked.column):
            continue
        labels = [(facts.names[pool], cube.calendar.period[period], "told") for period in periods]
        context.builder.add_rows("opportunity", worked, fixed_labels(*labels), upper=told[pool][periods])


def _closed(context: Context, funnel: Funnel) -> None:
    """What has come, is decided and takes no more hours has been worked on: no plan of the rest undoes it."""
    cube, facts, marketing = context.cube, context.cube.inputs.facts, context.cube.inputs.marketing
    if facts is None:
        return
    past, hours = facts.past, funnel.stages.hours_after(cube.num_periods)
    organic = closed_for_good(funnel.of_market.lag, hours, past)
    cover = told_markets(funnel, facts, cube.inputs.selling)
    worked = pools = np.zeros((0, past), dtype=np.bool_)
    if marketing is not None and len(marketing.yields.pool):
        yields = marketing.yields
        worked = closed_for_good(funnel.of_yield.lag, hours[yields.market], past)
        pools = np.ones((len(yields.channel), past), dtype=np.bool_)
        np.logical_and.at(pools, yields.pool, worked)
        worked = pools[yields.pool] & (yields.amount[yields.pool] > 0)[:, None]
    least = least_closed(funnel, facts, cover, marketing, cube.inputs.effects, organic, pools)
    for pool in np.flatnonzero((least > _NOTHING).any(axis=1)).tolist():
        periods = np.flatnonzero(least[pool] > _NOTHING)
        flags = {"organic": organic, "worked": worked}
        done = _worked_in(context, np.flatnonzero(cover[pool]), periods, flags)
        labels = [(facts.names[pool], cube.calendar.period[period], "closed") for period in periods]
        context.builder.add_rows("opportunity", done, fixed_labels(*labels), lower=least[pool][periods])


def _worked_in(
    context: Context, markets: IntArray, periods: IntArray, kept: Mapping[str, BoolArray] | None = None
) -> Terms:
    """Opportunities worked in some markets, one expression a period of `periods`; with `kept` those of some
    markets and closed periods (organic), and of some entries (worked)."""
    blocks, marketing = context.activities.blocks, context.cube.inputs.marketing
    total = Terms.constants(np.zeros(len(periods)))
    for name in ("organic", "worked"):
        if name not in blocks:
            continue
        of_row = blocks[name].markets if marketing is None or name == "organic" else marketing.yields.market
        assert of_row is not None
        rows = np.flatnonzero(np.isin(of_row, markets))
        column = blocks[name].columns[np.ix_(rows, periods)]
        member = np.broadcast_to(np.arange(len(periods)), column.shape)
        flags = np.ones(column.shape, dtype=np.bool_)
        if kept is not None:
            flags = kept[name][np.ix_(of_row[rows] if name == "organic" else rows, periods)]
        total = total + Terms(member[flags], column[flags], np.ones(flags.sum()), np.zeros(len(periods)))
    return total


def rows_of(terms: Terms, markets: IntArray, periods: int) -> Terms:
    """The expressions by market and period of some markets, in their order."""
    place = np.full(terms.size // periods, -1, dtype=np.int64)
    place[markets] = np.arange(len(markets))
    row, period = np.divmod(terms.member, periods)
    kept = place[row] >= 0
    member = place[row[kept]] * periods + period[kept]
    constant = terms.constant.reshape(-1, periods)[markets].ravel()
    return Terms(member, terms.column[kept], terms.value[kept], constant)


def _sold(context: Context) -> Terms:
    """Sales in units of an average seller's opportunities, by market and period."""
    cube = context.cube
    periods = np.arange(cube.num_periods)
    member = cube.pair_market[:, None] * cube.num_periods + periods[None, :]
    value = np.repeat(1.0 / cube.win_factor, cube.num_periods)
    nothing = np.zeros(len(cube.markets.names) * cube.num_periods)
    return Terms(member.ravel(), context.cell_columns.ravel(), value, nothing)


def _brought(context: Context) -> Terms:
    """Units that opportunities, open deals and orders allow, by market and period."""
    cube, activities = context.cube, context.activities
    count, periods = len(cube.markets.names), cube.num_periods
    total = Terms.constants(np.zeros(count * periods))
    per_deal = cube.markets.units_per_deal
    marketing, funnel = cube.inputs.marketing, cube.inputs.funnel
    assert funnel is not None
    for name, flow in activities.flows.items():
        if name == "won" and marketing is not None:
            total = total + by_market(flow.terms, marketing.yields.market, count, periods)
        elif name == "won_organic":
            total = total + by_market(flow.terms, _markets(context, "organic"), count, periods)
    if "opening" in activities.blocks:
        total = total + _amounts(context, "opening", np.ones(per_deal.shape))
    total = total.scaled(per_deal.ravel())
    if "repeat" in activities.blocks:
        total = total + _amounts(context, "repeat", funnel.customers.units_per_order)
    return total + Terms.constants(funnel.backlog.ravel())


def _markets(context: Context, block: str) -> IntArray:
    markets = context.activities.blocks[block].markets
    assert markets is not None
    return markets


def _amounts(context: Context, name: str, factor: FloatArray) -> Terms:
    """A block's amounts by market and period, times `factor`: by row and period, or by market and period."""
    cube, block = context.cube, context.activities.blocks[name]
    markets, periods = _markets(context, name), cube.num_periods
    value = factor if len(factor) == block.num_rows and name == "repeat" else factor[markets]
    member = markets[:, None] * periods + np.arange(periods)[None, :]
    nothing = np.zeros(len(cube.markets.names) * periods)
    return Terms(member.ravel(), block.columns.ravel(), value.ravel(), nothing)


def _waiting(context: Context) -> Terms:
    """What waits at the end of the period less what was kept of the last one, by market and period."""
    cube, funnel = context.cube, context.cube.inputs.funnel
    nothing = np.zeros(len(cube.markets.names) * cube.num_periods)
    block = context.activities.blocks.get("waiting")
    if block is None or funnel is None:
        return Terms.constants(nothing)
    markets, periods = _markets(context, "waiting"), cube.num_periods
    member = markets[:, None] * periods + np.arange(periods)[None, :]
    kept = -np.repeat(funnel.kept[markets], periods - 1)
    return Terms(
        np.concatenate([member.ravel(), member[:, 1:].ravel()]),
        np.concatenate([block.columns.ravel(), block.columns[:, :-1].ravel()]),
        np.concatenate([np.ones(member.size), kept]),
        nothing,
    )
