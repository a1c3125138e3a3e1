"""The best plan of a world, for many worlds of one shape: what is decided at sight is left out first."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scenarios.risk.arrays import World
from scenarios.world import widened
from solvers.many import ManyPrograms
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason
from solvers.solving import solve

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

MOST_ROWS = 0.5
"""Share of the rows beyond which a world is solved whole, from the optimum of the plan's own."""
LARGE = 3_000
"""Rows of a world beyond which a start from the plan's own saves nothing: where every number moves, a
thousand simplex steps without presolving took twice as long as presolving and solving anew."""
ROUNDING = 1e-9


class Frame:
    """Solves worlds of one shape: small ones that are left after presolving, others from the plan's own."""

    def __init__(self, base: World) -> None:
        program, measures = base.preferring, base.measures
        used = (np.diff(program.matrix.indptr) > 0) | (program.objective != 0.0)
        for matrix in (measures.top, measures.bottom):
            used[np.unique(matrix.indices)] = True
        self._idle = ~used
        self._base = program
        self._places = _places(program)

    @cached_property
    def _many(self) -> ManyPrograms:
        return ManyPrograms(_continuous(self._base))

    def solve(self, world: World) -> FloatArray | None:
        """The best plan of a future (n,); limits give way as little as the decisions need."""
        program = _continuous(world.preferring)
        rows, x, fixed = self._presolved(program)
        if MOST_ROWS * len(rows) < rows.sum() and len(rows) <= LARGE:
            result = self._many.solve(program)
            if result.x is None and result.termination.reason is Reason.INFEASIBLE:
                result = self._many.solve(widened(program, SolveOptions()))
            return result.x
        small, columns = self._small(program, rows, x, fixed)
        if small.num_columns:
            result = solve(small)
            if result.x is None and result.termination.reason is Reason.INFEASIBLE:
                # What is fixed may have to give way as well, so that the whole program is widened.
                result = solve(widened(program, SolveOptions()))
                return result.x
            if result.x is None:
                return None
            x[columns] = result.x
        return x

    def _where(self, program: LinearProgram) -> tuple[IntArray, IntArray]:
        """Row and column of each entry of the matrix."""
        same = program.matrix.indices is self._base.matrix.indices
        return self._places if same else _places(program)

    def _presolved(self, program: LinearProgram) -> tuple[BoolArray, FloatArray, BoolArray]:
        """Rows that may bind (m,); the value of each column that is in none of them or fixed (n,), NaN for
        others; and which columns are fixed (n,).

        A row cannot bind when the bounds of its columns keep it; a column in no other row takes its best.
        """
        lower, upper, data = program.column_lower, program.column_upper, program.matrix.data
        row, column = self._where(program)
        ends = (
            np.where(data > 0.0, upper[column], lower[column]),
            np.where(data > 0.0, lower[column], upper[column]),
        )
        at_most, at_least = (data * np.where(data == 0.0, 0.0, end) for end in ends)
        count = program.num_rows
        most, least = (np.bincount(row, weights=part, minlength=count) for part in (at_most, at_least))
        slack = ROUNDING * np.maximum(1.0, np.abs(np.where(np.isfinite(most), most, 0.0)))
        rows = (most > program.row_upper + slack) | (least < program.row_lower - slack)
        fixed = lower == upper
        inside = np.zeros(program.num_columns, dtype=np.bool_)
        inside[column[rows[row]]] = True
        best = np.where(
            program.objective > 0.0,
            upper,
            np.where(program.objective < 0.0, lower, np.clip(0.0, lower, upper)),
        )
        best[self._idle] = np.clip(0.0, lower, upper)[self._idle]
        best[(inside & ~fixed) | ~np.isfinite(best)] = np.nan
        return rows, best, fixed

    def _small(
        self, program: LinearProgram, rows: BoolArray, known: FloatArray, fixed: BoolArray
    ) -> tuple[LinearProgram, IntArray]:
        """The program of the rows that may bind and the columns whose value is not known (NaN)."""
        columns = np.flatnonzero(np.isnan(known))
        row_place, column_place = np.cumsum(rows) - 1, np.full(program.num_columns, -1)
        column_place[columns] = np.arange(len(columns))
        row, column = self._where(program)
        taken = np.bincount(
            row, weights=program.matrix.data * np.where(fixed, known, 0.0)[column], minlength=len(rows)
        )[rows]
        kept = rows[row] & (column_place[column] >= 0)
        counts = np.bincount(column_place[column[kept]], minlength=len(columns))
        matrix = sparse.csc_array(
            (program.matrix.data[kept], row_place[row[kept]], np.append(0, np.cumsum(counts))),
            shape=(int(rows.sum()), len(columns)),
        )
        return LinearProgram(
            objective=program.objective[columns],
            matrix=matrix,
            row_lower=program.row_lower[rows] - taken,
            row_upper=program.row_upper[rows] - taken,
            column_lower=program.column_lower[columns],
            column_upper=program.column_upper[columns],
            integer=program.integer[columns],
            maximize=True,
        ), columns


def best_in(world: World) -> FloatArray | None:
    """The best plan of one world (n,); None where no answer was found."""
    return Frame(world).solve(world)


def _continuous(program: LinearProgram) -> LinearProgram:
    """The program in which a column that is fixed need not be whole: what is decided needs no search."""
    whole = program.integer & (program.column_lower < program.column_upper)
    return program if np.array_equal(whole, program.integer) else program.replace(integer=whole)


def _places(program: LinearProgram) -> tuple[IntArray, IntArray]:
    counts = np.diff(program.matrix.indptr)
    return program.matrix.indices.astype(np.int64), np.repeat(np.arange(program.num_columns), counts)
