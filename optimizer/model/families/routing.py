"""Family routing: leads become opportunities of the markets that a yield covers.

    sum_{m in row k} worked[k,m,t] <= yield[k] response[c,t]       a row for several markets is a pool
    worked[k,t] = yield[k] response[c,t]                            where the yield is negative

Several rows of one channel are joint: one campaign feeds several markets at once. Units: opportunities.
Reference: joint products (Hillier & Lieberman, ch. 3).
"""

from __future__ import annotations

import numpy as np

from optimizer.model.context import Context
from optimizer.model.terms import Terms


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
    first = np.array([int(np.argmax(yields.pool == pool)) for pool in range(pools)])
    names = tuple(yields.names[entry] for entry in first)

    def labels() -> list[tuple[str, ...]]:
        shown = context.cube.calendar.period
        return [(f"{pool + 1} {name}", label) for pool, name in enumerate(names) for label in shown]

    lower = np.repeat(np.where(yields.amount < 0, 0.0, -np.inf), periods)
    context.builder.add_rows("routing", terms, labels, lower=lower, upper=0.0)
