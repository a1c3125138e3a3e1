"""Family resources: activities use no more of a resource than there is, or than is bought at its price.

    sum_{s,m} uses[s,m,r] sales[s,m,t] + fixed[r,t] <= capacity[r,t] + extra[r,t]

per period, or summed over the horizon; over the R run-out periods behind a horizon of T once more, with R / T
of its capacity. Units: the resource's own unit; extra_price in currency a unit, part of contribution.
Reference: resource allocation (Hillier & Lieberman, ch. 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import Labels
from optimizer.model.context import Context
from optimizer.model.cube import RUN_OUT
from optimizer.model.terms import Terms, sum_by

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def resources(context: Context) -> None:
    """Add one row a resource and period, or one a resource whose capacity is for the whole horizon."""
    cube, activities = context.cube, context.activities
    table = cube.inputs.resources
    periods = np.arange(cube.num_periods)
    for resource, name in enumerate(table.names):
        limit = table.capacity[resource]
        if not np.isfinite(limit).any():
            continue
        member = periods
        if table.per_horizon[resource]:
            # What is for the whole horizon is so once more for the run-out periods, in proportion.
            member = (periods >= cube.num_planned).astype(np.int64)
            limit = limit[0] * np.array([1.0, cube.num_periods / cube.num_planned - 1.0])
        count = int(member.max()) + 1
        used = activities.uses[resource]
        pairs = np.flatnonzero(used.any(axis=1))
        terms = Terms(
            np.broadcast_to(member, (len(pairs), cube.num_periods)).ravel(),
            context.cell_columns[pairs].ravel(),
            used[pairs].ravel(),
            sum_by(member, _taken(context, resource), count),
        )
        for block, uses in activities.other_uses.items():
            if block in activities.blocks:
                terms = terms + _used_by(activities.blocks[block], uses[resource], member, count)
        if activities.extra_start is not None and np.isfinite(activities.extra_price[resource]):
            column = activities.extra_start + resource * cube.num_periods + periods
            terms = terms + Terms(member, column, np.full(cube.num_periods, -1.0), np.zeros(count))
        labels = _labels(name, ("", RUN_OUT) if table.per_horizon[resource] else cube.calendar.period, count)
        context.builder.add_rows("resources", terms, labels, upper=limit[:count])


def _taken(context: Context, resource: int) -> FloatArray:
    """What is taken whatever is planned (T,): by sellers who are there, and by the sales that are facts.

    Of a capacity by period the facts' periods are over, so that nothing counts there but what was bought
    beyond it at a price.
    """
    table, facts = context.cube.inputs.resources, context.cube.inputs.facts
    taken: FloatArray = table.by_sellers[resource]
    if facts is None:
        return taken
    if not table.per_horizon[resource] and not np.isfinite(table.extra_price[resource]):
        return np.asarray(np.where(np.arange(len(taken)) >= facts.past, taken, 0.0), dtype=np.float64)
    sold = facts.uses[resource].sum(axis=0) if resource in facts.uses else 0.0
    return np.asarray(taken + sold)


def _used_by(block: ActivityBlock, amount: FloatArray, member: IntArray, count: int) -> Terms:
    """What the rows of a block take by period, or over the horizon: `member` (T,) is the row of each."""
    rows = np.flatnonzero(amount)
    return Terms(
        np.broadcast_to(member, (len(rows), block.num_periods)).ravel(),
        block.columns[rows].ravel(),
        np.repeat(amount[rows], block.num_periods),
        np.zeros(count),
    )


def _labels(name: str, spans: tuple[str, ...], count: int) -> Labels:
    """The name, and where there are several rows the span of each."""
    return lambda: [(name, span) if span and count > 1 else (name,) for span in spans[:count]]
