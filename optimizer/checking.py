"""What can be said of a plan before it is solved; nothing here needs a solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from optimizer.checks.ceilings import check_targets
from optimizer.checks.coverage import (
    check_coverage,
    check_effects,
    check_open_seats,
    check_profiles,
    check_seasons,
)
from optimizer.checks.finding import Checked, Finding, Level, from_error
from optimizer.checks.funnel import check_funnel
from optimizer.checks.labels import check_labels
from optimizer.checks.limits import check_contradictions, check_sums, check_unlimited
from optimizer.checks.people import check_factors
from optimizer.checks.shares import check_shares
from optimizer.errors import InputError
from optimizer.model.activities import add_activities
from optimizer.model.builder import ProgramBuilder
from optimizer.model.compile import compile_plan, make_context
from optimizer.model.cube import make_cube
from optimizer.model.families.rules import RuleRows, rule_rows
from optimizer.model.personal import personal_terms, rule_columns
from optimizer.model.seats import group_sellers
from optimizer.plan.inputs import Inputs, resolve
from optimizer.plan.plan import Plan
from optimizer.quotas.precheck import check_quotas

Check = Callable[[Checked], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    check_funnel,
    check_unlimited,
    check_targets,
    check_contradictions,
    check_shares,
    check_labels,
    check_coverage,
    check_open_seats,
    check_seasons,
    check_profiles,
    check_effects,
    check_factors,
    check_sums,
    check_quotas,
)
_ORDER: dict[Level, int] = {"error": 0, "warning": 1, "info": 2}


def check(plan: Plan) -> list[Finding]:
    """Everything that is seen before solving: errors first, then warnings, then what is worth a look.

    An `InputError` that solving the plan would raise is an error among the findings, not an exception.
    """
    try:
        inputs = resolve(plan)
    except InputError as error:
        return [from_error(error)]
    return check_inputs(inputs)


def check_inputs(inputs: Inputs) -> list[Finding]:
    """Like `check`, for a plan whose blanks are filled already."""
    if not len(inputs.selling.pairs.seller):
        return _refused(inputs)
    checked, findings = _checked(inputs)
    for one in CHECKS:
        findings += one(checked)
    if not any(finding.level == "error" for finding in findings):
        findings += _refused(inputs)
    return sorted(findings, key=lambda finding: _ORDER[finding.level])


def shape(plan: Plan) -> dict[str, int]:
    """The size of a plan: markets, sellers, pairs that may sell, seat groups, cells, columns, rows, entries.

    Raises `InputError` where the plan cannot be compiled.
    """
    inputs = resolve(plan)
    model = compile_plan(inputs)
    program, cube = model.program, model.cube
    return {
        "markets": len(inputs.markets.names),
        "sellers": len(inputs.selling.sellers.names),
        "periods": cube.num_periods,
        "pairs": len(inputs.selling.pairs.seller),
        "seat_groups": len(cube.seat_names),
        "cells": cube.num_cells,
        "columns": program.num_columns,
        "rows": program.num_rows,
        "entries": int(program.matrix.nnz),
        "stages": len(model.stages),
    }


def _checked(inputs: Inputs) -> tuple[Checked, list[Finding]]:
    """The rules of a plan as rows; a rule that does not fit the tables is a finding instead."""
    groups = group_sellers(inputs, rule_columns(inputs.plan), personal_terms(inputs))
    builder = ProgramBuilder()
    context = make_context(builder, add_activities(builder, make_cube(inputs, groups)))
    rows: list[RuleRows] = []
    findings: list[Finding] = []
    for rule in inputs.plan.rules:
        try:
            rows.append(rule_rows(context, rule))
        except InputError as error:
            findings.append(from_error(error, rule.place))
    return Checked(inputs, context, tuple(rows)), findings


def _refused(inputs: Inputs) -> list[Finding]:
    """What compiling refuses beyond single rules: balances, distances and stages of the objective."""
    try:
        compile_plan(inputs)
    except InputError as error:
        return [from_error(error)]
    return []


__all__ = ["CHECKS", "Check", "Finding", "Level", "check", "check_inputs", "shape"]
