"""What has to be decided: initiatives, hires and bookings ahead, and the last period in which each counts.

initiative    may start, and one of its effects works within the horizon
hire          the seat may be filled, and somebody who starts then sells within the horizon
booking       the row of marketing may run, and the first sale of what it brings lies within the horizon
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.initiatives import Initiatives
from optimizer.plan.marketing import Marketing
from optimizer.plan.sellers import dates
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]
Kind = Literal["initiative", "hire", "booking"]

COLUMNS = ("kind", "name", "owner", "planned", "last", "delay_revenue", "delay_contribution", "now_revenue")
MILESTONE_COLUMNS = ("initiative", "owner", "milestone", "due", "start", "state")
_NOISE = 1e-6


@dataclass(frozen=True)
class Decision:
    """One thing to be decided; periods count from 0."""

    kind: Kind
    block: str
    """The activities whose row `row` it is."""
    row: int
    name: str
    owner: str
    planned: int | None
    """Open period in which the plan has it first; None where it has not."""
    last: int
    """Last period in which it counts, -1 for none; before the first open one where it is too late."""
    now: bool
    """Whether it may begin in the first open period."""


@dataclass(frozen=True)
class Priced:
    """What a period of delay loses, and what starting at once would make possible, by solving again; None
    where it was not asked."""

    decision: Decision
    delay_revenue: float | None = None
    delay_contribution: float | None = None
    now_revenue: float | None = None


def decisions(solution: Solution, past: int) -> list[Decision]:
    """What the plan still has to decide from period `past` on, the earliest first."""
    if past >= solution.plan.calendar.size:
        return []
    found = [
        *_initiatives(solution, past),
        *_hires(solution, past),
        *_role_hires(solution, past),
        *_bookings(solution, past),
    ]
    late = solution.plan.calendar.size
    return sorted(found, key=lambda one: (late if one.planned is None else one.planned, one.name))


def _first(amounts: FloatArray, past: int) -> int | None:
    """The first open period with an amount; None where there is none."""
    at = np.flatnonzero(amounts[past:] > _NOISE)
    return past + int(at[0]) if len(at) else None


def _initiatives(solution: Solution, past: int) -> list[Decision]:
    found, block = solution.inputs.initiatives, solution.activities.blocks.get("start")
    if found is None or block is None:
        return []
    begun = block.values(solution.x)
    owners = solution.plan.tables["initiatives"].choices("owner")
    last = last_useful(solution, found)
    return [
        Decision(
            "initiative",
            "start",
            row,
            name,
            owners[row],
            _first(begun[row], past),
            last[row],
            bool(found.may_start[row, past]),
        )
        for row, name in enumerate(found.names)
        if not (begun[row, :past] > 0.5).any()
    ]


def last_useful(solution: Solution, found: Initiatives) -> list[int]:
    """The last period in which each initiative may start so that one of its effects still works within the
    horizon; -1 where none is left. Without effects its dates alone count."""
    effects, size = solution.inputs.effects, solution.plan.calendar.size
    after = {row: 0 for row in range(len(found.names))}
    if effects is not None:
        first: dict[int, int] = {}
        for initiative, delay, _ in effects.windows:
            first[initiative] = min(delay, first.get(initiative, delay))
        after |= first
    return [_latest(found.may_start[row, : max(size - after[row], 0)]) for row in range(len(found.names))]


def _latest(may: NDArray[np.bool_]) -> int:
    at = np.flatnonzero(may)
    return int(at[-1]) if len(at) else -1


def _hires(solution: Solution, past: int) -> list[Decision]:
    sellers, block = solution.inputs.selling.sellers, solution.activities.blocks.get("hire")
    seats = sellers.open_seats
    if seats is None or block is None:
        return []
    size = solution.plan.calendar.size
    begun, sells = block.values(solution.x), seats.presence[:, :size, :size].sum(axis=2) > 0
    managers = sellers.labels.get("manager", [""] * len(sellers.names))
    return [
        Decision(
            "hire", "hire", row, sellers.names[seller], managers[seller], _first(begun[row], past),
            _latest(seats.may_start[row, :size] & sells[row]), bool(seats.may_start[row, past]),
        )
        for row, seller in enumerate(seats.seller.tolist())
        if not (begun[row, :past] > 0.5).any()
    ]  # fmt: skip


def _role_hires(solution: Solution, past: int) -> list[Decision]:
    roles, block = solution.inputs.roles, solution.activities.blocks.get("role_hire")
    if roles is None or block is None:
        return []
    hired, size = block.values(solution.x), solution.plan.calendar.size
    grown = np.where(roles.ramp.any(axis=1), (roles.ramp > 0).argmax(axis=1), 0)
    useful = [
        roles.may_hire[row, : max(size - int(roles.lead[row] + grown[row]), 0)] for row in range(len(grown))
    ]
    return [
        Decision(
            "hire",
            "role_hire",
            row,
            name,
            "",
            _first(hired[row], past),
            _latest(useful[row]),
            bool(roles.may_hire[row, past]),
        )
        for row, name in enumerate(roles.names)
    ]


def _bookings(solution: Solution, past: int) -> list[Decision]:
    marketing, block = solution.inputs.marketing, solution.activities.blocks.get("spend")
    if marketing is None or block is None:
        return []
    spend, size = block.values(solution.x), solution.plan.calendar.size
    found = []
    for row, name in enumerate(marketing.names):
        planned = _first(spend[row], past)
        if planned is not None:
            may = marketing.active[row, : max(size - _lead(solution, marketing, row), 0)]
            found.append(
                Decision(
                    "booking",
                    "spend",
                    row,
                    name,
                    "",
                    planned,
                    _latest(may),
                    bool(marketing.active[row, past]),
                )
            )
    return found


def _lead(solution: Solution, marketing: Marketing, row: int) -> int:
    """Periods between an input of a row of marketing and the first sale that it brings."""
    funnel = solution.inputs.funnel
    carried = int(np.flatnonzero(marketing.kernel[row])[0]) if marketing.kernel[row].any() else 0
    own = marketing.yields.channel[marketing.yields.pool] == row
    if funnel is None or not own.any():
        return carried
    lag = funnel.of_yield.lag[own].any(axis=0)
    return carried + (int(np.flatnonzero(lag)[0]) if lag.any() else 0)


def decisions_frame(priced: Sequence[Priced], solution: Solution, past: int) -> pd.DataFrame:
    """One row a decision that is not made in periods before `past`.

    Columns: kind (initiative, hire, booking), name, owner; planned (period; blank where the plan has it not)
    and last (last period in which it still counts; blank where none is left); delay_revenue and
    delay_contribution (currency that a period of delay loses) and now_revenue (currency that starting at once
    would make possible); blank where nothing was solved for it.
    """
    periods = solution.plan.calendar.period
    rows = [
        (
            one.decision.kind, one.decision.name, one.decision.owner,
            "" if one.decision.planned is None else periods[one.decision.planned],
            "" if one.decision.last < past else periods[one.decision.last],
            one.delay_revenue, one.delay_contribution, one.now_revenue,
        )
        for one in priced
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS[:5], "str") | dict.fromkeys(COLUMNS[5:], "float64"))


def milestones_frame(solution: Solution, past: int) -> pd.DataFrame:
    """One row a milestone with a date.

    Columns: initiative, owner, milestone, due; start (period; blank where the plan has it not); state: late
    (due, and the planned start is still ahead), slips (due before the planned start), ask (due, and the
    initiative runs: whether it is reached is not told), ahead, none (the plan does not start it).
    """
    found, block = solution.inputs.initiatives, solution.activities.blocks.get("start")
    if found is None or block is None:
        return pd.DataFrame({name: [] for name in MILESTONE_COLUMNS}).astype("str")
    table, calendar = solution.plan.tables["initiatives"], solution.plan.calendar
    due, names, owners = dates(table, "due"), table.choices("milestone"), table.choices("owner")
    begun = block.values(solution.x)[:, : calendar.size] > 0.5
    today = calendar.ends[-1] if past >= calendar.size else calendar.starts[past]
    rows = []
    for row in np.flatnonzero(~np.isnat(due)).tolist():
        start = int(begun[row].argmax()) if begun[row].any() else None
        if start is None:
            state = "none"
        elif due[row] < today:
            state = "ask" if start < past else "late"
        else:
            state = "slips" if calendar.starts[start] > due[row] else "ahead"
        shown = "" if start is None else calendar.period[start]
        rows.append((found.names[row], owners[row], names[row], str(due[row]), shown, state))
    return pd.DataFrame(rows, columns=list(MILESTONE_COLUMNS)).astype("str")
