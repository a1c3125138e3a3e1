"""Family even_load: among plans of equal worth, sellers are loaded in proportion to their capacity.

    load_g - level * seats_g = size_g (above_g - below_g)              sellers with a limit, over the horizon
    revenue_{g,t} - level_t * presence_{g,t} = above_{g,t} - below_{g,t}      where no seller has a limit
    distance = sum size (above + below)

Loads and seats are shares of their totals. Each row of loads is divided by size_g, between 0.7 and 1.5: what
is one in it is then a power of two of capacity, and more hours of one seller change his row and not those of
all.

Part of the last stages of the default objective only. Without limits nothing but this spreads the months of a
seller, so each period has a level of its own. Units: capacity of an average seller-period, or currency.
Reference: balanced workloads (Skiera & Jordan 1996).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.context import Context
from optimizer.model.metrics import mean_capacity, seats_of_capacity
from optimizer.model.scopes import Members
from optimizer.model.seating import open_seat_of
from optimizer.model.terms import Terms

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class _Loads:
    """Loads of K members, as shares of their total, and what each should be in multiples of its level."""

    members: Members
    terms: Terms
    weight: FloatArray
    level: IntArray
    size: FloatArray
    """What one of above and below counts in the distance."""


def even_load(context: Context) -> Terms | None:
    """The distance of the seats' loads from their common level; None with fewer than two seats to compare."""
    limited = np.asarray(np.isfinite(context.cube.capacity).all(axis=1), dtype=np.bool_)
    loads = _over_the_horizon(context, limited) if limited.any() else _by_period(context)
    return None if loads is None else _distance(context, loads)


def _over_the_horizon(context: Context, limited: NDArray[np.bool_]) -> _Loads | None:
    """Loads of the seats with a limit; one level for all."""
    cube = context.cube
    capacity = seats_of_capacity(cube)[:, : cube.num_planned].sum(axis=1)
    seats = np.flatnonzero(limited & (capacity > 0))
    if len(seats) < 2:
        return None
    code = np.full(len(limited), -1, dtype=np.int64)
    code[seats] = np.arange(len(seats))
    labels = tuple((cube.seat_names[seat],) for seat in seats)
    everything = np.where(np.arange(cube.num_periods) < cube.num_planned, 0, -1)
    members = Members(labels, code[cube.pair_seat], everything, 1, None)
    whole = mean_capacity(cube) * float(capacity[seats].sum())
    unit = np.where(np.isfinite(whole), np.exp2(np.rint(np.log2(whole))), np.inf)
    terms, level = context.metrics.loads(members, unit), np.zeros(len(seats), dtype=np.int64)
    own = cube.capacity[seats, : cube.num_planned].sum(axis=1)
    return _Loads(members, terms, own / unit[seats], level, unit[seats] / whole[seats])


def _by_period(context: Context) -> _Loads | None:
    """Revenue of every seat and period against its presence; one level a period."""
    cube = context.cube
    presence = cube.presence[:, : cube.num_planned]
    num_seats, num_periods = presence.shape
    if num_seats < 2:
        return None
    shown = cube.calendar.period[:num_periods]
    labels = tuple((name, period) for name in cube.seat_names for period in shown)
    period = np.where(np.arange(cube.num_periods) < num_periods, np.arange(cube.num_periods), -1)
    # Whether an open seat is filled is decided by what it brings, not by how the others are loaded.
    seat = np.where(open_seat_of(cube)[cube.pair_seat] < 0, cube.pair_seat, -1)
    members = Members(labels, seat, period, num_periods, None)
    revenue = context.metrics.summed("revenue", members)
    reach = float(context.magnitude(revenue).sum()) or 1.0
    there = presence.sum(axis=0)
    weight = presence / np.where(there > 0, there, 1.0)
    level = np.tile(np.arange(num_periods), num_seats)
    return _Loads(members, revenue.scaled(1.0 / reach), weight.ravel(), level, np.ones(len(labels)))


def _distance(context: Context, loads: _Loads) -> Terms:
    """Columns level, above and below, the rows that define them, and the sum of above and below."""
    count, members = loads.members.size, loads.members
    num_levels = int(loads.level.max()) + 1

    def labels(*more: str) -> list[tuple[str, ...]]:
        return [(*label, *more) for label in members.labels]

    level = context.builder.add_columns(
        "even_load", num_levels, lambda: [("level", str(number + 1)) for number in range(num_levels)]
    )
    above = context.builder.add_columns("even_load", count, lambda: labels("above"))
    context.builder.add_columns("even_load", count, lambda: labels("below"))
    member = np.arange(count)
    sides = Terms(
        np.tile(member, 3),
        np.concatenate([level + loads.level, above + member, above + count + member]),
        np.concatenate([-loads.weight, np.full(count, -1.0), np.ones(count)]),
        np.zeros(count),
    )
    context.builder.add_rows("even_load", loads.terms + sides, labels, lower=0.0, upper=0.0)
    columns = above + np.arange(2 * count)
    return Terms(np.zeros(2 * count, dtype=np.int64), columns, np.tile(loads.size, 2), np.zeros(1))
