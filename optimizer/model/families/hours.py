"""Family hours: a seller sells no more than capacity, ramp and dates allow.

    sum_m effort[s,m,t] sales[s,m,t] <= capacity[s,t]      for every seat with a limit and every period

Units: the seller's capacity unit (hours, deals, units, revenue). Capacity holds the ramp and is 0 outside
from/to.
Reference: workload method (Talley 1961; Lodish 1971).
"""

from __future__ import annotations

import numpy as np

from optimizer.model.context import Context
from optimizer.model.terms import Terms


def hours(context: Context) -> None:
    """Add one row a seat and period whose capacity is finite."""
    cube = context.cube
    limited = np.isfinite(cube.capacity)
    row_of = np.where(limited, np.cumsum(limited).reshape(limited.shape) - 1, -1)
    row = row_of[cube.pair_seat]
    used = (row >= 0) & (cube.effort != 0.0)
    upper = cube.capacity[limited]
    terms = Terms(row[used], context.cell_columns[used], cube.effort[used], np.zeros(len(upper)))

    def labels() -> list[tuple[str, ...]]:
        names, periods = cube.seat_names, cube.calendar.period
        return [(names[seat], periods[period]) for seat, period in np.argwhere(limited)]

    context.builder.add_rows("hours", terms, labels, upper=upper)
