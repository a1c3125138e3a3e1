"""The most that markets, seats and pairs can reach: bounds that come from the data, for switches and
checks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import Activities
from optimizer.model.cube import Cube
from optimizer.model.gains import most_organic, most_worked
from optimizer.model.seating import may_be_there, most_of_seats, seat_of_open
from optimizer.model.terms import Terms, sum_by
from optimizer.model.uplifts import Uplifts
from optimizer.model.windows import added_by_seat, added_demand, demand_potential, demands, may_work

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def may_sell(cube: Cube) -> BoolArray:
    """Cells in which a pair may sell at all (P, T): somebody is there or may be, and in run-out periods,
    which rules do not see, something other than a rule bounds it."""
    pooled = np.zeros(len(cube.markets.names), dtype=np.bool_)
    for pool in cube.inputs.sizes:
        pooled[pool.markets] |= not np.isnan(pool.max_share)
    if cube.inputs.funnel is not None:
        pooled |= cube.inputs.funnel.led
    bounded = np.isfinite(cube.markets.potential)[cube.pair_market] | pooled[cube.pair_market][:, None]
    bounded |= np.isfinite(cube.capacity[cube.pair_seat]) & (cube.effort > 0)
    bounded |= np.arange(cube.num_periods) < cube.num_planned
    may = may_be_there(cube)[cube.pair_seat] & bounded
    return np.asarray(may if cube.window is None else may & cube.window, dtype=np.bool_)


@lru_cache(maxsize=4)
def most_demand(cube: Cube) -> FloatArray:
    """Units that each market can take at most (M, T): its potential and everything that effects may add."""
    effects, potential = cube.inputs.effects, cube.markets.potential
    if effects is None or not effects.of("demand"):
        return potential
    group, _ = demands(cube)
    reference = demand_potential(cube)
    most = reference.copy()
    works = may_work(cube, effects)[effects.window]
    for effect in effects.of("demand"):
        most += np.maximum(added_demand(cube, effects, effect), 0.0) * works[effect]
    whole = reference[group]
    known = np.isfinite(whole) & (whole > 0)
    weight = np.divide(potential, whole, out=np.ones(potential.shape), where=known)
    return np.asarray(most[group] * weight, dtype=np.float64)


@lru_cache(maxsize=4)
def most_capacity(cube: Cube) -> FloatArray:
    """Capacity that each seat can have at most (G, T); inf without a limit."""
    effects = cube.inputs.effects
    most: FloatArray = cube.capacity.copy()
    seats = cube.inputs.selling.sellers.open_seats
    if seats is not None:
        own = seat_of_open(cube, seats)
        most[own] = np.where(np.isfinite(most[own]), most_of_seats(cube, seats)[1], most[own])
    if effects is None or not effects.of("capacity"):
        return most
    works = may_work(cube, effects)[effects.window]
    for effect in effects.of("capacity"):
        most += np.maximum(added_by_seat(cube, effects, effect), 0.0) * works[effect]
        if seats is not None:
            basis = most_of_seats(cube, seats)[int(effects.multiplies[effect])]
            touched = (effects.sellers[effect][seats.seller] & seats.limited)[:, None]
            more = max(float(effects.amount[effect]), 0.0) * np.where(touched, basis, 0.0)
            np.add.at(most, seat_of_open(cube, seats), more * works[effect])
    return most


def least_effort(cube: Cube, uplifts: Uplifts | None) -> FloatArray:
    """Capacity that a unit takes at least (P, T), with every effect that saves some at work."""
    if uplifts is None:
        return cube.effort
    effort = cube.effort.copy()
    np.add.at(effort, uplifts.pair, np.minimum(uplifts.effort, 0.0))
    return effort


def most_units(cube: Cube, uplifts: Uplifts | None) -> FloatArray:
    """Units that each pair can sell at most (P, T): what its market takes, and what its seller can do; inf
    where neither is known."""
    capacity, effort = most_capacity(cube)[cube.pair_seat], least_effort(cube, uplifts)
    limited = np.isfinite(capacity) & (effort > 0)
    by_seat = np.divide(capacity, effort, out=np.full(effort.shape, np.inf), where=limited)
    return np.asarray(np.minimum(cube.by_market(most_demand(cube)), by_seat), dtype=np.float64)


def most_without_effort(cube: Cube) -> FloatArray:
    """Units that each pair can sell at most whatever its seller can do (P, T): what its market takes; where
    that has no end, the opportunities that can have come by then. inf where nothing limits it.

    Orders of customers have no such limit: who orders again depends on what was sold before.
    """
    most, funnel = cube.by_market(most_demand(cube)), cube.inputs.funnel
    if funnel is None or np.isfinite(most).all():
        return most
    came = np.cumsum(most_organic(cube) + most_worked(cube) + funnel.opening, axis=1)
    units = came * cube.markets.units_per_deal.max(axis=1, keepdims=True) + np.cumsum(funnel.backlog, axis=1)
    limited = funnel.led.copy()
    limited[funnel.customers.entry_market] = False
    units = np.where(limited[:, None], units, np.inf)
    brought = cube.by_market(units) * cube.win_factor[:, None]
    return np.where(np.isfinite(most), most, brought)


def most_of(activities: Activities, terms: Terms) -> FloatArray:
    """What each expression of sales can come to at most, in size (K,): units by `most_units`, hours on leads
    by the capacity of their seller, facts as they are; inf where nothing limits a part of it."""
    cube, most = activities.cube, np.full(activities.num_columns, np.inf)
    units = most_units(cube, activities.uplifts)
    sizes = {"sales": units}
    if activities.uplifts is not None:
        sizes["uplift"] = units[activities.uplifts.pair]
    leads = activities.blocks.get("lead_hours")
    if leads is not None and leads.pair is not None:
        sizes["lead_hours"] = most_capacity(cube)[cube.pair_seat[leads.pair]]
    for name, size in sizes.items():
        most[activities.blocks[name].columns.ravel()] = size.ravel()
    for name in activities.facts:
        most[activities.blocks[name].columns.ravel()] = 1.0
    used = np.flatnonzero(terms.value)
    part = np.abs(terms.value[used]) * most[terms.column[used]]
    return np.abs(terms.constant) + sum_by(terms.member[used], part, terms.size)
