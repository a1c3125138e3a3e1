"""Family customers: who stays, who joins, and what they order again.

    customers[g,t] = kept[g] customers[g,t-1] + sum_{m that g grows by, s} sales[s,m,t] / units_per_deal[m,t]
    sum_m repeat[g,m,t] <= orders[g,t] customers[g,t-1]             customers[g,-1] = opening[g]

kept = retention^(1 / periods a year). Units: customers at the end of a period; orders. Reference: retention
flow (Blattberg & Deighton 1996).
"""

from __future__ import annotations

import numpy as np

from optimizer.model.context import Context
from optimizer.model.funnel import customers_before
from optimizer.model.marketing import by_period
from optimizer.model.terms import Terms
from optimizer.plan.customers import Customers


def customers(context: Context) -> None:
    """Add the rows of the customers of each group, and of their orders."""
    funnel = context.cube.inputs.funnel
    block = context.activities.blocks.get("customers")
    if funnel is None or block is None:
        return
    found = funnel.customers
    before = customers_before(found, block)
    at_end = Terms(np.arange(block.size), block.columns.ravel(), np.ones(block.size), np.zeros(block.size))
    periods = context.cube.num_periods
    stay = before.scaled(np.repeat(-found.kept, periods))
    labels = by_period(found.names, context.cube.calendar.period)
    flow = at_end + stay + _joining(context, found).scaled(-1.0)
    context.builder.add_rows("customers", flow, labels, lower=0.0, upper=0.0)
    ordered = _ordered(context, found) + before.scaled(-found.orders.ravel())
    orders = by_period(found.names, context.cube.calendar.period, "orders")
    context.builder.add_rows("customers", ordered, orders, upper=0.0)


def _joining(context: Context, found: Customers) -> Terms:
    """New customers, one a deal in the markets of new customers that a group grows by."""
    cube = context.cube
    group = found.joins[cube.pair_market]
    pairs, periods = np.flatnonzero(group >= 0), cube.num_periods
    member = group[pairs][:, None] * periods + np.arange(periods)[None, :]
    deals = 1.0 / cube.markets.units_per_deal[cube.pair_market[pairs]]
    nothing = np.zeros(len(found.names) * periods)
    return Terms(member.ravel(), context.cell_columns[pairs].ravel(), deals.ravel(), nothing)


def _ordered(context: Context, found: Customers) -> Terms:
    block, periods = context.activities.blocks["repeat"], context.cube.num_periods
    member = found.entry_group[:, None] * periods + np.arange(periods)[None, :]
    nothing = np.zeros(len(found.names) * periods)
    return Terms(member.ravel(), block.columns.ravel(), np.ones(block.size), nothing)
