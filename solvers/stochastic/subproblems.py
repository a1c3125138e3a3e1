"""What a decision of now costs in each future, and a plane below that cost.

Every plane is valid whatever the solver says: it is the Lagrangian bound of the duals, computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError, NativeSolverError
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.registry import get_usable
from solvers.result import Basis, Reason, SolveResult
from solvers.scaling import Scaling, tame
from solvers.stochastic.planes import Plane
from solvers.stochastic.two_stage import Future, TwoStage

_NEGLIGIBLE = 1e-7
"""A dual of this size (scaled) on an infinite bound is rounding, and taken as 0."""
_ROUNDING = 1e-13
_LOOSEST = 1e-6
"""Relative distance of value and plane above which a warm solve is done again cold."""


@dataclass(frozen=True)
class Evaluation:
    """One decision in every future: losses (S,), infinite where it cannot be, and a plane for each."""

    x: FloatArray
    losses: FloatArray
    planes: tuple[Plane, ...]

    @property
    def possible(self) -> bool:
        """Whether the decision can be carried out in every future."""
        return bool(np.isfinite(self.losses).all())


@dataclass
class _Prepared:
    """A future as a minimisation with tame numbers, its rows scaled with `rows`; the loss is value / unit."""

    program: LinearProgram
    technology: sparse.csc_array
    costs: FloatArray
    unit: float
    basis: Basis | None = None


class Subproblems:
    """The futures of a two-stage program, solved again and again, each from its own last basis.

    The answers do not depend on the number of workers: a future's path depends on that future alone.
    """

    def __init__(
        self,
        problem: TwoStage,
        options: SolveOptions | None = None,
        workers: int = 1,
        solver: str = "highs",
    ) -> None:
        """Raises `InvalidProgramError` where a later decision must be whole."""
        if problem.has_whole_recourse:
            raise InvalidProgramError(
                "later decisions in whole numbers have no duals: use the extensive form"
            )
        self._adapter = get_usable(solver)
        self._options = replace(options or SolveOptions(), method="simplex", basis=True, time_limit=None)
        self._workers = workers
        scaling = tame(problem.futures[0].recourse).scaling
        self._futures = [_prepared(future, problem.sign, scaling) for future in problem.futures]

    def at(self, x: FloatArray, only: Sequence[int] | None = None) -> Evaluation:
        """Losses and planes at a decision x (n,); `only` some futures leaves the others at -infinity."""
        wanted = range(len(self._futures)) if only is None else only
        losses = np.full(len(self._futures), -np.inf)
        with ThreadPoolExecutor(self._workers) as pool:
            found = list(pool.map(lambda place: self._one(place, x), wanted))
        for place, (loss, _) in zip(wanted, found, strict=True):
            losses[place] = loss
        return Evaluation(x, losses, tuple(plane for _, plane in found))

    def _one(self, place: int, x: FloatArray) -> tuple[float, Plane]:
        future = self._futures[place]
        shift = future.technology @ x
        program = future.program.replace(
            row_lower=future.program.row_lower - shift, row_upper=future.program.row_upper - shift
        )
        result = self._run(future, program)
        reason = result.termination.reason
        if reason is Reason.OPTIMAL and result.duals is not None:
            future.basis = result.basis or future.basis
            plane = _plane(future, place, program, result.duals, x)
            value = np.inf if result.x is None else program.value(result.x)
            return value / future.unit + float(future.costs @ x), plane
        if reason in (Reason.INFEASIBLE, Reason.INFEASIBLE_OR_UNBOUNDED):
            return np.inf, self._impossible(future, place, x)
        if reason is Reason.UNBOUNDED:
            raise InvalidProgramError(f"future {place} has no best later decision: it is unbounded")
        raise NativeSolverError(f"future {place} ended as {reason}")

    def _run(self, future: _Prepared, program: LinearProgram) -> SolveResult:
        """Warm where there is a basis; what does not end well is tried once more, cold."""
        if future.basis is not None:
            result = self._adapter.run(program, replace(self._options, start_basis=future.basis))
            if result.termination.reason is Reason.OPTIMAL and result.duals is not None:
                bound = _dual_bound(program, result.duals)[0]
                value = 0.0 if result.x is None else program.value(result.x)
                if abs(value - bound) <= _LOOSEST * max(1.0, abs(value)):
                    return result
        return self._adapter.run(program, self._options)

    def _impossible(self, future: _Prepared, place: int, x: FloatArray) -> Plane:
        """A plane that cuts the decision off: the least violation of the rows, and its duals."""
        m, k = future.program.num_rows, future.program.num_columns
        identity = sparse.eye_array(m, format="csc")
        elastic = replace(
            future,
            costs=np.zeros_like(future.costs),
            program=future.program.replace(
                objective=np.append(np.zeros(k), np.ones(2 * m)),
                matrix=sparse.csc_array(sparse.hstack([future.program.matrix, identity, -identity])),
                column_lower=np.append(future.program.column_lower, np.zeros(2 * m)),
                column_upper=np.append(future.program.column_upper, np.full(2 * m, np.inf)),
                integer=np.zeros(k + 2 * m, dtype=np.bool_),
                offset=0.0,
                column_blocks=(),
            ),
            unit=1.0,
        )
        shift = future.technology @ x
        program = elastic.program.replace(
            row_lower=elastic.program.row_lower - shift, row_upper=elastic.program.row_upper - shift
        )
        result = self._adapter.run(program, self._options)
        if result.termination.reason is not Reason.OPTIMAL or result.duals is None:
            raise NativeSolverError(
                f"the least violation in future {place} ended as {result.termination.reason}"
            )
        return replace(_plane(elastic, place, program, result.duals, x), feasibility=True)


def _prepared(future: Future, sign: float, scaling: Scaling | None) -> _Prepared:
    program = future.recourse.replace(
        objective=sign * future.recourse.objective, maximize=False, offset=sign * future.recourse.offset
    )
    technology, unit = future.technology, 1.0
    if scaling is not None:
        program = scaling.program(program)
        technology = sparse.csc_array(sparse.diags_array(scaling.rows) @ technology)
        unit = scaling.objective
    return _Prepared(program, technology, sign * future.costs, unit)


def _dual_bound(program: LinearProgram, duals: FloatArray) -> tuple[float, FloatArray]:
    """The Lagrangian bound of any duals (m,), and the duals with rounding on infinite bounds taken away."""
    active = np.where(duals > 0.0, program.row_lower, program.row_upper)
    duals = np.where(np.isinf(active) & (np.abs(duals) <= _NEGLIGIBLE), 0.0, duals)
    reduced = program.objective - program.matrix.T @ duals
    bounds = np.where(reduced > 0.0, program.column_lower, program.column_upper)
    reduced = np.where(np.isinf(bounds) & (np.abs(reduced) <= _NEGLIGIBLE), 0.0, reduced)
    used_rows, used_columns = duals != 0.0, reduced != 0.0
    value = float(duals[used_rows] @ active[used_rows]) + float(reduced[used_columns] @ bounds[used_columns])
    return value + program.offset, duals


def _plane(future: _Prepared, place: int, program: LinearProgram, duals: FloatArray, x: FloatArray) -> Plane:
    value, duals = _dual_bound(program, duals)
    if not np.isfinite(value):
        raise NativeSolverError(f"the duals of future {place} prove nothing")
    slope = -(future.technology.T @ duals) / future.unit
    loss, share = value / future.unit, float(slope @ x)
    # What is left of two equal figures is rounding, and a bound of 1e-14 would upset every scaling.
    level = 0.0 if abs(loss - share) <= _ROUNDING * (abs(loss) + abs(share)) else loss - share
    return Plane(place, np.asarray(slope + future.costs, dtype=np.float64), level)
