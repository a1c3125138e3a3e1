"""Our own check of every answer, from our own arrays: nothing unproved is passed on as proved.

Every violation is relative: divided by max(1, magnitude of the largest term or bound of the row or column).
It is measured on the tame program (`scaling.tame`), where 1 is an ordinary size, so that the same plan in
cents or in millions is judged alike.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from solvers.program import FloatArray, LinearProgram
from solvers.result import Reason, Residuals, SolveResult, Termination
from solvers.scaling import TameProgram, tame

PRIMAL_TOLERANCE = 1e-6
INTEGRALITY_TOLERANCE = 1e-6
DUAL_TOLERANCE = 1e-6
LOOSEST_OPTIMUM = 1e-4
"""An LP whose duals leave a larger gap than this is not called optimal, whatever its solver says."""
_USUAL_PRECISION = 1e-7

_WITHOUT_PLAN = (Reason.INFEASIBLE, Reason.UNBOUNDED, Reason.INFEASIBLE_OR_UNBOUNDED)


def verify(program: LinearProgram, result: SolveResult, measure: TameProgram | None = None) -> SolveResult:
    """The result with values, duals and bound as far as they pass our own check, and its residuals.

    Values worse than 1e-6 (relative feasibility, absolute integrality) are dropped and the termination
    becomes IMPRECISE; duals that do not prove optimality within 1e-6 become None; both are said in a note.
    An LP whose duals leave a gap above 1e-4 keeps its feasible values, but is IMPRECISE and not OPTIMAL.
    The bound of an LP is the value of its verified duals. Arrays are those of `program`, unscaled;
    `measure` is `tame(program)` where the caller has it already.
    """
    if result.x is None or result.termination.reason in _WITHOUT_PLAN:
        return replace(
            result, x=None, objective_value=None, duals=None, reduced_costs=None, ranges=None, residuals=None
        )
    if result.x.shape != (program.num_columns,) or not np.isfinite(result.x).all():
        return _without_values(result, "the values are not finite numbers, one a column", None)
    measure = measure or tame(program)
    x, residuals = _rounded(program, result.x, measure)
    if not (residuals.worst <= PRIMAL_TOLERANCE):
        return _without_values(result, _describe(program, residuals), residuals)
    result = replace(result, x=x, objective_value=residuals.objective, residuals=residuals)
    result = _check_bound(program, _check_duals(program, result, measure))
    if residuals.worst > _USUAL_PRECISION:
        result = _noted(result, f"the values hold only within {residuals.worst:.1e} (relative)")
    return result


def primal_residuals(program: LinearProgram, x: FloatArray, measure: TameProgram | None = None) -> Residuals:
    """Objective and worst relative violations of rows, bounds and integrality at `x` (n,)."""
    measure = measure or tame(program)
    tamed, point = measure.program, x if measure.scaling is None else measure.scaling.point(x)
    magnitude = np.maximum(1.0, row_magnitude(tamed, point))
    rows = _violation(tamed.matrix @ point, tamed.row_lower, tamed.row_upper) / magnitude
    columns = _violation(point, tamed.column_lower, tamed.column_upper) / np.maximum(1.0, np.abs(point))
    whole = x[program.integer]
    return Residuals(
        objective=program.value(x),
        primal=float(rows.max(initial=0.0)),
        bounds=float(columns.max(initial=0.0)),
        integrality=float(np.abs(whole - np.round(whole)).max(initial=0.0)),
        worst_row=int(rows.argmax()) if rows.size and rows.max() > 0.0 else None,
    )


def row_magnitude(program: LinearProgram, x: FloatArray) -> FloatArray:
    """Magnitude of each row (m,): the largest of its terms |a_ij x_j| and finite bounds."""
    matrix = program.matrix
    terms = np.abs(matrix.data) * np.repeat(np.abs(x), np.diff(matrix.indptr))
    largest = np.maximum(_finite_magnitude(program.row_lower), _finite_magnitude(program.row_upper))
    np.maximum.at(largest, matrix.indices, terms)
    return largest


def dual_residuals(program: LinearProgram, x: FloatArray, duals: FloatArray) -> tuple[float, float, float]:
    """Worst dual infeasibility and duality gap (both relative) of an LP's duals (m,), and the dual value.

    With y the row prices and d = c - A'y the reduced costs, every positive price of a minimisation needs a
    finite lower bound and every negative one a finite upper bound. The dual value is the sum of prices times
    those bounds, a proved bound on the objective; for maximisation signs are turned round.
    """
    sign = -1.0 if program.maximize else 1.0
    prices, cost = sign * duals, sign * program.objective
    matrix = program.matrix
    sizes = sparse.csc_array((np.abs(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
    reduced = cost - matrix.T @ prices
    row_loss, row_value = _dual_side(prices, program.row_lower, program.row_upper)
    column_loss, column_value = _dual_side(reduced, program.column_lower, program.column_upper)
    row_loss /= max(1.0, float(np.abs(prices).max(initial=0.0)))
    column_loss /= np.maximum(1.0, np.maximum(np.abs(cost), sizes.T @ np.abs(prices)))
    value = sign * (float(row_value.sum()) + float(column_value.sum())) + program.offset
    objective = program.value(x)
    largest_term = float(np.abs(cost * x).max(initial=0.0))
    gap = abs(objective - value) / max(1.0, abs(objective), largest_term)
    return max(float(row_loss.max(initial=0.0)), float(column_loss.max(initial=0.0))), gap, value


def _dual_side(prices: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    # A price on a side without a bound is the infeasibility; elsewhere price times bound is the value.
    bound = np.where(prices > 0, lower, upper)
    bounded = np.isfinite(bound)
    loss = np.where(bounded, 0.0, np.abs(prices))
    return loss, np.where(bounded, prices * np.where(bounded, bound, 0.0), 0.0)


def _violation(value: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    return np.maximum(np.maximum(lower - value, value - upper), 0.0)


def _finite_magnitude(bound: FloatArray) -> FloatArray:
    return np.where(np.isfinite(bound), np.abs(bound), 0.0)


def _rounded(program: LinearProgram, x: FloatArray, measure: TameProgram) -> tuple[FloatArray, Residuals]:
    # Whole numbers are made exact, unless the rounding itself would break a row.
    residuals = primal_residuals(program, x, measure)
    if not program.is_mip or residuals.integrality > INTEGRALITY_TOLERANCE or residuals.integrality == 0.0:
        return x, residuals
    whole = x.copy()
    whole[program.integer] = np.round(whole[program.integer])
    exact = primal_residuals(program, whole, measure)
    return (whole, exact) if exact.worst <= PRIMAL_TOLERANCE else (x, residuals)


def _check_duals(program: LinearProgram, result: SolveResult, measure: TameProgram) -> SolveResult:
    if result.x is None or result.duals is None or result.residuals is None:
        return replace(result, duals=None, reduced_costs=None, ranges=None)
    if result.duals.shape != (program.num_rows,) or not np.isfinite(result.duals).all():
        return _noted(
            replace(result, duals=None, reduced_costs=None, ranges=None), "the duals are not finite"
        )
    dual, slackness, value = _measured_duals(result.x, result.duals, measure)
    result = replace(result, residuals=replace(result.residuals, dual=dual, slackness=slackness))
    if not max(dual, slackness) <= DUAL_TOLERANCE:
        figures = f"dual {dual:.1e}, duality gap {slackness:.1e}"
        note = f"the duals do not prove optimality ({figures}) and are left out"
        result = replace(result, duals=None, reduced_costs=None, ranges=None)
        if result.termination.reason is Reason.OPTIMAL and not program.is_mip:
            note += "; the values are optimal only within that precision"
            if not max(dual, slackness) <= LOOSEST_OPTIMUM:
                result = replace(result, termination=replace(result.termination, reason=Reason.IMPRECISE))
        return _noted(result, note)
    if max(dual, slackness) > _USUAL_PRECISION:
        result = _noted(result, f"the duals hold only within {max(dual, slackness):.1e} (relative)")
    return replace(result, bound=value)


def _measured_duals(x: FloatArray, duals: FloatArray, measure: TameProgram) -> tuple[float, float, float]:
    scaling = measure.scaling
    if scaling is None:
        return dual_residuals(measure.program, x, duals)
    dual, slackness, value = dual_residuals(measure.program, scaling.point(x), scaling.prices(duals))
    return dual, slackness, value / scaling.objective


def _check_bound(program: LinearProgram, result: SolveResult) -> SolveResult:
    if result.bound is None or result.objective_value is None:
        return result
    wrong_side = (result.bound - result.objective_value) * (-1.0 if program.maximize else 1.0)
    if wrong_side > PRIMAL_TOLERANCE * max(1.0, abs(result.objective_value)):
        return _noted(
            replace(result, bound=None), f"the bound {result.bound!r} is contradicted by the values"
        )
    return result


def _without_values(result: SolveResult, why: str, residuals: Residuals | None) -> SolveResult:
    return replace(
        result,
        termination=Termination(Reason.IMPRECISE, None, result.termination.detail),
        x=None, objective_value=None, duals=None, reduced_costs=None, ranges=None,
        residuals=residuals, notes=(*result.notes, f"values not accepted: {why}"),
    )  # fmt: skip


def _describe(program: LinearProgram, residuals: Residuals) -> str:
    where = f" (row {residuals.worst_row})" if residuals.worst_row is not None else ""
    return (
        f"rows are violated by {residuals.primal:.1e}{where}, bounds by {residuals.bounds:.1e} (relative), "
        f"whole numbers by {residuals.integrality:.1e}"
    )


def _noted(result: SolveResult, note: str) -> SolveResult:
    return replace(result, notes=(*result.notes, note))
