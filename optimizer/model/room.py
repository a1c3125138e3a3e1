"""What decisions add to the capacity of seats: seats that are filled, and effects while they work.

    seat_capacity[s,t] + sum_e (added[e,s,t] working[w(e),t] + seat_added[e] seat_gain[w(e),s,t])

in the seat's capacity unit: what family hours has beside capacity[s,t], and metric `capacity` in average
seller-periods.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import Activities
from optimizer.model.seating import seat_of_open
from optimizer.model.terms import Terms
from optimizer.model.windows import added_by_seat
from optimizer.plan.effects import Effects

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def capacity_decided(
    activities: Activities, row_of: IntArray, count: int, worth: FloatArray | None = None
) -> Terms:
    """Capacity that decisions add, summed by the row of each seat and period (G, T), -1 for none, of `count`;
    `worth` (G,) is what a unit of each seat's capacity counts, 1 by default."""
    each = np.ones(len(row_of)) if worth is None else worth
    return _of_open_seats(activities, row_of, count, each) + _of_effects(activities, row_of, count, each)


def _of_open_seats(activities: Activities, row_of: IntArray, count: int, worth: FloatArray) -> Terms:
    """The capacity of open seats since they are filled."""
    seats = activities.cube.inputs.selling.sellers.open_seats
    if seats is None:
        return Terms.constants(np.zeros(count))
    own = seat_of_open(activities.cube, seats)
    place, period = np.nonzero(row_of[own] >= 0)
    columns = activities.blocks["seat_capacity"].columns[place, period]
    return Terms(row_of[own][place, period], columns, worth[own[place]], np.zeros(count))


def _of_effects(activities: Activities, row_of: IntArray, count: int, worth: FloatArray) -> Terms:
    """What effects add to capacities while they work."""
    cube, total = activities.cube, Terms.constants(np.zeros(count))
    effects = cube.inputs.effects
    if effects is None:
        return total
    for effect in effects.of("capacity"):
        added = added_by_seat(cube, effects, effect) * worth[:, None]
        seat, period = np.nonzero((row_of >= 0) & (added != 0.0))
        working = activities.blocks["working"].columns[effects.window[effect]]
        total = total + Terms(row_of[seat, period], working[period], added[seat, period], np.zeros(count))
        total = total + _of_filled(activities, effects, effect, row_of, count, worth)
    return total


def _of_filled(
    activities: Activities, effects: Effects, effect: int, row_of: IntArray, count: int, worth: FloatArray
) -> Terms:
    """What one effect adds to open seats while it works and they are filled."""
    found, seats = activities.seat_gains, activities.cube.inputs.selling.sellers.open_seats
    if found is None or seats is None:
        return Terms.constants(np.zeros(count))
    own = found.of_effect(effects, seats, effect)
    seat = seat_of_open(activities.cube, seats)[found.place[own]]
    place, period = np.nonzero(row_of[seat] >= 0)
    columns = activities.blocks["seat_gain"].columns[own][place, period]
    value = float(effects.amount[effect]) * worth[seat[place]]
    return Terms(row_of[seat][place, period], columns, value, np.zeros(count))
