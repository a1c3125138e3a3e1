"""How far something may go until a target is just reached: by one linear program, or by bisection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.compile import Model
from optimizer.model.families.rules import RuleRows
from optimizer.plan.names import nearest
from scenarios.kept import Planned
from scenarios.risk.arrays import World
from scenarios.risk.futures import Future
from scenarios.risk.riskfile import Risk
from scenarios.risk.simulation import best_in
from scenarios.risk.worlds import OPEN, Worlds
from solvers.stochastic.breakeven import BreakEven, Shift, break_even_bisect, break_even_linear

FloatArray = NDArray[np.float64]

MOST = 10.0
"""A bound is tried up to so many times itself."""
TOLERANCE = 1e-4
"""Width to which a factor is found."""


@dataclass(frozen=True)
class Answer:
    """What just reaches a target: `value` of the bound or of the number; None where nothing does."""

    target: str
    what: str
    value: float | None
    found: BreakEven


def check_asked(risk: Risk, what: str) -> None:
    """Raise `InputError` where a name is neither a rule of the plan nor a number with a value to look for."""
    if what in {rule.name for rule in risk.base.plan.rules}:
        return
    names = [variable.name for variable in risk.variables]
    if what not in names:
        raise InputError("risk.name_unknown", name=what, nearest=nearest(what, names))
    if risk.variables[names.index(what)].action not in ("multiply", "add"):
        raise InputError("risk.break_even_number", name=what)


def budget_for(model: Model, rule: str, target: str) -> Answer:
    """The least bound of a must-rule (a budget) at which a target can be reached, all other must-rules kept.

    One linear program, exact, for plans without curves; the target must be a sum with a lower bound. Raises
    `InputError` for unknown rules and for what is not linear in the bound.
    """
    limited = _known(model, rule)
    if model.curves or not np.isfinite(limited.upper).any() or limited.members.size != 1:
        raise InputError("risk.break_even_bound", name=rule)
    goal = _goal(model, target)
    place = model.context.rule_places[rule][0]
    nothing = np.zeros(model.program.num_rows)
    rate = nothing.copy()
    rate[place.first] = 1.0 / float(place.scale[0])
    columns = np.zeros(model.program.num_columns)
    bound = float(limited.asked_upper[0])
    found = break_even_linear(
        model.program, Shift(nothing, rate, columns, columns), goal[0], goal[1], -bound, MOST * bound
    )
    return Answer(target, rule, None if found.value is None else bound + found.value, found)


def holds_until(risk: Risk, planned: Planned, name: str, target: str, way: str = OPEN) -> Answer:
    """Up to which value of an uncertain number a target can still be reached, everything else as planned.

    Bisection between the 0.1 % and 99.9 % points of the number; each try is a plan compiled and solved for
    the most of the target's figure. Raises `InputError` for unknown names.
    """
    check_asked(risk, name)
    at = [variable.name for variable in risk.variables].index(name)
    variable = risk.variables[at]
    worlds = Worlds(risk, planned, way)
    low, high = (float(variable.amounts(u)[0]) for u in (0.001, 0.999))

    def reached(amount: float) -> bool:
        world = worlds.compiled(Future.with_one(risk, {at: np.array([amount])}))
        return most_of(world, target) >= bound - 1e-6 * abs(bound)

    place = _place(worlds.base, target)
    bound = float(worlds.base.measures.at_least[place])
    found = break_even_bisect(reached, low, high, TOLERANCE * (high - low))
    return Answer(target, name, found.value, found)


def most_of(world: World, target: str) -> float:
    """The most that the target's figure can be in a world; a ratio is not possible."""
    measures, place = world.measures, _place(world, target)
    if measures.bottom[[place]].nnz:
        raise InputError("risk.break_even_ratio", name=target)
    top = np.asarray(measures.top[[place]].todense(), dtype=np.float64).ravel()
    x = best_in(World(world.program.replace(objective=top), measures))
    return -np.inf if x is None else float(measures.values(x)[place])


def _place(world: World, target: str) -> int:
    names = [label.name for label in world.measures.labels]
    if target not in names:
        raise InputError("risk.target_unknown", name=target, nearest=nearest(target, names))
    return names.index(target)


def _known(model: Model, rule: str) -> RuleRows:
    rules = model.context.rule_rows
    if rule not in rules:
        raise InputError("risk.target_unknown", name=rule, nearest=nearest(rule, rules))
    return rules[rule]


def _goal(model: Model, target: str) -> tuple[FloatArray, float]:
    """The target's figure over the columns (n,), and what it has to be at least."""
    rows = _known(model, target)
    if rows.denominator is not None or rows.members.size != 1 or np.isnan(rows.asked_lower[0]):
        raise InputError("risk.break_even_ratio", name=target)
    terms = rows.numerator
    return terms.dense(model.program.num_columns), float(rows.asked_lower[0] - terms.constant[0])
