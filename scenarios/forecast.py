"""The end of the horizon with the plan kept: facts, measured rates, decisions as planned, sales at most as
expected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import SolverFailedError
from optimizer.model.compile import Model, compile_plan
from optimizer.model.objective import PlanStage
from optimizer.plan.inputs import Inputs
from optimizer.result.solution import Solution
from optimizer.solving import solution_of, solver_stage
from scenarios.world import follow_decisions, widened, without_rules
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.staged import solve_stages
from solvers.staged_curves import solve_curve_stages

FloatArray = NDArray[np.float64]


def forecast(solution: Solution, inputs: Inputs, expected: FloatArray) -> Solution:
    """Where the year ends with the plan kept.

    `inputs` are the plan with its facts and measured rates; `expected` (P, T) is the most that each pair
    sells, the plan where nothing drifts. Decisions of open periods are those of the plan; the planner's rules
    are measured, not enforced. Raises `SolverFailedError` when the solver fails.
    """
    model = _for_money(compile_plan(inputs, seat_groups=False))
    cells = model.cube.num_cells
    program = without_rules(model.program)
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    # What closes behind the horizon is not part of the plan, so that nothing is expected of it.
    behind = model.cube.num_periods - expected.shape[1]
    most = np.pad(np.maximum(expected, 0.0), ((0, 0), (0, behind)), constant_values=np.inf)
    upper[:cells] = np.minimum(upper[:cells], most.ravel())
    _decide(model, program, solution, lower, upper)
    fixed = program.replace(column_lower=lower, column_upper=upper)
    settled, curves = follow_decisions(fixed, model.curves, cells)
    options, money = SolveOptions(), solver_stage(model, model.stages[0])
    for attempt in (settled, None):
        possible = widened(settled, options) if attempt is None else attempt
        if curves:
            found = solve_curve_stages(possible, curves, [money], options)
        else:
            found = solve_stages(possible, [money], options)
        if found.x is not None:
            return solution_of(model, found)
    raise SolverFailedError("tracking.no_forecast", reason=str(found.termination.reason))


def _for_money(model: Model) -> Model:
    """The model with contribution as its only stage, or revenue where it knows no margin."""
    metric = "contribution" if model.cube.markets.knows_margin else "revenue"
    terms = model.context.metrics.total(metric)
    scale = float(model.context.magnitude(terms)[0]) or 1.0
    return replace(model, stages=(PlanStage(metric, "money", terms, True, scale, "currency", is_money=True),))


def _decide(
    model: Model, program: LinearProgram, solution: Solution, lower: FloatArray, upper: FloatArray
) -> None:
    """Fix the decisions of open periods at those of the plan; closed ones are fixed by facts already."""
    planned = solution.activities.blocks
    for name, block in model.context.activities.blocks.items():
        if not block.decision or name == "sales" or name not in planned:
            continue
        amounts = planned[name].values(solution.x)
        column = block.columns[:, : amounts.shape[1]]
        low, high = lower[column], upper[column]
        amounts = np.clip(amounts, low, high)
        amounts = np.where(program.integer[column], np.round(amounts), amounts)
        lower[column] = np.where(low < high, amounts, low)
        upper[column] = np.where(low < high, amounts, high)
