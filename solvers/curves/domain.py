"""Bounds that the rows imply for the columns."""

from __future__ import annotations

import numpy as np

from solvers.program import FloatArray, LinearProgram

ROUNDS = 12
_ENOUGH = 1e-3
_SLACK = 1e-9


def implied_bounds(program: LinearProgram, rounds: int = ROUNDS) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bounds (n,) that every feasible point meets, by repeated activity bounds of rows.

    For row a and column j: a_j x_j <= row_upper - min sum_{k != j} a_k x_k, and likewise for the lower side
    (Savelsbergh 1994). Implied bounds are widened by 1e-9 of their size, so that rounding cuts nothing off.
    """
    matrix = program.matrix.tocoo()
    stored = matrix.data != 0.0
    row, column, value = matrix.row[stored], matrix.col[stored], matrix.data[stored]
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    for _ in range(rounds):
        low_term, high_term = _terms(value, lower[column], upper[column])
        least = _activity(row, low_term, program.num_rows)
        most = _activity(row, high_term, program.num_rows)
        with np.errstate(invalid="ignore"):
            room_above = (program.row_upper[row] - _without(least, row, low_term)) / value
            room_below = (program.row_lower[row] - _without(most, row, high_term)) / value
        new_upper, new_lower = np.full_like(upper, np.inf), np.full_like(lower, -np.inf)
        positive = value > 0
        np.minimum.at(new_upper, column, _usable(np.where(positive, room_above, room_below), np.inf))
        np.maximum.at(new_lower, column, _usable(np.where(positive, room_below, room_above), -np.inf))
        new_upper = new_upper + _SLACK * np.abs(np.where(np.isfinite(new_upper), new_upper, 0.0))
        new_lower = new_lower - _SLACK * np.abs(np.where(np.isfinite(new_lower), new_lower, 0.0))
        tighter = _tighter(lower, upper, new_lower, new_upper)
        upper, lower = np.minimum(upper, new_upper), np.maximum(lower, new_lower)
        if not tighter:
            break
    return lower, upper


def _terms(value: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    at_lower, at_upper = value * lower, value * upper
    return np.minimum(at_lower, at_upper), np.maximum(at_lower, at_upper)


def _activity(row: np.ndarray, term: FloatArray, num_rows: int) -> tuple[FloatArray, FloatArray]:
    # The finite part of each row's extreme activity, and how many of its terms are infinite.
    infinite = np.isinf(term)
    finite_sum = np.bincount(row, np.where(infinite, 0.0, term), num_rows).astype(np.float64)
    return finite_sum, np.bincount(row, infinite, num_rows).astype(np.float64)


def _without(activity: tuple[FloatArray, FloatArray], row: np.ndarray, term: FloatArray) -> FloatArray:
    # The row's extreme activity without the term itself; NaN when other terms are infinite.
    finite_sum, infinities = activity
    own = np.isinf(term)
    others = infinities[row] - own
    rest: FloatArray = finite_sum[row] - np.where(own, 0.0, term)
    return np.where(others > 0, np.nan, rest)


def _usable(bound: FloatArray, otherwise: float) -> FloatArray:
    return np.where(np.isfinite(bound), bound, otherwise)


def _tighter(lower: FloatArray, upper: FloatArray, new_lower: FloatArray, new_upper: FloatArray) -> bool:
    size = np.maximum(1e-300, np.where(np.isfinite(upper - lower), upper - lower, np.inf))
    with np.errstate(invalid="ignore"):
        gain = np.maximum(upper - new_upper, new_lower - lower)
        better = (gain > _ENOUGH * np.where(np.isfinite(size), size, 0.0)) & (gain > 0)
    return bool(better.any())
