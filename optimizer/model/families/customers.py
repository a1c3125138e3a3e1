"""Family customers: who stays, who joins, and what they order again.

    customers[g,t] = kept[g] customers[g,t-1]
        + sum_{m that g grows by, s} sales[s,m,t] / units_per_deal[m,t]
        + sum_w kept more[w,g] opening path[g,t] working[w,t]
    sum_m repeat[g,m,t] <= orders[g,t] customers[g,t-1]
        + sum_w orders more[w,g,t] opening path[g,t] working[w,t]

customers[g,-1] = opening[g]; opening path[g,t] = opening[g] kept[g]^t: effects are on the customers of the
start, so that they stay linear. kept = retention^(1 / periods a year). Units: customers at the end of a
period; orders. Reference: retention flow (Blattberg & Deighton 1996).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.context import Context
from optimizer.model.cube import Cube
from optimizer.model.funnel import customers_before
from optimizer.model.marketing import by_period
from optimizer.model.terms import Terms
from optimizer.model.windows import groups_touched, opening_path, retained
from optimizer.plan.customers import Customers
from optimizer.plan.effects import Effects

FloatArray = NDArray[np.float64]


def customers(context: Context) -> None:
    """Add the rows of the customers of each group, and of their orders."""
    funnel = context.cube.inputs.funnel
    block = context.activities.blocks.get("customers")
    if funnel is None or block is None:
        return
    found = funnel.customers
    before = customers_before(found, block, context.cube.inputs.past)
    at_end = Terms(np.arange(block.size), block.columns.ravel(), np.ones(block.size), np.zeros(block.size))
    periods = context.cube.num_periods
    stay = before.scaled(np.repeat(-found.kept, periods))
    labels = by_period(found.names, context.cube.calendar.period)
    flow = at_end + stay + _joining(context, found).scaled(-1.0) + _held(context, found).scaled(-1.0)
    context.builder.add_rows("customers", flow, labels, lower=0.0, upper=0.0)
    ordered = _ordered(context, found) + before.scaled(-found.orders.ravel())
    ordered = ordered + _ordered_more(context, found).scaled(-1.0)
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


def _held(context: Context, found: Customers) -> Terms:
    """Customers of the start whom effects on retention keep in each period."""
    cube, effects = context.cube, context.cube.inputs.effects
    total = Terms.constants(np.zeros(len(found.names) * cube.num_periods))
    for effect in effects.of("retention") if effects is not None else ():
        assert effects is not None
        total = total + _working(context, effect, kept_more(cube, effects, effect))
    return total


def kept_more(cube: Cube, effects: Effects, effect: int) -> FloatArray:
    """Customers of the start whom one effect on retention keeps in a period in which it works (G, T)."""
    funnel = cube.inputs.funnel
    assert funnel is not None
    found, more = funnel.customers, retained(cube, effects, effect)
    a_period = 1.0 / cube.inputs.plan.calendar.periods_a_year
    kept = np.maximum(found.retention + more, 0.0) ** a_period - found.kept
    return np.asarray(kept[:, None] * opening_path(cube), dtype=np.float64)


def _ordered_more(context: Context, found: Customers) -> Terms:
    """Orders of the customers of the start that effects on repeat purchase add."""
    cube, effects = context.cube, context.cube.inputs.effects
    total = Terms.constants(np.zeros(len(found.names) * cube.num_periods))
    for effect in effects.of("repeat") if effects is not None else ():
        assert effects is not None
        total = total + _working(context, effect, ordered_more(cube, effects, effect))
    return total


def ordered_more(cube: Cube, effects: Effects, effect: int) -> FloatArray:
    """Orders of the customers of the start that one effect on repeat purchase adds while it works (G, T)."""
    funnel = cube.inputs.funnel
    assert funnel is not None
    found, own = funnel.customers, groups_touched(cube, effects)[effect][:, None]
    a_year = np.where(found.orders_a_year > 0, found.orders_a_year, 1.0)[:, None]
    step = found.orders if effects.multiplies[effect] else found.orders / a_year
    more = np.where(own, step, 0.0) * float(effects.amount[effect])
    return np.asarray(more * opening_path(cube), dtype=np.float64)


def _working(context: Context, effect: int, amount: FloatArray) -> Terms:
    """amount[g,t] while the window of an effect is open, one expression a group and period."""
    effects = context.cube.inputs.effects
    assert effects is not None
    group, period = np.nonzero(amount)
    column = context.activities.blocks["working"].columns[effects.window[effect]][period]
    member = group * amount.shape[1] + period
    return Terms(member, column, amount[group, period], np.zeros(amount.size))
