"""Family carryover: spending works on in later periods.

    stock[c,t] = sum_a weight[c,a] spend[c,t-a] + opening[c,t]

weight[c,a] = rate^a, or a profile by age; with `normalised` times (1 - rate), or over its sum.
opening[c,t] = opening_stock rate^(t+1). Units: those of the input. Rows without carryover have no
stock: it is their input.
Reference: adstock (Broadbent 1979); Nerlove & Arrow 1962.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.context import Context
from optimizer.model.marketing import by_period
from optimizer.model.terms import Terms

IntArray = NDArray[np.int64]


def carryover(context: Context) -> None:
    """Add the stock of every row with carryover and the rows that define it."""
    marketing = context.cube.inputs.marketing
    if marketing is None:
        return
    spend = context.activities.blocks["spend"].columns
    context.stock = spend
    rows = np.flatnonzero(marketing.has_carryover)
    if not len(rows):
        return
    periods = context.cube.num_periods
    labels = by_period(tuple(marketing.names[row] for row in rows), context.cube.calendar.period)
    count = len(rows) * periods
    start = context.builder.add_columns("stock", count, labels)
    columns = np.arange(start, start + count).reshape(len(rows), periods)
    context.stock = spend.copy()
    context.stock[rows] = columns
    period, earlier = np.nonzero(np.tri(periods, dtype=np.bool_))
    weight = marketing.kernel[rows][:, period - earlier]
    member = np.arange(len(rows))[:, None] * periods + period[None, :]
    kept = weight.ravel() != 0.0
    carried = Terms(
        member.ravel()[kept],
        spend[rows][:, earlier].ravel()[kept],
        weight.ravel()[kept],
        marketing.opening[rows].ravel(),
    )
    stock = Terms(np.arange(count), columns.ravel(), -np.ones(count), np.zeros(count))
    context.builder.add_rows("carryover", carried + stock, labels, lower=0.0, upper=0.0)
