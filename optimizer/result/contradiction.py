"""Why no plan exists: the least change, every repair by one rule alone, and a minimal set that cannot hold
together.

Elastic programming and filters (Chinneck 2008). Rules give way first; capacities, potentials, resources and
market sizes, which the planner gave as facts, only where rules alone are not enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.compile import Model
from optimizer.model.families.rules import RuleRows
from optimizer.result.solution import Contradiction, Repair
from optimizer.settings import SolveSettings
from solvers.conflict import GroupChange, RowGroup, least_repair, minimal_conflict, single_repairs
from solvers.options import SolveOptions

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

SECONDS_A_STEP = 20.0
"""Time budget of each of the three steps, unless the settings give less."""
_SEPARATOR = "\x1f"
_BY_FIRST_LABEL = ("demand", "share", "hours", "resources", "balance", "stay_near", "freeze")


@dataclass(frozen=True)
class _Named:
    """A group of rows with a business name: `unit_size` (k,) turns a change of a row into business units."""

    family: str
    name: str
    unit: str
    bound: float | None
    group: RowGroup
    unit_size: FloatArray
    rows: RuleRows | None = None
    member: int = 0


def explain_contradiction(model: Model, settings: SolveSettings) -> Contradiction:
    """Elastic repair and a minimal conflict over the named rules and the given capacities, potentials and
    resources."""
    limit = min(SECONDS_A_STEP, settings.time_limit or SECONDS_A_STEP)
    options = replace(settings.solve_options(), time_limit=limit, progress=None)
    named = [*_rules(model), *_facts(model)]
    by_name = {entry.group.name: entry for entry in named}
    conflict = minimal_conflict(model.program, [entry.group for entry in named], options)
    rules = [entry for entry in named if entry.rows is not None]
    repair_rules, least, x = _least(model, rules, named, options)
    singles = single_repairs(
        model.program,
        [entry.group for entry in repair_rules],
        options,
        candidates=set(conflict.groups) if conflict.is_minimal else None,
    )
    return Contradiction(
        least_change=tuple(_repair(by_name[change.name], change, x) for change in least),
        single_repairs=tuple(_repair(by_name[name], change, x) for name, change in singles.repairs.items()),
        conflicting=tuple(_repair(by_name[name], None, x) for name in conflict.groups),
        conflicting_is_minimal=conflict.is_minimal,
    )


def _least(
    model: Model,
    rules: Sequence[_Named],
    named: Sequence[_Named],
    options: SolveOptions,
) -> tuple[Sequence[_Named], tuple[GroupChange, ...], FloatArray | None]:
    """The least repair by rules; by rules and facts where rules alone are not enough."""
    for entries in (rules, named):
        if not entries:
            continue
        found = least_repair(model.program, [entry.group for entry in entries], options)
        if found.changes:
            return entries, found.changes, found.x
    return named, (), None


def _repair(entry: _Named, change: GroupChange | None, x: FloatArray | None) -> Repair:
    """A change in business units: a lower bound goes down (negative), an upper bound goes up (positive)."""
    amount = None
    if change is not None:
        size = entry.unit_size * _ratio_size(entry, x)
        amount = float((change.upper_by * size).sum() - (change.lower_by * size).sum())
    return Repair(entry.family, entry.name, entry.unit, entry.bound, amount)


def _ratio_size(entry: _Named, x: FloatArray | None) -> float:
    """What turns a change of numerator - r * denominator into a change of r: one over the denominator of
    the repair."""
    if entry.rows is None or entry.rows.denominator is None or x is None:
        return 1.0
    below = float(entry.rows.denominator.values(x)[entry.member])
    return 1.0 / below if abs(below) > 1e-9 else np.nan


def _rules(model: Model) -> Iterator[_Named]:
    """One group a member of each must-rule; its rows are divided by their bound already."""
    for name, places in model.context.rule_places.items():
        rows = model.context.rule_rows[name]
        if not rows.rule.must:
            continue
        unit = "share" if rows.rule.as_share else model.context.metrics.unit(rows.rule.metric)
        for member in sorted({int(member) for place in places for member in place.members}):
            found = [
                (place.first + index, place.scale[index])
                for place in places
                for index in np.flatnonzero(place.members == member)
            ]
            position = np.array([row for row, _ in found])
            labels = rows.members.labels[member]
            lower, upper = rows.asked_lower[member], rows.asked_upper[member]
            bound = float(upper if np.isnan(lower) else lower)
            group = RowGroup(_SEPARATOR.join(["rules", name, *labels]), position, np.ones(len(found)))
            size = np.array([scale for _, scale in found]) / _seats(rows, member)
            yield _Named("rules", " / ".join([name, *labels]), unit, bound, group, size, rows, member)


def _seats(rows: RuleRows, member: int) -> float:
    return float(np.broadcast_to(rows.sellers, rows.scale.shape)[member])


def _facts(model: Model) -> Iterator[_Named]:
    """One group a market, seat, resource, pool or balance: the rows that share their first label."""
    sellers = model.inputs.selling.sellers
    units = {
        name: sellers.capacity_unit[seller]
        for name, seller in zip(model.cube.seat_names, model.cube.groups.first, strict=True)
    }
    rows_of: dict[tuple[str, str], list[int]] = {}
    for block in model.program.row_blocks:
        if block.name in _BY_FIRST_LABEL and block.labels is not None:
            for index, label in enumerate(block.labels()):
                if not _defines(model, block.name, block.start + index):
                    rows_of.setdefault((block.name, label[0]), []).append(block.start + index)
    for (family, name), rows in rows_of.items():
        position = np.array(rows)
        upper = model.program.row_upper[position]
        scale = np.where(np.isfinite(upper) & (np.abs(upper) > 0), np.abs(upper), 1.0)
        unit = {"demand": "units", "hours": units.get(name, ""), "resources": name, "share": "currency"}.get(
            family, ""
        )
        bound = float(upper.sum()) if np.isfinite(upper).all() else None
        group = RowGroup(_SEPARATOR.join([family, name]), position, scale)
        yield _Named(family, name, unit, bound, group, np.ones(len(position)))


def _defines(model: Model, family: str, row: int) -> bool:
    """Whether a row defines a helper column (an equation of stay_near) and so is nothing that a planner
    gave."""
    program = model.program
    return family == "stay_near" and program.row_lower[row] == program.row_upper[row]
