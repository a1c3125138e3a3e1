"""How far something may go until a target is just reached: by one linear program, or by bisection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, SolverFailedError
from optimizer.model.compile import Model
from optimizer.model.families.rules import RuleRows
from optimizer.plan.names import nearest
from scenarios.kept import Planned
from scenarios.risk.arrays import World
from scenarios.risk.frames import best_in
from scenarios.risk.futures import Future
from scenarios.risk.riskfile import Risk
from scenarios.risk.worlds import OPEN, Worlds
from solvers.curves import CurveTerm
from solvers.many import ManyPrograms
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason
from solvers.stage import Stage
from solvers.staged_curves import solve_curve_stages
from solvers.stochastic.breakeven import BreakEven, Shift, break_even_bisect, break_even_linear

FloatArray = NDArray[np.float64]

MOST = 10.0
"""A bound is tried up to so many times itself."""
TOLERANCE = 1e-4
"""Share of the range to which a break-even is found by bisection."""
CLOSE = 1e-6
"""A target that is short by so much of itself is reached."""
CURVE_GAP = 1e-5
"""Proof of the most of a target with curves."""


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

    Without curves one linear program, exact (with whole numbers one integer program); with curves bisection
    between 0 and `MOST` times the bound, each try from the plan of the one before. The target must be a sum
    with a lower bound. Raises `InputError` for unknown rules and for bounds that are not single.
    """
    limited = _known(model, rule)
    if not np.isfinite(limited.upper).any() or limited.members.size != 1:
        raise InputError("risk.break_even_bound", name=rule)
    goal, least = _goal(model, target)
    place = model.context.rule_places[rule][0]
    rate = np.zeros(model.program.num_rows)
    rate[place.first] = 1.0 / float(place.scale[0])
    bound = float(limited.asked_upper[0])
    if model.curves:
        return Answer(target, rule, *_by_bisection(model, rate, goal, least, bound))
    nothing, columns = np.zeros(model.program.num_rows), np.zeros(model.program.num_columns)
    shift = Shift(nothing, rate, columns, columns)
    found = break_even_linear(model.program, shift, goal, least, -bound, MOST * bound)
    return Answer(target, rule, None if found.value is None else bound + found.value, found)


def _by_bisection(
    model: Model, rate: FloatArray, goal: FloatArray, least: float, bound: float
) -> tuple[float | None, BreakEven]:
    """The least bound of a plan with curves, and the search."""
    most, program = _Curved(), model.program.replace(objective=goal, maximize=True, offset=0.0)

    def reached(amount: float) -> bool:
        tried = program.replace(row_upper=program.row_upper + rate * (amount - bound))
        return most.of(tried, model.curves) >= least - CLOSE * abs(least)

    found = break_even_bisect(reached, 0.0, MOST * bound, TOLERANCE * MOST * bound)
    return found.value, found


class _Curved:
    """The most of a sum over plans with curves, each found from the one before."""

    _last: FloatArray | None = None

    def of(self, program: LinearProgram, curves: Sequence[CurveTerm]) -> float:
        """The most of the program's objective; -inf where no plan exists. Raises `SolverFailedError` where
        neither is known."""
        stage = Stage("goal", program.objective, maximize=True)
        options = SolveOptions(gap=CURVE_GAP, start_values=self._last)
        result = solve_curve_stages(program, curves, [stage], options)
        if result.x is None:
            if result.termination.reason not in (Reason.INFEASIBLE, Reason.INFEASIBLE_OR_UNBOUNDED):
                raise SolverFailedError("cli.solver_failed", reason=str(result.termination.reason))
            return -np.inf
        self._last = result.x
        return float(program.objective @ result.x)


def holds_until(risk: Risk, planned: Planned, name: str, target: str, way: str = OPEN) -> Answer:
    """Up to which value of an uncertain number a target can still be reached, everything else as planned.

    Bisection between the 0.1 % and 99.9 % points of the number; each try is a plan compiled and solved for
    the most of the target's figure, warm from the optimum of the plan's own world. Raises `InputError` for
    unknown names.
    """
    check_asked(risk, name)
    at = [variable.name for variable in risk.variables].index(name)
    variable, most = risk.variables[at], Most(Worlds(risk, planned, way), target)
    low, high = (float(variable.amounts(u)[0]) for u in (0.001, 0.999))

    def reached(amount: float) -> bool:
        future = Future.with_one(risk, {at: np.array([amount])})
        return most.of(future) >= most.bound - CLOSE * abs(most.bound)

    found = break_even_bisect(reached, low, high, TOLERANCE * (high - low))
    return Answer(target, name, found.value, found)


class Most:
    """The most that a target's figure can be in worlds of one plan, each solved from the plan's own."""

    def __init__(self, worlds: Worlds, target: str) -> None:
        """Raises `InputError` for unknown targets and for ratios."""
        self._worlds, self._place = worlds, _place(worlds.base, target)
        if worlds.base.measures.bottom[[self._place]].nnz:
            raise InputError("risk.break_even_ratio", name=target)
        self.bound = float(worlds.base.measures.at_least[self._place])
        self._curved = _Curved()
        # Kept and reacting have their curves put in already.
        curved = worlds.way == OPEN and bool(worlds.model.curves)
        self._warm = None if curved else ManyPrograms(self._program(worlds.base))

    def of(self, future: Future) -> float:
        """The figure, in its own unit; -inf where a world has no answer."""
        model = self._worlds.model_of(future)
        world = self._worlds.world_of(model, future)
        if self._warm is None:
            constant = float(world.measures.top_constant[self._place])
            return self._curved.of(self._program(world), model.curves) + constant
        if not self._worlds.base.fits(world):
            x = best_in(replace(world, program=self._program(world)))
        else:
            x = self._warm.solve(self._program(world)).x
        return -np.inf if x is None else float(world.measures.values(x)[self._place])

    def _program(self, world: World) -> LinearProgram:
        goal = np.asarray(world.measures.top[[self._place]].todense(), dtype=np.float64).ravel()
        return world.program.replace(objective=goal)


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
