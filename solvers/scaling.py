"""Lossless scaling by powers of two, so that a solver's absolute tolerances become relative ones.

The same plan in cents, in thousands or in hundreds of millions then meets the same precision. With x = C x',
the scaled program is: s (C c) x' over R lower <= (R A C) x' <= R upper. Powers of two change no digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from solvers.options import Progress, SolveOptions
from solvers.program import Block, FloatArray, IntArray, LinearProgram
from solvers.result import Ranges, SolveResult

# Figures between these are left alone: a tolerance of 1e-7 is then at most 1e-5 of what it is compared with.
TAME_LOWEST = 1e-2
TAME_HIGHEST = 1e4
_LARGEST_EXPONENT = 60
_ROUNDING = 1e-12
"""A bound this near to 0 is what rounding left of a 0 and tells no size. Taken for one, it blew numbers up
until a bounded program was called unbounded."""


@dataclass(frozen=True)
class Scaling:
    """Factors, all powers of two: `columns` (n,) is C, `rows` (m,) is R, `objective` is s."""

    columns: FloatArray
    rows: FloatArray
    objective: float

    def program(self, program: LinearProgram) -> LinearProgram:
        """The scaled program; its matrix shares the index arrays."""
        matrix = program.matrix
        data = matrix.data * self.rows[matrix.indices]
        data *= np.repeat(self.columns, np.diff(matrix.indptr))
        return program.replace(
            objective=self.costs(program.objective),
            matrix=sparse.csc_array((data, matrix.indices, matrix.indptr), shape=matrix.shape),
            row_lower=program.row_lower * self.rows,
            row_upper=program.row_upper * self.rows,
            column_lower=program.column_lower / self.columns,
            column_upper=program.column_upper / self.columns,
            offset=program.offset * self.objective,
        )

    def costs(self, objective: FloatArray) -> FloatArray:
        """The scaled costs (n,)."""
        return objective * self.columns * self.objective

    def point(self, x: FloatArray) -> FloatArray:
        """Values (n,) of the original program as those of the scaled one."""
        return x / self.columns

    def prices(self, duals: FloatArray) -> FloatArray:
        """Duals (m,) of the original program as those of the scaled one."""
        return duals * self.objective / self.rows

    def options(self, options: SolveOptions) -> SolveOptions:
        """Options whose starting values are scaled and whose progress reports are unscaled."""
        start = None if options.start_values is None else options.start_values / self.columns
        report = options.progress
        if report is None:
            return replace(options, start_values=start)
        return replace(options, start_values=start, progress=lambda figures: report(self._unscaled(figures)))

    def result(self, result: SolveResult) -> SolveResult:
        """The result of the scaled program in the figures of the original one."""
        return replace(
            result,
            x=None if result.x is None else result.x * self.columns,
            bound=None if result.bound is None else result.bound / self.objective,
            duals=None if result.duals is None else result.duals * self.rows / self.objective,
            reduced_costs=(
                None
                if result.reduced_costs is None
                else result.reduced_costs / (self.columns * self.objective)
            ),
            ranges=None if result.ranges is None else self._ranges(result.ranges),
        )

    def with_row(self, columns: IntArray, values: FloatArray) -> Scaling:
        """The same factors and one for a new row, whose largest coefficient comes to about 1."""
        largest = np.abs(values * self.columns[columns]).max(initial=0.0)
        return replace(self, rows=np.append(self.rows, _power_of_two(np.array([largest]))))

    def _ranges(self, ranges: Ranges) -> Ranges:
        costs = self.columns * self.objective
        return Ranges(
            row_lower=ranges.row_lower / self.rows,
            row_upper=ranges.row_upper / self.rows,
            cost_lower=ranges.cost_lower / costs,
            cost_upper=ranges.cost_upper / costs,
        )

    def _unscaled(self, figures: Progress) -> Progress:
        objective, bound = (
            None if figure is None else figure / self.objective
            for figure in (figures.objective, figures.bound)
        )
        return replace(figures, objective=objective, bound=bound)


@dataclass(frozen=True)
class TameProgram:
    """A program with its numbers near 1, and the scaling that made it so (None: it was tame)."""

    program: LinearProgram
    scaling: Scaling | None


def tame(program: LinearProgram) -> TameProgram:
    """The scaled program, or the same one when its numbers are tame."""
    scaling = find_scaling(program)
    return TameProgram(program if scaling is None else scaling.program(program), scaling)


def with_costs(scaling: Scaling | None, program: LinearProgram) -> Scaling | None:
    """The same factors with that of the objective found anew from the program's costs; None stays None while
    the costs are tame."""
    factor = _cost_factor(np.abs(program.objective) * (1.0 if scaling is None else scaling.columns))
    if scaling is None and factor == 1.0:
        return None
    scaling = scaling or Scaling(np.ones(program.num_columns), np.ones(program.num_rows), 1.0)
    return replace(scaling, objective=factor)


def find_scaling(program: LinearProgram) -> Scaling | None:
    """Factors for the program, or None when its numbers are tame.

    All continuous columns of one block get one factor, which brings the median of their implied magnitudes
    to about 1, so that the proportions inside a family stay; whole-number columns get 1. A row's largest
    coefficient and the median cost are brought to about 1. Whatever is tame, within [1e-2, 1e4], is left
    alone, block by block and row by row: needless factors cost interior point iterations.
    """
    if program.num_columns == 0:
        return None
    sizes = np.abs(program.matrix.data)
    magnitude = implied_magnitudes(program, sizes)
    columns = _column_factors(program, magnitude)
    rows = _row_factors(program, sizes, magnitude, columns)
    objective = _cost_factor(np.abs(program.objective) * columns)
    if (columns == 1.0).all() and (rows == 1.0).all() and objective == 1.0:
        return None
    return Scaling(columns, rows, objective)


def _row_factors(
    program: LinearProgram, sizes: FloatArray, magnitude: FloatArray, columns: FloatArray
) -> FloatArray:
    # A row is tame when the figures that a tolerance is compared with are: its bounds and its largest term.
    counts = np.diff(program.matrix.indptr)
    known = np.where(np.isfinite(magnitude), magnitude, columns)
    figure = _row_maxima(program, sizes * np.repeat(known, counts))
    for bound in (program.row_lower, program.row_upper):
        np.maximum(figure, np.abs(bound), out=figure, where=np.isfinite(bound))
    largest = _row_maxima(program, sizes * np.repeat(columns, counts))
    tame_rows = (figure >= TAME_LOWEST) & (figure <= TAME_HIGHEST)
    return np.where(tame_rows, 1.0, _power_of_two(largest))


def _cost_factor(costs: FloatArray) -> float:
    median = _median(costs[costs > 0])
    tame_costs = TAME_LOWEST <= median <= TAME_HIGHEST
    return 1.0 if tame_costs else float(_power_of_two(np.array([median]))[0])


def _column_factors(program: LinearProgram, magnitude: FloatArray) -> FloatArray:
    factors = np.ones(program.num_columns)
    for block in _blocks_of_columns(program):
        inside = slice(block.start, block.stop)
        known = magnitude[inside][~program.integer[inside] & np.isfinite(magnitude[inside])]
        median = _median(known)
        if not TAME_LOWEST <= median <= TAME_HIGHEST:
            factors[inside] = 1.0 / _power_of_two(np.array([median]))[0]
    factors[program.integer] = 1.0
    return factors


def implied_magnitudes(program: LinearProgram, sizes: FloatArray) -> FloatArray:
    """How large each column (n,) can be: its finite bounds, or what a row's bound leaves it at most; a column
    without either takes the size that its rows have through other columns; infinite when nothing tells."""
    matrix = program.matrix
    bound = np.minimum(_finite_or_infinite(program.row_lower), _finite_or_infinite(program.row_upper))
    magnitude = _least_ratio(matrix, bound, sizes)
    own = np.where(
        np.isfinite(program.column_upper), np.abs(program.column_upper), np.abs(program.column_lower)
    )
    magnitude = np.minimum(magnitude, np.where(own > _ROUNDING, own, np.inf))
    unknown = np.isinf(magnitude)
    if unknown.any():
        known = np.where(unknown, 0.0, magnitude)
        through_others = _row_maxima(program, sizes * np.repeat(known, np.diff(matrix.indptr)))
        through_others[through_others == 0.0] = np.inf
        magnitude = np.where(unknown, _least_ratio(matrix, through_others, sizes), magnitude)
    return magnitude


def _least_ratio(matrix: sparse.csc_array, bound: FloatArray, sizes: FloatArray) -> FloatArray:
    least = np.full(matrix.shape[1], np.inf)
    filled = np.flatnonzero(np.diff(matrix.indptr))
    if filled.size:
        with np.errstate(divide="ignore", over="ignore"):
            ratios = bound[matrix.indices] / sizes
        least[filled] = np.minimum.reduceat(ratios, matrix.indptr[filled])
    return least


def _row_maxima(program: LinearProgram, terms: FloatArray) -> FloatArray:
    largest = np.zeros(program.num_rows)
    np.maximum.at(largest, program.matrix.indices, terms)
    return largest


def _blocks_of_columns(program: LinearProgram) -> list[Block]:
    covered = sum(block.size for block in program.column_blocks)
    if covered == program.num_columns:
        return list(program.column_blocks)
    return [Block("columns", 0, program.num_columns)]


def _finite_or_infinite(bound: FloatArray) -> FloatArray:
    size = np.abs(bound)
    return np.where(size > _ROUNDING, size, np.inf)


def _median(figures: FloatArray) -> float:
    return float(np.median(figures)) if figures.size else 1.0


def _power_of_two(figures: FloatArray) -> FloatArray:
    # The power of two that brings each figure into [0.5, 1); zero and non-finite figures get 1.
    usable = np.isfinite(figures) & (figures > 0)
    exponents = np.where(usable, np.frexp(np.where(usable, figures, 0.5))[1], 0)
    factors: FloatArray = np.ldexp(1.0, np.clip(-exponents, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
    return factors
