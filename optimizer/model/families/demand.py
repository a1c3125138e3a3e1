"""Family demand: no market sells more than its potential.

    sum_s sales[s,m,t] <= potential[m,t]      for every market and period with a potential

Units: units of the market. Reference: any product-mix model (Hillier & Lieberman, ch. 3).
"""

from __future__ import annotations

import numpy as np

from optimizer.model.context import Context
from optimizer.model.terms import Terms


def demand(context: Context) -> None:
    """Add one row a market and period whose potential is finite and that somebody may sell to."""
    cube = context.cube
    sold = np.zeros(len(cube.markets.names), dtype=np.bool_)
    sold[cube.pair_market] = True
    limited = np.isfinite(cube.markets.potential) & sold[:, None]
    row_of = np.where(limited, np.cumsum(limited).reshape(limited.shape) - 1, -1)
    row = row_of[cube.pair_market]
    used = row >= 0
    upper = cube.markets.potential[limited]
    terms = Terms(row[used], context.cell_columns[used], np.ones(int(used.sum())), np.zeros(len(upper)))

    def labels() -> list[tuple[str, ...]]:
        names, periods = cube.markets.names, cube.calendar.period
        return [(names[market], periods[period]) for market, period in np.argwhere(limited)]

    context.builder.add_rows("demand", terms, labels, upper=upper)
