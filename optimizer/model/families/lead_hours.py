"""Family lead_hours: opportunities take hours while they go through their stages, also those that are lost.

    sum_{s in hours} lead_hours[s,m,t] + sum_{other s} sum_l before[m,l] sales[s,m,t+l] / units_per_deal
        >= sum_l after[m,l] (sum_k worked[k,m,t-l] + organic[m,t-l]) + sum_l before[m,l] opening[m,t+l]

for every period and led market that has hours in `stages` and a seller who counts in hours. after[m,l]: hours
of an opportunity l periods after it enters; before[m,l]: hours of a won deal l periods before it is won, with
the lost deals beside it. Sellers who count in hours give the hours (family hours); the others work on what
they sell. Idle leads cost no hours. Units: hours. Reference: workload method (Talley 1961; Lodish 1971).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.context import Context
from optimizer.model.families.opportunity import rows_of
from optimizer.model.funnel import by_market, earlier, later
from optimizer.model.terms import Terms

IntArray = NDArray[np.int64]


def lead_hours(context: Context) -> None:
    """Add one row a period and market whose opportunities take hours of sellers."""
    cube, block = context.cube, context.activities.blocks.get("lead_hours")
    if block is None or block.pair is None:
        return
    periods = cube.num_periods
    markets = np.unique(cube.pair_market[block.pair])
    given = Terms(np.arange(block.size), block.columns.ravel(), np.ones(block.size), np.zeros(block.size))
    own = by_market(given, cube.pair_market[block.pair], len(cube.markets.names), periods)
    terms = own + _by_others(context, block.pair) + _needed(context).scaled(-1.0)
    names = [cube.markets.names[market] for market in markets]

    def labels() -> list[tuple[str, ...]]:
        return [(name, period) for name in names for period in cube.calendar.period]

    # What closed periods took is over: nobody has capacity in them.
    open_ = np.tile(np.arange(periods) >= cube.inputs.past, len(markets))
    lower = np.where(open_, 0.0, -np.inf)
    context.builder.add_rows("lead_hours", rows_of(terms, markets, periods), labels, lower=lower)


def _needed(context: Context) -> Terms:
    """Hours that the opportunities of each market take in each period."""
    cube, blocks, funnel = context.cube, context.activities.blocks, context.cube.inputs.funnel
    assert funnel is not None
    count, periods = len(cube.markets.names), cube.num_periods
    after, before = funnel.stages.hours_after(periods), funnel.stages.hours_before(periods)
    total = Terms.constants(np.zeros(count * periods))
    marketing = cube.inputs.marketing
    if "worked" in blocks and marketing is not None:
        market = marketing.yields.market
        total = total + by_market(later(blocks["worked"], after[market]), market, count, periods)
    for name, weight, shift in (("organic", after, later), ("opening", before, earlier)):
        rows = blocks[name].markets if name in blocks else None
        if rows is not None:
            total = total + by_market(shift(blocks[name], weight[rows]), rows, count, periods)
    return total


def _by_others(context: Context, timed: IntArray) -> Terms:
    """Hours that sellers who do not count in hours put into what they sell, by market and period."""
    cube, funnel = context.cube, context.cube.inputs.funnel
    assert funnel is not None
    count, periods = len(cube.markets.names), cube.num_periods
    others = np.setdiff1d(np.arange(cube.num_pairs), timed)
    sales = context.activities.blocks["sales"]
    weight = np.zeros((cube.num_pairs, periods))
    weight[others] = funnel.stages.hours_before(periods)[cube.pair_market[others]]
    hours = earlier(sales, weight)
    per_deal = cube.by_market(cube.markets.units_per_deal).ravel()[hours.column - sales.start]
    deals = Terms(hours.member, hours.column, hours.value / per_deal, hours.constant)
    return by_market(deals, cube.pair_market, count, periods)
