"""From a solution to its quotas."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.plan import Plan
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas.bases import Bases, check_metric, leaf_bases
from optimizer.quotas.cascade import Cascade, Figures, cascade
from optimizer.quotas.earned import earned_facts
from optimizer.quotas.hierarchy import Hierarchy
from optimizer.quotas.levels import Levels, factors, quota_levels
from optimizer.quotas.limits import acting_rules, combined, quota_limits, quota_locks
from optimizer.quotas.quota import Quota
from optimizer.quotas.rounding import Rounded, round_top_down
from optimizer.quotas.spans import Spans, crossed_spans, plan_spans
from optimizer.quotas.target import CompanyTarget, company_target
from optimizer.result.evaluate import as_planned, seller_context
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def assign(solution: Solution) -> tuple[Quota, ...]:
    """The quotas of a plan, in the order of its file.

    Raises `InputError` where a quota cannot be used as it stands, and `ValueError` for a solution without
    a plan.
    """
    if not solution.has_plan:
        raise ValueError("the solution holds no plan")
    kept = _LAST.get(id(solution))
    if kept is not None and kept[0]() is solution:
        return kept[1]
    found = _assigned(solution)
    if len(_LAST) > 1:
        del _LAST[next(iter(_LAST))]
    _LAST[id(solution)] = (weakref.ref(solution), found)
    return found


_LAST: dict[int, tuple[weakref.ref[Solution], tuple[Quota, ...]]] = {}
"""The quotas of the last two solutions: page, tables, letters and summary of a run all ask for them, and a
plan of the rest asks for its own and those of the plan before in turns."""


def _assigned(solution: Solution) -> tuple[Quota, ...]:
    specs = named_quotas(solution.plan)
    names = [spec.name for spec in specs]
    return tuple(
        _quota(solution, spec, names, quota_place(solution.plan, at)) for at, spec in enumerate(specs)
    )


def named_quotas(plan: Plan) -> tuple[QuotaSpec, ...]:
    """The quotas of a plan file with a unique name each; raises `InputError` when two carry the same one."""
    found: dict[str, QuotaSpec] = {}
    for at, spec in enumerate(plan.spec.quotas):
        scope = [f"{column}={'+'.join(labels)}" for column, labels in spec.where.items()]
        name = spec.name or " ".join([spec.metric, *scope])
        if name in found:
            raise InputError("quotas.name_twice", quota_place(plan, at), name=name)
        found[name] = spec.model_copy(update={"name": name})
    return tuple(found.values())


def quota_place(plan: Plan, at: int) -> Place:
    """Where a quota stands in the plan file."""
    return Place(file=plan.file, line=plan.lines.get(("quotas", at)))


def _quota(solution: Solution, spec: QuotaSpec, names: list[str], place: Place) -> Quota:
    check_metric(spec.metric, place)
    plan, cube = solution.plan, solution.sellers
    levels = quota_levels(cube, seller_context(cube).scopes, spec, place)
    tree = levels.tree
    spans, code = quota_spans(plan, spec, levels)
    earned = earned_facts(solution, spec, levels, spans, code)
    bases = leaf_bases(solution, spec, levels, spans, code)
    bases = replace(bases, plan=np.maximum(bases.plan + earned.leaf, 0.0))
    by_level = factors(tree, spec, place)
    factor = by_level[tree.level]
    pooled = float(earned.pooled[0])
    target = company_target(solution, spec, float(bases.plan.sum()) + pooled, place)
    target = replace(target, total=max(target.total - pooled, float(earned.leaf.sum())))
    basis = bases.plan if spec.fairness.basis == "plan" else bases.named(spec.fairness.basis, place)
    figures = _figures(spec, bases, basis, target, factor)
    figures = _with_spans(figures, plan, target, code, len(levels.members))
    locks = quota_locks(plan, spec, names, tree)
    years = as_planned(solution).headcount.sum(axis=1) / plan.calendar.periods_a_year
    planned, compared = bases.plan.sum(axis=1), basis.sum(axis=1)
    limits = quota_limits(plan, spec, levels, locks, factor, planned, compared, target.total, headcount=years)
    if earned.leaf.any():
        limits.insert(0, earned.floor(levels, spec.round_to))
    found = cascade(tree, figures, limits, plan.spec.name)
    rounded = _rounded(spec, tree, spans, found, by_level)
    vacant, ramping = _seats(solution, levels)
    return Quota(
        name=spec.name,
        spec=spec,
        company=plan.spec.name,
        unit=solution.metrics.unit(spec.metric),
        levels=levels,
        spans=spans,
        target=target,
        factor=factor,
        bases=bases,
        stages=found.stages,
        steps=rounded.steps,
        unassigned=found.unassigned,
        excess=rounded.excess,
        limits=found.limits,
        acting=_acting(found, spec),
        gave_way=found.gave_way,
        locks=locks,
        vacant=vacant,
        ramping=ramping,
        earned=earned,
    )


def _figures(
    spec: QuotaSpec, bases: Bases, basis: FloatArray, target: CompanyTarget, factor: FloatArray
) -> Figures:
    """What the cascade works on; inside a band quotas follow the plan, else the basis itself."""
    followed = basis if spec.fairness.within is None else bases.plan
    return Figures(bases.plan, followed, bases.last_year, target.total, factor)


def _rounded(spec: QuotaSpec, tree: Hierarchy, spans: Spans, found: Cascade, by_level: FloatArray) -> Rounded:
    """The last stage in whole steps, within the bounds that the cascade kept."""
    step = spec.round_to
    lower, upper = (bound / step for bound in combined(list(found.limits), tree))
    real = found.stages[-1].values / step
    ratio = by_level[1:] / by_level[:-1]
    return round_top_down(tree, spans, real, ratio, lower, upper, found.unassigned / step)


def _acting(found: Cascade, spec: QuotaSpec) -> tuple[str, ...]:
    """The rule on whose bound each node's quota of the horizon lies."""
    values = found.stages[-1].values.sum(axis=1)
    return tuple(acting_rules(list(found.limits), values, spec.round_to))


def _with_spans(
    figures: Figures, plan: Plan, target: CompanyTarget, code: NDArray[np.int64], members: int
) -> Figures:
    """The figures with the amounts of a target by quarter or period, as far as the quota's spans tell them
    apart."""
    if not target.spans:
        return figures
    amounts, of_calendar = dict(target.spans), getattr(plan.calendar, target.kind)
    labels = list(dict.fromkeys(of_calendar))
    of_period = np.array([labels.index(label) for label in of_calendar])
    first = np.unique(code, return_index=True)[1]
    of_span = of_period[first]
    if (of_span[code] != of_period).any():
        # The quota's own spans are longer than those of the target: only the total counts.
        return figures
    return replace(
        figures,
        span_code=np.tile(of_span, members),
        span_amounts=np.array([amounts[label] for label in labels]),
    )


def quota_spans(plan: Plan, spec: QuotaSpec, levels: Levels) -> tuple[Spans, NDArray[np.int64]]:
    """The spans of a quota, members of `across` told apart, and the shortest span in time of each period."""
    spans, code = plan_spans(plan.calendar, spec.per)
    if not spec.across:
        return spans, code
    return crossed_spans(spans, " / ".join(spec.across), levels.members), code


def _seats(solution: Solution, levels: Levels) -> tuple[BoolArray, BoolArray]:
    """Which nodes stand for open seats, and which for sellers who ramp up, start or leave in the horizon
    (N,)."""
    cube = solution.sellers
    status = cube.inputs.selling.sellers.labels.get("status")
    is_open = np.array([label == "open" for label in status or [""] * len(cube.seat_names)])
    partial = np.asarray((as_planned(solution).presence < 1.0 - 1e-9).any(axis=1))
    known = levels.node_seller >= 0
    return known & is_open[levels.node_seller], known & partial[levels.node_seller]
