"""What effects change of a unit that is sold while an initiative works: its price, its cost, its hours.

An *uplift* row is one window of time for one pair: units that the pair sells while the window is open.
Prices, costs and hours that change by the unit are then sums over these units, and effects add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.cube import Cube
from optimizer.plan.effects import Effects

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

CHANGES = ("hours", "price", "unit_cost")


@dataclass(frozen=True, eq=False)
class Uplifts:
    """K rows, a window and a pair each, over T periods."""

    window: IntArray
    """Window of each row (K,)."""
    pair: IntArray
    """Pair of each row (K,)."""
    price: FloatArray
    """Currency by which the price of a unit differs (K, T)."""
    unit_cost: FloatArray
    """Currency by which the cost of a unit differs (K, T)."""
    hours: FloatArray
    """Share by which the hours of a unit differ, added up (K, T)."""
    effort: FloatArray
    """Capacity by which a unit takes more or less (K, T), for sellers whose capacity is time."""


def find_uplifts(cube: Cube) -> Uplifts | None:
    """The uplift rows of a cube; None where no effect changes a unit.

    Raises `InputError` where effects together leave no price, no cost or no hours, and where hours are to
    change that nobody counts.
    """
    effects = cube.inputs.effects
    if effects is None or not effects.of(*CHANGES):
        return None
    wanted = np.zeros((len(effects.windows), cube.num_pairs), dtype=np.bool_)
    for effect in effects.of(*CHANGES):
        wanted[effects.window[effect]] |= touched(cube, effects, effect)
    window, pair = np.nonzero(wanted)
    shape = (len(window), cube.num_periods)
    changed = {change: np.zeros(shape) for change in CHANGES}
    for effect in effects.of(*CHANGES):
        own = (window == effects.window[effect]) & touched(cube, effects, effect)[pair]
        step = step_of_unit(cube, effects, effect)
        changed[effects.changes[effect]][own] += step[pair[own]]
        _check_total(cube, effects, effect, changed[effects.changes[effect]], pair)
    effort = changed["hours"] * np.where(_counts_time(cube)[:, None], cube.effort, 0.0)[pair]
    return Uplifts(window, pair, changed["price"], changed["unit_cost"], changed["hours"], effort)


def _counts_time(cube: Cube) -> BoolArray:
    """Pairs whose seller's capacity is time (P,): hours, or the revenue that a full seller's hours bring."""
    sellers = cube.inputs.selling.sellers
    unit = np.array(sellers.capacity_unit)
    timed = (unit == "hours") | ((unit == "revenue") & np.isfinite(sellers.annual_hours))
    return np.asarray(timed[cube.groups.first][cube.pair_seat], dtype=np.bool_)


def touched(cube: Cube, effects: Effects, effect: int) -> BoolArray:
    """Pairs that an effect is about (P,)."""
    seller = cube.groups.first[cube.pair_seat]
    found = effects.markets[effect][cube.pair_market] & effects.sellers[effect][seller]
    return np.asarray(found, dtype=np.bool_)


def step_of_unit(cube: Cube, effects: Effects, effect: int) -> FloatArray:
    """What one effect adds to each unit of each pair (P, T): currency, or a share of its hours."""
    amount, change = float(effects.amount[effect]), effects.changes[effect]
    size = (cube.num_pairs, cube.num_periods)
    if change == "hours":
        own = touched(cube, effects, effect)
        if not (np.isfinite(cube.hours) & (cube.hours > 0))[own].any():
            raise InputError("effects.no_hours", effects.place[effect])
        if effects.multiplies[effect]:
            return np.full(size, amount)
        shares: FloatArray = np.divide(
            amount, cube.hours, out=np.zeros(size), where=np.nan_to_num(cube.hours) > 0
        )
        return shares
    if not effects.multiplies[effect]:
        return np.full(size, amount)
    price = cube.by_market(cube.markets.price)
    if change == "price":
        return np.asarray(amount * price, dtype=np.float64)
    if not cube.markets.knows_margin:
        raise InputError("effects.no_unit_cost", effects.place[effect])
    return np.asarray(amount * (price - cube.by_market(cube.markets.unit_margin)), dtype=np.float64)


def _check_total(cube: Cube, effects: Effects, effect: int, changed: FloatArray, pair: IntArray) -> None:
    """Refuse effects that together take away all of a price or all hours of a unit."""
    down = np.zeros((cube.num_pairs, cube.num_periods))
    np.add.at(down, pair, np.minimum(changed, 0.0))
    change = effects.changes[effect]
    whole: FloatArray = np.full(down.shape, 1.0 if change == "hours" else np.inf)
    if change == "price":
        whole = cube.by_market(cube.markets.price)
    if (down + whole <= 0).any():
        raise InputError("effects.nothing_left", effects.place[effect], changes=change)
