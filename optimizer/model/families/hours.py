"""Family hours: a seller sells no more than capacity, ramp and dates allow.

    sum_{i of owner s} hours[i] active[i,t]
        + sum_m (effort[s,m,t] sales[s,m,t] + lead_hours[s,m,t]
                 + sum_w effort change[w,s,m,t] uplift[w,s,m,t])
        <= capacity[s,t] + seat_capacity[s,t]
           + sum_w (added[w,s,t] working[w,t] + seat_added[w] seat_gain[w,s,t])

for every seat with a limit and every period.

Units: the seller's capacity unit (hours, deals, units, revenue); lead_hours (family of that name) are of
sellers who count in hours. Capacity holds the ramp and is 0 outside
from/to.
Reference: workload method (Talley 1961; Lodish 1971).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.context import Context
from optimizer.model.room import capacity_decided
from optimizer.model.terms import Terms

IntArray = NDArray[np.int64]


def hours(context: Context) -> None:
    """Add one row a seat and period whose capacity is finite."""
    cube = context.cube
    limited = np.isfinite(cube.capacity)
    row_of = np.where(limited, np.cumsum(limited).reshape(limited.shape) - 1, -1)
    upper = cube.capacity[limited]
    terms = capacity_used(context, row_of, len(upper)) + capacity_varying(context, row_of, len(upper))

    def labels() -> list[tuple[str, ...]]:
        names, periods = cube.seat_names, cube.calendar.period
        return [(names[seat], periods[period]) for seat, period in np.argwhere(limited)]

    context.builder.add_rows("hours", terms, labels, upper=upper)


def capacity_used(context: Context, row_of: IntArray, count: int) -> Terms:
    """Capacity that seats use, summed by the row of each seat and period (G, T); -1 is in no row."""
    cube = context.cube
    row = row_of[cube.pair_seat]
    used = (row >= 0) & (cube.effort != 0.0)
    sold = Terms(row[used], context.cell_columns[used], cube.effort[used], np.zeros(count))
    sold = sold + _uplifted(context, row_of, count) + _on_leads(context, row_of, count)
    return sold + _on_initiatives(context, row_of, count)


def capacity_varying(context: Context, row_of: IntArray, count: int) -> Terms:
    """Capacity that decisions add, on the left-hand side, by the row of each seat and period (G, T)."""
    return capacity_decided(context.activities, row_of, count).scaled(-1.0)


def _on_leads(context: Context, row_of: IntArray, count: int) -> Terms:
    """Hours on leads, of sellers who count in hours."""
    leads = context.activities.blocks.get("lead_hours")
    if leads is None or leads.pair is None:
        return Terms.constants(np.zeros(count))
    row = row_of[context.cube.pair_seat[leads.pair]]
    own = row >= 0
    return Terms(row[own], leads.columns[own], np.ones(int(own.sum())), np.zeros(count))


def _on_initiatives(context: Context, row_of: IntArray, count: int) -> Terms:
    """Hours that initiatives take of sellers who own them."""
    total = Terms.constants(np.zeros(count))
    for name, initiative, seller, amount in context.cube.inputs.resources.of_owners:
        row = row_of[context.cube.groups.group[seller]]
        # Nobody has capacity in periods that are facts.
        own = (row >= 0) & (np.arange(len(row)) >= context.cube.inputs.past)
        column = context.activities.blocks[name].columns[initiative][own]
        total = total + Terms(row[own], column, np.full(int(own.sum()), amount), np.zeros(count))
    return total


def _uplifted(context: Context, row_of: IntArray, count: int) -> Terms:
    """What effects change of the capacity that units take while they work."""
    found = context.activities.uplifts
    if found is None:
        return Terms.constants(np.zeros(count))
    row = row_of[context.cube.pair_seat[found.pair]]
    used = (row >= 0) & (found.effort != 0.0)
    columns = context.activities.blocks["uplift"].columns
    return Terms(row[used], columns[used], found.effort[used], np.zeros(count))
