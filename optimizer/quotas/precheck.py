"""What is seen of quotas before a plan is solved: levels, targets, over-assignment, locks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimizer.checks.finding import Checked, Finding, from_error
from optimizer.errors import InputError, Place
from optimizer.model.cube import Cube, make_cube
from optimizer.model.seats import group_sellers
from optimizer.plan.inputs import Inputs, resolve
from optimizer.plan.plan import Plan
from optimizer.plan.rules import Rule
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas.assignment import named_quotas, quota_place
from optimizer.quotas.bases import check_metric
from optimizer.quotas.cascade import floors_error
from optimizer.quotas.filling import floor_conflict
from optimizer.quotas.levels import LIKELY_MOST, Levels, NodeFinder, factors, quota_levels, rows_of
from optimizer.quotas.limits import Lock, combined, quota_limits, quota_locks
from optimizer.quotas.target import asked_target
from optimizer.result.evaluate import seller_context


def check_quotas(checked: Checked) -> Iterator[Finding]:
    """One finding for each quota that cannot be used as it stands, and a warning for over-assignment above
    25 %."""
    return quota_findings(checked.inputs)


def refuse_quotas(plan: Plan) -> None:
    """Raise `InputError` for the first quota that cannot be used, before a long solve is spent on it."""
    if not plan.spec.quotas:
        return
    for finding in quota_findings(resolve(plan)):
        if finding.level == "error":
            raise InputError(finding.key, finding.place, **finding.fields)


def quota_findings(inputs: Inputs) -> Iterator[Finding]:
    """What `check` says of the quotas of a plan whose blanks are filled."""
    plan = inputs.plan
    if not plan.spec.quotas:
        return
    try:
        specs = named_quotas(plan)
    except InputError as error:
        yield from_error(error)
        return
    cube = _cube(inputs)
    names = [spec.name for spec in specs]
    for at, spec in enumerate(specs):
        place = quota_place(plan, at)
        try:
            check_metric(spec.metric, place)
            levels = quota_levels(cube, seller_context(cube).scopes, spec, place)
            most = float(factors(levels.tree, spec, place).max()) - 1.0
            asked = asked_target(plan, spec, place)
            locks = quota_locks(plan, spec, names, levels.tree)
            _check_floors(plan, spec, levels, locks, _known_total(asked), place)
            table, rows = rows_of(plan, "commitments", spec.name, names)
            if table is not None:
                finder = NodeFinder(levels.tree, table)
                for row in rows:
                    finder.node(row)
            rows_of(plan, "credits", spec.name, names)
        except InputError as error:
            yield from_error(error, place)
            continue
        if most > LIKELY_MOST:
            yield Finding(
                "warning", "quotas.over_warning", {"quota": spec.name, "percent": f"{most:.0%}"}, place
            )


def _known_total(asked: float | list[Rule]) -> float | None:
    """The company's target where it is known before the plan is solved: a number, or a target's amount."""
    if isinstance(asked, float):
        return asked
    first = asked[0] if asked else None
    if first is None or first.each or first.as_growth or first.of is not None:
        return None
    return first.lower if isinstance(first.lower, float) else None


def _check_floors(
    plan: Plan, spec: QuotaSpec, levels: Levels, locks: tuple[Lock, ...], total: float | None, place: Place
) -> None:
    """Raise `InputError` where floors by hand and locks add up to more than the target: no plan changes
    that."""
    tree = levels.tree
    by_hand = {"stretch_at_most": None, "against_target_pay": None, "against_last_quota": None}
    band = spec.fairness.model_copy(update={"within": None})
    hard = spec.model_copy(update={**by_hand, "fairness": band})
    factor = factors(tree, spec, place)[tree.level]
    nothing, nobody = np.zeros(tree.num_leaves), np.zeros(len(plan.tables.get("sellers", ())))
    limits = quota_limits(plan, hard, levels, locks, factor, nothing, nothing, 0.0, nobody)
    lower, upper = (bound / factor for bound in combined(limits, tree))
    most = float("inf") if total is None else total
    conflict = floor_conflict(tree, lower, upper, most)
    if conflict is not None:
        raise floors_error(tree, *conflict, upper, factor, most, plan.spec.name, place)


def _cube(inputs: Inputs) -> Cube:
    """The cube of single sellers, as solutions have it."""
    apart: list[list[object]] = [[] for _ in inputs.selling.sellers.names]
    return make_cube(inputs, group_sellers(inputs, (), apart, apart=True))
