"""Family headcount: open seats are filled once or not at all, and work from then on.

    sum_u hire[o,u] <= 1
    seat_heads[o,t] = sum_u headcount[o,u,t] hire[o,u]
    seat_capacity[o,t] = sum_u capacity[o,u,t] hire[o,u]                     ramp since the start included
    sales[o,m,t] <= most[m,t] sum_{u: there in t} hire[o,u]                  where sales take no capacity
    sales[o,m,t] <= most[m,t] seat_heads[o,t]                                likewise, for whole roles
    sum_{u <= t} hire[o',u] <= sum_{u <= t} hire[o,u]                        o' equal to o, behind it by name

Sales take no capacity where the seat has none, and where a unit takes none of it: in markets whose hours are
those of opportunities (family lead_hours) others could work them, and a seat that nobody holds would sign the
deals. most comes from the potential, else from the opportunities; an error where neither limits it. Units:
hires, heads, the seat's capacity unit. References: manpower planning by linear programming (Charnes, Cooper &
Niehaus 1972); variable upper bounds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import ActivityBlock
from optimizer.model.bounds import may_sell, most_without_effort
from optimizer.model.builder import Labels
from optimizer.model.context import Context
from optimizer.model.families.staff import staff
from optimizer.model.marketing import by_period
from optimizer.model.personal import personal_terms, rule_columns
from optimizer.model.seating import open_seat_of
from optimizer.model.seats import equal_open_seats
from optimizer.model.terms import Terms
from optimizer.plan.openseats import OpenSeats

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def headcount(context: Context) -> None:
    """Add the rows of open seats, and those of roles."""
    seats = context.cube.inputs.selling.sellers.open_seats
    if seats is not None:
        _open_seats(context, seats)
    staff(context)


def _open_seats(context: Context, seats: OpenSeats) -> None:
    hire = context.activities.blocks["hire"]
    names = tuple(hire.labels["seller"])
    once = Terms(
        np.repeat(np.arange(hire.num_rows), hire.num_periods),
        hire.columns.ravel(),
        np.ones(hire.size),
        np.zeros(hire.num_rows),
    )
    context.builder.add_rows("headcount", once, lambda: [(name, "once") for name in names], upper=1.0)
    for name, by_start in (("seat_heads", seats.headcount), ("seat_capacity", seats.capacity)):
        labels = by_period(names, context.cube.calendar.period, name.removeprefix("seat_"))
        _defined(context, seats, context.activities.blocks[name], by_start, labels)
    _presence(context, seats, hire)
    _in_order(context, seats, hire)


def _defined(
    context: Context, seats: OpenSeats, block: ActivityBlock, by_start: FloatArray, labels: Labels
) -> None:
    """block[o,t] = sum_u by_start[o,u,t] hire[o,u]; whole roles have rows of their own."""
    hire = context.activities.blocks["hire"]
    place, begun, period = np.nonzero(by_start)
    count = block.size
    filled = Terms(
        place * block.num_periods + period,
        hire.columns[place, begun],
        -by_start[place, begun, period],
        np.zeros(count),
    )
    own = Terms(np.arange(count), block.columns.ravel(), np.ones(count), np.zeros(count))
    free = np.repeat(np.where(seats.role < 0, 0.0, np.inf), block.num_periods)
    context.builder.add_rows("headcount", own + filled, labels, lower=0.0 - free, upper=free)


def _presence(context: Context, seats: OpenSeats, hire: ActivityBlock) -> None:
    """A seat sells nothing before it is filled, also where sales take none of its capacity."""
    cube = context.cube
    place = open_seat_of(cube)[cube.pair_seat]
    unlimited = (cube.effort == 0.0) | ~np.isfinite(seats.full[place])
    pair, period = np.nonzero((place >= 0)[:, None] & unlimited & may_sell(cube))
    count, seat = len(pair), place[pair]
    if not count:
        return
    most = _most(context, seats, pair, period)
    # Each start that puts somebody there, or all heads of a whole role.
    member, begun = np.nonzero(seats.presence[seat, :, period] > 0)
    whole = np.flatnonzero(seats.role[seat] >= 0)
    heads = context.activities.blocks["seat_heads"].columns[seat[whole], period[whole]]
    terms = Terms(np.arange(count), context.cell_columns[pair, period], np.ones(count), np.zeros(count))
    terms = terms + Terms(member, hire.columns[seat[member], begun], -most[member], np.zeros(count))
    terms = terms + Terms(whole, heads, -most[whole], np.zeros(count))

    def labels() -> list[tuple[str, ...]]:
        names, shown = cube.markets.names, cube.calendar.period
        return [
            (cube.seat_names[cube.pair_seat[at]], names[cube.pair_market[at]], shown[when])
            for at, when in zip(pair, period, strict=True)
        ]

    context.builder.add_rows("headcount", terms, labels, upper=0.0)


def _most(context: Context, seats: OpenSeats, pair: IntArray, period: IntArray) -> FloatArray:
    """Units that seats can sell at most in some cells; raises `InputError` where nothing limits them."""
    cube = context.cube
    most = most_without_effort(cube)[pair, period]
    endless = np.flatnonzero(~np.isfinite(most))
    if len(endless):
        first = pair[endless[0]]
        row = int(seats.seller[open_seat_of(cube)[cube.pair_seat[first]]])
        raise InputError(
            "people.seat_without_limit",
            cube.inputs.plan.tables["sellers"].place(row, "capacity"),
            market=cube.markets.names[cube.pair_market[first]],
        )
    return most


def _in_order(context: Context, seats: OpenSeats, hire: ActivityBlock) -> None:
    """Of equal seats the first by name is filled first: the same plans, without their permutations."""
    inputs = context.cube.inputs
    found = equal_open_seats(inputs, seats, rule_columns(inputs.plan), personal_terms(inputs))
    names = hire.labels["seller"]
    pairs = [
        (first, second)
        for group in found
        for first, second in zip(
            sorted(group, key=lambda at: names[at]), sorted(group, key=lambda at: names[at])[1:], strict=False
        )
    ]
    if not pairs:
        return
    periods = hire.num_periods
    period, begun = np.nonzero(np.tri(periods, dtype=np.bool_))
    member = np.concatenate([number * periods + period for number in range(len(pairs))])
    first = np.concatenate([hire.columns[one, begun] for one, _ in pairs])
    second = np.concatenate([hire.columns[other, begun] for _, other in pairs])
    nothing = np.zeros(len(pairs) * periods)
    ones = np.ones(len(member))
    terms = Terms(member, second, ones, nothing) + Terms(member, first, -ones, nothing)

    def labels() -> list[tuple[str, ...]]:
        shown = context.cube.calendar.period
        return [(names[other], "after", names[one], label) for one, other in pairs for label in shown]

    context.builder.add_rows("headcount", terms, labels, upper=0.0)
