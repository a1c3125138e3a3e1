"""Rows that hold while at most a number of their coefficients turn out badly (Bertsimas & Sim 2004)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import binom

from solvers.errors import InvalidProgramError
from solvers.program import FloatArray, IntArray, LinearProgram


@dataclass(frozen=True)
class Robust:
    """The robust counterpart; the first n columns and m rows are those of the program itself."""

    program: LinearProgram
    protected: IntArray
    """Rows that are protected."""
    uncertain: IntArray
    """How many uncertain coefficients each protected row has."""


def robust_counterpart(program: LinearProgram, deviation: sparse.csc_array, protection: FloatArray) -> Robust:
    """Protect each row against its worst `protection` (m,) coefficients, each within +- `deviation` (m, n).

        a_i x + protection_i z_i + sum_j p_ij <= b_i,  z_i + p_ij >= d_ij y_j,  -y_j <= x_j <= y_j

    A bound from below is protected on its own side. For columns that cannot be negative y_j = x_j. The
    uncertain coefficients are independent and symmetric about their nominal value; a right-hand side is one
    on a column that is fixed at 1. Raises `InvalidProgramError` for an uncertain equation (no x holds in
    it), negative deviations, and a protection outside 0 .. number of uncertain coefficients.
    """
    entries = deviation.tocoo()
    used = entries.data != 0.0
    row, column, size = entries.row[used].astype(np.int64), entries.col[used], entries.data[used]
    counts = np.bincount(row, minlength=program.num_rows)
    _check(program, size, counts, protection)
    protected = np.flatnonzero((counts > 0) & (protection > 0.0))
    kept = np.isin(row, protected)
    column, size, place = column[kept], size[kept], np.searchsorted(protected, row[kept])
    signed = np.unique(column[program.column_lower[column] < 0.0])
    n, k, e = program.num_columns, protected.size, size.size
    own = _own_columns(program, protected, protection[protected], place, signed.size)
    worst = _worst_rows(n, column, size, place, signed, k)
    sides = _magnitude_rows(n, signed, k + e)
    matrix = sparse.vstack([sparse.hstack([program.matrix, own]), worst, sides], format="csc")
    grown = _grown(program, sparse.csc_array(matrix))
    return Robust(grown, protected, counts[protected])


def _own_columns(
    program: LinearProgram, protected: IntArray, protection: FloatArray, place: IntArray, signed: int
) -> sparse.coo_array:
    """What the new columns do in the rows themselves: z of each protected row, p of each uncertain
    coefficient (`place` is its row among the protected ones), y of columns of either sign."""
    k, e = protected.size, place.size
    sign = np.where(np.isfinite(program.row_upper[protected]), 1.0, -1.0)
    values = np.concatenate([sign * protection, sign[place]])
    rows, columns = np.concatenate([protected, protected[place]]), np.arange(k + e)
    return sparse.coo_array((values, (rows, columns)), shape=(program.num_rows, k + e + signed))


def _grown(program: LinearProgram, matrix: sparse.csc_array) -> LinearProgram:
    """The program with this matrix: what is added are columns from 0 on without cost, and rows >= 0."""
    rows, columns = matrix.shape[0] - program.num_rows, matrix.shape[1] - program.num_columns
    return program.replace(
        objective=np.append(program.objective, np.zeros(columns)),
        matrix=matrix,
        row_lower=np.append(program.row_lower, np.zeros(rows)),
        row_upper=np.append(program.row_upper, np.full(rows, np.inf)),
        column_lower=np.append(program.column_lower, np.zeros(columns)),
        column_upper=np.append(program.column_upper, np.full(columns, np.inf)),
        integer=np.append(program.integer, np.zeros(columns, dtype=np.bool_)),
        column_blocks=(),
        row_blocks=(),
    )


def _check(program: LinearProgram, size: FloatArray, counts: IntArray, protection: FloatArray) -> None:
    touched = counts > 0
    if (size < 0.0).any():
        raise InvalidProgramError("a deviation is at least 0")
    both = np.isfinite(program.row_lower) & np.isfinite(program.row_upper)
    if (both & touched & (protection > 0.0)).any():
        raise InvalidProgramError("a row with two bounds cannot be protected: nothing would be left of it")
    if (protection < 0.0).any() or (protection > np.where(touched, counts, np.inf)).any():
        raise InvalidProgramError("a protection lies between 0 and the number of uncertain coefficients")


def _worst_rows(
    n: int, column: IntArray, size: FloatArray, place: IntArray, signed: IntArray, k: int
) -> sparse.coo_array:
    """z_i + p_ij - d_ij y_j >= 0, with x_j for y_j where it cannot be negative."""
    e = column.size
    magnitude = np.where(
        np.isin(column, signed),
        n + k + e + np.searchsorted(signed, np.minimum(column, signed.max(initial=0))),
        column,
    )
    rows = np.concatenate([np.arange(e)] * 3)
    columns = np.concatenate([n + place, n + k + np.arange(e), magnitude])
    values = np.concatenate([np.ones(e), np.ones(e), -size])
    return sparse.coo_array((values, (rows, columns)), shape=(e, n + k + e + signed.size))


def _magnitude_rows(n: int, signed: IntArray, before: int) -> sparse.coo_array:
    """y_j - x_j >= 0 and y_j + x_j >= 0."""
    count = signed.size
    rows = np.concatenate(
        [np.arange(count), np.arange(count), count + np.arange(count), count + np.arange(count)]
    )
    y = n + before + np.arange(count)
    columns = np.concatenate([y, signed, y, signed])
    values = np.concatenate([np.ones(count), -np.ones(count), np.ones(count), np.ones(count)])
    return sparse.coo_array((values, (rows, columns)), shape=(2 * count, n + before + count))


def violation_bound(uncertain: int, protection: float) -> float:
    """At most this often a protected row is violated, for independent symmetric bounded coefficients.

        B(n, G) = 2^-n ((1 - mu) C(n, floor nu) + sum_{l > floor nu} C(n, l)),  nu = (G + n) / 2

    Source: Bertsimas & Sim 2004, Theorem 3. A protection of all coefficients is never violated.
    """
    if protection >= uncertain:
        return 0.0
    nu = (protection + uncertain) / 2.0
    whole = math.floor(nu)
    share = nu - whole
    return float((1.0 - share) * binom.pmf(whole, uncertain, 0.5) + binom.sf(whole, uncertain, 0.5))


def protection_for(uncertain: int, chance: float) -> float:
    """The least whole protection whose bound on violations is at most `chance`."""
    for protection in range(uncertain):
        if violation_bound(uncertain, float(protection)) <= chance:
            return float(protection)
    return float(uncertain)
