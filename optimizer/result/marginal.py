"""What one more unit of each limit brings: prices of the money stage, with unit, per what, and range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.compile import Model
from optimizer.model.cube import RUN_OUT
from optimizer.model.objective import PlanStage
from optimizer.result.solution import MarginalValue
from optimizer.settings import SolveSettings
from solvers.program import Block
from solvers.result import SolveResult
from solvers.session import Session
from solvers.solving import with_fixed_integers
from solvers.staged import StagedResult

FloatArray = NDArray[np.float64]

PRICED = ("demand", "share", "hours", "resources", "rules")
RE_SOLVED = 12
"""Left and right values are computed by re-solving for this many rows: the ones that move most."""
STEP = 1e-3
"""Relative step of a re-solve, at least one unit: smaller steps drown in the solver's tolerance."""
NEGLIGIBLE = 1e-7


@dataclass(frozen=True)
class PricedRow:
    """A priced row: its block, place, and what one of its units is worth in business units."""

    family: str
    row: int
    name: tuple[str, ...]
    unit: str
    scale: float
    offset: float


@dataclass(frozen=True)
class RatioBound:
    """The bound of a share or ratio as a reader knows it, and how many units of its row one of it is."""

    bound: float
    row_units: float


def ratio_bound(model: Model, row: PricedRow, x: FloatArray | None) -> RatioBound | None:
    """The bound of a rule on a share or ratio; None for other rows.

    Its row holds numerator - bound * denominator against 0, so that one more of the bound is worth the
    denominator at the plan `x`.
    """
    rule = model.context.rule_rows.get(row.name[0]) if row.family == "rules" else None
    if rule is None or rule.denominator is None or x is None:
        return None
    member = rule.members.labels.index(row.name[1 : 1 + len(rule.rule.each)])
    is_lower = bool(np.isfinite(model.program.row_lower[row.row]))
    bound = float((rule.asked_lower if is_lower else rule.asked_upper)[member])
    return RatioBound(bound, float(rule.denominator.values(x)[member]) / row.scale)


def marginal_values(
    model: Model, staged: StagedResult, settings: SolveSettings
) -> tuple[tuple[MarginalValue, ...], str]:
    """Every row with a price in the money stage, most valuable first, and the message key of a caveat.

    Value is currency per business unit of the bound; positive: one more brings money. Without a money stage
    the first short target is priced instead, in its own unit.
    """
    stage = _priced_stage(model, staged)
    if stage is None:
        return (), "report.marginal_no_money"
    result = staged.outcome(stage.name).result
    if result is None or result.duals is None:
        return (), "report.marginal_whole_numbers" if model.program.is_mip else "report.marginal_unproved"
    rows = [row for row in priced_rows(model) if abs(result.duals[row.row]) > 0.0]
    values = [_value(model, row, stage, result) for row in rows]
    floor = NEGLIGIBLE * max((abs(value.value * _size(value)) for value in values), default=0.0)
    ranked = sorted(
        (
            (row, value)
            for row, value in zip(rows, values, strict=True)
            if abs(value.value * _size(value)) > floor
        ),
        key=lambda found: (-abs(found[1].value * _size(found[1])), found[1].family, found[1].name),
    )
    note = "report.marginal_starts_fixed" if result.duals_are_of_fixed_integers else ""
    return tuple(_with_sides(model, staged, stage, ranked, settings)), note


def sells_whole_units(model: Model) -> bool:
    """Whether sales come in whole units, so that a little more of a limit may change everything at once."""
    return bool(model.cube.markets.whole_units[model.cube.pair_market].any())


def _priced_stage(model: Model, staged: StagedResult) -> PlanStage | None:
    """The money stage; None where the plan has none."""
    solved = {outcome.stage.name for outcome in staged.outcomes if outcome.result is not None}
    return next((stage for stage in model.stages if stage.is_money and stage.name in solved), None)


def _size(value: MarginalValue) -> float:
    return abs(value.bound) or 1.0


def priced_rows(model: Model) -> Iterator[PricedRow]:
    """Every row that has a business meaning by itself; those of run-out periods are left out."""
    for block in model.program.row_blocks:
        if block.name in PRICED:
            yield from _rule_rows(model, block) if block.name == "rules" else _family_rows(model, block)


def _rule_rows(model: Model, block: Block) -> Iterator[PricedRow]:
    for name, places in model.context.rule_places.items():
        for place in places:
            if place.first != block.start:
                continue
            rule = model.context.rule_rows[name].rule
            unit = "share" if rule.as_share else model.context.metrics.unit(rule.metric)
            labels = block.labels() if block.labels is not None else []
            for index, scale in enumerate(place.scale):
                yield PricedRow("rules", block.start + index, tuple(labels[index]), unit, float(scale), 0.0)


def _family_rows(model: Model, block: Block) -> Iterator[PricedRow]:
    labels = block.labels() if block.labels is not None else []
    cube, resources = model.cube, model.inputs.resources
    behind = {RUN_OUT, *cube.calendar.period[cube.num_planned :]}
    units = dict(
        zip(
            cube.seat_names,
            (cube.inputs.selling.sellers.capacity_unit[s] for s in cube.groups.first),
            strict=True,
        )
    )
    for index, label in enumerate(labels):
        if label[-1] in behind:
            continue
        unit, offset = "units", 0.0
        if block.name == "hours":
            unit = units[label[0]]
        elif block.name == "resources":
            unit = label[0]
            used = resources.by_sellers[resources.names.index(label[0])]
            offset = float(used.sum() if len(label) == 1 else used[cube.calendar.period.index(label[1])])
        elif block.name == "share":
            unit = "currency"
        yield PricedRow(block.name, block.start + index, tuple(label), unit, 1.0, offset)


def _value(model: Model, row: PricedRow, stage: PlanStage, result: SolveResult) -> MarginalValue:
    program = model.program
    assert result.duals is not None
    ratio = ratio_bound(model, row, result.x)
    if ratio is not None:
        # The bound is a coefficient, so that the ranges of the right-hand side say nothing of it.
        each = float(result.duals[row.row]) * ratio.row_units
        return MarginalValue(row.family, row.name, ratio.bound, row.unit, each, of=stage.name)
    price = float(result.duals[row.row]) / row.scale
    lower, upper = program.row_lower[row.row], program.row_upper[row.row]
    pushes_up = (price > 0) == stage.maximize
    bound = upper if (pushes_up and np.isfinite(upper)) or not np.isfinite(lower) else lower
    holds: list[float | None] = [None, None]
    if result.ranges is not None:
        limits = (result.ranges.row_lower[row.row], result.ranges.row_upper[row.row])
        holds = [None if np.isnan(limit) else float(limit) * row.scale + row.offset for limit in limits]
    return MarginalValue(
        row.family,
        row.name,
        float(bound) * row.scale + row.offset,
        row.unit,
        price,
        holds_from=holds[0],
        holds_to=holds[1],
        of=stage.name,
    )


def _with_sides(
    model: Model,
    staged: StagedResult,
    stage: PlanStage,
    ranked: list[tuple[PricedRow, MarginalValue]],
    settings: SolveSettings,
) -> list[MarginalValue]:
    """Left and right values of the rows that move most, by re-solving with the bound a step less and a step
    more."""
    values = [value for _, value in ranked]
    result = staged.outcome(stage.name).result
    if not ranked or result is None or result.x is None:
        return values
    program = staged.program(stage.name)
    if program.is_mip:
        program = with_fixed_integers(program, result.x)
    session = Session(program, settings.solve_options())
    base = session.solve()
    if not base.is_optimal:
        return values
    for position, (row, value) in enumerate(ranked[:RE_SOLVED]):
        ratio = ratio_bound(model, row, base.x)
        step = max(1.0 if row.unit != "share" else STEP, STEP * abs(value.bound))
        units = 1.0 / row.scale if ratio is None else ratio.row_units
        less, more = (_moved(session, row, base.objective, sign * step, units) for sign in (-1.0, 1.0))
        values[position] = replace(value, less=less, more=more)
    return values


def _moved(session: Session, row: PricedRow, base: float, step: float, units: float) -> float | None:
    """Change of the objective per unit when the row's bounds move by `step`, of which each is `units` of the
    row; None when no plan is left."""
    program = session.program
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[row.row] += step * units
    upper[row.row] += step * units
    session.patch(row_lower=lower, row_upper=upper)
    result = session.solve()
    session.reset_to_base()
    return (result.objective - base) / step if result.is_optimal else None
