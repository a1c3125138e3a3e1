"""Whole-number programs in integers, without rounding: what solvers that count in integers can take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.errors import UnsupportedRequestError
from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.registry import get, names

_MOST_DECIMALS = 9
_LARGEST = 2.0**53


@dataclass(frozen=True)
class IntegerProgram:
    """The program with integral coefficients and sides: its objective is `objective_factor` times the given
    one, and no column's bound exceeds `largest_bound`."""

    program: LinearProgram
    objective_factor: float
    largest_bound: float


def to_integers(program: LinearProgram, solver: str) -> IntegerProgram:
    """Multiply rows and objective by powers of ten until they are integral.

    A coefficient counts as the decimal that it was written as: 0.1 is 1/10, exactly when its float is the
    nearest one to 1/10. Row bounds are tightened to the integers inside, which changes no whole solution.
    Raises `UnsupportedRequestError`, naming the solvers that can, when a column is continuous or unbounded, a
    coefficient has more than nine decimals (1/3, for one), or numbers pass 2^53, where floats skip integers.
    """
    bounds = np.concatenate([program.column_lower, program.column_upper])
    if not program.integer.all():
        raise _refusal(solver, "continuous columns: it would take them for whole numbers")
    if not np.isfinite(bounds).all():
        raise _refusal(solver, "whole-number columns without finite bounds")
    lower, upper = np.ceil(program.column_lower - 1e-9), np.floor(program.column_upper + 1e-9)
    matrix = program.matrix
    decimals = np.zeros(program.num_rows, dtype=np.int64)
    np.maximum.at(decimals, matrix.indices, _decimals(matrix.data, solver, "a coefficient"))
    factor = np.float64(10.0) ** decimals
    data = np.rint(matrix.data * factor[matrix.indices])
    costs = _decimals(program.objective, solver, "a cost")
    objective_factor = float(10.0 ** costs.max(initial=0))
    scaled = program.replace(
        objective=np.rint(program.objective * objective_factor),
        offset=program.offset * objective_factor,
        matrix=sparse.csc_array((data, matrix.indices, matrix.indptr), shape=matrix.shape),
        row_lower=_inside(program.row_lower, factor, np.ceil),
        row_upper=_inside(program.row_upper, factor, np.floor),
        column_lower=lower,
        column_upper=upper,
    )
    reach = np.maximum(np.abs(lower), np.abs(upper))
    activity = sparse.csc_array((np.abs(data), matrix.indices, matrix.indptr), shape=matrix.shape) @ reach
    if max(float(activity.max(initial=0.0)), float(np.abs(scaled.objective) @ reach)) > _LARGEST:
        raise _refusal(solver, "rows or an objective that reach beyond 2^53 in integers")
    return IntegerProgram(scaled, objective_factor, float(reach.max(initial=1.0)))


def _decimals(values: FloatArray, solver: str, what: str) -> IntArray:
    """Digits after the point of each value, as written."""
    digits = np.zeros(values.size, dtype=np.int64)
    open_values = np.ones(values.size, dtype=bool)
    for count in range(_MOST_DECIMALS + 1):
        factor = 10.0**count
        written = np.rint(values * factor) / factor == values
        digits[open_values & written] = count
        open_values &= ~written
        if not open_values.any():
            return digits
    found = float(values[open_values][0])
    raise _refusal(solver, f"{what} like {found!r}, which is no decimal of at most {_MOST_DECIMALS} digits")


def _inside(sides: FloatArray, factor: FloatArray, toward: np.ufunc) -> FloatArray:
    """Row sides times their factor, moved to the nearest integer inside unless they are one already."""
    with np.errstate(invalid="ignore"):
        scaled = sides * factor
        nearest = np.rint(scaled)
        same = np.abs(scaled - nearest) <= 1e-9 * np.maximum(1.0, np.abs(nearest))
    return np.where(np.isinf(sides), sides, np.where(same, nearest, toward(scaled)))


def _refusal(solver: str, what: str) -> UnsupportedRequestError:
    able = [name for name in names() if name != solver and _takes_any_mip(name)]
    return UnsupportedRequestError(f"{solver} cannot take {what}; these can: {', '.join(able)}")


def _takes_any_mip(name: str) -> bool:
    capabilities = get(name).capabilities
    return capabilities.mip and capabilities.continuous
