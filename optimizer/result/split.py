"""From the plan of seat groups and run-out periods to the plan of single sellers in its own periods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import Activities, ActivityBlock
from optimizer.model.cube import split_by_seller

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SALES = "sales"


def plan_of_sellers(activities: Activities, sellers: Activities, x: FloatArray) -> FloatArray:
    """The amounts `x` of the columns of `activities` as those of the columns of `sellers`, whose cube has
    every seller apart and no run-out periods.

    What belongs to a pair is split like its sales, everything else belongs to nobody and stays as it is.
    """
    parts = []
    for name, block in sellers.blocks.items():
        if block.stands_for is not None:
            continue
        values = activities.blocks[name].values(x)[:, : block.num_periods]
        if name == SALES:
            values = split_by_seller(activities.cube, sellers.cube, np.maximum(values, 0.0))
        elif block.pair is not None:
            values = _split(activities, sellers, name, values)
        parts.append(values.ravel())
    return np.concatenate(parts)


def sales_after(activities: Activities, sellers: Activities, x: FloatArray) -> FloatArray:
    """Units that single sellers sell in run-out periods, by pair (P, R)."""
    sold = activities.blocks[SALES].values(x)[:, sellers.cube.num_periods :]
    return split_by_seller(activities.cube, sellers.cube, np.maximum(sold, 0.0))


def opening_worked(activities: Activities, x: FloatArray) -> FloatArray | None:
    """Deals of before the plan that are worked on, by market and period (M, T + R); None where there are
    none."""
    block = activities.blocks.get("opening")
    if block is None:
        return None
    assert block.markets is not None
    found = np.zeros((len(activities.cube.markets.names), block.num_periods))
    found[block.markets] = np.maximum(block.values(x), 0.0)
    return found


def _split(activities: Activities, sellers: Activities, name: str, values: FloatArray) -> FloatArray:
    """Amounts of rows that belong to pairs of seat groups, as those of pairs of single sellers."""
    mine, theirs = activities.blocks[name], sellers.blocks[name]
    own_kind, kind = _kinds(activities, mine), _kinds(sellers, theirs)
    assert mine.pair is not None and theirs.pair is not None
    found = np.zeros((theirs.num_rows, theirs.num_periods))
    for one in np.unique(kind):
        of_pairs = np.zeros((activities.cube.num_pairs, theirs.num_periods))
        own, rows = own_kind == one, kind == one
        of_pairs[mine.pair[own]] = values[own]
        found[rows] = split_by_seller(activities.cube, sellers.cube, of_pairs)[theirs.pair[rows]]
    return found


def _kinds(activities: Activities, block: ActivityBlock) -> IntArray:
    """What tells the rows of one pair apart: the window of uplifts (rows,)."""
    if block.name == "uplift" and activities.uplifts is not None:
        return activities.uplifts.window
    return np.zeros(block.num_rows, dtype=np.int64)
