"""Every target with the plan kept: what was asked, what the year ends with, and by how much it is missed.

    gap = min(forecast - at_least, at_most - forecast)      negative where the target is missed

A target counts only where facts tell its scope: what is known by region alone says nothing of a team.
Units: those of the metric.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.plan.actuals import Facts
from optimizer.plan.fact_labels import UNKNOWN
from optimizer.plan.plan import Plan
from optimizer.plan.rules import Rule
from optimizer.report.words import unit_text
from optimizer.result.activities import TIME
from optimizer.result.solution import RuleOutcome, Solution
from optimizer.tracking.levels import Light, light_of

GOAL_COLUMNS = ("rule", "member", "metric", "unit", "asked", "plan", "forecast", "gap", "light")
_OUTSIDE = ("short", "over")


@dataclass(frozen=True)
class Goal:
    """One member of one target; `asked` is the bound nearest to being missed, `plan` what was promised."""

    rule: str
    member: str
    metric: str
    unit: str
    asked: float
    plan: float | None
    forecast: float
    gap: float
    light: Light
    scope: tuple[str, str] | None
    """(scope, member) where it is the target of one member of a level over the horizon."""

    @property
    def name(self) -> str:
        """Rule and member in one."""
        return _named(self.rule, self.member)


def goals(plan: Solution, facts: Facts, forecast: Solution) -> tuple[Goal, ...]:
    """The targets of a plan that facts tell, measured on the year with the plan kept."""
    rules = {rule.name: rule for rule in forecast.plan.rules}
    promised = {_name(one): one.value for one in plan.outcomes}
    return tuple(
        _goal(forecast.plan, rules[one.rule], one, promised.get(_name(one)))
        for one in forecast.outcomes
        if one.kind == "target" and np.isfinite(one.value) and is_told(rules[one.rule], facts)
    )


def _named(rule: str, member: str) -> str:
    return f"{rule}: {member}" if member else rule


def _name(outcome: RuleOutcome) -> str:
    return _named(outcome.rule, " / ".join(outcome.member))


def missed_by(solution: Solution) -> dict[str, float]:
    """Name of a target -> by how much a plan misses it, 0 where it is met; units of the metric."""
    return {
        _name(one): one.shortfall if one.status in _OUTSIDE else 0.0
        for one in solution.outcomes
        if one.kind == "target"
    }


def is_told(rule: Rule, facts: Facts) -> bool:
    """Whether every fact that sells says where it lies in the columns of a rule."""
    sold = np.flatnonzero((facts.values["revenue"] != 0.0).any(axis=1)).tolist()
    return all(
        all(facts.labels[name][pool] != UNKNOWN for pool in sold)
        for name in (*rule.each, *rule.where)
        if name not in TIME and name in facts.labels
    )


def _goal(plan: Plan, rule: Rule, one: RuleOutcome, promised: float | None) -> Goal:
    sides = [(one.value - one.lower, one.lower)] if one.lower is not None else []
    sides += [(one.upper - one.value, one.upper)] if one.upper is not None else []
    gap, asked = min(sides)
    missed = -gap / abs(asked) if asked else 0.0
    scope = None
    if one.metric == "revenue" and not rule.as_share and one.lower is not None:
        if not rule.each and not rule.where:
            scope = ("", "")
        elif not rule.each and len(rule.where) == 1:
            ((name, labels),) = rule.where.items()
            scope = (name, labels[0]) if isinstance(labels, list) and len(labels) == 1 else None
        elif len(rule.each) == 1 and not rule.where and rule.each[0] not in TIME:
            scope = (rule.each[0], one.member[0])
    return Goal(
        one.rule, " / ".join(one.member), one.metric, one.unit, asked, promised, one.value, gap,
        light_of(plan, missed), scope,
    )  # fmt: skip


def goals_frame(found: tuple[Goal, ...], solution: Solution) -> pd.DataFrame:
    """One row a member of a target that facts tell.

    Columns: rule, member, metric, unit; asked (the bound nearest to being missed), plan (what was promised),
    forecast (with the plan kept) and gap (negative where it is missed), in `unit`; light.
    """
    rows = [
        (one.rule, one.member, one.metric, unit_text(solution, one.unit), one.asked, one.plan, one.forecast,
         one.gap, one.light)
        for one in found
    ]  # fmt: skip
    texts = dict.fromkeys(("rule", "member", "metric", "unit", "light"), "str")
    figures = dict.fromkeys(("asked", "plan", "forecast", "gap"), "float64")
    return pd.DataFrame(rows, columns=list(GOAL_COLUMNS)).astype({**texts, **figures})
