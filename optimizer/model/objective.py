"""The stages of the objective: targets by priority, then money, then nearness, then the tie-break."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.model.builder import fixed_labels
from optimizer.model.coefficients import COSTS
from optimizer.model.context import Context, SoftRule
from optimizer.model.families.balance import smallest_ratio, spread_of
from optimizer.model.families.even_load import even_load
from optimizer.model.families.stay_near import near_last_year
from optimizer.model.largest import sought_level
from optimizer.model.metrics import RATIOS
from optimizer.model.terms import Terms
from optimizer.model.ties import tie_terms
from optimizer.plan.schema import LargestSpec, ObjectiveStage

FloatArray = NDArray[np.float64]

LOCK_SCALE = 0.1
"""Scale of a stage, in multiples of what it could reach (a shortfall: of the target): its lock may give up
1e-7 of that. Tighter locks (1e-8, 1e-9) were tried: the main pack then ended imprecise by some methods and
row orders."""
RATIO_LOCK = 1e-7
"""What later stages may give up of a ratio, relative to it."""


@dataclass(frozen=True)
class PlanStage:
    """One stage: `terms` is a single expression; `unit` is its unit in reports; `scale` its size.

    With a `denominator` the stage is a ratio: `terms` over it, whose lock may give up `RATIO_LOCK` of it.
    """

    name: str
    kind: str
    terms: Terms
    maximize: bool
    scale: float
    unit: str
    is_money: bool = False
    denominator: Terms | None = None
    metric: str = ""
    """The ratio, where there is a denominator."""
    place: Place = field(default_factory=Place)
    """Where the plan file asks for the ratio."""


def plan_stages(context: Context) -> list[PlanStage]:
    """Every stage of the plan in order; columns and rows that stages need are added to the builder."""
    stages = _target_stages(context) + _mode_stages(context)
    asked = context.cube.inputs.plan.spec.objective
    later = (
        _default_stages(context)
        if asked is None
        else [_asked_stage(context, at, stage) for at, stage in enumerate(asked)]
    )
    if not any(stage.kind == "money" for stage in later):
        # Penalties are part of the money stage; without one they are a stage of their own.
        stages += _penalty_stage(context)
    return _with_own_names([*stages, *later, _tie_break(context)])


def _mode_stages(context: Context) -> list[PlanStage]:
    """What the plan's mode puts before money: the least spend, or the largest target."""
    mode = context.cube.inputs.plan.spec.mode
    if mode == "least_spend":
        return [_least_spend(context)]
    return [_largest(context, mode.largest)] if isinstance(mode, LargestSpec) else []


def _least_spend(context: Context) -> PlanStage:
    """The money that the plan decides on: everything that contribution subtracts besides commission."""
    terms = sum_terms([context.metrics.total(cost) for cost in COSTS])
    if not terms.value.any():
        raise InputError("modes.nothing_to_spend", Place(context.cube.inputs.plan.file))
    scale = _size(context, terms)
    return PlanStage("least spend", "least_spend", terms, False, scale, "currency", is_money=True)


def _largest(context: Context, name: str) -> PlanStage:
    """The largest bound of a target: of one member its figure over what a bound of 1 means, of several the
    smallest of these."""
    rows = context.rule_rows[name]
    level = sought_level(context, rows)
    if level.denominator is not None:
        return PlanStage(
            "largest target", "largest", level.terms, level.maximize, 0.0, level.unit,
            denominator=level.denominator, metric=rows.rule.metric, place=rows.rule.place,
        )  # fmt: skip
    scale = LOCK_SCALE * max(level.size, 1e-9)
    return PlanStage("largest target", "largest", level.terms, level.maximize, scale, level.unit)


def _with_own_names(stages: Sequence[PlanStage]) -> list[PlanStage]:
    """The stages, where a name comes again with a number: `revenue`, `revenue 2`."""
    named: list[PlanStage] = []
    for stage in stages:
        taken, name, number = {known.name for known in named}, stage.name, 1
        while name in taken:
            number += 1
            name = f"{stage.name} {number}"
        named.append(replace(stage, name=name))
    return named


def _target_stages(context: Context) -> list[PlanStage]:
    """Shortfalls and minimised distances by priority, each in percent of itself."""
    priorities = sorted(
        {soft.priority for soft in context.soft if soft.priority is not None}
        | {distance.priority for distance in context.distances}
    )
    stages = []
    for priority in priorities:
        parts = [_shortfall([soft for soft in context.soft if soft.priority == priority])]
        parts += [distance.distance for distance in context.distances if distance.priority == priority]
        stages.append(
            PlanStage(f"targets {priority}", "shortfall", sum_terms(parts), False, LOCK_SCALE, "share")
        )
    return stages


def _shortfall(softs: Sequence[SoftRule]) -> Terms:
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *(soft.columns for soft in softs)])
    weights = np.concatenate([np.zeros(0), *(soft.weight for soft in softs)])
    return Terms(np.zeros(len(columns), dtype=np.int64), columns, weights, np.zeros(1))


def sum_terms(parts: Sequence[Terms]) -> Terms:
    """The sum of single expressions."""
    total = Terms.constants(np.zeros(1))
    for part in parts:
        total = total + part
    return total


def _default_stages(context: Context) -> list[PlanStage]:
    """Contribution where the plan knows margins; then every spread; then nearness to last year and even
    load."""
    stages = []
    if not context.cube.num_pairs and "start" in context.activities.blocks:
        return [_money_stage(context)]
    if not context.cube.num_pairs:
        leads = context.metrics.total("leads")
        return [PlanStage("leads", "metric", leads, True, _size(context, leads), "leads")]
    if context.cube.markets.knows_margin:
        stages.append(_money_stage(context))
    else:
        stages += _keep_total(context)
    stages += [
        PlanStage(
            spread.name, "spread", _difference(spread.highest, spread.lowest), False, LOCK_SCALE, "ratio"
        )
        for spread in context.spreads
    ]
    near = [part for part in (near_last_year(context), even_load(context)) if part is not None]
    if near:
        stages.append(PlanStage("nearness", "nearness", sum_terms(near), False, LOCK_SCALE, "share"))
    return stages


def _money_stage(context: Context) -> PlanStage:
    """Contribution, that of run-out periods included, less the penalties of missed soft rules."""
    terms = context.metrics.total("contribution", run_out=True) + _penalties(context).scaled(-1.0)
    return PlanStage("contribution", "money", terms, True, _size(context, terms), "currency", is_money=True)


def _penalty_stage(context: Context) -> list[PlanStage]:
    terms = _penalties(context)
    if not len(terms.column):
        return []
    scale = LOCK_SCALE * float(terms.value.max() or 1.0)
    return [PlanStage("penalties", "penalties", terms, False, scale, "currency")]


def _penalties(context: Context) -> Terms:
    softs = [soft for soft in context.soft if soft.penalty is not None]
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *(soft.columns for soft in softs)])
    values = np.concatenate([np.zeros(0), *(soft.scale * float(soft.penalty or 0.0) for soft in softs)])
    return Terms(np.zeros(len(columns), dtype=np.int64), columns, values, np.zeros(1))


def _keep_total(context: Context) -> list[PlanStage]:
    """Without margins nothing rewards selling beyond what was asked: stay at last year's total, or at the
    company's revenue target where there is one."""
    asked = [
        rows.lower[0]
        for rows in context.rule_rows.values()
        if rows.rule.metric == "revenue"
        and not rows.rule.where
        and not rows.rule.each
        and np.isfinite(rows.lower[0])
        and not rows.rule.as_share
    ]
    planned = context.cube.num_planned
    last_year = float(np.nansum(context.cube.markets.last_year_revenue[:, :planned]))
    reference = max(asked) if asked else last_year
    revenue = context.metrics.total("revenue")
    if reference <= 0:
        return [
            PlanStage("revenue", "revenue", revenue, True, _size(context, revenue), "currency", is_money=True)
        ]
    above = context.builder.add_columns("total", 2, fixed_labels(("above",), ("below",)))
    sides = np.array([above, above + 1])
    gap = Terms(np.zeros(2, dtype=np.int64), sides, np.array([-1.0, 1.0]), np.zeros(1))
    distance = Terms(np.zeros(2, dtype=np.int64), sides, np.ones(2), np.zeros(1))
    context.builder.add_rows(
        "total", revenue.scaled(1.0 / reference) + gap, fixed_labels(("total",)), lower=1.0, upper=1.0
    )
    return [PlanStage("total", "total", distance, False, LOCK_SCALE, "share")]


def _asked_stage(context: Context, at: int, stage: ObjectiveStage) -> PlanStage:
    """One stage of the plan file's `objective`, the one at position `at`."""
    if (stage.maximize is None) == (stage.minimize is None):
        raise InputError("model.objective_one_direction")
    maximize = stage.maximize is not None
    what = stage.maximize or stage.minimize or ""
    if what in _SPECIAL:
        return replace(_SPECIAL[what](context, stage), maximize=maximize)
    if what in RATIOS:
        plan = context.cube.inputs.plan
        line = plan.lines.get(("objective", at, "maximize" if maximize else "minimize"))
        return ratio_stage(context, what, stage.where, maximize, Place(plan.file, line=line, value=what))
    if what == "contribution" and not stage.where:
        return _money_stage(context)
    terms = context.metrics.total(what, stage.where)
    unit = context.metrics.unit(what)
    return PlanStage(
        what, "metric", terms, maximize, _size(context, terms), unit, is_money=unit == "currency"
    )


def _smallest(context: Context, stage: ObjectiveStage) -> PlanStage:
    column, unit_size = smallest_ratio(context, *_ratio_of(stage, "smallest"))
    terms = Terms(np.zeros(1, dtype=np.int64), np.array([column]), np.array([unit_size]), np.zeros(1))
    return PlanStage("smallest", "smallest", terms, True, LOCK_SCALE * unit_size, "ratio")


def _all_shortfall(context: Context, _stage: ObjectiveStage) -> PlanStage:
    return PlanStage("shortfall", "shortfall", _shortfall(context.soft), False, LOCK_SCALE, "share")


def _spread(context: Context, stage: ObjectiveStage) -> PlanStage:
    spreads = context.spreads
    if stage.metric is not None:
        spreads = [spread_of(context, *_ratio_of(stage, "spread"))]
    terms = sum_terms([_difference(spread.highest, spread.lowest) for spread in spreads])
    return PlanStage("spread", "spread", terms, False, LOCK_SCALE, "ratio")


def _change(context: Context, _stage: ObjectiveStage) -> PlanStage:
    near = near_last_year(context)
    if near is None:
        raise InputError("model.stay_near_no_last_year", name="change")
    return PlanStage("nearness", "nearness", near, False, LOCK_SCALE, "share")


_SPECIAL: dict[str, Callable[[Context, ObjectiveStage], PlanStage]] = {
    "smallest": _smallest,
    "shortfall": _all_shortfall,
    "spread": _spread,
    "change": _change,
}
"""Words that an objective may name besides metrics and ratios."""


def ratio_stage(
    context: Context, metric: str, where: Mapping[str, object], maximize: bool, place: Place
) -> PlanStage:
    """A ratio as a stage; one whose denominator is known beforehand is a sum.

    Raises `InputError` where the denominator is 0 whatever is planned.
    """
    top, bottom, shift = context.metrics.ratio(metric, context.metrics.members(metric, [], where), where)
    top, unit = top + bottom.scaled(-shift), context.metrics.unit(metric)
    if bottom.value.any():
        return PlanStage(
            metric, "ratio", top, maximize, 0.0, unit, denominator=bottom, metric=metric, place=place
        )
    if not bottom.constant[0] > 0:
        raise InputError("modes.ratio_of_nothing", place, metric=metric, denominator=RATIOS[metric][1])
    terms = top.scaled(1.0 / bottom.constant)
    return PlanStage(metric, "metric", terms, maximize, _size(context, terms), unit)


def _ratio_of(stage: ObjectiveStage, what: str) -> tuple[str, str, str, str, dict[str, object]]:
    if stage.metric is None or stage.across is None or stage.basis is None:
        raise InputError("model.objective_smallest_needs", what=what)
    return what, stage.metric, stage.across, stage.basis, dict(stage.where)


def _size(context: Context, terms: Terms) -> float:
    """The scale of a stage: what it could plausibly reach, times LOCK_SCALE."""
    return LOCK_SCALE * (float(context.magnitude(terms)[0]) or 1.0)


def _difference(plus: int, minus: int) -> Terms:
    return Terms(np.zeros(2, dtype=np.int64), np.array([plus, minus]), np.array([1.0, -1.0]), np.zeros(1))


def _tie_break(context: Context) -> PlanStage:
    """The stage that leaves one of all equally good plans."""
    return PlanStage("tie-break", "tie_break", tie_terms(context), False, 1.0, "")
