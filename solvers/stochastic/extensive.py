"""The extensive form: all futures side by side in one program, the tail of the loss in rows of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from solvers.options import SolveOptions
from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.result import Termination
from solvers.solving import solve
from solvers.stochastic.measures import Blend
from solvers.stochastic.planes import Plane
from solvers.stochastic.two_stage import TwoStage


@dataclass(frozen=True)
class TwoStageResult:
    """A decision of now, and what it is worth in each future.

    `x` (n,) and `values` (S,), in the program's own sense, None without an answer; `objective` is the first
    stage's objective plus the blend (as a value where the program maximises), `bound` what is proved.
    """

    termination: Termination
    x: FloatArray | None = None
    values: FloatArray | None = None
    objective: float | None = None
    bound: float | None = None
    seconds: float = 0.0
    trace: tuple[tuple[float, float, float], ...] = field(default=())
    """(seconds, best objective, bound) after each round."""
    notes: tuple[str, ...] = field(default=())
    planes: tuple[Plane, ...] = field(default=(), repr=False)
    """Planes below the losses of the futures, valid for any blend of the same program."""

    @property
    def gap(self) -> float | None:
        """Relative distance of objective and bound; None where one is missing."""
        if self.objective is None or self.bound is None:
            return None
        return abs(self.objective - self.bound) / max(1e-10, abs(self.objective))


@dataclass(frozen=True)
class Extensive:
    """The whole program: y of future s stands from `starts[s]`, `tail` is the column of v (see below)."""

    program: LinearProgram
    starts: IntArray
    tail: int | None


def extensive_form(problem: TwoStage, blend: Blend | None = None) -> Extensive:
    """All futures in one program.

        minimise c @ x + mean * sum_s p_s loss_s + tail * (v + sum_s p_s z_s / (1 - level))
        z_s >= loss_s - v,  z_s >= 0

    loss_s = sign * (costs_s @ x + q_s @ y_s + offset_s). A program that maximises keeps its sense: the whole
    is turned. Source: Birge & Louveaux, section 1.1; Rockafellar & Uryasev 2000.
    """
    blend = blend or Blend()
    first, futures, shares = problem.first, problem.futures, problem.probability
    sizes = np.array([future.recourse.num_columns for future in futures], dtype=np.int64)
    starts = first.num_columns + np.concatenate([[0], np.cumsum(sizes)[:-1]])
    parts = [first, *(future.recourse for future in futures)]
    objective = [first.objective + blend.mean * _mean_costs(problem)]
    objective += [
        blend.mean * share * one.recourse.objective for share, one in zip(shares, futures, strict=True)
    ]
    left = sparse.vstack([first.matrix, *(future.technology for future in futures)])
    right = sparse.vstack(
        [
            sparse.csc_array((first.num_rows, int(sizes.sum()))),
            sparse.block_diag([f.recourse.matrix for f in futures]),
        ]
    )
    program = LinearProgram(
        objective=np.concatenate(objective),
        matrix=sparse.csc_array(sparse.hstack([left, right], format="csc")),
        row_lower=np.concatenate([part.row_lower for part in parts]),
        row_upper=np.concatenate([part.row_upper for part in parts]),
        column_lower=np.concatenate([part.column_lower for part in parts]),
        column_upper=np.concatenate([part.column_upper for part in parts]),
        integer=np.concatenate([part.integer for part in parts]),
        maximize=first.maximize,
        offset=first.offset + blend.mean * float(shares @ np.array([f.recourse.offset for f in futures])),
    )
    if not blend.tail:
        return Extensive(program, starts, None)
    return Extensive(_with_tail(problem, program, starts, blend), starts, program.num_columns)


def _mean_costs(problem: TwoStage) -> FloatArray:
    return np.asarray(problem.probability @ np.stack([f.costs for f in problem.futures]), dtype=np.float64)


def loss_rows(problem: TwoStage, starts: IntArray, num_columns: int) -> tuple[sparse.csr_array, FloatArray]:
    """Coefficients (S, columns) and constants (S,) of the loss of each future over the extensive columns."""
    sign, n = problem.sign, problem.first.num_columns
    data, rows, columns = [], [], []
    for place, future in enumerate(problem.futures):
        values = sign * np.concatenate([future.costs, future.recourse.objective])
        where = np.concatenate([np.arange(n), starts[place] + np.arange(future.recourse.num_columns)])
        used = values != 0.0
        data.append(values[used])
        columns.append(where[used])
        rows.append(np.full(int(used.sum()), place))
    shape = (len(problem.futures), num_columns)
    entries = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
    constants = sign * np.array([future.recourse.offset for future in problem.futures])
    return sparse.csr_array(entries, shape=shape), constants


def _with_tail(problem: TwoStage, program: LinearProgram, starts: IntArray, blend: Blend) -> LinearProgram:
    count, shares = len(problem.futures), problem.probability
    losses, constants = loss_rows(problem, starts, program.num_columns)
    # loss_s - v - z_s <= -constant_s
    tail_part = sparse.hstack([-np.ones((count, 1)), -sparse.eye_array(count)])
    lower = sparse.hstack([losses, tail_part])
    upper = sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, count + 1))])
    costs = problem.sign * blend.tail * np.append(1.0, shares / (1.0 - blend.level))
    return program.replace(
        objective=np.concatenate([program.objective, costs]),
        matrix=sparse.csc_array(sparse.vstack([upper, lower], format="csc")),
        row_lower=np.concatenate([program.row_lower, np.full(count, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, -constants]),
        column_lower=np.concatenate([program.column_lower, [-np.inf], np.zeros(count)]),
        column_upper=np.concatenate([program.column_upper, np.full(count + 1, np.inf)]),
        integer=np.concatenate([program.integer, np.zeros(count + 1, dtype=np.bool_)]),
    )


def solve_extensive(
    problem: TwoStage, blend: Blend | None = None, options: SolveOptions | None = None, solver: str = "highs"
) -> TwoStageResult:
    """Solve all futures at once; right for some tens of thousands of columns, and for whole later decisions.

    Raises like `solvers.solving.solve`.
    """
    started = time.perf_counter()
    form = extensive_form(problem, blend)
    result = solve(form.program, options, solver)
    seconds = time.perf_counter() - started
    if result.x is None:
        return TwoStageResult(result.termination, bound=result.bound, seconds=seconds)
    values = future_values(problem, form, result.x)
    x = result.x[: problem.first.num_columns]
    return TwoStageResult(
        result.termination, x, values, result.objective, result.bound, seconds, notes=result.notes
    )


def future_values(problem: TwoStage, form: Extensive, x: FloatArray) -> FloatArray:
    """What the decisions bring in each future (S,), in the program's own sense, first.objective apart."""
    losses, constants = loss_rows(problem, form.starts, form.program.num_columns)
    return np.asarray(problem.sign * (losses @ x + constants), dtype=np.float64)
