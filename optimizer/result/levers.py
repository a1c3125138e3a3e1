"""What would close a shortfall: what binds a target, and the cheapest combination of levers, solved again
to be sure.

A lever is a right-hand side that people can move: selling time, resources, budgets and limits, market
potential. Keeping every more urgent target where it is, the levers' changes are found that cost least and
meet the target; the changed plan is then solved again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.compile import Model, compile_plan
from optimizer.plan.names import nearest
from optimizer.result.marginal import PricedRow, RatioBound, priced_rows, ratio_bound, sells_whole_units
from optimizer.result.solution import RuleOutcome, Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve_model
from solvers.conflict import GroupChange, RowGroup, least_repair
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.solving import solve as solve_program
from solvers.solving import with_fixed_integers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COST = {"hours": 1.0, "resources": 1.0, "rules": 1.0, "share": 3.0, "demand": 3.0}
"""Cost of changing a lever by all that the company has of it: who buys demand pays for it, so potential
and size of the market come after people's time, resources and the planner's own budgets and limits."""
_KEPT = 1e-6
"""By how much a target that is kept may move, in multiples of its bound: the lock of the stages."""
_SEPARATOR = "\x1f"
SHOWN_BINDING = 8
_MORE = (1e-6, 1e-4, 1e-3)
"""How much more than the least is given, in turn: what stages may give up to each other can leave the target
short by a hair."""
_CURVE_ROUNDS = 8
"""Rounds of tangents at most; the error is squared in each."""


@dataclass(frozen=True)
class Lever:
    """One change: of whose limit, by how much in `unit`, and what share of all that the company has of it."""

    family: str
    name: str
    unit: str
    change: float
    share: float
    money: float | None = None
    """Currency that it costs, where the plan knows a price."""
    seats: float | None = None
    """Full sellers that the hours stand for."""


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
    priced = _straight(model, held, x)
    if priced.is_mip and not sells_whole_units(model):
        priced = with_fixed_integers(priced, x)
    binding = _binding(model, priced, column, outcome, options)
    entries = {entry.group.name: entry for entry in _levers(model)}
    found = Closing(outcome, binding, (), False, None)
    changes: tuple[GroupChange, ...] = ()
    for more in (_MORE[0],) * _CURVE_ROUNDS if model.curves else _MORE:
        if model.curves or not changes:
            must = _with_upper(_straight(model, held, x), column, 0.0)
            changes = least_repair(must, [entry.group for entry in entries.values()], options).changes
        if not changes:
            break
        levers = tuple(_lever(model, entries[change.name], change, 1.0 + more) for change in changes)
        changed = replace(model, program=_applied(model.program, entries, changes, 1.0 + more))
        staged = solve_model(changed, quiet, changed.stages[: _stage_of(changed, outcome) + 1])
        if staged.x is None:
            break
        x = staged.x
        closed = float(x[column]) <= 10.0 * _KEPT
        found = Closing(outcome, binding, levers, closed, changed)
        if closed:
            break
    return found


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
            _SEPARATOR.join(str(seller_group.get(part, part)) for part in label) for label in block.labels()
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


@dataclass(frozen=True)
class _Entry:
    """The rows of one lever: `all` is what the company has of it, `size` (k,) its unit a row unit."""

    family: str
    name: str
    unit: str
    group: RowGroup
    all: float
    size: FloatArray


def _levers(model: Model) -> Iterator[_Entry]:
    """One lever a seat group, market, pool, resource and hard rule.

    The scale of a row is what the company has of its kind over the lever's cost, so that an hour costs the
    same whoever works it, and a unit of potential by its price.
    """
    rows: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    units: dict[tuple[str, str], str] = {}
    prices = _row_prices(model)
    for row in priced_rows(model):
        upper = float(model.program.row_upper[row.row])
        if row.family == "rules" or not np.isfinite(upper) or (row.family == "hours" and upper <= 0):
            continue
        key = (row.family, row.name[0])
        rows.setdefault(key, []).append((row.row, upper, prices.get(row.row, 1.0)))
        units[key] = row.unit
    totals: dict[tuple[str, str], float] = {}
    for key, entries in rows.items():
        kind = (key[0], units[key])
        totals[kind] = totals.get(kind, 0.0) + sum(max(upper, 0.0) * price for _, upper, price in entries)
    for key, entries in rows.items():
        everything = totals[key[0], units[key]] or 1.0
        position = np.array([row for row, _, _ in entries], dtype=np.int64)
        price = np.array([price for _, _, price in entries])
        scale = everything / (price * COST.get(key[0], 1.0))
        group = RowGroup(_SEPARATOR.join(key), position, scale)
        yield _Entry(
            *key,
            units[key],
            group,
            sum(max(upper, 0.0) for _, upper, _ in entries) or 1.0,
            np.ones(len(entries)),
        )
    yield from _hard_rules(model)


def _row_prices(model: Model) -> dict[int, float]:
    """Price of the market of each row of demand, so that potentials of unlike markets compare."""
    markets = model.cube.markets
    price = dict(zip(markets.names, markets.price.mean(axis=1).tolist(), strict=True))
    return {row.row: price.get(row.name[0], 1.0) for row in priced_rows(model) if row.family == "demand"}


def _hard_rules(model: Model) -> Iterator[_Entry]:
    """Budgets, limits and hard targets of sums; their rows are in multiples of their own bound."""
    for name, places in model.context.rule_places.items():
        rule = model.context.rule_rows[name].rule
        if not rule.must or rule.as_share or model.context.rule_rows[name].denominator is not None:
            continue
        position = np.concatenate([place.first + np.arange(len(place.members)) for place in places])
        scales = np.concatenate([place.scale for place in places])
        group = RowGroup(_SEPARATOR.join(["rules", name]), position, np.ones(len(position)) / COST["rules"])
        unit = model.context.metrics.unit(rule.metric)
        yield _Entry("rules", name, unit, group, float(scales.sum()), scales)


def _lever(model: Model, entry: _Entry, change: GroupChange, times: float) -> Lever:
    amount = times * float(((change.upper_by - change.lower_by) * entry.size).sum())
    money = seats = None
    if entry.family == "resources":
        table = model.inputs.resources
        price = float(table.extra_price[table.names.index(entry.name)])
        money = amount * price if np.isfinite(price) else None
    if entry.family == "hours":
        money, seats = _people(model, entry.name, amount)
    return Lever(entry.family, entry.name, entry.unit, amount, amount / entry.all, money, seats)


def _people(model: Model, seat: str, amount: float) -> tuple[float | None, float | None]:
    """What further capacity of a seat group costs by its sellers' pay, and how many full sellers it stands
    for."""
    cube = model.cube
    group = cube.seat_names.index(seat)
    planned = slice(cube.num_planned)
    capacity, presence = (
        float(cube.capacity[group, planned].sum()),
        float(cube.presence[group, planned].sum()),
    )
    if capacity <= 0 or presence <= 0:
        return None, None
    seats = amount / (capacity / presence) / cube.num_planned
    cost = float(cube.seat_cost[group, planned].sum()) * 12.0 / cube.calendar.periods_a_year
    return (amount * cost / capacity if cost > 0 else None), seats


def _applied(
    program: LinearProgram, entries: dict[str, _Entry], changes: tuple[GroupChange, ...], times: float
) -> LinearProgram:
    """The program with the levers moved by so many times the least."""
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    for change in changes:
        rows: IntArray = entries[change.name].group.rows
        lower[rows] -= times * change.lower_by
        upper[rows] += times * change.upper_by
    return program.replace(row_lower=lower, row_upper=upper)
