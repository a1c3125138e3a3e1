"""What is to be done this week of a tracked or newly planned year: its tables, and what was solved again for
them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from optimizer.plan.inputs import resolve
from optimizer.plan.load import plan_of
from optimizer.report.monday import Section
from optimizer.report.week import week_sections
from optimizer.result.funnel import activity_targets, has_stages
from optimizer.result.solution import Solution
from optimizer.tracking.cover import cover_frame, pipeline_cover
from optimizer.tracking.decisions import decisions_frame, milestones_frame
from optimizer.tracking.seats import seats_frame
from optimizer.tracking.steps import Closing, Steps, steps_frame
from optimizer.tracking.tracking import as_expected
from scenarios.closing import closing_steps
from scenarios.forecast import Forecaster, affordable
from scenarios.pricing import Pricing
from scenarios.tracking import Tracked

if TYPE_CHECKING:
    import pandas as pd

MOST_SOLVES = 60
"""Solves for delays and assumptions when nobody says how many there may be."""


@dataclass(frozen=True, eq=False)
class Week:
    """Tables steps, decisions, milestones, pipeline_cover, week_activities, open_seats; their sections."""

    frames: dict[str, pd.DataFrame]
    steps: Steps
    closing: Closing
    sections: tuple[Section, ...]


def week_of(run: Tracked, solution: Solution | None = None, solves: int | None = None) -> Week:
    """The week of a tracking, or of the plan of its rest where `solution` is one; at most `solves` solves for
    delays and assumptions, with None as many as the plan's size allows."""
    if solves is None:
        solves = affordable(run.tracking.forecast.model.program.num_columns, MOST_SOLVES)
    today, closing = run.tracking.forecast, closing_steps(run)
    world = today.inputs
    if solution is not None and solves:
        world = resolve(plan_of(run.content))
    if solution is None:
        plan, most, base, now = run.solution, as_expected(run.comparison), today, closing.now
    else:
        assert solution.sales is not None
        plan, most, now = solution, np.asarray(solution.sales), {}
        base = Forecaster(world, most).kept(solution) if solves else today
    steps = Pricing(plan, world, most, solves).all(base, now)
    past = today.inputs.past
    frames = {"steps": steps_frame(closing), "decisions": decisions_frame(steps.priced, plan, past)}
    frames["milestones"] = milestones_frame(plan, past)
    frames |= _of_funnel(plan, today)
    seats = seats_frame(plan, past)
    if len(seats):
        frames["open_seats"] = seats
    calendar = plan.plan.calendar
    period = calendar.period[past] if past < calendar.size else ""
    return Week(frames, steps, closing, week_sections(plan, frames, steps, period))


def _of_funnel(plan: Solution, today: Solution) -> dict[str, pd.DataFrame]:
    """Tables of a plan with a funnel, at the measured rates; activities of open periods only."""
    frames = {}
    past = today.inputs.past
    found = pipeline_cover(plan, today)
    if found is not None:
        frames["pipeline_cover"] = cover_frame(found, plan, past)
    if has_stages(plan) and past < plan.plan.calendar.size:
        measured = replace(plan, inputs=replace(plan.inputs, funnel=today.inputs.funnel))
        table = activity_targets(measured)
        open_periods = list(plan.plan.calendar.period[past:])
        frames["week_activities"] = table[table["period"].isin(open_periods)].reset_index(drop=True)
    return frames
