"""What is seen of quotas before a plan is solved: levels, targets, over-assignment, locks."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.checks.finding import Checked, Finding, from_error
from optimizer.errors import InputError
from optimizer.model.cube import Cube, make_cube
from optimizer.model.seats import group_sellers
from optimizer.plan.inputs import Inputs, resolve
from optimizer.plan.plan import Plan
from optimizer.quotas.assignment import named_quotas, quota_place
from optimizer.quotas.bases import check_metric
from optimizer.quotas.levels import LIKELY_MOST, NodeFinder, factors, quota_levels, rows_of
from optimizer.quotas.limits import quota_locks
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
            asked_target(plan, spec, place)
            quota_locks(plan, spec, names, levels.tree)
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


def _cube(inputs: Inputs) -> Cube:
    """The cube of single sellers, as solutions have it."""
    apart: list[list[object]] = [[] for _ in inputs.selling.sellers.names]
    return make_cube(inputs, group_sellers(inputs, (), apart, apart=True))
