"""Part of family headcount: people without names, by tenure.

    n[r,0,t] = hire[r,t-lead] + joining[r,t], and opening[r,0] in t = 0
    n[r,a,t] = stay[r] n[r,a-1,t-1] - leave[r,a,t]                                        1 <= a < A - 1
    n[r,A-1,t] = stay[r] (n[r,A-2,t-1] + n[r,A-1,t-1]) - leave[r,A-1,t]
    heads[r,t] = sum_a n[r,a,t],  least[r] <= heads[r,t] <= most[r]
    sum_t hire[r,t] <= hire_max[r],  sum_{a,t} leave[r,a,t] <= leave_max[r]
    sum_{a: not at full ramp} n[r,a,t] <= training[r]
    all heads[r,t] <= span[r] all heads[leader of r,t]
    seat_heads[r,t] = heads[r,t],  seat_capacity[r,t] = capacity of a head[t] sum_a ramp[r,a] n[r,a,t]
    sum_{s of r} used[s,t] <= (1 - loss[r,t]) sum_{s of r} capacity[s,t]         people with names

stay = (1 - attrition)^(1 / periods a year); heads are expected values, only hires are whole. Attrition of
people with names lowers what they do together, never what one of them may do. all heads are those of the
role and the people with names whose label `role` it is. Units: heads. Reference: manpower planning (Charnes,
Cooper & Niehaus 1972).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import Labels
from optimizer.model.context import Context
from optimizer.model.families.hours import capacity_used, capacity_varying
from optimizer.model.marketing import by_period
from optimizer.model.seating import seat_of_open
from optimizer.model.staff import opening_heads, told_heads
from optimizer.model.terms import Terms
from optimizer.plan.roles import Roles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def staff(context: Context) -> None:
    """Add the rows of roles."""
    roles = context.cube.inputs.roles
    if roles is None:
        return
    _flow(context, roles)
    _heads(context, roles)
    _limits(context, roles)
    _leaders(context, roles)
    _selling(context, roles)
    _named(context, roles)


def _columns(context: Context, name: str, roles: Roles) -> IntArray:
    """Columns of a block by role, class and period (R, A, T)."""
    rows, classes = roles.opening.shape
    return context.activities.blocks[name].columns.reshape(rows, classes, -1)


def _flow(context: Context, roles: Roles) -> None:
    """Who is there in each class: those of the class before, less who leaves; hires in the first."""
    n, leave = _columns(context, "staff", roles), _columns(context, "role_leave", roles)
    hire = context.activities.blocks["role_hire"].columns
    rows, classes, periods = n.shape
    member = np.arange(n.size).reshape(n.shape)
    nothing, stay = np.zeros(n.size), np.broadcast_to(-roles.stay[:, None, None], n.shape)
    opening = np.zeros(n.shape)
    opening[:, 0] = roles.joining
    opening[:, :, 0] = roles.opening
    terms = Terms(member.ravel(), n.ravel(), np.ones(n.size), -opening.ravel())
    terms = terms + Terms(member.ravel(), leave.ravel(), np.ones(n.size), nothing)
    older = member[:, 1:, 1:]
    terms = terms + Terms(older.ravel(), n[:, :-1, :-1].ravel(), stay[:, 1:, 1:].ravel(), nothing)
    oldest = member[:, -1, 1:]
    terms = terms + Terms(oldest.ravel(), n[:, -1, :-1].ravel(), stay[:, -1, 1:].ravel(), nothing)
    for row in range(rows):
        lead = min(int(roles.lead[row]), periods)
        begun = hire[row, : periods - lead]
        terms = terms + Terms(member[row, 0, lead:], begun, np.full(len(begun), -1.0), nothing)
    names = tuple(f"{name} {age}" for name in roles.names for age in range(classes))
    labels = by_period(names, context.cube.calendar.period)
    context.builder.add_rows("headcount", terms, labels, lower=0.0, upper=0.0)


def _sum_of_classes(context: Context, roles: Roles, weight: FloatArray) -> Terms:
    """sum_a weight[r,a] n[r,a,t], one expression a role and period."""
    n = _columns(context, "staff", roles)
    rows, _, periods = n.shape
    member = np.arange(rows)[:, None, None] * periods + np.arange(periods)[None, None, :]
    value = np.broadcast_to(weight[:, :, None], n.shape)
    kept = value.ravel() != 0.0
    return Terms(
        np.broadcast_to(member, n.shape).ravel()[kept],
        n.ravel()[kept],
        value.ravel()[kept],
        np.zeros(rows * periods),
    )


def _own(block: ActivityBlock) -> Terms:
    return Terms(np.arange(block.size), block.columns.ravel(), np.ones(block.size), np.zeros(block.size))


def _heads(context: Context, roles: Roles) -> None:
    """Heads of each role, and how many more than attrition alone would leave."""
    blocks, shown = context.activities.blocks, context.cube.calendar.period
    heads = _own(blocks["role_heads"])
    everybody = _sum_of_classes(context, roles, np.ones(roles.opening.shape))
    builder, names = context.builder, roles.names
    defined = heads + everybody.scaled(-1.0)
    builder.add_rows("headcount", defined, by_period(names, shown, "role heads"), lower=0.0, upper=0.0)
    added = _own(blocks["heads_added"]) + heads.scaled(-1.0)
    base = -opening_heads(roles, context.cube.num_periods).ravel()
    builder.add_rows("headcount", added, by_period(names, shown, "heads added"), lower=base, upper=base)


def _limits(context: Context, roles: Roles) -> None:
    """Hires and leavers over the plan, and newcomers at a time."""
    rows, classes = roles.opening.shape
    periods = context.cube.num_periods
    for word, block, limit, told, per in (
        ("hires", "role_hire", roles.hire_max, roles.hired.sum(axis=1), 1),
        ("leavers", "role_leave", roles.leave_max, roles.gone.sum(axis=1), classes),
    ):
        own = np.flatnonzero(np.isfinite(limit) & (limit > 0))
        most = np.maximum(limit, told)
        columns = context.activities.blocks[block].columns.reshape(rows, per * periods)[own]
        member = np.repeat(np.arange(len(own)), per * periods)
        terms = Terms(member, columns.ravel(), np.ones(columns.size), np.zeros(len(own)))
        names = [(roles.names[row], word) for row in own]
        if len(own):
            context.builder.add_rows("headcount", terms, _named_rows(names), upper=most[own])
    _told_leavers(context, roles)
    learning = (roles.ramp < roles.ramp[:, -1:]).astype(np.float64)
    own = np.flatnonzero(np.isfinite(roles.training) & learning.any(axis=1))
    if len(own):
        weight = np.zeros(learning.shape)
        weight[own] = learning[own]
        labels = by_period(roles.names, context.cube.calendar.period, "training")
        upper = np.where(np.isin(np.arange(rows), own), roles.training, np.inf)[:, None]
        newcomers = np.einsum("ra,rat->rt", learning, told_heads(roles))
        upper = _asked_of_rest(context, np.repeat(upper, periods, axis=1), newcomers)
        terms = _sum_of_classes(context, roles, weight)
        context.builder.add_rows("headcount", terms, labels, upper=upper.ravel())


def _told_leavers(context: Context, roles: Roles) -> None:
    """As many leavers of closed periods as facts tell of, whatever their tenure."""
    told = np.argwhere(roles.gone > 0)
    if not len(told):
        return
    columns = _columns(context, "role_leave", roles)[told[:, 0], :, told[:, 1]]
    member = np.repeat(np.arange(len(told)), columns.shape[1])
    terms = Terms(member, columns.ravel(), np.ones(columns.size), np.zeros(len(told)))
    period = context.cube.calendar.period
    names = [(roles.names[role], period[at], "told leavers") for role, at in told.tolist()]
    amounts = roles.gone[told[:, 0], told[:, 1]]
    context.builder.add_rows("headcount", terms, _named_rows(names), lower=amounts, upper=amounts)


def _asked_of_rest(context: Context, upper: FloatArray, left: FloatArray) -> FloatArray:
    """Upper bounds (rows, T) that ask nothing of closed periods and give way to what these have left."""
    past = context.cube.inputs.past
    if not past:
        return upper
    closed = np.arange(upper.shape[1]) < past
    return np.where(closed, np.inf, np.maximum(upper, left))


def _named_rows(names: Sequence[tuple[str, ...]]) -> Labels:
    return lambda: names


def _leaders(context: Context, roles: Roles) -> None:
    """Spans and support: no more heads than those who lead or support them can take."""
    periods = context.cube.num_periods
    for row, leader, ratio, word in roles.led:
        led, leading = (_all_heads(context, roles, role) for role in (row, leader))
        labels = by_period((roles.names[row],), context.cube.calendar.period, word, roles.names[leader])
        assert led.size == periods
        heads = told_heads(roles).sum(axis=1)
        left = heads[row] + led.constant - ratio * (heads[leader] + leading.constant)
        upper = _asked_of_rest(context, np.zeros((1, periods)), left[None, :])
        terms = led + leading.scaled(-ratio)
        context.builder.add_rows("headcount", terms, labels, upper=upper.ravel())


def _all_heads(context: Context, roles: Roles, role: int) -> Terms:
    """Heads of a role and of the named people whose label `role` it is, by period."""
    cube, blocks = context.cube, context.activities.blocks
    periods, sellers = np.arange(cube.num_periods), cube.inputs.selling.sellers
    named = np.array([text == roles.names[role] for text in sellers.labels.get("role", [])], dtype=np.bool_)
    there = sellers.headcount[named].sum(axis=0) if len(named) else np.zeros(len(periods))
    own = blocks["role_heads"].columns[role]
    total = Terms(periods, own, np.ones(len(periods)), there)
    seats = sellers.open_seats
    if seats is None or not len(named):
        return total
    place = np.flatnonzero(named[seats.seller] & (seats.role < 0))
    columns = blocks["seat_heads"].columns[place]
    member = np.tile(periods, len(place))
    return total + Terms(member, columns.ravel(), np.ones(columns.size), np.zeros(len(periods)))


def _selling(context: Context, roles: Roles) -> None:
    """Rows of sellers that are a whole role: its heads, and what they can do together."""
    seats = context.cube.inputs.selling.sellers.open_seats
    if seats is None:
        return
    periods, blocks = context.cube.num_periods, context.activities.blocks
    full = np.where(np.isfinite(seats.full), seats.full, 0.0)
    for place in np.flatnonzero(seats.role >= 0).tolist():
        role = int(seats.role[place])
        span = np.arange(role * periods, (role + 1) * periods)
        for name, weight, each in (
            ("seat_heads", np.ones(roles.opening.shape), np.ones(periods)),
            ("seat_capacity", roles.ramp, full[place]),
        ):
            summed = _sum_of_classes(context, roles, weight)
            inside = np.isin(summed.member, span)
            period = summed.member[inside] - role * periods
            column = blocks[name].columns[place]
            terms = Terms(np.arange(periods), column, np.ones(periods), np.zeros(periods)) + Terms(
                period, summed.column[inside], -summed.value[inside] * each[period], np.zeros(periods)
            )
            labels = by_period((roles.names[role],), context.cube.calendar.period, name)
            context.builder.add_rows("headcount", terms, labels, lower=0.0, upper=0.0)


def _named(context: Context, roles: Roles) -> None:
    """Named people of a role do together what is left after the attrition that is expected of them."""
    cube = context.cube
    texts = cube.inputs.selling.sellers.labels.get("role")
    if texts is None:
        return
    role_of = np.array([texts[seller] for seller in cube.groups.first], dtype=object)
    units = np.array(cube.inputs.selling.sellers.capacity_unit)[cube.groups.first]
    limited = np.isfinite(cube.capacity).all(axis=1)
    of_role = np.zeros(len(role_of), dtype=np.bool_)
    seats = cube.inputs.selling.sellers.open_seats
    if seats is not None:
        of_role[seat_of_open(cube, seats)[seats.role >= 0]] = True
    periods = cube.num_periods
    for role, name in enumerate(roles.names):
        for unit in dict.fromkeys(units[limited & (role_of == name) & ~of_role].tolist()):
            own = limited & (role_of == name) & (units == unit) & ~of_role
            if not roles.loss[role].any():
                continue
            row_of = np.where(own[:, None], np.arange(periods)[None, :], -1)
            left = 1.0 - roles.loss[role]
            terms = capacity_used(context, row_of, periods)
            terms = terms + capacity_varying(context, row_of, periods).scaled(left)
            labels = by_period((name,), cube.calendar.period, "attrition", *([unit] if unit else []))
            upper = left * cube.capacity[own].sum(axis=0)
            context.builder.add_rows("headcount", terms, labels, upper=upper)
