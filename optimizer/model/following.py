"""What follows from decisions that are made: columns that equalities tie to them, and what curves bring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from solvers.curves import CurveTerm, make_table
from solvers.program import LinearProgram

ROUNDING = 1e-9


def settled(
    program: LinearProgram, curves: Sequence[CurveTerm], num_cells: int
) -> tuple[LinearProgram, tuple[CurveTerm, ...]]:
    """The program in which everything that fixed columns determine is fixed as well, and the curves whose
    input is still free.

    The first `num_cells` columns are sales, which are never tied.
    """
    return _with_responses(_tied(program, num_cells), curves)


def _tied(program: LinearProgram, num_cells: int) -> LinearProgram:
    """Every column that an equality ties to fixed columns takes its only value, one after the other."""
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    equal = np.flatnonzero(program.row_lower == program.row_upper)
    matrix = sparse.csr_array(program.matrix)[equal]
    rhs, about = program.row_lower[equal], (matrix != 0).astype(np.int64)
    waiting = np.ones(len(equal), dtype=np.bool_)
    while True:
        free = lower < upper
        rows = np.flatnonzero(waiting & (about @ free.astype(np.int64) == 1))
        if not len(rows):
            return program.replace(column_lower=lower, column_upper=upper)
        waiting[rows] = False
        part = matrix[rows].tocoo()
        known = rhs[rows] - matrix[rows] @ np.where(free, 0.0, lower)
        open_ones = free[part.col] & (part.data != 0)
        row, column = part.row[open_ones], part.col[open_ones]
        value = known[row] / part.data[open_ones]
        size = ROUNDING * (1.0 + np.abs(value))
        fits = (value >= lower[column] - size) & (value <= upper[column] + size) & (column >= num_cells)
        lower[column[fits]] = upper[column[fits]] = value[fits]


def _with_responses(
    program: LinearProgram, curves: Sequence[CurveTerm]
) -> tuple[LinearProgram, tuple[CurveTerm, ...]]:
    """Outputs of curves with a fixed input take their value on the true curve, as bound or exactly."""
    if not curves:
        return program, ()
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    known = [term for term in curves if lower[term.input_column] == upper[term.input_column]]
    if known:
        taken = lower[[term.input_column for term in known]]
        brought = make_table([term.curve for term in known]).value(np.arange(len(known)), taken)
        # A logarithm of nothing brings nothing, and neither does spending that is rounding of the solver.
        brought = np.where(np.isfinite(brought) & (np.abs(brought) > ROUNDING), brought, 0.0)
        column = np.array([term.output_column for term in known])
        exact = np.array([term.sense == "=" for term in known])
        lower[column] = np.where(exact, brought, np.minimum(lower[column], brought))
        upper[column] = np.where(exact, brought, np.minimum(upper[column], brought))
    left = tuple(term for term in curves if lower[term.input_column] < upper[term.input_column])
    return program.replace(column_lower=lower, column_upper=upper), left
