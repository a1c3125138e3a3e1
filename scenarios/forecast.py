"""The end of the horizon with the plan kept: facts, measured rates, decisions as planned, sales at most as
expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import SolverFailedError
from optimizer.model.compile import Model, compile_plan
from optimizer.model.objective import PlanStage
from optimizer.plan.inputs import Inputs
from optimizer.result.solution import Solution
from optimizer.solving import solution_of, solver_stage
from scenarios.kept import money_metric
from scenarios.world import follow_decisions, widened, without_rules
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.staged import solve_stages
from solvers.staged_curves import solve_curve_stages

FloatArray = NDArray[np.float64]

MOST_COLUMNS = 1_000_000
"""Columns that the solves of one page have together when nobody says how many there may be."""


def affordable(columns: int, most: int) -> int:
    """How many solves of a program with so many columns a page takes by itself, at most `most`."""
    return min(most, MOST_COLUMNS // max(columns, 1))


class Forecaster:
    """The plan kept in the world of some inputs, compiled once for any number of plans.

    `inputs` are the plan with its facts and measured rates; `expected` (P, T) is the most that each pair
    sells, the plan where nothing drifts. The planner's rules are measured, not enforced.
    """

    def __init__(self, inputs: Inputs, expected: FloatArray) -> None:
        self.model = _for_money(compile_plan(inputs, seat_groups=False))
        cells = self.model.cube.num_cells
        program = without_rules(self.model.program)
        upper = program.column_upper.copy()
        # What closes behind the horizon is not part of the plan, so that nothing is expected of it.
        behind = self.model.cube.num_periods - expected.shape[1]
        most = np.pad(np.maximum(expected, 0.0), ((0, 0), (0, behind)), constant_values=np.inf)
        upper[:cells] = np.minimum(upper[:cells], most.ravel())
        self.program = program.replace(column_upper=upper)

    def kept(self, solution: Solution, changed: Mapping[str, FloatArray] | None = None) -> Solution:
        """Where the year ends with the decisions of a plan in its open periods; `changed` has other amounts
        of some activities (rows, T).

        Raises `SolverFailedError` when the solver fails.
        """
        model, program = self.model, self.program
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        planned = {name: block.values(solution.x) for name, block in solution.activities.blocks.items()}
        _decide(model, program, {**planned, **(changed or {})}, lower, upper)
        fixed = program.replace(column_lower=lower, column_upper=upper)
        settled, curves = follow_decisions(fixed, model.curves, model.cube.num_cells)
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
    metric = money_metric(model)
    terms = model.context.metrics.total(metric)
    scale = float(model.context.magnitude(terms)[0]) or 1.0
    return replace(model, stages=(PlanStage(metric, "money", terms, True, scale, "currency", is_money=True),))


def _decide(
    model: Model,
    program: LinearProgram,
    planned: Mapping[str, FloatArray],
    lower: FloatArray,
    upper: FloatArray,
) -> None:
    """Fix the decisions of open periods at the planned amounts; closed ones are fixed by facts already."""
    for name, block in model.context.activities.blocks.items():
        if not block.decision or name == "sales" or name not in planned:
            continue
        past = model.cube.inputs.past
        amounts = planned[name][:, past:]
        column = block.columns[:, past : past + amounts.shape[1]]
        low, high = lower[column], upper[column]
        amounts = np.clip(amounts, low, high)
        amounts = np.where(program.integer[column], np.round(amounts), amounts)
        lower[column] = np.where(low < high, amounts, low)
        upper[column] = np.where(low < high, amounts, high)
