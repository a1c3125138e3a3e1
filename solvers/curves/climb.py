"""Better points on the true curves by a sequence of linear programs with a trust region.

Around a point every curve is replaced by a concave piecewise-linear *under*-estimator that touches it there:
chords where it is concave, the tangent where it is convex. So the optimum of each linear program is feasible
on the true curves, and never worse than the point before. Equations get their tangent instead, which is exact
only in the limit, or up to the next kink: no step goes beyond it, and at a kink steps take turns to either
side. Slacks with a price let the search start from a point that the true curves do not allow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from solvers.curves.inner import run
from solvers.curves.prepared import Prepared
from solvers.errors import NativeSolverError
from solvers.options import SolveOptions
from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.result import Basis

_LINES = 2
_NEAR = 0.125
_FIRST_RADIUS = 0.25
_SHRINK = 0.2
_MOST_STEPS = 60
_PRICE = 10.0
_STEEPEST = 1e9
_AT_A_KINK = 1e-9
"""A point is on a kink when it is nearer than this, in units of its curve's domain."""
_HIGHEST_PRICE = 1e5
ON_THE_CURVE = 1e-9
"""An output may miss its curve by this, in units of the curve's span, before it is put on it."""


@dataclass(frozen=True)
class _Trust:
    """Inputs at which a step starts, the share of each domain that it may go, and the side, 1 or -1, to which
    it goes from a kink of an equation."""

    center: FloatArray
    radius: float
    side: float


@dataclass(frozen=True)
class Climbed:
    """A point of the prepared program, its scaled objective, and by how much its outputs miss the curves."""

    x: FloatArray
    value: float
    violation: float

    @property
    def feasible(self) -> bool:
        """Whether the outputs lie on the true curves."""
        return self.violation <= ON_THE_CURVE


class Climber:
    """Climbs on one prepared program; every step but the first starts from the basis of the one before."""

    def __init__(
        self, prepared: Prepared, options: SolveOptions, solver: str, smallest_radius: float
    ) -> None:
        """`prepared` has upright curves only; the search narrows down to `smallest_radius` of each domain."""
        self._prepared = prepared
        self._options = replace(options, basis=True)
        self._solver = solver
        self._smallest = smallest_radius
        self._frame = _frame(prepared)
        self._basis: Basis | None = None

    def climb(
        self,
        x: FloatArray,
        deadline: float = np.inf,
        stop: threading.Event | None = None,
        insist: bool = True,
        enough: Callable[[Climbed], bool] | None = None,
    ) -> Climbed | None:
        """The local optimum reached from x (n,), whole numbers kept as they are; None where there is none.

        `enough` is shown every better point and may end the climb.
        `insist` raises the price of what the true curves do not allow until it is gone; without it the climb
        is given up where the first step does not reach the curves. The first step starts cold: from the basis
        of other whole numbers it takes several times as long.
        """
        self._basis = None
        whole = np.where(self._prepared.program.integer, np.round(x), 0.0)
        center = np.clip(x[self._prepared.inputs], self._prepared.low, self._prepared.high)
        best: Climbed | None = None
        price, radius, side = _PRICE, _FIRST_RADIUS, 1.0
        for _ in range(_MOST_STEPS):
            if time.perf_counter() >= deadline or (stop is not None and stop.is_set()):
                break
            found = self._step(_Trust(center, radius, side), whole, price, deadline)
            if found is None or not (insist or found.feasible):
                break
            gained = _merit(found, price) - (_merit(best, price) if best is not None else -np.inf)
            if gained > 0:
                best = found
                center = np.clip(found.x[self._prepared.inputs], self._prepared.low, self._prepared.high)
                if enough is not None and enough(found):
                    break
            if gained <= 0.02 * radius * max(1e-6, abs(found.value)):
                if radius <= self._smallest:
                    if best is None or best.feasible or price >= _HIGHEST_PRICE:
                        break
                    price, radius = price * 100.0, _FIRST_RADIUS
                radius, side = radius * _SHRINK, -side
        return best

    def _step(self, trust: _Trust, whole: FloatArray, price: float, deadline: float) -> Climbed | None:
        program = _local(self._prepared, self._frame, trust, whole, price)
        left = max(0.01, deadline - time.perf_counter())
        limit = left if np.isfinite(left) else None
        options = replace(self._options, start_basis=self._basis, time_limit=limit)
        try:
            result = run(program, options, self._solver)
        except NativeSolverError:
            # A step is a try: without the basis of the one before it often goes; else the climb ends.
            if self._basis is None:
                return None
            self._basis = None
            return self._step(trust, whole, price, deadline)
        self._basis = result.basis or self._basis
        if not result.has_solution:
            return None
        x = result.values[: self._prepared.program.num_columns]
        return measured(self._prepared, x)


def measured(prepared: Prepared, x: FloatArray) -> Climbed:
    """The point with its objective and its violation of the true curves."""
    output, value = x[prepared.outputs], prepared.true_values(x)
    miss = np.where(prepared.equal, np.abs(output - value), np.maximum(output - value, 0.0))
    return Climbed(x, prepared.program.value(x), float(miss.sum()))


def _merit(point: Climbed, price: float) -> float:
    return point.value - price * point.violation


@dataclass(frozen=True)
class _Frame:
    """What all local programs share: pattern of the matrix and places of the slopes in it."""

    matrix: sparse.csc_array
    slopes: IntArray
    above: IntArray
    below: IntArray


def _frame(prepared: Prepared) -> _Frame:
    # Columns: the program's, a slack above each curve, a slack below each equation. Rows: the program's, then
    # four lines a curve.
    program, size = prepared.program, prepared.size
    equations = np.flatnonzero(prepared.equal)
    lines = 2 * _LINES * size
    row = np.arange(lines)
    owner = np.repeat(np.arange(size), 2 * _LINES)
    above = program.num_columns + np.arange(size)
    below = program.num_columns + size + np.arange(equations.size)
    # The slopes are marked by their number, so that their places in the compressed matrix can be read off.
    mark = np.arange(1, lines + 1) + 10.0
    block = sparse.csc_array(
        (
            np.concatenate([np.ones(lines), mark, -np.ones(lines), np.ones(equations.size)]),
            (
                np.concatenate([row, row, row, equations * 2 * _LINES]),
                np.concatenate([prepared.outputs[owner], prepared.inputs[owner], above[owner], below]),
            ),
        ),
        shape=(lines, program.num_columns + size + equations.size),
    )
    wide = sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, size + equations.size))])
    matrix = sparse.csc_array(sparse.vstack([wide, block], format="csc"))
    in_lines = matrix.indices >= program.num_rows
    is_slope = in_lines & (matrix.data > 10.5)
    slopes = np.empty(lines, dtype=np.int64)
    slopes[np.round(matrix.data[is_slope] - 11.0).astype(np.int64)] = np.flatnonzero(is_slope)
    return _Frame(matrix, slopes, above, below)


def _local(
    prepared: Prepared, frame: _Frame, trust: _Trust, whole: FloatArray, price: float
) -> LinearProgram:
    program = prepared.program
    slope, level, left, right = _lines(prepared, trust)
    data = frame.matrix.data.copy()
    data[frame.slopes] = -slope.ravel()
    matrix = sparse.csc_array((data, frame.matrix.indices, frame.matrix.indptr), shape=frame.matrix.shape)
    slacks = frame.above.size + frame.below.size
    lower = np.concatenate([np.where(program.integer, whole, program.column_lower), np.zeros(slacks)])
    upper = np.concatenate([np.where(program.integer, whole, program.column_upper), np.full(slacks, np.inf)])
    movable = ~program.integer[prepared.inputs]
    inputs = prepared.inputs[movable]
    # Several curves may share an input: its interval is what all of them allow.
    np.maximum.at(lower, inputs, left[movable])
    np.minimum.at(upper, inputs, right[movable])
    lower[inputs] = np.minimum(lower[inputs], upper[inputs])
    equal_line = np.zeros(level.shape, dtype=bool)
    equal_line[prepared.equal, 0] = True
    return replace(
        program,
        objective=np.concatenate([program.objective, np.full(slacks, -price)]),
        matrix=matrix,
        row_lower=np.concatenate([program.row_lower, np.where(equal_line, level, -np.inf).ravel()]),
        row_upper=np.concatenate([program.row_upper, level.ravel()]),
        column_lower=lower,
        column_upper=upper,
        integer=np.zeros(lower.size, dtype=bool),
    )


def _lines(prepared: Prepared, trust: _Trust) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Slopes and levels (n, 4) of the lines output <= slope input + level, and the interval [left, right]
    (n,) in which they lie under the curve: two lines to the right of the center, two to the left."""
    table, owner, center = prepared.table, prepared.all, trust.center
    value = prepared.true_values_at(center)
    start, end, concave_right, concave_left = prepared.pieces_at(center)
    reach = trust.radius * (prepared.high - prepared.low)
    right, left = np.minimum(center + reach, end), np.maximum(center - reach, start)
    right_near = center + _NEAR * (right - center)
    left_near = center - _NEAR * (center - left)
    slope = table.slope(owner, np.maximum(center, 1e-300))
    # An infinite slope, at 0, is never needed: there is nothing to its left, and chords to its right.
    tangent = np.where(np.abs(slope) < _STEEPEST, slope, 0.0)

    def chord(x0: FloatArray, x1: FloatArray) -> FloatArray:
        width = x1 - x0
        rise = table.value(owner, x1) - table.value(owner, x0)
        return np.where(width > 1e-13, rise / np.where(width > 1e-13, width, 1.0), tangent)

    first_right = np.where(concave_right, chord(center, right_near), tangent)
    second_right = np.where(concave_right, chord(right_near, right), tangent)
    first_left = np.maximum(np.where(concave_left, chord(left_near, center), tangent), first_right)
    second_left = np.maximum(np.where(concave_left, chord(left, left_near), tangent), first_left)
    slopes = np.stack([first_right, np.minimum(second_right, first_right), first_left, second_left], axis=1)
    level = np.empty_like(slopes)
    level[:, 0] = value - slopes[:, 0] * center
    level[:, 1] = value + slopes[:, 0] * (right_near - center) - slopes[:, 1] * right_near
    level[:, 2] = value - slopes[:, 2] * center
    level[:, 3] = value - slopes[:, 2] * (center - left_near) - slopes[:, 3] * left_near
    _put_equations(prepared, trust, (slopes, level, left, right))
    return slopes, level, left, right


def _put_equations(
    prepared: Prepared, trust: _Trust, lines: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
) -> None:
    # One line each, that of the stretch beside the center, and no farther than the stretch goes.
    slopes, level, left, right = lines
    equal, table = np.flatnonzero(prepared.equal), prepared.table
    center, low, high = trust.center[equal], prepared.low[equal], prepared.high[equal]
    inside = _AT_A_KINK * (high - low)
    beside = np.clip(center + trust.side * inside, low + inside, high - inside)
    at = np.where(table.kinks(equal, center - inside)[1] <= center + inside, beside, center)
    slope = table.slope(equal, np.maximum(at, 1e-300))
    tangent = np.where(np.abs(slope) < _STEEPEST, slope, 0.0)
    slopes[equal] = tangent[:, None]
    level[equal] = (table.value(equal, at) - tangent * at)[:, None]
    start, end = table.kinks(equal, at)
    left[equal], right[equal] = np.maximum(left[equal], start), np.minimum(right[equal], end)
