"""Rows that move with a few independent factors, protected against the worst of them.

A factor z in [-1, 1] may move many coefficients of a row at once and its bound with them; what it does to the
row is one number, linear in x, and that number takes the place of an uncertain coefficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.stochastic.robust import robust_counterpart


@dataclass(frozen=True)
class Factor:
    """One factor: matrix (m, n) and the finite bound of each row (m,) change by z times these."""

    matrix: sparse.csr_array
    bound: FloatArray

    def touched(self) -> IntArray:
        """Rows that it moves."""
        return np.flatnonzero((np.diff(self.matrix.indptr) > 0) | (self.bound != 0.0))


@dataclass(frozen=True)
class FactorRobust:
    """The protected program, whose first n columns and m rows are the program's own.

    `rows` (k,) are protected; `counts` (k,) is how many factors move each of them.
    """

    program: LinearProgram
    rows: IntArray
    counts: IntArray


def protect(program: LinearProgram, factors: Sequence[Factor], rows: IntArray, most: float) -> FactorRobust:
    """Protect rows against the worst `most` factors of each, all of them where there are fewer.

        a_i x + max over |S| <= most of sum_{v in S} abs(f_iv)  <=  b_i,   f_iv = D_iv x - d_iv

    for a bound from above, on its own side for one from below (Bertsimas & Sim 2004, with f_iv as columns of
    their own). Raises `InvalidProgramError` like `robust_counterpart`.
    """
    wanted = np.zeros(program.num_rows, dtype=np.bool_)
    wanted[rows] = True
    pairs = [(factor, np.intersect1d(factor.touched(), rows)) for factor in factors]
    row = np.concatenate([np.zeros(0, dtype=np.int64), *(own for _, own in pairs)])
    counts = np.bincount(row, minlength=program.num_rows)
    wide = _with_swings(program, pairs)
    ones, swing = np.ones(row.size), program.num_columns + np.arange(row.size)
    deviation = sparse.csc_array((ones, (row, swing)), shape=wide.matrix.shape)
    protection = np.append(np.where(wanted, np.minimum(most, counts), 0.0), np.zeros(row.size))
    robust = robust_counterpart(wide, deviation, protection)
    moved = np.flatnonzero(counts)
    return FactorRobust(robust.program, moved, counts[moved])


def _with_swings(program: LinearProgram, pairs: Sequence[tuple[Factor, IntArray]]) -> LinearProgram:
    """The program with a column f for each factor and row that it moves: D x - f = d."""
    total = sum(own.size for _, own in pairs)
    swings = [sparse.csr_array((0, program.num_columns)), *(one.matrix[own] for one, own in pairs)]
    matrix = sparse.block_array(
        [[program.matrix, None], [sparse.vstack(swings, format="csr"), -sparse.eye_array(total)]]
    )
    fixed = np.concatenate([np.zeros(0), *(one.bound[own] for one, own in pairs)])
    return program.replace(
        objective=np.append(program.objective, np.zeros(total)),
        matrix=sparse.csc_array(matrix),
        row_lower=np.append(program.row_lower, fixed),
        row_upper=np.append(program.row_upper, fixed),
        column_lower=np.append(program.column_lower, np.full(total, -np.inf)),
        column_upper=np.append(program.column_upper, np.full(total, np.inf)),
        integer=np.append(program.integer, np.zeros(total, dtype=np.bool_)),
        column_blocks=(),
        row_blocks=(),
    )


def violations(
    program: LinearProgram, factors: Sequence[Factor], rows: IntArray, x: FloatArray, z: FloatArray
) -> FloatArray:
    """How far each row (k,) is beyond its bound in each sample z (N, factors), 0 where it holds: (N, k)."""
    value = program.matrix.tocsr()[rows] @ x
    upper = np.isfinite(program.row_upper[rows])
    bound = np.where(upper, program.row_upper[rows], program.row_lower[rows])
    swings = np.column_stack([one.matrix[rows] @ x - one.bound[rows] for one in factors])
    over = np.where(upper, 1.0, -1.0) * (value - bound + z @ swings.T)
    return np.asarray(np.maximum(over, 0.0), dtype=np.float64)
