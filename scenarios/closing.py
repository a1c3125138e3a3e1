"""The step that closes most of each gap: the plan kept and solved again with one start more, for every start
that is still possible.

    sell[k]    = free[k] - forecast[k]          what demand and hours allow beyond the plan, nothing started
    gain[i,k]  = started[i][k] - free[k]        what initiative or hire i adds when it starts at once

`forecast`, `free` and `started` are revenue of member k over the horizon with the plan kept: sales at most as
expected in the first, up to what is possible in the other two, so that a gain is the most that a step brings.
Budgets and other wishes of the planner do not stop a step; what initiatives require and exclude does. Units:
currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from optimizer.result.solution import Solution
from optimizer.tracking.decisions import Decision, decisions
from optimizer.tracking.levels import Standing
from optimizer.tracking.steps import SELL, Closing, Step
from optimizer.tracking.tracking import as_expected
from optimizer.tracking.view import planned_view
from scenarios.forecast import Forecaster, affordable
from scenarios.pricing import moved
from scenarios.tracking import Tracked

STARTED = ("initiative", "hire")
"""Kinds of decisions of which starting at once is a step; a booking has more money, no earlier start."""
MOST_STARTS = 12
"""Starts that are tried at most."""
_CENT = 0.01
"""Currency below which a step brings nothing."""

_ALONE = 0.5
"""A start above it is one."""

Sums = Mapping[str, Mapping[str, float]]
"""Scope -> member -> revenue over the horizon."""


def closing_steps(run: Tracked) -> Closing:
    """What each start that is still possible, and selling beyond the plan, brings to members that are short.

    At most `MOST_STARTS` starts are tried, fewer of a large plan, in the order in which the plan has them;
    what is left is counted.
    """
    short = [one for one in run.tracking.standings if one.metric == "revenue" and gap_of(one) < -_CENT]
    forecast = run.tracking.forecast
    past = forecast.inputs.past
    if not short or past >= run.solution.plan.calendar.size:
        return Closing()
    forecaster = Forecaster(forecast.inputs, np.full_like(as_expected(run.comparison), np.inf))
    waiting = _waiting(run.solution, past)
    tried = waiting[: affordable(forecaster.program.num_columns, MOST_STARTS)]
    scopes = list(dict.fromkeys(["", *(one.scope for one in short)]))
    free = forecaster.kept(run.solution)
    before = _sums(free, scopes)
    gains = {(SELL, ""): (_less(before, _sums(forecast, scopes)), _money(free, forecast))}
    for one in tried:
        started = forecaster.kept(run.solution, moved(run.solution, one, past, None))
        gains[one.kind, one.name] = _less(_sums(started, scopes), before), _money(started, free)
    now = {key: gain[""][""] for key, (gain, _) in gains.items() if key[0] != SELL}
    return Closing(_steps(short, gains), now, 1 + len(tried), len(waiting) - len(tried))


def gap_of(one: Standing) -> float:
    """Forecast less target, less the plan where there is no target."""
    return one.forecast - (one.plan if one.target is None else one.target)


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
    return {
        scope: {name: float(row.sum()) for name, row in (view.by_period("revenue", scope) or {}).items()}
        for scope in scopes
    }


def _less(one: Sums, other: Sums) -> Sums:
    return {
        scope: {name: value - other[scope].get(name, 0.0) for name, value in members.items()}
        for scope, members in one.items()
    }


def _money(one: Solution, other: Solution) -> float | None:
    """Contribution of one less that of the other; None where no margin is known."""
    if not one.inputs.markets.knows_margin:
        return None
    return one.figure("contribution") - other.figure("contribution")


def _steps(
    short: Sequence[Standing], gains: Mapping[tuple[str, str], tuple[Sums, float | None]]
) -> tuple[Step, ...]:
    """Every step that brings a member that is short something, those that bring most first."""
    found = []
    for one in short:
        own = [
            Step(one.scope, one.member, gap_of(one), *key, gain[one.scope].get(one.member, 0.0), money)
            for key, (gain, money) in gains.items()
        ]
        found += sorted((step for step in own if step.gain >= _CENT), key=lambda step: -step.gain)
    return tuple(found)
