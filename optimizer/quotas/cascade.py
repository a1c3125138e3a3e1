"""From plan to quota in steps, each a full division of the target, so that their differences add up to the
quota."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.quotas.balancing import balanced_rows
from optimizer.quotas.filling import Filled, fill, floor_conflict
from optimizer.quotas.hierarchy import Hierarchy
from optimizer.quotas.limits import WEAKER, Limit, combined, without_floors
from optimizer.quotas.spans import Longer, sum_spans
from optimizer.report.numbers import Written

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, eq=False)
class Stage:
    """What every node would carry after one step of the cascade, by shortest span (N, T)."""

    name: str
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Cascade:
    """The stages from last year's share to the quota before rounding."""

    stages: tuple[Stage, ...]
    unassigned: FloatArray
    """What nobody below a node may carry, over the horizon (N,)."""
    limits: tuple[Limit, ...]
    """The rules as they were applied, the weakest first."""
    gave_way: tuple[str, ...]
    """Rules whose floors were given up because they do not fit into the target."""


@dataclass(frozen=True, eq=False)
class Figures:
    """What the cascade works on, by leaf and shortest span (L, T): the plan, the basis of the division,
    last year where known; the company's target, over-assignment by node (N,), and amounts asked by longer
    span."""

    plan: FloatArray
    basis: FloatArray
    last_year: FloatArray | None
    total: float
    factor: FloatArray
    span_code: IntArray | None = None
    span_amounts: FloatArray | None = None


def cascade(tree: Hierarchy, figures: Figures, limits: list[Limit], company: str) -> Cascade:
    """The stages of one quota.

    Stages: last_year (the target in last year's shares), plan, basis (only where quotas follow another
    basis than the plan), stretch (the whole target in equal proportion: below the plan where the plan is
    above the target), over_assignment, one for each rule that bounds quotas, phasing (only where the
    target is given by quarter). Raises `InputError` where the planner's own floors add up to more than
    there is.
    """
    weights = _positive(figures.basis.sum(axis=1))
    plan_total = float(figures.plan.sum())
    phase = _phase(figures)
    stages = []
    if figures.last_year is not None and figures.last_year.sum() > 0:
        past = figures.last_year * (figures.total / figures.last_year.sum())
        stages.append(Stage("last_year", tree.sum_up(past)))
    stages.append(Stage("plan", tree.sum_up(figures.plan)))
    if figures.basis is not figures.plan and weights.sum() > 0:
        stages.append(Stage("basis", tree.sum_up(weights[:, None] * phase * (plan_total / weights.sum()))))
    even = fill(tree, weights, figures.total, *combined([], tree))
    stages.append(Stage("stretch", _phased(tree, even, phase, np.ones(tree.size))))
    stages.append(Stage("over_assignment", _phased(tree, even, phase, figures.factor)))
    applied: list[Limit] = []
    gave_way: list[str] = []
    filled = even
    for limit in limits:
        applied, dropped = _fitting([*applied, limit], tree, figures, company)
        gave_way += dropped
        lower, upper = (bound / figures.factor for bound in combined(applied, tree))
        filled = fill(tree, weights, figures.total, lower, upper)
        stages.append(Stage(limit.rule, _phased(tree, filled, phase, figures.factor)))
    if figures.span_code is not None:
        fitted = _fitted_to_spans(filled.share[tree.leaves, None] * phase, figures)
        phase = np.divide(
            fitted, fitted.sum(axis=1, keepdims=True), out=phase.copy(), where=fitted.sum(axis=1)[:, None] > 0
        )
        stages.append(Stage("phasing", _phased(tree, filled, phase, figures.factor)))
    return Cascade(
        tuple(stages), filled.unassigned * figures.factor, tuple(applied), tuple(dict.fromkeys(gave_way))
    )


def _positive(weights: FloatArray) -> FloatArray:
    return np.where(weights > _NEGLIGIBLE * weights.max(initial=0.0), weights, 0.0)


def _phase(figures: Figures) -> FloatArray:
    """Share of each leaf's horizon in each span (L, T): by its plan, else by the company's plan, else by
    last year, else equal."""
    company = figures.plan.sum(axis=0)
    if company.sum() <= 0 and figures.last_year is not None:
        company = figures.last_year.sum(axis=0)
    size = len(company)
    general = company / company.sum() if company.sum() > 0 else np.full(size, 1.0 / size)
    rows = figures.plan.sum(axis=1, keepdims=True)
    default = np.broadcast_to(general, figures.plan.shape).copy()
    return np.asarray(np.divide(figures.plan, rows, out=default, where=rows > 0))


def _phased(tree: Hierarchy, filled: Filled, phase: FloatArray, factor: FloatArray) -> FloatArray:
    """A division by shortest span (N, T): leaves by their own phase, and what is unassigned at a node by
    the phase of all below it."""
    values = filled.share[tree.leaves, None] * phase
    total = tree.sum_up(values)
    rest = filled.unassigned[:, None]
    if rest.any():
        general = tree.sum_up(phase)
        own = total.sum(axis=1, keepdims=True)
        shape = np.where(
            own > 0, total / np.maximum(own, 1e-300), general / general.sum(axis=1, keepdims=True)
        )
        extra = rest * shape
        for level in range(tree.depth, 0, -1):
            nodes = tree.nodes(level)
            np.add.at(extra, tree.parent[nodes], extra[nodes])
        total = total + extra
    return np.asarray(total * factor[:, None])


def _fitting(
    limits: list[Limit], tree: Hierarchy, figures: Figures, company: str
) -> tuple[list[Limit], list[str]]:
    """The rules that fit together; the weaker ones lose their floors, weakest first, until they do."""
    kept, dropped = list(limits), []
    for rule in (None, *WEAKER):
        if rule is not None:
            if not any(limit.rule == rule and limit.lower.any() for limit in kept):
                continue
            kept = [without_floors(limit) if limit.rule == rule else limit for limit in kept]
            dropped.append(rule)
        lower, upper = (bound / figures.factor for bound in combined(kept, tree))
        conflict = floor_conflict(tree, lower, upper, figures.total)
        if conflict is None:
            return kept, dropped
    node, floors = conflict if conflict is not None else (0, 0.0)
    raise floors_error(tree, node, floors, upper, figures.factor, figures.total, company, Place())


def floors_error(
    tree: Hierarchy,
    node: int,
    floors: float,
    upper: FloatArray,
    factor: FloatArray,
    total: float,
    company: str,
    place: Place,
) -> InputError:
    """What to say when `floors` below a node are more than it may carry; figures without over-assignment."""
    carries = total if node == 0 else float(upper[node])
    return InputError(
        "quotas.floors_too_high",
        place,
        node=tree.name(node, company),
        floors=Written(floors * factor[node]),
        carries=Written(carries * factor[node]),
    )


def _fitted_to_spans(values: FloatArray, figures: Figures) -> FloatArray:
    """Values by leaf and shortest span (L, T) whose sums over the given spans are in the proportion asked,
    each leaf's total kept."""
    if figures.span_code is None or figures.span_amounts is None or figures.span_amounts.sum() <= 0:
        return values
    count = len(figures.span_amounts)
    short = sum_spans(values, Longer("", ("",) * count, figures.span_code))
    asked = figures.span_amounts * (values.sum() / figures.span_amounts.sum())
    rows = values.sum(axis=1)
    start = short * np.divide(asked, short.sum(axis=0), out=np.zeros(count), where=short.sum(axis=0) > 0)
    fitted = balanced_rows(start, np.zeros(len(values), dtype=np.int64), asked[None, :], rows, rows)
    rate = np.divide(fitted, short, out=np.zeros_like(short), where=short > 0)
    moved = values * rate[:, figures.span_code]
    total = moved.sum(axis=1)
    return np.asarray(moved * np.divide(rows, total, out=np.ones_like(rows), where=total > 0)[:, None])
