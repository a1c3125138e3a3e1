"""Rules as they came out, one plain row each: what tables and pages are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.model.basis import market_basis
from optimizer.model.families.balance import proportions
from optimizer.plan.rules import Rule
from optimizer.plan.schema import BalanceSpec
from optimizer.report.words import unit_text
from optimizer.result.evaluate import TOLERANCE, seller_context
from optimizer.result.solution import RuleOutcome, Solution

Row = dict[str, Any]

AT_THE_EDGE = 1e-5
"""A member this near to the edge of a balance band binds: stages after it give up a millionth."""
FloatArray = NDArray[np.float64]


def outcome_rows(solution: Solution) -> list[Row]:
    """Targets, budgets and limits, a row a member, in the order of the plan file."""
    rules = {rule.name: rule for rule in solution.plan.rules}
    bases = {rule.name: growth_bases(solution, rule) for rule in solution.plan.rules if rule.as_growth}
    return [_outcome_row(solution, found, rules[found.rule], bases) for found in solution.outcomes]


def growth_bases(solution: Solution, rule: Rule) -> Mapping[tuple[str, ...], float]:
    """Last year's figure of each member of a rule, in the metric's unit."""
    context = seller_context(solution.sellers)
    members = context.metrics.members(rule.metric, rule.each, rule.where)
    values = market_basis(context, "last_year", rule.metric, members)
    return dict(zip(members.labels, values.tolist(), strict=True))


def _outcome_row(
    solution: Solution, found: RuleOutcome, rule: Rule, bases: Mapping[str, Mapping[tuple[str, ...], float]]
) -> Row:
    room = [abs(found.value - bound) for bound in (found.lower, found.upper) if bound is not None]
    base = bases[rule.name][found.member] if rule.name in bases else None
    return {
        "rule": found.rule,
        "kind": found.kind,
        "metric": found.metric,
        "unit": unit_text(solution, found.unit),
        "raw_unit": found.unit,
        "where": scope_text(rule.where),
        "each": ", ".join(found.each),
        "member": " / ".join(found.member),
        "must": found.must,
        "priority": found.priority,
        "at_least": found.lower,
        "at_most": found.upper,
        "growth_asked": rule.bounds_of(found.member)[0] if rule.as_growth else None,
        "last_year": base,
        "value": found.value,
        "room": min(room) if found.status == "met" and room else 0.0,
        "shortfall": found.shortfall,
        "status": found.status,
        "binds": found.binds,
    }


def balance_rows(solution: Solution) -> list[Row]:
    """Balance rules, a row a member: its metric over its basis, compared with the middle of the band.

    With `within: b` the middle lies so that lowest and highest fill the band (1 - b, 1 + b) evenly;
    without it, it is the mean of lowest and highest.
    """
    rows = []
    for spec in solution.plan.spec.balance:
        found = proportions(
            seller_context(solution.sellers), spec.name, spec.metric, spec.across, spec.basis, spec.where
        )
        rows += _balance_rows(spec, found.labels, found.terms.values(solution.x))
    return rows


def _balance_rows(spec: BalanceSpec, labels: tuple[str, ...], ratios: FloatArray) -> list[Row]:
    band = spec.within or 0.0
    middle = float(ratios.max() / (1.0 + band) + ratios.min() / (1.0 - band)) / 2.0 or 1.0
    rows = []
    for label, value in zip(labels, (ratios / middle).tolist(), strict=True):
        outside = abs(value - 1.0) - band
        met = spec.within is None or outside <= TOLERANCE
        status = "met" if met else "short" if value < 1.0 else "over"
        rows.append(
            {
                "rule": spec.name,
                "kind": "balance",
                "metric": f"{spec.metric} / {spec.basis}",
                "unit": "share",
                "raw_unit": "share",
                "where": scope_text(spec.where),
                "each": spec.across,
                "member": label,
                "must": spec.within is not None,
                "priority": None,
                "at_least": None if spec.within is None else 1.0 - band,
                "at_most": None if spec.within is None else 1.0 + band,
                "value": value,
                "room": None if spec.within is None else max(-outside, 0.0),
                "shortfall": 0.0 if met else outside,
                "status": status,
                "binds": met and spec.within is not None and outside >= -AT_THE_EDGE,
            }
        )
    return rows


def repair_rows(solution: Solution) -> list[Row]:
    """The contradiction, a row a repair."""
    found = solution.contradiction
    if found is None:
        return []
    parts = {
        "least_change": found.least_change,
        "alone": found.single_repairs,
        "conflicting": found.conflicting,
    }
    return [
        {
            "part": part,
            "family": repair.family,
            "name": repair.name,
            "unit": unit_text(solution, repair.unit),
            "raw_unit": repair.unit,
            "bound": repair.bound,
            "change": repair.change,
            "new_bound": None
            if repair.bound is None or repair.change is None
            else repair.bound + repair.change,
        }
        for part, repairs in parts.items()
        for repair in repairs
    ]


def scope_text(where: Mapping[str, Any]) -> str:
    """`line: premium; quarter: 2027-Q1, 2027-Q2`; empty for the whole company."""
    parts = []
    for column, labels in where.items():
        listed = [labels] if isinstance(labels, str) else [str(label) for label in labels]
        parts.append(f"{column}: {', '.join(listed)}")
    return "; ".join(parts)
