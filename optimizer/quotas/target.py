"""What the company must reach: a target of the plan, a number, or the plan itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimizer.errors import InputError, Place
from optimizer.io.numbers import NumberFormatError, parse_number
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.rules import Rule
from optimizer.plan.schema import QuotaSpec
from optimizer.plan.scopes import TIME_COLUMNS
from optimizer.result.solution import RuleOutcome, Solution


@dataclass(frozen=True)
class CompanyTarget:
    """The company's target over the horizon, in the unit of the metric.

    `rule` is the name of the target of the plan, blank for a number; `is_plan` when the plan itself is the
    target. `spans` holds the amounts of a target that is given by quarter or period: (kind, label -> amount).
    """

    total: float
    rule: str = ""
    is_plan: bool = False
    kind: str = ""
    spans: Mapping[str, float] = field(default_factory=dict)


def company_target(solution: Solution, spec: QuotaSpec, planned: float, place: Place) -> CompanyTarget:
    """The target that a quota divides; `planned` is the plan's own figure.

    Named: that target of the plan. A number: itself. Neither: the first target on the same metric and
    scope with a lower bound for all of it, else one by quarter or period, else the plan. Raises
    `InputError` for a name that is no such target.
    """
    asked = asked_target(solution.plan, spec, place)
    if isinstance(asked, float):
        return CompanyTarget(asked)
    for rule in asked:
        found = _of_rule(solution, rule)
        if found is not None:
            return found
    if spec.target is not None:
        raise InputError("quotas.target_unfit", place, name=spec.target, metric=spec.metric)
    return CompanyTarget(planned, is_plan=True)


def asked_target(plan: Plan, spec: QuotaSpec, place: Place) -> float | list[Rule]:
    """The number that is asked for, or the targets that may give it, the best first; raises like
    `company_target`."""
    rules = [rule for rule in plan.rules if rule.kind == "target"]
    if spec.target is None:
        fitting = [rule for rule in rules if _fits(rule, spec)]
        return sorted(fitting, key=lambda rule: len(rule.each))
    for rule in rules:
        if rule.name == spec.target:
            if not _fits(rule, spec):
                raise InputError("quotas.target_unfit", place, name=rule.name, metric=spec.metric)
            return [rule]
    return _number(spec.target, [rule.name for rule in rules], place)


def _number(text: str, names: list[str], place: Place) -> float:
    try:
        total = parse_number(text)
    except NumberFormatError:
        raise InputError("quotas.target_unknown", place, name=text, nearest=nearest(text, names)) from None
    if total < 0:
        raise InputError("quotas.target_negative", place)
    return total


def _fits(rule: Rule, spec: QuotaSpec) -> bool:
    """Whether a target is about the quota's metric and scope, and adds up over time at most."""
    if rule.metric != spec.metric or rule.as_share or rule.lower is None:
        return False
    same = {key: sorted(labels) for key, labels in rule.where.items()} == {
        key: sorted(labels) for key, labels in spec.where.items()
    }
    return same and len(rule.each) <= 1 and set(rule.each) <= set(TIME_COLUMNS)


def _of_rule(solution: Solution, rule: Rule) -> CompanyTarget | None:
    outcomes = [
        outcome for outcome in solution.outcomes if outcome.rule == rule.name and outcome.lower is not None
    ]
    if not rule.each:
        return CompanyTarget(_lower(outcomes[0]), rule.name) if outcomes else None
    calendar = solution.plan.calendar
    labels = dict.fromkeys(getattr(calendar, rule.each[0]))
    amounts = {outcome.member[0]: _lower(outcome) for outcome in outcomes}
    if set(amounts) != set(labels):
        return None
    return CompanyTarget(sum(amounts.values()), rule.name, kind=rule.each[0], spans=amounts)


def _lower(outcome: RuleOutcome) -> float:
    return 0.0 if outcome.lower is None else outcome.lower
