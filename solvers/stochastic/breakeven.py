"""The parameter at which a goal is just reached: one linear program where it is linear, else bisection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.result import Reason
from solvers.solving import solve


@dataclass(frozen=True)
class Shift:
    """How bounds move: bound + rate * parameter; a rate for each row (m,) and column (n,)."""

    row_lower: FloatArray
    row_upper: FloatArray
    column_lower: FloatArray
    column_upper: FloatArray


@dataclass(frozen=True)
class BreakEven:
    """The parameter at which the goal is just reached; None where nothing between the ends reaches it.

    `exact` by one linear program; else the goal is reached at `value` and not at `beyond`, which are closer
    than the tolerance. `always` where the goal is reached at both ends.
    """

    value: float | None
    exact: bool
    beyond: float | None = None
    always: bool = False
    solves: int = 1


def break_even_linear(
    program: LinearProgram,
    shift: Shift,
    goal: FloatArray,
    least: float,
    low: float,
    high: float,
    smallest: bool = True,
    options: SolveOptions | None = None,
) -> BreakEven:
    """The smallest (or largest) parameter in [low, high] at which some x has goal @ x >= least.

    The parameter becomes a column: A x - rate * parameter <= bound. The program's objective is not used.
    Raises `InvalidProgramError` when a rate stands on a bound that is not there.
    """
    rows, bounds = _moving_rows(program, shift)
    column = sparse.csc_array(bounds[0][:, None])
    matrix = sparse.hstack([rows, column])
    goal_row = sparse.csr_array(np.append(goal, 0.0)[None, :])
    grown = LinearProgram(
        objective=np.append(np.zeros(program.num_columns), 1.0),
        matrix=sparse.csc_array(sparse.vstack([matrix, goal_row], format="csc")),
        row_lower=np.append(bounds[1], least),
        row_upper=np.append(bounds[2], np.inf),
        column_lower=np.append(np.where(shift.column_lower != 0.0, -np.inf, program.column_lower), low),
        column_upper=np.append(np.where(shift.column_upper != 0.0, np.inf, program.column_upper), high),
        integer=np.append(program.integer, False),
        maximize=not smallest,
    )
    result = solve(grown, options)
    if result.x is None:
        if result.termination.reason not in (Reason.INFEASIBLE, Reason.INFEASIBLE_OR_UNBOUNDED):
            raise InvalidProgramError(f"the break-even ended as {result.termination.reason}")
        return BreakEven(None, True)
    value = float(result.x[-1])
    at_end = low if smallest else high
    return BreakEven(value, True, always=bool(np.isclose(value, at_end, rtol=1e-9, atol=1e-12)))


def _moving_rows(
    program: LinearProgram, shift: Shift
) -> tuple[sparse.csr_array, tuple[FloatArray, FloatArray, FloatArray]]:
    """Rows with the parameter's coefficient and their fixed bounds; a moving bound is a row of its own."""
    sides = (
        (shift.row_lower, program.row_lower, True),
        (shift.row_upper, program.row_upper, False),
    )
    moving = (shift.row_lower != 0.0) | (shift.row_upper != 0.0)
    by_row = program.matrix.tocsr()
    parts, rates = [by_row[np.flatnonzero(~moving)]], [np.zeros(int((~moving).sum()))]
    lower, upper = [program.row_lower[~moving]], [program.row_upper[~moving]]
    identity = sparse.csr_array(sparse.eye_array(program.num_columns))
    columns = (
        (shift.column_lower, program.column_lower, True),
        (shift.column_upper, program.column_upper, False),
    )
    for matrix, group, every in ((by_row, sides, moving), (identity, columns, None)):
        for rate, bound, is_lower in group:
            chosen = np.flatnonzero((every if every is not None else rate != 0.0) & np.isfinite(bound))
            if np.isinf(bound[rate != 0.0]).any():
                raise InvalidProgramError("a bound that is not there cannot move with the parameter")
            parts.append(matrix[chosen])
            rates.append(-rate[chosen])
            nothing = np.full(chosen.size, np.inf)
            lower.append(bound[chosen] if is_lower else -nothing)
            upper.append(nothing if is_lower else bound[chosen])
    stacked = sparse.csr_array(sparse.vstack(parts, format="csr"))
    return stacked, (np.concatenate(rates), np.concatenate(lower), np.concatenate(upper))


def break_even_bisect(
    reached: Callable[[float], bool], low: float, high: float, tolerance: float, most: int = 60
) -> BreakEven:
    """Bisection between an end at which the goal is reached and one at which it is not.

    `reached` must change once between the ends. With both ends alike there is nothing to find: `always`
    where both reach it, no value where none does. The answer reaches the goal; `beyond` does not.
    """
    at_low, at_high = reached(low), reached(high)
    if at_low == at_high:
        return BreakEven(low if at_low else None, False, always=at_low, solves=2)
    good, bad = (low, high) if at_low else (high, low)
    solves = 2
    while abs(good - bad) > tolerance and solves < most:
        middle = (good + bad) / 2.0
        good, bad = (middle, bad) if reached(middle) else (good, middle)
        solves += 1
    return BreakEven(good, False, bad, solves=solves)
