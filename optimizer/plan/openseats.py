"""Open seats: rows of sellers whose start, if any, the plan decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan import phasing
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.plan import Plan
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Ramp = tuple[FloatArray, FloatArray, float]
"""Ages in months, share of full productivity from each age on, and a factor on the shares."""

OPEN = "open"
TENURE_MONTHS = 60.0
"""Expected stay of a hire where nobody says: 20 % leave in a year."""


@dataclass(frozen=True, eq=False)
class OpenSeats:
    """O open seats over T periods, each filled at most once."""

    seller: IntArray
    """Position of each among the sellers (O,)."""
    may_start: BoolArray
    """Periods in which each may be filled (O, T)."""
    headcount: FloatArray
    """Share of each period that somebody is there who starts in a given one (O, start, T)."""
    presence: FloatArray
    """headcount times the ramp (O, start, T)."""
    full: FloatArray
    """Capacity of somebody at full ramp (O, T); inf without a limit."""
    recruiting: FloatArray
    """Currency of a start in each period, pro rata of the expected stay (O, T)."""
    pay: FloatArray
    """Currency a month (O,)."""
    role: IntArray
    """The role that a row stands for as a whole (O,), whose people are planned without names; -1 for a seat
    that one person fills."""

    @property
    def limited(self) -> BoolArray:
        """Seats with a capacity (O,)."""
        return np.asarray(np.isfinite(self.full).all(axis=1), dtype=np.bool_)

    @property
    def capacity(self) -> FloatArray:
        """Capacity by start (O, start, T); 0 for seats without a limit."""
        full = np.where(np.isfinite(self.full), self.full, 0.0)
        return np.asarray(self.presence * full[:, None, :], dtype=np.float64)

    def run_on(self, source: IntArray) -> OpenSeats:
        """The seats with further periods, each like the one at `source`: nobody starts, everybody stays."""
        more = len(source)
        last = self.headcount.shape[2] - 1

        def longer(values: FloatArray) -> FloatArray:
            after = np.repeat(values[:, :, last:], more, axis=2)
            found = np.concatenate([values, after], axis=2)
            return np.concatenate([found, np.zeros((len(values), more, found.shape[2]))], axis=1)

        nobody = np.zeros((len(self.seller), more), dtype=np.bool_)
        return replace(
            self,
            may_start=np.hstack([self.may_start, nobody]),
            headcount=longer(self.headcount),
            presence=longer(self.presence),
            full=np.hstack([self.full, self.full[:, source]]),
            recruiting=np.hstack([self.recruiting, np.zeros(nobody.shape)]),
        )


def open_rows(plan: Plan, table: Table) -> BoolArray:
    """Rows of sellers whose people the plan decides on: open seats, and whole roles."""
    vacant = np.array([status == OPEN for status in table.choices("status")], dtype=np.bool_)
    return np.asarray(vacant | (role_of_rows(plan, table) >= 0), dtype=np.bool_)


def role_of_rows(plan: Plan, table: Table) -> IntArray:
    """The role whose name each seller has (S,); -1 for people with names."""
    names = plan.tables["roles"].text("role") if "roles" in plan.tables else []
    return np.array(
        [names.index(one) if one in names else -1 for one in table.text("seller")], dtype=np.int64
    )


def resolve_open_seats(
    plan: Plan,
    table: Table,
    dates: tuple[NDArray[np.datetime64], NDArray[np.datetime64]],
    ramp_of: Callable[[int], Ramp | None],
    capacity: FloatArray,
    log: AssumptionLog,
) -> OpenSeats | None:
    """Arrays of open seats; None without any. `capacity` (S, T) is that at full ramp, `dates` are the columns
    from and to: the earliest start, and the end.

    Recruiting is charged pro rata: hiring_cost * min(1, months from the start to the end of the plan /
    tenure).
    """
    rows = np.flatnonzero(open_rows(plan, table))
    if not len(rows):
        return None
    role = role_of_rows(plan, table)[rows]
    unlimited = (role >= 0) & ~np.isfinite(capacity[rows]).all(axis=1)
    if unlimited.any():
        raise InputError(
            "people.role_without_capacity", table.place(int(rows[unlimited.argmax()]), "capacity")
        )
    shape = (len(rows), plan.calendar.size, plan.calendar.size)
    headcount, presence = np.zeros(shape), np.zeros(shape)
    headcount[role < 0], presence[role < 0] = _by_start(plan, rows[role < 0], dates, ramp_of)
    return OpenSeats(
        seller=rows,
        may_start=np.asarray(headcount.any(axis=2), dtype=np.bool_),
        headcount=headcount,
        presence=presence,
        full=capacity[rows],
        recruiting=_recruiting(plan, table, rows, log),
        pay=np.nan_to_num(table.numbers("cost")[rows]),
        role=role,
    )


def _by_start(
    plan: Plan,
    rows: IntArray,
    dates: tuple[NDArray[np.datetime64], NDArray[np.datetime64]],
    ramp_of: Callable[[int], Ramp | None],
) -> tuple[FloatArray, FloatArray]:
    """Headcount, and headcount times ramp, of each seat by the period of its start (rows, start, T)."""
    calendar, (starts, ends) = plan.calendar, dates
    size = calendar.size
    headcount, presence = (np.zeros((len(rows), size, size)) for _ in range(2))
    for place, seller in enumerate(rows.tolist()):
        ramp = ramp_of(seller)
        for begun in range(size):
            day = calendar.starts[begun].astype("datetime64[D]")
            if not np.isnat(starts[seller]):
                day = max(day, starts[seller].astype("datetime64[D]"))
            there = phasing.presence(calendar, day, ends[seller])
            if there[begun] <= 0:
                continue
            headcount[place, begun] = there
            share = 1.0 if ramp is None else _share(phasing.ramp_shares(calendar, day, *ramp[:2]), ramp[2])
            presence[place, begun] = there * share
    return headcount, presence


def _recruiting(plan: Plan, table: Table, rows: IntArray, log: AssumptionLog) -> FloatArray:
    """Currency of a start of each seat in each period (O, T), pro rata of the expected stay."""
    size = plan.calendar.size
    left = (size - np.arange(size)) * 12.0 / plan.calendar.periods_a_year
    tenure = table.numbers("tenure")[rows]
    cost = np.nan_to_num(table.numbers("hiring_cost")[rows])
    blank = int((np.isnan(tenure) & (cost > 0)).sum())
    log.note("tenure", "sellers", "tenure", blank, TENURE_MONTHS, "months")
    stay = np.where(np.isnan(tenure), TENURE_MONTHS * log.factor("tenure"), tenure)
    return np.asarray(cost[:, None] * np.minimum(left[None, :] / stay[:, None], 1.0), dtype=np.float64)


def _share(shares: FloatArray, factor: float) -> FloatArray:
    return np.asarray(np.minimum(shares * factor, 1.0), dtype=np.float64)
