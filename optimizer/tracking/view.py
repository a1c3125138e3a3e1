"""Plan, fact and forecast seen alike: a cube of single sellers with its metrics, and one vector each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.context import Context
from optimizer.model.cube import make_cube
from optimizer.model.seats import group_sellers
from optimizer.model.staff import opening_heads, told_heads
from optimizer.plan.inputs import Inputs
from optimizer.result.evaluate import seller_context
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

SUMS = (
    "revenue", "units", "deals", "margin", "contribution", "new_customers", "leads", "opportunities",
    "marketing_cost", "initiative_cost", "hours",
)  # fmt: skip
"""Metrics that plan and fact are compared in, where the plan has them."""


@dataclass(frozen=True)
class View:
    """One way the year goes: the expressions over a cube of single sellers, and the amounts of its
    activities (n,)."""

    context: Context
    x: FloatArray

    def by_period(self, metric: str, scope: str) -> dict[str, FloatArray] | None:
        """A metric of each member of a column (the company with a blank one) by period: label -> (T,).

        None where the plan does not know the metric by this column.
        """
        each: Sequence[str] = (scope, "period") if scope else ("period",)
        metrics = self.context.metrics
        try:
            members = metrics.members(metric, each, {})
            values = metrics.terms(metric, members, {}).values(self.x)
        except InputError:
            return None
        periods = {label: at for at, label in enumerate(self.context.cube.calendar.period)}
        found: dict[str, FloatArray] = {}
        for label, value in zip(members.labels, values.tolist(), strict=True):
            row = found.setdefault(label[0] if scope else "", np.zeros(len(periods)))
            row[periods[label[-1]]] = value
        return found

    def scoped(self, metric: str, where: dict[str, str]) -> FloatArray | None:
        """A metric of one scope by period (T,); None where the plan does not know it there."""
        metrics = self.context.metrics
        try:
            members = metrics.members(metric, ("period",), where)
            values = metrics.terms(metric, members, where).values(self.x)
        except InputError:
            return None
        return values if len(values) == self.context.cube.num_periods else None


def planned_view(solution: Solution) -> View:
    """The plan as it was solved; raises `ValueError` without a plan."""
    return View(seller_context(solution.sellers), solution.x)


def apart_context(inputs: Inputs) -> Context:
    """The expressions over the single sellers of some inputs."""
    names = inputs.selling.sellers.names
    return seller_context(make_cube(inputs, group_sellers(inputs, (), [[] for _ in names], apart=True)))


def fact_view(inputs: Inputs) -> View:
    """What has happened, and nothing of what is ahead: pools of facts, spend and starts of closed periods."""
    context = apart_context(inputs)
    facts = inputs.facts
    assert facts is not None
    x = np.zeros(context.activities.num_columns)
    closed = np.arange(context.cube.num_periods) < facts.past
    for name, block in context.activities.blocks.items():
        amounts = {"spend": facts.spend, "start": facts.starts}.get(name)
        if name in context.activities.facts:
            x[block.start : block.stop] = 1.0
        elif amounts is not None:
            x[block.start : block.stop] = (amounts * closed).ravel()
    if facts.starts is not None and inputs.initiatives is not None and "active" in context.activities.blocks:
        block = context.activities.blocks["active"]
        x[block.start : block.stop] = (_running(facts.starts, inputs.initiatives.duration) * closed).ravel()
    seats = inputs.selling.sellers.open_seats
    if facts.hires is not None and seats is not None and "hire" in context.activities.blocks:
        begun = facts.hires * closed
        for name, amounts in (
            ("hire", begun),
            ("seat_heads", np.einsum("ou,out->ot", begun, seats.headcount)),
        ):
            block = context.activities.blocks[name]
            x[block.start : block.stop] = (amounts * closed).ravel()
    for name, amounts in _told_staff(inputs).items():
        block = context.activities.blocks[name]
        x[block.start : block.stop] = (amounts * closed).ravel()
    if "extra" in context.activities.blocks:
        block = context.activities.blocks["extra"]
        x[block.start : block.stop] = (_bought(context, x) * closed).ravel()
    return View(context, x)


def _told_staff(inputs: Inputs) -> dict[str, FloatArray]:
    """What facts tell of people without names, by block (rows, T)."""
    roles = inputs.roles
    if roles is None:
        return {}
    staff, classes, periods = told_heads(roles), roles.opening.shape[1], roles.hired.shape[1]
    heads = staff.sum(axis=1)
    return {
        "role_hire": roles.hired,
        "role_heads": heads,
        "heads_added": heads - opening_heads(roles, periods),
        "staff": staff.reshape(-1, periods),
        "role_leave": np.repeat(roles.gone / classes, classes, axis=0),
    }


def _bought(context: Context, x: FloatArray) -> FloatArray:
    """What the activities x (n,) and the sales that are facts took beyond capacities by period (R, T)."""
    activities, inputs = context.activities, context.cube.inputs
    table, facts, found = inputs.resources, inputs.facts, np.zeros(activities.fixed_uses.shape)
    assert facts is not None
    priced = np.isfinite(table.extra_price) & ~table.per_horizon
    for resource in np.flatnonzero(priced).tolist():
        taken = activities.fixed_uses[resource].copy()
        if resource in facts.uses:
            taken += facts.uses[resource].sum(axis=0)
        for name, uses in activities.other_uses.items():
            if name in activities.blocks:
                taken += uses[resource] @ activities.blocks[name].values(x)
        limit = table.capacity[resource]
        found[resource] = np.where(np.isfinite(limit), np.maximum(taken - limit, 0.0), 0.0)
    return found


def _running(starts: FloatArray, duration: NDArray[np.int64]) -> FloatArray:
    """Active periods of what has started (I, T)."""
    periods = starts.shape[1]
    age = np.arange(periods)[:, None] - np.arange(periods)[None, :]
    running = (age >= 0)[None] & (age[None] < duration[:, None, None])
    return np.asarray(np.einsum("ius,is->iu", running.astype(np.float64), starts))
