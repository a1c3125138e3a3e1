"""The nearest table of whole steps with exact sums: one level of an organisation, all parents at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import SolverFailedError
from optimizer.quotas.spans import Spans
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason
from solvers.solving import solve

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_WHOLE = 1e-6
"""A figure this near to a whole number is that number."""
_TIE = 1e-5
"""Weight of the tie-break in steps: tables whose distances differ by less count as equally near."""
_EXCESS = 1e3
"""Cost of one step beyond floor or ceiling: far above any distance that it could save."""


def floor(figures: FloatArray) -> FloatArray:
    """Floor, except that what is a whole number up to rounding noise stays that number."""
    return np.asarray(np.floor(figures + _WHOLE))


def ceiling(figures: FloatArray) -> FloatArray:
    """Ceiling, except that what is a whole number up to rounding noise stays that number."""
    return np.asarray(np.ceil(figures - _WHOLE))


@dataclass(frozen=True)
class Window:
    """Bounds on each row's total, in whole steps (n,)."""

    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class _Sums:
    """Sums of cells: which cells each takes in (K, n * T), its bounds and the true figure; whether its
    distance from the true figure counts, and whether it must hold even where no table exists."""

    matrix: sparse.csr_array
    lower: FloatArray
    upper: FloatArray
    real: FloatArray
    hard: bool = False
    counts: bool = True


def nearest_table(
    figures: FloatArray,
    group: IntArray,
    spans: Spans,
    window: Window,
    ties: FloatArray,
    company: bool = False,
) -> tuple[IntArray, IntArray]:
    """Whole steps (n, T) for figures (n, T) >= 0, and by how many steps each row left its floors and
    ceilings (n,).

    Every cell, every row's sum over a longer span, and every group's sum over a span is the floor or the
    ceiling of the true figure, row totals lie in `window`; among these tables the one of smallest total
    distance, then of smallest `ties` (n, T). Where none exists, cells and sums over spans leave their
    floor and ceiling by as few steps as possible; totals and group sums still hold. `company` leaves the
    sums of groups out. Raises `SolverFailedError` when the solver fails.
    """
    sums = [*_row_sums(figures, spans, window), *([] if company else _group_sums(figures, group, spans))]
    base = floor(figures)
    cost = _distance_cost(figures, base, sums) + _TIE * ties.ravel()
    up = _solve(base, ceiling(figures) - base, sums, cost)
    if up is not None:
        return up, np.zeros(len(figures), dtype=np.int64)
    return _with_excess(figures, base, sums, cost)


def _row_sums(figures: FloatArray, spans: Spans, window: Window) -> list[_Sums]:
    """Sums of each row over the longer spans, and its total, which keeps to the window."""
    num_rows, size = figures.shape
    row, span = np.divmod(np.arange(num_rows * size), size)
    found = []
    for part in spans.longer[:-1]:
        count = len(part.labels)
        found.append(_sums(figures, row * count + part.code[span], num_rows * count))
    total = _sums(figures, row, num_rows)
    within = _Sums(
        total.matrix, np.maximum(total.lower, window.lower), np.minimum(total.upper, window.upper), total.real
    )
    outside = within.lower > within.upper
    nearest = np.clip(total.lower, window.lower, window.upper)
    lower, upper = (np.where(outside, nearest, side) for side in (within.lower, within.upper))
    hard = _Sums(total.matrix, window.lower, window.upper, total.real, hard=True, counts=False)
    return [*found, _Sums(total.matrix, lower, upper, total.real), hard]


def _group_sums(figures: FloatArray, group: IntArray, spans: Spans) -> list[_Sums]:
    """Sums of each group by shortest span, over the longer ones, and in total."""
    num_rows, size = figures.shape
    row, span = np.divmod(np.arange(num_rows * size), size)
    groups = int(group.max()) + 1
    found = [_sums(figures, group[row] * size + span, groups * size, hard=True)]
    for part in spans.longer:
        count = len(part.labels)
        code = group[row] * count + part.code[span]
        found.append(_sums(figures, code, groups * count, hard=part.nested))
    return found


def _sums(figures: FloatArray, code: IntArray, count: int, hard: bool = False) -> _Sums:
    real = np.asarray(np.bincount(code, weights=figures.ravel(), minlength=count), dtype=np.float64)
    matrix = sparse.csr_array((np.ones(code.size), (code, np.arange(code.size))), shape=(count, code.size))
    return _Sums(matrix, floor(real), ceiling(real), real, hard)


def _distance_cost(figures: FloatArray, base: FloatArray, sums: list[_Sums]) -> FloatArray:
    """What taking the ceiling of each cell adds to the sum of all distances (n * T,)."""
    cost = 1.0 - 2.0 * np.clip(figures - base, 0.0, 1.0).ravel()
    for part in sums:
        fraction = np.clip(part.real - floor(part.real), 0.0, 1.0)
        moves = ceiling(part.real) > floor(part.real)
        if part.counts:
            cost += part.matrix.T @ np.where(moves, 1.0 - 2.0 * fraction, 0.0)
    return np.asarray(cost)


def _solve(base: FloatArray, room: FloatArray, sums: list[_Sums], cost: FloatArray) -> IntArray | None:
    """Base plus the best choice of ceilings; None where no choice keeps every sum."""
    free = np.flatnonzero(room.ravel() > 0)
    rows, lower, upper = [], [], []
    for part in sums:
        held = part.matrix @ base.ravel()
        touched = part.matrix[:, free]
        has_cells = np.diff(touched.indptr) > 0
        if ((part.lower > held) | (part.upper < held))[~has_cells].any():
            return None
        limited = has_cells & ((part.upper - held < np.diff(touched.indptr)) | (part.lower > held))
        rows.append(touched[limited])
        lower.append((part.lower - held)[limited])
        upper.append((part.upper - held)[limited])
    steps = base.ravel().copy()
    if len(free):
        program = LinearProgram(
            objective=cost[free],
            matrix=sparse.csc_array(sparse.vstack(rows)),
            row_lower=np.concatenate(lower),
            row_upper=np.concatenate(upper),
            column_lower=np.zeros(len(free)),
            column_upper=np.ones(len(free)),
            integer=np.zeros(len(free), dtype=np.bool_),
        )
        found = _whole_answer(program)
        if found is None:
            return None
        steps[free] += found
    return np.asarray(steps.reshape(base.shape).astype(np.int64))


def _whole_answer(program: LinearProgram, fewest: bool = False) -> FloatArray | None:
    """The whole optimum; None when there is no whole point.

    A network's linear program has a whole optimum. Where sums across markets cross those over time, some
    columns stay fractional: a small integer program over these decides, the whole one where it has no
    answer or `fewest` is asked.
    """
    found = _optimum(program)
    if found is None:
        return None
    whole = np.rint(found)
    settled = np.abs(whole - found) <= _WHOLE
    if settled.all():
        return np.asarray(whole)
    every = program.replace(integer=np.ones(program.num_columns, dtype=np.bool_))
    rest = None
    if not fewest:
        rest = _optimum(
            every.replace(
                column_lower=np.where(settled, whole, program.column_lower),
                column_upper=np.where(settled, whole, program.column_upper),
            )
        )
    rest = _optimum(every) if rest is None else rest
    return None if rest is None else np.asarray(np.rint(rest))


def _optimum(program: LinearProgram) -> FloatArray | None:
    """The values of an optimum; None when nothing is feasible. Raises `SolverFailedError` for all else."""
    result = solve(program, SolveOptions(method="auto" if program.is_mip else "simplex"))
    if result.termination.reason in (Reason.INFEASIBLE, Reason.INFEASIBLE_OR_UNBOUNDED):
        return None
    if result.x is None or result.termination.reason is not Reason.OPTIMAL:
        raise SolverFailedError("quotas.rounding_failed", reason=str(result.termination.reason))
    return result.x


def _with_excess(
    figures: FloatArray, base: FloatArray, sums: list[_Sums], cost: FloatArray
) -> tuple[IntArray, IntArray]:
    """The table that leaves floors and ceilings by the fewest steps; in a network parallel arcs keep it
    one."""
    cells = figures.size
    found = _whole_answer(_elastic(figures, base, sums, cost), fewest=True)
    if found is None:
        raise SolverFailedError("quotas.rounding_failed", reason=str(Reason.INFEASIBLE))
    more, over, under = (found[at * cells : (at + 1) * cells] for at in range(3))
    whole = base.ravel() + more + over - under
    excess = over + under
    for part in sums:
        if part.hard:
            continue
        value = part.matrix @ whole
        outside = np.maximum(np.maximum(part.lower - value, value - part.upper), 0.0)
        # The excess of a sum is written at the first cell that it takes in, which is in its row.
        np.add.at(excess, part.matrix.indices[part.matrix.indptr[:-1]], outside)
    return whole.reshape(base.shape).astype(np.int64), excess.reshape(base.shape).sum(axis=1).astype(np.int64)


def _elastic(figures: FloatArray, base: FloatArray, sums: list[_Sums], cost: FloatArray) -> LinearProgram:
    """The program with a price on every step beyond floor and ceiling.

    Columns: ceilings taken, steps above and below by cell, then what each soft sum misses and has too much.
    """
    cells = figures.size
    num_soft = sum(part.matrix.shape[0] for part in sums if not part.hard)
    blocks = sparse.vstack([part.matrix for part in sums])
    slack = _soft_columns(sums, num_soft)
    reach = float(np.ceil(base.max(initial=0.0) + cells))
    ups = [
        (ceiling(figures) - base).ravel(),
        np.full(cells, reach),
        base.ravel(),
        np.full(2 * num_soft, reach),
    ]
    sides = [
        np.concatenate([getattr(part, side) - part.matrix @ base.ravel() for part in sums])
        for side in ("lower", "upper")
    ]
    size = 3 * cells + 2 * num_soft
    return LinearProgram(
        objective=np.concatenate([cost, np.full(size - cells, _EXCESS)]),
        matrix=sparse.csc_array(sparse.hstack([blocks, blocks, -blocks, slack, -slack])),
        row_lower=sides[0],
        row_upper=sides[1],
        column_lower=np.zeros(size),
        column_upper=np.concatenate(ups),
        integer=np.zeros(size, dtype=np.bool_),
    )


def _soft_columns(sums: list[_Sums], num_soft: int) -> sparse.csr_array:
    """One column for each soft sum: what it may be missing or have too much."""
    rows, start = [], 0
    for part in sums:
        count = part.matrix.shape[0]
        if not part.hard:
            rows.append(np.arange(start, start + count))
        start += count
    at = np.concatenate(rows)
    return sparse.csr_array((np.ones(len(at)), (at, np.arange(num_soft))), shape=(start, num_soft))
