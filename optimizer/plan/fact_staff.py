"""Hires and leavers of roles that facts tell of, and who is there because of them.

    n[r,a,t] as in family headcount, of opening and joining heads, told hires and told leavers alone

Leavers leave every class of tenure in proportion to its heads: attrition takes the same share of all of them,
so that the heads of a role do not depend on it. Units: heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.names import nearest
from optimizer.plan.roles import Roles
from optimizer.plan.tables import ALL, Table

if TYPE_CHECKING:
    from optimizer.plan.actuals import Facts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

STAFF = ("hires", "leavers")
"""Measures of people without names."""
ROUNDING = 1e-6
"""Heads by which facts may be off: they are written with so many digits."""


@dataclass(frozen=True, eq=False)
class StaffFact:
    """Hires and leavers (T,) of one role, as one row tells them."""

    role: str
    hires: FloatArray
    leavers: FloatArray
    place: Place


def staff_rows(table: Table) -> BoolArray:
    """Rows that tell of hires or leavers (rows,)."""
    given = [~np.isnan(table.numbers(name)) for name in STAFF]
    return np.asarray(given[0] | given[1], dtype=np.bool_)


def staff_facts(
    table: Table, period: IntArray, periods: int, measures: Sequence[str]
) -> tuple[StaffFact, ...]:
    """What rows of the table tell of hires and leavers, a fact each; `measures` are all others.

    Raises `InputError` where a row names no role, has further keys or tells of anything else, where hires are
    not whole, and for a role that is told twice in a period.
    """
    found, seen = [], dict[tuple[str, int], int]()
    others = [name for name in (*table.labels, *measures) if name != "role"]
    for row in range(len(table)):
        role = table.text("role")[row] if "role" in table.labels else ALL
        if role == ALL:
            raise InputError("tracking.staff_of_whom", table.place(row, "role", role))
        for name in others:
            shown = _written(table, name, row)
            if shown:
                raise InputError("tracking.staff_alone", table.place(row, name, shown))
        first = seen.setdefault((role, int(period[row])), row)
        if first != row:
            place = table.place(row, "period", table.text("period")[row])
            raise InputError("tracking.period_twice", place, first=table.place(first).row)
        amounts = np.zeros((2, periods))
        amounts[:, period[row]] = [np.nan_to_num(table.numbers(name)[row]) for name in STAFF]
        if abs(amounts[0].sum() - round(amounts[0].sum())) > ROUNDING:
            raise InputError("tracking.hires_not_whole", table.place(row, "hires", f"{amounts[0].sum():g}"))
        found.append(StaffFact(role, np.round(amounts[0]), amounts[1], table.place(row, "role", role)))
    return tuple(found)


def _written(table: Table, name: str, row: int) -> str:
    """What a row says in a key or a measure; blank where nothing."""
    if name in table.labels:
        label = str(table.text(name)[row])
        return "" if label == ALL else label
    number = table.numbers(name)[row]
    return "" if np.isnan(number) else f"{number:g}"


def staffed(roles: Roles | None, facts: Facts | None) -> Roles | None:
    """The roles with the hires and leavers that facts tell of in closed periods.

    Raises `InputError` for roles that the plan has not, and for more leavers than are there.
    """
    if roles is None or facts is None or not facts.staff:
        return roles
    hired, gone = roles.hired.copy(), roles.gone.copy()
    for one in facts.staff:
        if one.role not in roles.names:
            raise InputError("tracking.role_unknown", one.place, nearest=nearest(one.role, roles.names))
        hired[roles.names.index(one.role)] += one.hires
        gone[roles.names.index(one.role)] += one.leavers
    there = heads_of(roles, hired, gone).sum(axis=1)
    for one in facts.staff:
        role = roles.names.index(one.role)
        for period in np.flatnonzero(there[role] < -ROUNDING).tolist():
            left, before = gone[role, period], gone[role, period] + there[role, period]
            fields = {"leavers": f"{left:g}", "there": f"{before:g}"}
            raise InputError("tracking.leavers_not_there", one.place, **fields)
    return replace(roles, hired=hired, gone=gone)


def heads_of(roles: Roles, hired: FloatArray, gone: FloatArray) -> FloatArray:
    """Heads by class (R, A, T) with these hires and leavers (R, T) and no others; below 0 where more leave
    than are there."""
    rows, periods = hired.shape
    heads = np.zeros((*roles.opening.shape, periods))
    for period in range(periods):
        now = heads[:, :, period]
        if period:
            before = heads[:, :, period - 1] * roles.stay[:, None]
            now[:, 1:] += before[:, :-1]
            now[:, -1] += before[:, -1]
            now[:, 0] += roles.joining[:, period]
        else:
            now += roles.opening
        begun = period - roles.lead
        now[:, 0] += np.where(begun >= 0, hired[np.arange(rows), np.maximum(begun, 0)], 0.0)
        total = now.sum(axis=1, keepdims=True)
        share = np.divide(now, total, out=np.zeros_like(now), where=total > 0)
        share[total[:, 0] <= 0, -1] = 1.0
        now -= gone[:, period : period + 1] * share
    return heads
