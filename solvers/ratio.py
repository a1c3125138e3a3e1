"""A ratio as the objective: Charnes-Cooper for linear programs, Dinkelbach for whole numbers and curves.

    best N(x)/D(x)  over a set on which D >= least > 0

Charnes & Cooper 1962: with t = least/D(x) and y = t x the ratio is linear in (y, t), and one linear program
finds its best value. Dinkelbach 1967: at a level r the best of N - r D is 0 exactly where r is the best
ratio, so that the ratio of its answer is the next level; it converges superlinearly. What a solve at a level
proves of N - r D proves N/D <= r + (N - r D)/least (>= r - ... for the smallest ratio).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import sparse

from solvers.errors import ZeroDenominatorError
from solvers.program import FloatArray, LinearProgram
from solvers.result import Reason, SolveResult
from solvers.stage import Stage, ratio_unit

MOST_LEVELS = 40
PRECISION = 1e-9
"""A level that gains less than this, relative to it, is the last one."""
USUAL_GAP = 1e-4
"""Relative gap of a ratio in whole numbers where nobody asks for another one, as for other objectives."""
_NOTHING = 1e-6
"""A denominator below so many units of its largest coefficient counts as 0."""

SolveLinear = Callable[[Stage, float], SolveResult]
"""Solves the program with a linear objective, to a relative gap."""


def solve_ratio(
    stage: Stage, solve: SolveLinear, gap: float, guess: Callable[[float], float | None] | None = None
) -> SolveResult:
    """The best ratio and a proved bound on it, to a relative gap where there are whole numbers or curves.

    `guess` gives a first level from the smallest denominator; no plan need reach it. Objective, bound and
    duals of the result are in units of the ratio. Raises `ZeroDenominatorError` where the rows leave the
    denominator at 0 or below.
    """
    smallest = solve(_denominator(stage), gap)
    if smallest.termination.reason is Reason.UNBOUNDED:
        raise ZeroDenominatorError(stage.name, -np.inf)
    if smallest.x is None:
        return smallest
    least = smallest.objective if smallest.bound is None else min(smallest.bound, smallest.objective)
    if least <= _NOTHING * _size_of_denominator(stage):
        raise ZeroDenominatorError(stage.name, least)
    levels = _Levels(stage, least, gap)
    levels.take(smallest.x)
    level = None if guess is None else guess(least)
    return levels.climb(solve, levels.value if level is None else level)


class _Levels:
    """Dinkelbach's iteration: the best point so far, its ratio, and the next level."""

    def __init__(self, stage: Stage, least: float, gap: float) -> None:
        self.stage, self.least, self.gap = stage, least, gap
        self.x: FloatArray | None = None
        self.value = np.nan

    def take(self, x: FloatArray) -> bool:
        """Whether a point is better than the best one; it is then kept."""
        value = self.stage.value(x)
        if self.x is not None and not self.stage.is_better(value, self.value):
            return False
        self.x, self.value = x, value
        return True

    def climb(self, solve: SolveLinear, level: float) -> SolveResult:
        """Solve at a level, then at the best ratio so far, until nothing is gained."""
        assert self.x is not None
        for _ in range(MOST_LEVELS):
            divisor = self.stage.divisor(self.x)
            unit = ratio_unit(self.stage, level, self.x)
            wanted = max(self.gap * min(1.0, self.least / divisor), PRECISION)
            found = solve(self.stage.at(level, unit), wanted)
            if found.x is not None:
                self.take(found.x)
            last, level = level, self.value
            near = abs(level - last) <= PRECISION * max(abs(level), abs(last))
            if near or found.termination.reason is not Reason.OPTIMAL:
                break
        return self._result(found, last, unit)

    def _result(self, found: SolveResult, level: float, unit: float) -> SolveResult:
        """The last solve in units of the ratio."""
        assert self.x is not None
        proved = found.bound
        if proved is None and found.is_optimal:
            proved = found.objective
        bound = None
        if proved is not None:
            reach = max(0.0, (proved - 1.0) if self.stage.maximize else (1.0 - proved)) * unit / self.least
            bound = level + reach if self.stage.maximize else level - reach
            bound = max(bound, self.value) if self.stage.maximize else min(bound, self.value)
        each = unit / self.stage.divisor(self.x)
        residuals = None if found.residuals is None else replace(found.residuals, objective=self.value)
        return replace(
            found, x=self.x, objective_value=self.value, bound=bound, residuals=residuals, ranges=None,
            duals=None if found.duals is None else found.duals * each,
            reduced_costs=None if found.reduced_costs is None else found.reduced_costs * each,
        )  # fmt: skip


def charnes_cooper(program: LinearProgram, stage: Stage, least: float) -> LinearProgram:
    """The linear program in y = t x (n,) and t whose best value is the best ratio: N(y) + n t with
    D(y) + d t = least and every row in y, its sides times t.

    Whole numbers are left out; `least` > 0 is at most D.
    """
    assert stage.denominator is not None
    columns, size = program.column_lower, program.num_columns
    matrix = sparse.vstack([program.matrix, sparse.eye_array(size)], format="csr")
    lower = np.concatenate([program.row_lower, np.where(columns == 0.0, -np.inf, columns)])
    upper = np.concatenate([program.row_upper, program.column_upper])
    below, above = np.flatnonzero(np.isfinite(lower)), np.flatnonzero(np.isfinite(upper))
    tied = [
        sparse.hstack([matrix[below], sparse.csr_array(-lower[below][:, None])]),
        sparse.hstack([matrix[above], sparse.csr_array(-upper[above][:, None])]),
        sparse.csr_array(np.append(stage.denominator, stage.denominator_offset)[None, :]),
    ]
    return LinearProgram(
        objective=np.append(stage.objective, stage.offset) / least,
        matrix=sparse.csc_array(sparse.vstack(tied, format="csc")),
        row_lower=np.concatenate([np.zeros(below.size), np.full(above.size, -np.inf), [least]]),
        row_upper=np.concatenate([np.full(below.size, np.inf), np.zeros(above.size), [least]]),
        column_lower=np.append(np.where(columns >= 0.0, 0.0, -np.inf), 0.0),
        column_upper=np.full(size + 1, np.inf),
        integer=np.zeros(size + 1, dtype=bool),
        maximize=stage.maximize,
    )


def charnes_cooper_point(program: LinearProgram, result: SolveResult) -> FloatArray | None:
    """The plan x = y / t (n,) of a solved Charnes-Cooper program, inside the column bounds; None where t is 0
    or there is no solution."""
    if result.x is None or result.x[-1] <= 0.0:
        return None
    plan: FloatArray = np.clip(result.x[:-1] / result.x[-1], program.column_lower, program.column_upper)
    return plan


def _denominator(stage: Stage) -> Stage:
    """The denominator as an objective to be minimised."""
    assert stage.denominator is not None
    return replace(
        stage, objective=stage.denominator, offset=stage.denominator_offset, maximize=False, lock=False,
        denominator=None, denominator_offset=0.0,
    )  # fmt: skip


def _size_of_denominator(stage: Stage) -> float:
    assert stage.denominator is not None
    return max(float(np.abs(stage.denominator).max(initial=0.0)), abs(stage.denominator_offset))
