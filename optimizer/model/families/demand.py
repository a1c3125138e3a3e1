"""Family demand: no market sells more than its potential and what initiatives add to it.

    sum_s sales[s,m,t] <= potential[m,t] + sum_w added[w,m,t] working[w,t]
    sum_m (P / potential[m,t]) sum_s sales[s,m,t] <= P + ...     markets that share one demand, P the largest

for every market (or shared demand) and period with a potential. Units: units of the market. Reference: any
product-mix model (Hillier & Lieberman, ch. 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.context import Context
from optimizer.model.terms import Terms
from optimizer.model.windows import added_demand, demand_potential, demands


def demand(context: Context) -> None:
    """Add one row a demand and period whose potential is finite and that somebody may sell to."""
    cube = context.cube
    group, names = demands(cube)
    reference, potential = demand_potential(cube), cube.markets.potential
    sold = np.zeros(len(names), dtype=np.bool_)
    sold[group[cube.pair_market]] = True
    limited = np.isfinite(reference) & sold[:, None]
    row_of = np.where(limited, np.cumsum(limited).reshape(limited.shape) - 1, -1)
    known = np.isfinite(potential) & (potential > 0)
    weight = np.divide(reference[group], potential, out=np.ones(potential.shape), where=known)
    row = row_of[group[cube.pair_market]]
    used = row >= 0
    upper = reference[limited]
    terms = Terms(row[used], context.cell_columns[used], cube.by_market(weight)[used], np.zeros(len(upper)))

    def labels() -> list[tuple[str, ...]]:
        periods = cube.calendar.period
        return [(names[place], periods[period]) for place, period in np.argwhere(limited)]

    context.builder.add_rows("demand", terms + _added(context, row_of, len(upper)), labels, upper=upper)
    _nothing(context)


def _added(context: Context, row_of: NDArray[np.int64], count: int) -> Terms:
    """What the windows of effects add to each row, on the left-hand side."""
    effects = context.cube.inputs.effects
    total = Terms.constants(np.zeros(count))
    for effect in effects.of("demand") if effects is not None else ():
        assert effects is not None
        added = added_demand(context.cube, effects, effect)
        place, period = np.nonzero((row_of >= 0) & (added != 0.0))
        working = context.activities.blocks["working"].columns[effects.window[effect]]
        total = total + Terms(row_of[place, period], working[period], -added[place, period], np.zeros(count))
    return total


def _nothing(context: Context) -> None:
    """Markets without any potential beside others of their demand sell nothing, whatever the others do."""
    cube = context.cube
    group, _ = demands(cube)
    empty = (cube.markets.potential == 0.0) & (demand_potential(cube)[group] > 0.0)
    pair, period = np.nonzero(cube.by_market(empty))
    if not len(pair):
        return
    cells = context.cell_columns[pair, period]
    names, shown = cube.markets.names, cube.calendar.period
    context.builder.add_rows(
        "demand",
        Terms(np.arange(len(cells)), cells, np.ones(len(cells)), np.zeros(len(cells))),
        lambda: [
            (names[cube.pair_market[at]], shown[when], cube.seat_names[cube.pair_seat[at]])
            for at, when in zip(pair, period, strict=True)
        ],
        upper=0.0,
    )
