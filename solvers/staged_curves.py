"""Lexicographic solving of programs with curves: every stage is proved on the true curves before its lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from solvers.curves import CurveProgram, CurveResult, CurveTerm, local_program, solve_curves
from solvers.curves.shared import DEFAULT_GAP
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.ratio import solve_ratio
from solvers.result import Limit, Reason, SolveResult, Termination
from solvers.solving import solve
from solvers.stage import Lock, Stage, lock_at, with_locks
from solvers.staged import StagedResult, StageOutcome, solve_stages

_SHARE_OF_GAP = 0.1
_MET = 1e-6


def solve_curve_stages(
    program: LinearProgram,
    curves: Sequence[CurveTerm],
    stages: Sequence[Stage],
    options: SolveOptions | None = None,
    solver: str = "highs",
    announce: Callable[[Stage], None] | None = None,
) -> StagedResult:
    """Optimise the stages in turn, each with the curves; the program's own objective is not used.

    A stage is locked at its value on the true curves, f <= f* + max(tolerance |f*|, 1e-6 scale, 1e-7 |f*|),
    or a tenth of its gap where it has a `least_size` and its value is not next to 0, and starts from the plan
    of the stage before. Duals are those of the program whose curves are replaced by their tangents at the
    answer, whole columns fixed. A stage that `chooses` leaves whole numbers and inputs of curves as they are.
    Every stage also starts from the caller's `start_values` where these are better: their whole numbers and
    inputs of curves, with everything else optimised for the stage. Without curves it is `solve_stages`.
    Raises like `solve_curves`.
    """
    if not curves:
        return solve_stages(program, stages, options, solver, announce)
    run = _Run(program, tuple(curves), options or SolveOptions(), solver)
    for stage in stages:
        if run.ended is not None:
            run.skip(stage, f"not solved: an earlier stage ended as {run.ended.reason}")
        elif stage.is_constant and (run.x is not None or stage is not stages[-1]):
            run.skip(stage, "not solved: its objective is zero")
        else:
            if announce is not None:
                announce(stage)
            run.solve(stage)
    return run.finished()


class _Run:
    """Locks, incumbent and outcomes between stages."""

    def __init__(
        self, program: LinearProgram, curves: tuple[CurveTerm, ...], options: SolveOptions, solver: str
    ) -> None:
        self.program, self.curves, self.options, self.solver = program, curves, options, solver
        self.started = time.perf_counter()
        self.locks: list[Lock] = []
        self.outcomes: list[StageOutcome] = []
        self.x: FloatArray | None = None
        self.ended: Termination | None = None

    def skip(self, stage: Stage, reason: str) -> None:
        """Record a stage that is not solved."""
        self.outcomes.append(StageOutcome(stage, None, locks=tuple(self.locks), note=reason))

    def solve(self, stage: Stage) -> None:
        """Solve one stage from the plan so far, keep the better plan, and lock it."""
        left = self._time_left()
        if left is not None and left <= 0:
            self.ended = Termination(Reason.LIMIT, Limit.TIME, "between stages")
            self.skip(stage, f"not solved: {self.ended.reason} between stages")
            return
        if stage.chooses and self.x is not None and stage.denominator is None:
            self._choose(stage, stage.aimed(with_locks(self.program, self.locks)), self.x, left)
            return
        if stage.denominator is None:
            result = self._solved(stage, self.options.gap)
        else:
            result = solve_ratio(stage, self._solved, self.options.gap or DEFAULT_GAP)
        self.outcomes.append(StageOutcome(stage, result, locks=tuple(self.locks)))
        if result.termination.reason is not Reason.OPTIMAL:
            self.ended = result.termination
        if result.x is None:
            return
        self.x = result.x
        self._lock(stage)

    def _solved(self, stage: Stage, gap: float | None) -> SolveResult:
        """A linear objective under the locks so far, proved on the true curves to a gap relative to its value
        or to the stage's scale: a target that is met has a shortfall of 0."""
        tied = CurveProgram(stage.aimed(with_locks(self.program, self.locks)), self.curves)
        start = self._start(stage, tied.program)
        options = replace(self.options, gap=gap, start_values=start, time_limit=self._time_left())
        if stage.least_size is None:
            found = solve_curves(tied, options, self.solver, stage.scale)
        else:
            found = _solved_by_size(tied, options, self.solver, stage.least_size)
        return self._result(tied, stage, found)

    def _start(self, stage: Stage, locked: LinearProgram) -> FloatArray | None:
        """The plan so far, or what becomes of the caller's in this stage where that is better."""
        given = self.options.start_values
        if given is None:
            return self.x
        options = replace(self.options, start_values=None, time_limit=self._time_left())
        found = solve(self._held(locked, given), options, self.solver)
        if found.x is None or self.x is None:
            return self.x if found.x is None else found.x
        more = stage.value(found.x) - stage.value(self.x)
        return found.x if (more > 0) == stage.maximize else self.x

    def _choose(self, stage: Stage, locked: LinearProgram, x: FloatArray, left: float | None) -> None:
        """Solve a stage with whole numbers and inputs of the curves where they are; the plan stays where the
        rounding of the plan so far leaves no room."""
        options = replace(self.options, start_values=None, time_limit=left)
        result = solve(self._held(locked, x), options, self.solver)
        if result.x is None:
            self.skip(stage, "not solved: the plan of the stages before leaves nothing to choose")
            return
        self.x = result.x
        self.outcomes.append(StageOutcome(stage, result, locks=tuple(self.locks)))
        if result.termination.reason is not Reason.OPTIMAL:
            self.ended = result.termination
        self._lock(stage)

    def _held(self, locked: LinearProgram, x: FloatArray) -> LinearProgram:
        """The program with whole numbers and inputs of the curves at x (n,), outputs at most there."""
        fixed, capped = locked.integer.copy(), np.zeros(locked.num_columns, dtype=np.bool_)
        fixed[[term.input_column for term in self.curves]] = True
        fixed[[term.output_column for term in self.curves if term.sense == "="]] = True
        capped[[term.output_column for term in self.curves if term.sense != "="]] = True
        at = np.clip(np.where(locked.integer, np.round(x), x), locked.column_lower, locked.column_upper)
        return locked.replace(
            column_lower=np.where(fixed, at, locked.column_lower),
            column_upper=np.where(fixed | capped, at, locked.column_upper),
            integer=np.zeros_like(locked.integer),
        )

    def finished(self) -> StagedResult:
        """The whole result, with each stage's value at the final values."""
        x = self.x
        outcomes = tuple(
            replace(outcome, value=None if x is None else outcome.stage.value(x)) for outcome in self.outcomes
        )
        termination = self.ended or Termination(Reason.OPTIMAL)
        return StagedResult(self.program, outcomes, x, termination, time.perf_counter() - self.started)

    def _time_left(self) -> float | None:
        limit = self.options.time_limit
        return None if limit is None else max(0.0, limit - (time.perf_counter() - self.started))

    def _lock(self, stage: Stage) -> None:
        if not stage.lock or self.ended is not None or stage.is_constant or self.x is None:
            return
        value = stage.value(self.x)
        # The next stage proves its answer to a gap as well, so that it needs as much room; and where a
        # shortfall is known within a gap only, a sliver of it makes the search for whole numbers quicker.
        slack = max(stage.slack(value), 1e-7 * abs(value))
        if stage.least_size is not None and abs(value) > _MET * stage.least_size:
            slack = max(slack, _SHARE_OF_GAP * (self.options.gap or DEFAULT_GAP) * stage.least_size)
        self.locks.append(lock_at(stage, self.x, slack))

    def _result(self, tied: CurveProgram, stage: Stage, found: CurveResult) -> SolveResult:
        """The curve result as a result of one stage, with duals of the tangent program where it is wanted."""
        duals = reduced = None
        if found.x is not None and stage.keep_duals:
            plain = SolveOptions(threads=self.options.threads)
            local = solve(local_program(tied, found.x), plain, self.solver)
            if local.is_optimal and local.duals is not None:
                duals, reduced = local.duals[: self.program.num_rows], local.reduced_costs
        return SolveResult(
            solver=self.solver,
            termination=found.termination,
            x=found.x,
            objective_value=found.value,
            bound=found.bound,
            duals=duals,
            reduced_costs=reduced,
            duals_are_of_fixed_integers=duals is not None,
            residuals=found.residuals,
            seconds=found.seconds,
            method="curves",
            notes=found.notes,
        )


def _solved_by_size(tied: CurveProgram, options: SolveOptions, solver: str, size: float) -> CurveResult:
    """An objective whose gap is a share of `size`, though its value may be 0.

    With a column that is always 1 and costs `size` a solver's gap, relative to what it finds, is that share.
    Without it any plan, or none, is near enough to a bound of 0.
    """
    program = tied.program
    sign = -1.0 if program.maximize else 1.0
    column = sparse.csc_array((program.num_rows, 1))
    lifted = program.replace(
        objective=np.append(program.objective, sign * size),
        matrix=sparse.csc_array(sparse.hstack([program.matrix, column], format="csc")),
        column_lower=np.append(program.column_lower, 1.0),
        column_upper=np.append(program.column_upper, 1.0),
        integer=np.append(program.integer, False),
        column_blocks=(),
    )
    start = options.start_values
    options = replace(options, start_values=None if start is None else np.append(start, 1.0))
    found = solve_curves(CurveProgram(lifted, tied.curves), options, solver, size)
    return replace(
        found,
        x=None if found.x is None else found.x[:-1],
        value=None if found.value is None else found.value - sign * size,
        bound=None if found.bound is None else found.bound - sign * size,
    )
