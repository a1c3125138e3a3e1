"""What would close a shortfall: what binds a target, and the cheapest combination of levers, solved again
to be sure.

A lever is a right-hand side that people can move: selling time, resources, budgets and limits, market
potential. Keeping every more urgent target where it is, the levers' changes are found that cost least and
meet the target; the changed plan is then solved again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.compile import Model, compile_plan
from optimizer.plan.names import nearest
from optimizer.result.leverlist import SEPARATOR, Lever, levers_of, moved_lever, with_levers
from optimizer.result.marginal import PricedRow, RatioBound, priced_rows, ratio_bound, sells_whole_units
from optimizer.result.solution import RuleOutcome, Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve_model
from solvers.conflict import GroupChange, least_repair
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.solving import solve as solve_program
from solvers.solving import with_fixed_integers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_KEPT = 1e-6
"""By how much a target that is kept may move, in multiples of its bound: the lock of the stages."""
SHOWN_BINDING = 8
_MORE = (1e-6, 1e-4, 1e-3)
"""How much more than the least is given, in turn: what stages may give up to each other can leave the target
short by a hair."""
_CURVE_ROUNDS = 8
"""Rounds of tangents at most; the error is squared in each."""


@dataclass(frozen=True)
class Binding:
    """A limit that holds the target back: one more `unit` of it adds `value` to the target's figure
    (`less` and `more` by solving again); the value holds for bounds from `holds_from` to `holds_to`, None
    where that is not known."""

    family: str
    name: str
    unit: str
    bound: float
    value: float
    less: float | None
    more: float | None
    holds_from: float | None
    holds_to: float | None


@dataclass(frozen=True)
class Closing:
    """Why one member of a target is short, and what would close it."""

    outcome: RuleOutcome
    binding: tuple[Binding, ...]
    levers: tuple[Lever, ...]
    closed: bool
    """Whether the target is met when the plan is solved again with the levers applied."""
    model: Model | None
    """The changed model that was solved again; None without levers."""


def find_outcomes(solution: Solution, name: str) -> tuple[RuleOutcome, ...]:
    """The members of a rule by its name; raises `InputError` with the nearest name."""
    found = tuple(outcome for outcome in solution.outcomes if outcome.rule == name)
    if not found:
        names = list(dict.fromkeys(outcome.rule for outcome in solution.outcomes))
        raise InputError(
            "quotas.rule_unknown", name=name, nearest=nearest(name, names), known=", ".join(names)
        )
    return found


def close_shortfall(
    solution: Solution, outcome: RuleOutcome, settings: SolveSettings | None = None
) -> Closing:
    """What binds a missed soft rule, and the cheapest levers that meet it.

    Minimises the sum over levers of cost * change / all that the company has of it, with every rule of the
    same or a more urgent priority kept where it is; a target that is met needs no levers. Hard rules are
    never short. A rule on one of a group of equal sellers is looked at with all sellers apart. With response
    curves, tangents at the plan say what to change; the changed plan is solved on the curves themselves and
    gives the next tangents, until the target is met (Newton's method).
    """
    if outcome.status not in ("short", "over"):
        return Closing(outcome, (), (), True, None)
    quiet = replace(settings or SolveSettings(), marginal_values=False, leverage=False, on_stage=None)
    model = solution.model
    if _slack_column(model, outcome) is None:
        model = compile_plan(solution.inputs, seat_groups=False)
    held, column, x = _held(model, solution.model, outcome, quiet)
    options = replace(quiet.solve_options(model.inputs.plan.spec.proof_gap), progress=None)
    binding = _binding(model, _priced(model, held, x), column, outcome, options)
    entries = {entry.group.name: entry for entry in levers_of(model)}
    found = Closing(outcome, binding, (), False, None)
    changes: tuple[GroupChange, ...] = ()
    for more in (_MORE[0],) * _CURVE_ROUNDS if model.curves else _MORE:
        if model.curves or not changes:
            must = _with_upper(_straight(model, held, x), column, 0.0)
            changes = least_repair(must, [entry.group for entry in entries.values()], options).changes
        if not changes:
            break
        levers = tuple(moved_lever(model, entries[change.name], change, 1.0 + more) for change in changes)
        changed = replace(model, program=with_levers(model.program, entries, changes, 1.0 + more))
        staged = solve_model(changed, quiet, changed.stages[: _stage_of(changed, outcome) + 1])
        if staged.x is None:
            break
        x = staged.x
        closed = float(x[column]) <= 10.0 * _KEPT
        found = Closing(outcome, binding, levers, closed, changed)
        if closed:
            break
    return found


def _priced(model: Model, held: LinearProgram, x: FloatArray) -> LinearProgram:
    """The program whose prices tell what binds: starts and switches stay as they are in the plan."""
    straight = _straight(model, held, x)
    return with_fixed_integers(straight, x) if straight.is_mip and not sells_whole_units(model) else straight


def _straight(model: Model, program: LinearProgram, x: FloatArray) -> LinearProgram:
    """The program with its curves replaced by their tangents at `x`; itself without curves."""
    if not model.curves:
        return program
    from solvers.curves import CurveProgram, local_program

    return local_program(CurveProgram(program, model.curves), x)


def _stage_of(model: Model, outcome: RuleOutcome) -> int:
    name = f"targets {outcome.priority}"
    return next((at for at, stage in enumerate(model.stages) if stage.name == name), len(model.stages) - 1)


def _held(
    model: Model, grouped: Model, outcome: RuleOutcome, settings: SolveSettings
) -> tuple[LinearProgram, int, FloatArray]:
    """The program with every rule of the same or a more urgent priority held where it is, the column of the
    outcome's own shortfall, which is free, and the plan. `grouped` is the model of the solution."""
    staged = solve_model(model, settings, model.stages[: _stage_of(model, outcome) + 1])
    own = _slack_column(model, outcome)
    if staged.x is None or own is None:
        raise ValueError("the solution holds no plan with such a shortfall")
    missed = staged.x if model is grouped else _evened(model, grouped, staged.x)
    upper = model.program.column_upper.copy()
    for soft in model.context.soft:
        if soft.priority is not None and outcome.priority is not None and soft.priority <= outcome.priority:
            upper[soft.columns] = np.maximum(missed[soft.columns], 0.0) + _KEPT
    upper[own] = np.inf
    return model.program.replace(column_upper=upper), own, staged.x


def _evened(model: Model, grouped: Model, x: FloatArray) -> FloatArray:
    """Shortfalls of single sellers evened out over each group of equal ones: as good, and what the solution
    has."""
    seller_group = dict(
        zip(model.cube.seat_names, grouped.cube.groups.group[model.cube.groups.first].tolist(), strict=True)
    )
    even = x.copy()
    for block in model.program.column_blocks:
        if block.name not in ("short", "over") or block.labels is None:
            continue
        keys = [
            SEPARATOR.join(str(seller_group.get(part, part)) for part in label) for label in block.labels()
        ]
        _, code = np.unique(keys, return_inverse=True)
        cells = slice(block.start, block.start + len(keys))
        even[cells] = (np.bincount(code, weights=x[cells]) / np.bincount(code))[code]
    return even


def _slack_column(model: Model, outcome: RuleOutcome) -> int | None:
    """The column of the outcome's shortfall; None where a seat group stands for its seller."""
    for block in model.program.column_blocks:
        if block.name == outcome.status and block.labels is not None:
            for at, label in enumerate(block.labels()):
                if tuple(label)[: 1 + len(outcome.member)] == (outcome.rule, *outcome.member):
                    return block.start + at
    return None


def _with_upper(program: LinearProgram, column: int, value: float) -> LinearProgram:
    upper = program.column_upper.copy()
    upper[column] = value
    return program.replace(column_upper=upper)


def _scale(model: Model, outcome: RuleOutcome, column: int) -> float:
    """What a shortfall of 1 means in the unit of the rule's bounded expression."""
    for soft in model.context.soft:
        at = np.flatnonzero(soft.columns == column)
        if soft.name == outcome.rule and len(at):
            return float(soft.scale[at[0]])
    return 1.0


def _binding(
    model: Model, program: LinearProgram, column: int, outcome: RuleOutcome, options: SolveOptions
) -> tuple[Binding, ...]:
    """The limits with a price in the program that makes this shortfall alone smallest, the strongest
    first."""
    objective = np.zeros(program.num_columns)
    objective[column] = _scale(model, outcome, column)
    focused = program.replace(objective=objective, maximize=False, offset=0.0)
    base = solve_program(focused, replace(options, ranging=not program.is_mip))
    if base.duals is None or base.objective_value is None:
        return ()
    duals = base.duals
    unit_size = _reader_units(model, outcome, float(base.objective_value))
    rows = [row for row in priced_rows(model) if row.name[0] != outcome.rule and abs(duals[row.row]) > _KEPT]
    ratios = {row.row: ratio_bound(model, row, base.x) for row in rows}
    weight = {row.row: abs(duals[row.row] * _row_size(program, row, ratios[row.row])) for row in rows}
    rows.sort(key=lambda row: (-weight[row.row], row.family, row.name))
    found = []
    for row in rows[:SHOWN_BINDING]:
        price, ratio, name = -float(duals[row.row]) * unit_size, ratios[row.row], " / ".join(row.name)
        if ratio is not None:
            each = price * ratio.row_units
            found.append(Binding(row.family, name, row.unit, ratio.bound, each, None, None, None, None))
            continue
        limits = (
            None if base.ranges is None else (base.ranges.row_lower[row.row], base.ranges.row_upper[row.row])
        )
        holds = [
            None if limit is None or not np.isfinite(limit) else float(limit) * row.scale + row.offset
            for limit in limits or (None, None)
        ]
        sides = [_moved(focused, row, sign, float(base.objective_value), options) for sign in (-1.0, 1.0)]
        less, more = (None if side is None else side * unit_size for side in sides)
        bound = _bound(program, row) * row.scale + row.offset
        found.append(
            Binding(row.family, name, row.unit, bound, price / row.scale, less, more, holds[0], holds[1])
        )
    return tuple(found)


def _row_size(program: LinearProgram, row: PricedRow, ratio: RatioBound | None) -> float:
    """All of a bound in units of its row."""
    return _bound(program, row) if ratio is None else ratio.bound * ratio.row_units


def _reader_units(model: Model, outcome: RuleOutcome, missing: float) -> float:
    """What turns a change of numerator - r * denominator into the ratio that a reader knows; 1 for sums."""
    rows = model.context.rule_rows[outcome.rule]
    return outcome.shortfall / missing if rows.denominator is not None and missing > 0 else 1.0


def _bound(program: LinearProgram, row: PricedRow) -> float:
    upper = float(program.row_upper[row.row])
    return upper if np.isfinite(upper) else float(program.row_lower[row.row])


def _moved(
    program: LinearProgram, row: PricedRow, sign: float, base: float, options: SolveOptions
) -> float | None:
    """What one more (or less) unit of a limit adds to the target's figure by solving again; None without a
    plan."""
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    step = sign * max(1.0, 1e-3 * abs(_bound(program, row) * row.scale)) / row.scale
    lower[row.row] += step
    upper[row.row] += step
    result = solve_program(program.replace(row_lower=lower, row_upper=upper), options)
    if not result.is_optimal or result.objective_value is None:
        return None
    return (base - result.objective_value) / (step * row.scale)
