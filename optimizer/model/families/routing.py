"""Family routing: leads become opportunities of the markets that a yield covers.

    sum_{m in row k} worked[k,m,t] <= yield[k] leads[c,t]          a row for several markets is a pool
    worked[k,t] = yield[k] leads[c,t]                               where the yield is negative

leads = response + sum_w (share[w,c] gain[w,c,t] + added[w,c] working[w,t]) with the effects of initiatives.
Several rows of one channel are joint: one campaign feeds several markets at once. Units: opportunities.
Reference: generalized flows (Ahuja, Magnanti & Orlin 1993).
"""

from __future__ import annotations

import numpy as np

from optimizer.model.coefficients import channels_of_effects, leads_of_effects
from optimizer.model.context import Context
from optimizer.model.terms import Terms
from optimizer.plan.marketing import Yields


def routing(context: Context) -> None:
    """Add one row a pool and period."""
    marketing = context.cube.inputs.marketing
    if marketing is None or "worked" not in context.activities.blocks:
        return
    yields, periods = marketing.yields, context.cube.num_periods
    worked, leads = (context.activities.blocks[name].columns for name in ("worked", "response"))
    pools, count = len(yields.channel), len(yields.channel) * periods
    period = np.arange(periods)
    own = yields.pool[:, None] * periods + period[None, :]
    brought = np.arange(pools)[:, None] * periods + period[None, :]
    terms = Terms(
        np.concatenate([own.ravel(), brought.ravel()]),
        np.concatenate([worked.ravel(), leads[yields.channel].ravel()]),
        np.concatenate([np.ones(own.size), -np.repeat(yields.amount, periods)]),
        np.zeros(count),
    )
    terms = terms + _of_effects(context, yields, count).scaled(-1.0)
    first = np.array([int(np.argmax(yields.pool == pool)) for pool in range(pools)])
    names = tuple(yields.names[entry] for entry in first)

    def labels() -> list[tuple[str, ...]]:
        shown = context.cube.calendar.period
        return [(f"{pool + 1} {name}", label) for pool, name in enumerate(names) for label in shown]

    lower = np.repeat(np.where(yields.amount < 0, 0.0, -np.inf), periods)
    context.builder.add_rows("routing", terms, labels, lower=lower, upper=0.0)


def _of_effects(context: Context, yields: Yields, count: int) -> Terms:
    """Opportunities of the leads that effects bring, by pool and period."""
    cube, activities = context.cube, context.activities
    effects, periods = cube.inputs.effects, cube.num_periods
    total = Terms.constants(np.zeros(count))
    if effects is None:
        return total
    pools = np.arange(len(yields.channel))[:, None] * periods + np.arange(periods)[None, :]
    for name, factor in leads_of_effects(activities).items():
        block = activities.blocks[name]
        channel = channels_of_effects(activities, name)
        for pool, own in enumerate(yields.channel.tolist()):
            rows = np.flatnonzero(channel == own)
            value = np.broadcast_to(yields.amount[pool] * factor[rows], (len(rows), periods))
            total = total + Terms(
                np.broadcast_to(pools[pool], value.shape).ravel(),
                block.columns[rows].ravel(),
                value.ravel(),
                np.zeros(count),
            )
    return total
