"""The step that closes most of each gap: the plan kept and solved again with one start more, for every start
that is still possible.

    sell[k]    = free[k] - forecast[k]          what demand and hours allow beyond the plan, nothing started
    gain[i,k]  = started[i][k] - free[k]        what initiative or hire i adds when it starts at once

`forecast`, `free` and `started` are revenue of member k over the horizon with the plan kept: sales at most as
expected in the first, up to what is possible in the other two, so that a gain is the most that a step brings.
Of other targets it is by how much less they are missed, in their own unit.
Budgets and other wishes of the planner do not stop a step; what initiatives require and exclude does. Units:
currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.result.solution import Solution
from optimizer.tracking.decisions import Decision, decisions
from optimizer.tracking.goals import missed_by
from optimizer.tracking.steps import SELL, TARGET, Closing, Step
from optimizer.tracking.tracking import Tracking, as_expected
from optimizer.tracking.view import planned_view
from scenarios.forecast import Forecaster, affordable
from scenarios.pricing import moved
from scenarios.tracking import Tracked

STARTED = ("initiative", "hire")
"""Kinds of decisions of which starting at once is a step; a booking has more money, no earlier start."""
MOST_STARTS = 12
"""Starts that are tried at most."""
_CENT = 0.01
"""Currency below which a member is not short and a step brings nothing."""
_SMALL = 1e-6
"""The same for other targets, as a share."""

_ALONE = 0.5
"""A start above it is one."""

Sums = dict[tuple[str, str], float]
"""(scope, member) -> revenue over the horizon; (`TARGET`, name) -> what a target is missed by, below 0."""


@dataclass(frozen=True)
class Short:
    """What is short: a member of a level, or a target; `gap` is below 0, in `unit`."""

    scope: str
    member: str
    unit: str
    gap: float


def closing_steps(run: Tracked) -> Closing:
    """What each start that is still possible, and selling beyond the plan, brings to what is short.

    Members of levels in revenue, all other targets in the unit of each.

    At most `MOST_STARTS` starts are tried, fewer of a large plan, in the order in which the plan has them;
    what is left is counted.
    """
    short = short_of(run.tracking)
    forecast = run.tracking.forecast
    past = forecast.inputs.past
    if not short or past >= run.solution.plan.calendar.size:
        return Closing()
    forecaster = Forecaster(forecast.inputs, np.full_like(as_expected(run.comparison), np.inf))
    waiting = _waiting(run.solution, past)
    tried = waiting[: affordable(forecaster.program.num_columns, MOST_STARTS)]
    scopes = list(dict.fromkeys(["", *(one.scope for one in short if one.scope != TARGET)]))
    free = forecaster.kept(run.solution)
    before = _sums(free, scopes)
    gains = {(SELL, ""): (_less(before, _sums(forecast, scopes)), _money(free, forecast))}
    for one in tried:
        started = forecaster.kept(run.solution, moved(run.solution, one, past, None))
        gains[one.kind, one.name] = _less(_sums(started, scopes), before), _money(started, free)
    now = {key: gain["", ""] for key, (gain, _) in gains.items() if key[0] != SELL}
    return Closing(_steps(short, gains), now, 1 + len(tried), len(waiting) - len(tried))


def short_of(tracking: Tracking) -> list[Short]:
    """What the forecast leaves short: of the target, of the plan where a member has none."""
    found = []
    for one in tracking.standings:
        gap = one.forecast - (one.plan if one.target is None else one.target)
        if one.metric == "revenue" and gap < -_CENT:
            found.append(Short(one.scope, one.member, "currency", gap))
    missed = [one for one in tracking.goals if one.scope is None and one.gap < -_SMALL * abs(one.asked)]
    return [*found, *(Short(TARGET, one.name, one.unit, one.gap) for one in missed)]


def _waiting(solution: Solution, past: int) -> list[Decision]:
    """Starts that are possible in the first open period and that the plan has later or not."""
    return [
        one
        for one in decisions(solution, past)
        if one.kind in STARTED
        and one.now
        and one.planned != past
        and (one.kind != "initiative" or _fits(solution, one.row, past))
    ]


def _fits(solution: Solution, row: int, past: int) -> bool:
    """Whether an initiative may start in a period beside the others as the plan has them: what it requires
    has begun, and nothing that it excludes or that its group keeps apart is in the plan."""
    found = solution.inputs.initiatives
    assert found is not None
    begun = solution.activities.blocks["start"].values(solution.x) > _ALONE
    ready = all(
        begun[other, : max(past - after + 1, 0)].any() for own, other, after in found.requires if own == row
    )
    others = {sum(pair) - row for pair in found.excludes if row in pair}
    others |= {
        at
        for at, group in enumerate(found.groups)
        if at != row and group and group == found.groups[row] and not np.isnan(found.gap[[row, at]]).all()
    }
    return ready and not any(begun[other].any() for other in others)


def _sums(solution: Solution, scopes: Sequence[str]) -> Sums:
    view = planned_view(solution)
    found = {
        (scope, name): float(row.sum())
        for scope in scopes
        for name, row in (view.by_period("revenue", scope) or {}).items()
    }
    return found | {(TARGET, name): -missed for name, missed in missed_by(solution).items()}


def _less(one: Sums, other: Sums) -> Sums:
    return {key: value - other.get(key, 0.0) for key, value in one.items()}


def _money(one: Solution, other: Solution) -> float | None:
    """Contribution of one less that of the other; None where no margin is known."""
    if not one.inputs.markets.knows_margin:
        return None
    return one.figure("contribution") - other.figure("contribution")


def _steps(
    short: Sequence[Short], gains: Mapping[tuple[str, str], tuple[Sums, float | None]]
) -> tuple[Step, ...]:
    """Every step that brings something to what is short, those that close most of it first; of several that
    close it all, that with most contribution."""
    found = []
    for one in short:
        own = [
            Step(
                one.scope, one.member, one.unit, one.gap, *key, gain.get((one.scope, one.member), 0.0), money
            )
            for key, (gain, money) in gains.items()
        ]
        least = _CENT if one.scope != TARGET else _SMALL * -one.gap
        found += sorted((step for step in own if step.gain >= least), key=_closes)
    return tuple(found)


def _closes(step: Step) -> tuple[float, float]:
    return max(-step.gain, step.gap), -(step.contribution or 0.0)
