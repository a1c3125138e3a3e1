"""Whole-number programs in integers, without rounding: what solvers that count in integers can take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.errors import UnsupportedRequestError
from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.registry import get, names

_MOST_DECIMALS = 9
_POWERS_OF_TWO = (0, *(sign * power for power in range(1, 61) for sign in (1, -1)))
_LARGEST = 2.0**53
# Beyond, floats lie so close that each is some decimal of nine digits.
_LARGEST_FIGURE = 2.0**50


@dataclass(frozen=True)
class IntegerProgram:
    """The program with integral coefficients and sides: its objective is `objective_factor` times the given
    one, and no column's bound exceeds `largest_bound`."""

    program: LinearProgram
    objective_factor: float
    largest_bound: float


def to_integers(program: LinearProgram, solver: str) -> IntegerProgram:
    """Multiply rows and objective by powers of ten and two until they are integral, then divide by what is
    common to them.

    A coefficient counts as the decimal that it was written as: 0.1 is 1/10, because its float is the nearest
    one to 1/10. Row bounds are tightened to the integers inside, which changes no whole solution.
    Raises `UnsupportedRequestError`, naming the solvers that can, when a column is continuous or unbounded, a
    row has no such multiple (1/3 beside 1, for one), or figures pass 2^53, where floats skip integers.
    """
    if not program.integer.all():
        raise _refusal(solver, "continuous columns: it would take them for whole numbers")
    if not np.isfinite(np.concatenate([program.column_lower, program.column_upper])).all():
        raise _refusal(solver, "whole-number columns without finite bounds")
    lower, upper = np.ceil(program.column_lower - 1e-9), np.floor(program.column_upper + 1e-9)
    by_row = program.matrix.tocsr()
    costs = program.objective
    coefficients, row_factors = _integral(by_row.data, np.diff(by_row.indptr), solver, "a row")
    objective, (objective_factor,) = _integral(costs, np.array([costs.size]), solver, "the objective")
    reach = np.maximum(np.abs(lower), np.abs(upper))
    matrix = sparse.csr_array((coefficients, by_row.indices, by_row.indptr), shape=by_row.shape)
    activity = abs(matrix) @ reach
    if max(float(activity.max(initial=0.0)), float(np.abs(objective) @ reach)) > _LARGEST:
        raise _refusal(solver, "rows or an objective that reach beyond 2^53 in integers")
    scaled = program.replace(
        objective=objective,
        offset=program.offset * objective_factor,
        matrix=matrix.tocsc(),
        row_lower=_inside(program.row_lower, row_factors, np.ceil),
        row_upper=_inside(program.row_upper, row_factors, np.floor),
        column_lower=lower,
        column_upper=upper,
    )
    return IntegerProgram(scaled, float(objective_factor), float(reach.max(initial=1.0)))


def _integral(values: FloatArray, lengths: IntArray, solver: str, what: str) -> tuple[FloatArray, FloatArray]:
    """Integral multiples of runs of values, whose lengths are given, and the factor of each run."""
    run = np.repeat(np.arange(lengths.size), lengths)
    factors = np.zeros(lengths.size)
    waiting = np.ones(lengths.size, dtype=bool)
    for power in _POWERS_OF_TWO:
        inside = waiting[run]
        decimals = _decimals(values[inside] * 2.0**power)
        most, worst = np.zeros(lengths.size, dtype=np.int64), np.zeros(lengths.size, dtype=np.int64)
        np.maximum.at(most, run[inside], decimals)
        np.minimum.at(worst, run[inside], decimals)
        fits = waiting & (worst == 0)
        factors[fits] = 2.0**power * 10.0 ** most[fits]
        waiting &= ~fits
        if not waiting.any():
            break
    else:
        example = values[waiting[run]][:3].tolist()
        raise _refusal(solver, f"{what} with figures like {example}, which have no common whole multiple")
    whole = np.rint(values * factors[run])
    filled = np.flatnonzero(lengths)
    common = np.ones(lengths.size)
    if filled.size:
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])[filled]
        common[filled] = np.maximum(1, np.gcd.reduceat(np.abs(whole).astype(np.int64), starts))
    return whole / common[run], factors / common


def _decimals(values: FloatArray) -> IntArray:
    """Digits after the point of each value as it was written, or -1 where there are more than nine."""
    digits = np.full(values.size, -1, dtype=np.int64)
    for count in range(_MOST_DECIMALS, -1, -1):
        factor = 10.0**count
        whole = np.rint(values * factor)
        digits[(whole / factor == values) & (np.abs(whole) < _LARGEST_FIGURE)] = count
    return digits


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
