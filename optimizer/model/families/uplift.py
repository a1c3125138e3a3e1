"""Family uplift: units that are sold while an effect works, so that prices, costs and hours of a unit change.

    uplift[w,p,t] <= sales[p,t]
    sum_{p in m} uplift[w,p,t] <= most[m,t] working[w,t]
    sum_{p in m} (sales[p,t] - uplift[w,p,t]) <= most[m,t] (1 - working[w,t])

so that uplift = sales * working exactly, because working is 0 or 1. Uplifts add, they never compound. most is
what potential and capacity allow; without either there is an error. Units: units of the market.
Reference: McCormick 1976.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import ActivityBlock
from optimizer.model.bounds import most_demand, most_units
from optimizer.model.builder import Labels
from optimizer.model.context import Context
from optimizer.model.cube import Cube
from optimizer.model.families.gain import gain
from optimizer.model.families.seat_gain import seat_gain
from optimizer.model.terms import Terms, sum_by
from optimizer.model.uplifts import Uplifts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def uplift(context: Context) -> None:
    """Add the rows that make every uplift the product of its amount and its window: units sold, what enters
    the funnel, what open seats can do."""
    _units(context)
    gain(context)
    seat_gain(context)


def _units(context: Context) -> None:
    """Add the rows of units sold while a window is open."""
    found = context.activities.uplifts
    if found is None:
        return
    block = context.activities.blocks["uplift"]
    sold = context.cell_columns[found.pair]
    count = block.size
    each = np.arange(count)
    own = Terms(each, block.columns.ravel(), np.ones(count), np.zeros(count))
    sales = Terms(each, sold.ravel(), np.full(count, -1.0), np.zeros(count))
    labels = context.builder.column_labels("uplift")
    context.builder.add_rows("uplift", own + sales, labels, upper=0.0)
    _together(context, found, block, sold)


def _together(context: Context, found: Uplifts, block: ActivityBlock, sold: IntArray) -> None:
    """The rows of each window, market and period: nothing while it is closed, everything while it is open."""
    cube, periods = context.cube, context.cube.num_periods
    key = found.window * len(cube.markets.names) + cube.pair_market[found.pair]
    distinct, row = np.unique(key, return_inverse=True)
    window, market = np.divmod(distinct, len(cube.markets.names))
    member = (row[:, None] * periods + np.arange(periods)[None, :]).ravel()
    count = len(distinct) * periods
    most = _most(context, found, member, market).ravel()
    working = context.activities.blocks["working"].columns[window].ravel()
    switch = Terms(np.arange(count), working, -most, np.zeros(count))
    units = Terms(member, block.columns.ravel(), np.ones(len(member)), np.zeros(count))
    sales = Terms(member, sold.ravel(), np.ones(len(member)), np.zeros(count))
    closed = _labels(cube, window, market, "closed")
    context.builder.add_rows("uplift", units + switch, closed, upper=0.0)
    rest = sales + units.scaled(-1.0) + switch.scaled(-1.0)
    context.builder.add_rows("uplift", rest, _labels(cube, window, market, "open"), upper=most)


def _labels(cube: Cube, window: IntArray, market: IntArray, word: str) -> Labels:
    """Labels (window, market, word, period) of each row."""
    effects, initiatives = cube.inputs.effects, cube.inputs.initiatives
    assert effects is not None and initiatives is not None
    names = [
        (f"{one + 1} {initiatives.names[effects.windows[one][0]]}", cube.markets.names[where], word)
        for one, where in zip(window, market, strict=True)
    ]
    return lambda: [(*name, label) for name in names for label in cube.calendar.period]


def _most(context: Context, found: Uplifts, member: IntArray, market: IntArray) -> FloatArray:
    """Units that the pairs of a row can sell at most; raises `InputError` where nothing limits them."""
    cube = context.cube
    each = most_units(cube, context.activities.uplifts)[found.pair]
    shape = (len(market), cube.num_periods)
    most = np.minimum(
        most_demand(cube)[market], sum_by(member, each.ravel(), shape[0] * shape[1]).reshape(shape)
    )
    if not np.isfinite(most).all():
        row = int((~np.isfinite(most)).any(axis=1).argmax())
        raise InputError("effects.uplift_without_limit", market=cube.markets.names[market[row]])
    return most
