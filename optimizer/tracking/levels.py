"""Plan, fact and forecast of every metric on every level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.actuals import Facts
from optimizer.plan.plan import Plan
from optimizer.result.solution import Solution
from optimizer.tracking.view import SUMS, View

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Light = Literal["green", "amber", "red"]

COSTS = ("marketing_cost", "initiative_cost", "hours")
"""Metrics of which more is not better."""
_TOLD = 1e-6
_DAYS_A_WEEK = 7.0


@dataclass(frozen=True)
class Standing:
    """One metric of one member: to date over the periods that are told on its level, and for the horizon.

    Amounts are in the metric's unit. `run_rate` is the fact and the rest of the plan times fact over plan to
    date; `weeks` is the deviation in weeks of the planned pace; `gap` is forecast less target; `light` is
    None without a target.
    """

    metric: str
    unit: str
    scope: str
    member: str
    periods: int
    plan_to_date: float
    fact: float
    plan: float
    forecast: float
    run_rate: float
    weeks: float | None
    target: float | None
    light: Light | None

    @property
    def deviation(self) -> float:
        """Fact less plan to date."""
        return self.fact - self.plan_to_date

    @property
    def share(self) -> float | None:
        """The deviation as a share of the plan to date; None without a plan."""
        return self.deviation / self.plan_to_date if self.plan_to_date else None

    @property
    def gap(self) -> float | None:
        """Forecast less target; None without a target."""
        return None if self.target is None else self.forecast - self.target


def standings(
    solution: Solution, facts: Facts, plan: View, fact: View, forecast: View, scopes: Sequence[str]
) -> list[Standing]:
    """Every metric that the plan has and facts tell, for the company and every member of `scopes`."""
    found: list[Standing] = []
    past = facts.past
    for metric in [name for name in SUMS if _is_told(solution, facts, name)]:
        company = [view.by_period(metric, "") for view in (plan, fact, forecast)]
        if any(figures is None or not figures for figures in company):
            continue
        planned, happened = (next(iter((figures or {}).values())) for figures in company[:2])
        if not planned.any() and not happened.any():
            continue
        for scope in ("", *scopes):
            found += _level(solution, past, metric, scope, (plan, fact, forecast), happened)
    return found


def _is_told(solution: Solution, facts: Facts, metric: str) -> bool:
    """Whether facts tell a metric, or it follows from what they tell: leads and opportunities do not, nor do
    hours where some of them lie in the stages of deals."""
    if metric not in ("leads", "opportunities", "hours"):
        return True
    derived = metric == "hours" and "lead_hours" not in solution.activities.blocks
    return derived or not bool(np.isnan(facts.told[metric]).all())


def _level(
    solution: Solution,
    past: int,
    metric: str,
    scope: str,
    views: tuple[View, View, View],
    company: FloatArray,
) -> list[Standing]:
    tables = [view.by_period(metric, scope) for view in views]
    if any(table is None for table in tables):
        return []
    plan, fact, forecast = (dict(table or {}) for table in tables)
    nothing = np.zeros(len(company))
    told = sum(fact.values(), nothing)
    # A period is compared where what its members tell adds up to what the company tells.
    closed = np.abs(told - company)[:past] <= _TOLD * np.maximum(np.abs(company[:past]), 1.0)
    periods = np.flatnonzero(closed)
    if past and not len(periods):
        return []
    rows = []
    for member in dict.fromkeys([*plan, *fact]):
        one, other = plan.get(member, nothing), fact.get(member, nothing)
        if one.any() or other.any():
            ahead = forecast.get(member, nothing)[past:]
            rows.append(_standing(solution, (metric, scope, member), periods, past, (one, other, ahead)))
    return rows


def _standing(
    solution: Solution,
    of: tuple[str, str, str],
    periods: IntArray,
    past: int,
    figures: tuple[FloatArray, FloatArray, FloatArray],
) -> Standing:
    """One metric, scope and member, from its plan (T,), its facts (T,) and its forecast of open periods."""
    (metric, scope, member), (planned, told, expected) = of, figures
    to_date, fact = float(planned[periods].sum()), float(told[periods].sum())
    untold, ahead = float(planned[:past].sum()) - to_date, float(planned[past:].sum())
    days = float(solution.plan.calendar.days[periods].sum())
    pace = to_date / days * _DAYS_A_WEEK if days else 0.0
    target, forecast = asked_of(solution, metric, scope, member), fact + untold + float(expected.sum())
    return Standing(
        metric=metric,
        unit=solution.metrics.unit(metric),
        scope=scope,
        member=member,
        periods=len(periods),
        plan_to_date=to_date,
        fact=fact,
        plan=float(planned.sum()),
        forecast=forecast,
        run_rate=fact + untold + ahead * (fact / to_date if to_date else 1.0),
        weeks=(fact - to_date) / pace if pace else None,
        target=target,
        light=_light(solution.plan, metric, forecast, target),
    )


def asked_of(solution: Solution, metric: str, scope: str, member: str) -> float | None:
    """The target of one member over the horizon: that of a rule on the metric for it alone, or for each
    member of its column; None without one."""
    rules = {rule.name: rule for rule in solution.plan.rules}
    for outcome in solution.outcomes:
        rule = rules[outcome.rule]
        if rule.kind != "target" or outcome.metric != metric or outcome.lower is None or rule.as_share:
            continue
        alone = not rule.each and dict(rule.where) == ({scope: [member]} if scope else {})
        each = tuple(rule.each) == (scope,) and not rule.where and outcome.member == (member,)
        if alone or each:
            return outcome.lower
    return None


def _light(plan: Plan, metric: str, forecast: float, target: float | None) -> Light | None:
    if target is None or metric in COSTS:
        return None
    return light_of(plan, (target - forecast) / abs(target) if target else 0.0)


def light_of(plan: Plan, missed: float) -> Light:
    """The light of a target that is missed by a share of itself, by the bands of the plan file."""
    bands: Mapping[Light, float] = {"green": plan.spec.tracking.green, "amber": plan.spec.tracking.amber}
    return next((light for light, band in bands.items() if missed <= band + 1e-9), "red")
