"""A program as PuLP's objects, for the solvers that only PuLP reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.result import Limit, Reason, SolveResult, Termination


@dataclass(frozen=True)
class PulpModel:
    """PuLP's problem, its columns, and its constraints with the row of each (a range is two constraints)."""

    program: LinearProgram
    problem: Any
    columns: list[Any]
    constraints: list[tuple[int, Any]]

    def result(self, name: str, options: SolveOptions) -> SolveResult:
        """Translate back; values only when PuLP says that there is a solution."""
        import pulp

        termination = _termination(self.problem, options)
        if self.problem.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
            return SolveResult(name, termination)
        values = [column.varValue for column in self.columns]
        x = np.array([0.0 if value is None else value for value in values])
        priced = termination.reason is Reason.OPTIMAL and not self.program.is_mip
        duals, reduced_costs = self._prices() if priced else (None, None)
        return SolveResult(name, termination, x=x, duals=duals, reduced_costs=reduced_costs)

    def _prices(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Row prices (m,) and reduced costs (n,), or None unless every one is there."""
        prices = [constraint.pi for _, constraint in self.constraints]
        costs = [column.dj for column in self.columns]
        if None in prices or None in costs:
            return None, None
        sign = -1.0 if self.program.maximize else 1.0
        duals = np.zeros(self.program.num_rows)
        np.add.at(duals, [row for row, _ in self.constraints], prices)
        return sign * duals, sign * np.array(costs)


def fill_problem(problem: Any, program: LinearProgram) -> PulpModel:
    """Fill an empty problem of PuLP, always to minimise, because its solvers disagree about the signs of
    prices when they maximise; columns and rows are named by index."""
    import pulp

    sign = -1.0 if program.maximize else 1.0
    kinds = np.where(program.integer, pulp.LpInteger, pulp.LpContinuous).tolist()
    bounds = zip(_finite(program.column_lower), _finite(program.column_upper), kinds, strict=True)
    columns = [
        problem.add_variable(f"c{column}", low, high, kind) for column, (low, high, kind) in enumerate(bounds)
    ]
    costs = zip(columns, (sign * program.objective).tolist(), strict=True)
    problem += pulp.LpAffineExpression(list(costs), constant=sign * program.offset)
    matrix, constraints = program.matrix.tocsr(), []
    sides = zip(_finite(program.row_lower), _finite(program.row_upper), strict=True)
    for row, (low, high) in enumerate(sides):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        used = [columns[column] for column in matrix.indices[span].tolist()]
        terms = list(zip(used, matrix.data[span].tolist(), strict=True))
        wanted = [(pulp.LpConstraintGE, low), (pulp.LpConstraintLE, high)]
        for sense, side in [(pulp.LpConstraintEQ, low)] if low == high else wanted:
            if side is not None:
                expression = pulp.LpAffineExpression(terms)
                constraint = pulp.LpConstraint(expression, sense, f"r{row}_{sense + 1}", side)
                problem.addConstraint(constraint)
                constraints.append((row, constraint))
    return PulpModel(program, problem, columns, constraints)


def _finite(side: FloatArray) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in side.tolist()]


def _termination(problem: Any, options: SolveOptions) -> Termination:
    """PuLP's two statuses as a reason; PuLP calls "infeasible or unbounded" infeasible, so we cannot."""
    import pulp

    detail = f"{pulp.LpStatus[problem.status]} | {pulp.LpSolution[problem.sol_status]}"
    if problem.sol_status == pulp.LpSolutionOptimal:
        return Termination(Reason.OPTIMAL, detail=detail)
    if problem.sol_status == pulp.LpSolutionUnbounded:
        return Termination(Reason.UNBOUNDED, detail=detail)
    if problem.status == pulp.LpStatusInfeasible:
        return Termination(Reason.INFEASIBLE_OR_UNBOUNDED, detail=detail)
    if problem.sol_status == pulp.LpSolutionIntegerFeasible or problem.status == pulp.LpStatusNotSolved:
        timed = options.time_limit is not None
        return Termination(Reason.LIMIT, Limit.TIME if timed else Limit.OTHER, detail)
    return Termination(Reason.OTHER, detail=detail)
