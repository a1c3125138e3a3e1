"""Actions that can be prepared: an initiative that is off, more of a resource, a reserve for a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError
from optimizer.model.blocks import ActivityBlock
from optimizer.model.compile import Model
from optimizer.plan.names import nearest
from optimizer.plan.source import KeyPath
from scenarios.kept import Planned
from scenarios.risk.riskfile import Risk
from scenarios.risk.schema import ActionSpec

FloatArray = NDArray[np.float64]
Rows = tuple[tuple[str, ...], FloatArray]

BLOCKS = {"initiative": "start", "resource": "extra", "channel": "spend"}
"""Kind of an action -> the activity of which it does more."""
ROUNDING = 1e-6


@dataclass(frozen=True)
class Action:
    """One action: its kind, the plan with it, the first period in which it is done, what preparing costs."""

    name: str
    kind: str
    planned: Planned
    period: int
    prepare: float


def actions_of(risk: Risk, planned: Planned, model: Model) -> list[Action]:
    """The actions of a risk file, or every initiative that is off and may still start.

    Raises `InputError` for what the plan does not know, has started already, or may not do any more.
    """
    spec = risk.spec.contingency
    if spec is None:
        return []
    place = risk.source.place(("contingency", "visible_by"), str(spec.visible_by))
    if spec.visible_by >= risk.base.plan.calendar.size:
        raise InputError("contingency.too_late", place, periods=risk.base.plan.calendar.size)
    if spec.actions:
        return [
            _named(risk, planned, model, one, ("contingency", "actions", at), spec.visible_by)
            for at, one in enumerate(spec.actions)
        ]
    found = []
    for row, name in enumerate(_labels(model, "initiative")):
        period = _first_start(planned, model, row, spec.visible_by)
        if period is not None:
            found.append(_started(planned, ActionSpec(initiative=name), row, period))
    if not found:
        raise InputError("contingency.nothing", risk.source.place(("contingency",)))
    return found


def _named(risk: Risk, planned: Planned, model: Model, one: ActionSpec, path: KeyPath, after: int) -> Action:
    given = [kind for kind in BLOCKS if getattr(one, kind) is not None]
    if len(given) != 1 or (one.amount is None) != (given == ["initiative"]):
        raise InputError("contingency.one_kind", risk.source.place(path))
    kind = given[0]
    label, known = str(getattr(one, kind)), _labels(model, kind)
    place = risk.source.place((*path, kind), label)
    if label not in known:
        raise InputError("contingency.unknown", place, kind=kind, nearest=nearest(label, known))
    rows = [row for row, name in enumerate(known) if name == label]
    if kind == "resource":
        if not np.isfinite(model.context.activities.extra_price[rows[0]]):
            raise InputError("contingency.not_for_sale", place, name=label)
        return _bought(planned, one, rows[0], after)
    if kind == "channel":
        return _reserved(planned, model, one, rows, after)
    period = _first_start(planned, model, rows[0], after)
    if period is None:
        begun = planned.decisions["start"][1][rows[0]].any()
        raise InputError("contingency.started" if begun else "contingency.cannot_start", place, name=label)
    return _started(planned, one, rows[0], period)


def _labels(model: Model, kind: str) -> list[str]:
    """The labels of the rows of which an action may do more."""
    block = model.context.activities.blocks.get(BLOCKS[kind])
    return [] if block is None else [str(label) for label in block.labels[kind]]


def _first_start(planned: Planned, model: Model, row: int, after: int) -> int | None:
    """The first period after `after` in which an initiative that is off may start beside the plan's."""
    _, starts = planned.decisions["start"]
    if starts[row].any():
        return None
    block = model.context.activities.blocks["start"]
    for period in range(after, starts.shape[1]):
        tried = starts.copy()
        tried[row, period] = 1.0
        if model.program.column_upper[block.columns[row, period]] >= 1.0 and _allowed(model, block, tried):
            return period
    return None


def _allowed(model: Model, block: ActivityBlock, starts: FloatArray) -> bool:
    """Whether starts (I, T) keep what is said of starts alone: requirements, exclusions, gaps."""
    program, x = model.program, np.zeros(model.program.num_columns)
    x[block.columns[:, : starts.shape[1]]] = starts
    others = np.ones(program.num_columns, dtype=np.bool_)
    others[block.start : block.stop] = False
    rows = sparse.csr_array(program.matrix)
    alone = (np.abs(rows) @ others.astype(np.float64)) == 0.0
    said = np.zeros(program.num_rows, dtype=np.bool_)
    for part in program.row_blocks:
        said[part.start : part.stop] = part.name == "initiatives"
    about = np.flatnonzero(alone & said)
    value = rows[about] @ x
    over = value > program.row_upper[about] + ROUNDING
    return not bool((over | (value < program.row_lower[about] - ROUNDING)).any())


def _started(planned: Planned, one: ActionSpec, row: int, period: int) -> Action:
    names, starts = planned.decisions["start"]
    changed = starts.copy()
    changed[row, period] = 1.0
    return _action(planned, one, "initiative", {"start": (names, changed)}, period)


def _bought(planned: Planned, one: ActionSpec, row: int, after: int) -> Action:
    names, amounts = planned.decisions["extra"]
    changed = amounts.copy()
    changed[row, after:] += float(one.amount or 0.0)
    return _action(planned, one, "resource", {"extra": (names, changed)}, after)


def _reserved(planned: Planned, model: Model, one: ActionSpec, rows: list[int], after: int) -> Action:
    """More spend on the rows of a channel, shared as planned then, evenly where nothing is; a row that is
    used only now is opened too."""
    marketing = model.inputs.marketing
    assert marketing is not None
    names, amounts = planned.decisions["spend"]
    cost = marketing.unit_cost[rows][:, None]
    planned_money = amounts[rows, after:] * cost
    whole = planned_money.sum(axis=0)
    share = np.divide(planned_money, whole, out=np.full_like(planned_money, 1.0 / len(rows)), where=whole > 0)
    changed = amounts.copy()
    changed[rows, after:] += float(one.amount or 0.0) * share / cost
    decisions = {"spend": (names, changed)}
    for block in ("used", "opened"):
        if block in planned.decisions:
            labels, switches = planned.decisions[block]
            on = switches.copy()
            if block == "used":
                on[rows, after:] = 1.0
            else:
                on[rows, after] = np.where(on[rows].any(axis=1), on[rows, after], 1.0)
            decisions[block] = (labels, on)
    return _action(planned, one, "channel", decisions, after)


def _action(planned: Planned, one: ActionSpec, kind: str, more: Mapping[str, Rows], period: int) -> Action:
    name = one.name or str(getattr(one, kind))
    changed = replace(planned, decisions={**planned.decisions, **more})
    return Action(name, kind, changed, period, float(one.prepare))
