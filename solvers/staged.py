"""Lexicographic solving: one objective after another, each locked before the next is optimised."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from solvers.errors import InvalidProgramError, NativeSolverError
from solvers.method import choose_method
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram, dot
from solvers.ratio import USUAL_GAP, charnes_cooper, charnes_cooper_point, solve_ratio
from solvers.registry import get_usable
from solvers.result import Basis, Limit, Reason, SolveResult, Termination
from solvers.session import Session
from solvers.solving import solve
from solvers.stage import Lock, Stage, lock_at, ratio_unit, with_locks

__all__ = ["Lock", "Stage", "StageOutcome", "StagedResult", "StagedRun", "solve_stages", "with_locks"]

AT_BEST = "not solved: its value cannot be better"
_NEGLIGIBLE_PRICE = 1e-7
_WHOLE_TOLERANCE = 1e-9
"""Feasibility under locks in whole numbers: a lock may leave 1e-7, and branch and bound that calls 1e-6
feasible cut optimal plans off beside it (decision 0006)."""


@dataclass(frozen=True)
class StageOutcome:
    """What one stage gave. `result` has the duals of the original rows; `lock_duals` those of earlier locks,
    by stage. `result` is None when the stage was not solved, and `note` says why. `value` is the stage's
    objective at the final values, and `program_rows` the number of locks that were in force."""

    stage: Stage
    result: SolveResult | None
    lock_duals: Mapping[str, float] = field(default_factory=dict)
    locks: tuple[Lock, ...] = ()
    value: float | None = None
    note: str = ""


@dataclass(frozen=True)
class StagedResult:
    """All stages in their order and the final values `x` (n,), None when there is no solution.

    `termination` is OPTIMAL when every stage was; otherwise that of the first stage that was not, while `x`
    is the best plan so far, which keeps the locks of the stages before.
    """

    base: LinearProgram
    outcomes: tuple[StageOutcome, ...]
    x: FloatArray | None
    termination: Termination
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def has_solution(self) -> bool:
        """Whether there are verified values."""
        return self.x is not None

    def outcome(self, name: str) -> StageOutcome:
        """The outcome of a stage by name; raises `KeyError`."""
        for outcome in self.outcomes:
            if outcome.stage.name == name:
                return outcome
        raise KeyError(name)

    def program(self, name: str) -> LinearProgram:
        """The program that the named stage solved: the base rows, then the locks of the stages before it.
        For a ratio that of its last level, whose best value is 1."""
        outcome = self.outcome(name)
        stage, result = outcome.stage, outcome.result
        if stage.denominator is not None and result is not None:
            level = stage.value(result.values)
            stage = stage.at(level, ratio_unit(stage, level, result.values))
        return stage.aimed(with_locks(self.base, outcome.locks))


def solve_stages(
    program: LinearProgram,
    stages: Sequence[Stage],
    options: SolveOptions | None = None,
    solver: str = "highs",
    announce: Callable[[Stage], None] | None = None,
) -> StagedResult:
    """Optimise the stages in turn; the program's own objective is not used.

    `options.time_limit` is for all stages together, and `options.interrupt` also stops between them.
    `announce` is called before each stage that is solved. Raises like `solve`, and `InvalidProgramError` for
    stages that repeat a name or have another number of columns.
    """
    check_stages(program, stages)
    return StagedRun(program, options or SolveOptions(), solver).run(stages, announce)


class StagedRun:
    """The state between stages: session, locks, incumbent, and the face that a large LP starts from."""

    def __init__(self, program: LinearProgram, options: SolveOptions, solver: str) -> None:
        self._started = time.perf_counter()
        self._program, self._options, self._solver = program, options, solver
        self._session: Session | None = None
        self._locks: list[Lock] = []
        self._outcomes: list[StageOutcome] = []
        self._notes: list[str] = []
        self._x: FloatArray | None = None
        self._end: Termination | None = None
        self._face: LinearProgram | None = program

    def run(
        self, stages: Sequence[Stage], announce: Callable[[Stage], None] | None = None, first: int = 0
    ) -> StagedResult:
        """Every stage in turn, from the one at position `first` on."""
        for position, stage in enumerate(stages[first:], first):
            last = position == len(stages) - 1
            reason = self.stopped() or self.needless(stage, last)
            if reason:
                self.skip(stage, reason)
                continue
            if announce is not None:
                announce(stage)
            self.solve(stage, last)
        return self.finished()

    def stopped(self) -> str:
        """Why no further stage is to be solved, or an empty string."""
        if self._end is not None:
            return f"not solved: an earlier stage ended as {self._end.reason}"
        interrupt, left = self._options.interrupt, self._time_left()
        if interrupt is not None and interrupt.is_set():
            self._end = Termination(Reason.INTERRUPTED, detail="between stages")
        elif left is not None and left <= 0:
            self._end = Termination(Reason.LIMIT, Limit.TIME, "between stages")
        return "" if self._end is None else f"not solved: {self._end.reason} between stages"

    def needless(self, stage: Stage, last: bool) -> str:
        """Why the stage need not be solved, or an empty string."""
        if stage.is_constant:
            # Without any values yet, the last stage still has to find a feasible plan.
            return "" if last and self._x is None else "not solved: its objective is zero"
        if self._x is None or stage.keep_duals:
            return ""
        value, best = stage.value(self._x), best_by_bounds(self._program, stage)
        return AT_BEST if abs(value - best) <= stage.slack(value) else ""

    def skip(self, stage: Stage, reason: str) -> None:
        """Record a stage that is not solved; one that cannot be better is locked all the same."""
        self._outcomes.append(StageOutcome(stage, None, locks=tuple(self._locks), note=reason))
        if self._end is None and self._x is not None and not stage.is_constant:
            self._lock(stage)

    def solve(self, stage: Stage, last: bool) -> None:
        """Solve one stage, keep the better plan, and lock it unless no stage follows."""
        started, locks = time.perf_counter(), tuple(self._locks)
        result = replace(self.result_of(stage, last), seconds=time.perf_counter() - started)
        self._outcomes.append(StageOutcome(stage, *_without_locks(self._program, result, locks), locks))
        if result.x is None:
            self._end = result.termination
            if self._x is not None:
                self._note(stage, "gave no plan; that of the stages before is kept")
            return
        if result.termination.reason is not Reason.OPTIMAL:
            self._end = result.termination
        self._keep_better(stage, result.x)
        if self._x is not None and not last:
            self._lock(stage)

    def result_of(self, stage: Stage, last: bool) -> SolveResult:
        """One stage under the locks so far, in the session of all stages."""
        if stage.denominator is not None:
            return self._ratio(stage)
        session, is_first = self._session_for(stage), not self._locks
        result = session.solve(self._with_face_start(stage, self.stage_options(stage)))
        if is_first and stage.lock and not last and not self._program.is_mip:
            self._face = optimal_face(session.program, result)
        return result

    def _ratio(self, stage: Stage) -> SolveResult:
        """A stage that is a ratio, by levels; its first level is that of Charnes and Cooper without whole
        numbers."""
        self._face = None

        def at_level(linear: Stage, gap: float) -> SolveResult:
            return self._session_for(linear).solve(replace(self.stage_options(linear), gap=gap))

        def first_level(least: float) -> float | None:
            if self._program.is_mip:
                return None
            program = with_locks(self._program, self._locks)
            plain = SolveOptions(threads=self._options.threads, time_limit=self._time_left())
            x = charnes_cooper_point(
                program, solve(charnes_cooper(program, stage, least), plain, self._solver)
            )
            return None if x is None else stage.value(x)

        return solve_ratio(stage, at_level, self._options.gap or USUAL_GAP, first_level)

    def finished(self) -> StagedResult:
        """The whole result, with each stage's value at the final values."""
        x = self._x
        outcomes = tuple(
            replace(outcome, value=None if x is None else outcome.stage.value(x))
            for outcome in self._outcomes
        )
        termination = self._end or Termination(Reason.OPTIMAL)
        seconds = time.perf_counter() - self._started
        return StagedResult(self._program, outcomes, x, termination, seconds, tuple(self._notes))

    def _session_for(self, stage: Stage) -> Session:
        goal = {"objective": stage.objective, "maximize": stage.maximize}
        if self._session is None:
            program = self._program.replace(offset=stage.offset, **goal)
            self._session = Session(program, self._options, self._solver, returns=False)
            for lock in self._locks:
                self._add(self._session, lock)
        else:
            self._session.patch(objective=stage.objective, maximize=stage.maximize, offset=stage.offset)
        return self._session

    def stage_options(self, stage: Stage) -> SolveOptions:
        """The options of one stage: what is left of the time, the prices that somebody reads, and a tolerance
        that the locks can bear."""
        tolerance = self._options.feasibility_tolerance
        if tolerance is None and self._locks and self._program.is_mip:
            tolerance = _WHOLE_TOLERANCE
        return replace(
            self._options,
            # A start is for the first stage: under locks, whole numbers are solved cold (decision 0006).
            start_values=None if self._locks else self._options.start_values,
            feasibility_tolerance=tolerance,
            time_limit=self._time_left(),
            ranging=stage.ranging,
            integer_prices=self._options.integer_prices and stage.keep_duals,
        )

    def _time_left(self) -> float | None:
        limit = self._options.time_limit
        return None if limit is None else max(0.0, limit - (time.perf_counter() - self._started))

    def _keep_better(self, stage: Stage, x: FloatArray) -> None:
        worse = self._x is not None and stage.is_better(stage.value(self._x), stage.value(x))
        if worse and self._end is not None:
            self._note(stage, "found nothing better than the plan of the stages before, which is kept")
            return
        self._x = x

    def _lock(self, stage: Stage) -> None:
        if not stage.lock or self._end is not None or self._x is None:
            return
        value = stage.value(self._x)
        # Where every column of the stage is at its best bound, nothing was rounded and nothing need be given
        # up: a target that is met then stays met to the last unit.
        is_exact = value == best_by_bounds(self._program, stage)
        self._locks.append(lock_at(stage, self._x, 0.0 if is_exact else stage.slack(value)))
        if self._session is not None:
            self._add(self._session, self._locks[-1])

    def _add(self, session: Session, lock: Lock) -> None:
        columns = np.flatnonzero(lock.coefficients)
        session.add_row(columns, lock.coefficients[columns], lock.lower, lock.upper)

    def _note(self, stage: Stage, words: str) -> None:
        self._notes.append(f"stage {stage.name} {words}")

    def _with_face_start(self, stage: Stage, options: SolveOptions) -> SolveOptions:
        """Options that start a large LP from its optimum on the face of the stages before.

        The lock leaves a sliver without an interior, on which interior point and crossover are slow (11 s
        at 25,000 columns) and simplex no better (8 s). On the optimal face of the stages before (what their
        duals fix stays fixed) interior point takes 0.8 s, and primal simplex moves from its basis, which
        keeps the locks, to the optimum of the locked program in 0.4 s. Dual simplex would first have to
        mend the prices of the columns that the face fixes: 7,259 iterations where primal simplex needs 74,
        and 168 s instead of 11 s at 240,000 columns.
        """
        face = self._face
        capabilities = get_usable(self._solver).capabilities
        cold = choose_method(self._program, options, capabilities)
        if face is None or not self._locks or cold.method != "interior_point":
            return options
        goal = face.replace(objective=stage.objective, maximize=stage.maximize, offset=stage.offset)
        try:
            found = solve(goal, replace(cold, basis=True, ranging=False, start_values=None), self._solver)
        except NativeSolverError as error:
            self._note(stage, f"started without the face of the stages before: {error}")
            self._face = None
            return options
        self._face = optimal_face(goal, found) if stage.lock else face
        if found.basis is None or not found.is_optimal:
            self._face = None
            return options
        return replace(
            options, method="simplex", start_basis=with_basic_rows(found.basis, len(self._locks)),
            start_is_feasible=True, time_limit=self._time_left(),
        )  # fmt: skip


def optimal_face(program: LinearProgram, result: SolveResult) -> LinearProgram | None:
    """The program restricted to its optimal solutions: a column with a reduced cost stays at its bound, a
    row with a dual at its own (complementary slackness). None without duals."""
    if result.duals is None or result.reduced_costs is None:
        return None
    sign = -1.0 if program.maximize else 1.0
    columns = _held(sign * result.reduced_costs, program.column_lower, program.column_upper)
    rows = _held(sign * result.duals, program.row_lower, program.row_upper)
    return program.replace(
        column_lower=columns[0], column_upper=columns[1], row_lower=rows[0], row_upper=rows[1]
    )


def _held(prices: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    negligible = _NEGLIGIBLE_PRICE * max(1.0, float(np.abs(prices).max(initial=0.0)))
    at_lower = (prices > negligible) & np.isfinite(lower)
    at_upper = (prices < -negligible) & np.isfinite(upper)
    return np.where(at_upper, upper, lower), np.where(at_lower, lower, upper)


def with_basic_rows(basis: Basis, count: int) -> Basis:
    """The basis of a program with `count` more rows at its end, which start basic."""
    # HiGHS's code 1 is basic.
    return replace(basis, rows=np.append(basis.rows, np.ones(count, dtype=np.int8)))


def _without_locks(
    program: LinearProgram, result: SolveResult, locks: tuple[Lock, ...]
) -> tuple[SolveResult, dict[str, float]]:
    rows = program.num_rows
    if result.duals is None:
        return result, {}
    prices = dict(zip((lock.stage.name for lock in locks), result.duals[rows:].tolist(), strict=True))
    ranges = result.ranges
    if ranges is not None:
        ranges = replace(ranges, row_lower=ranges.row_lower[:rows], row_upper=ranges.row_upper[:rows])
    return replace(result, duals=result.duals[:rows], ranges=ranges), prices


def best_by_bounds(program: LinearProgram, stage: Stage) -> float:
    """What the bounds of the columns alone allow: a proved bound, mostly 0 for a sum of shortfalls."""
    if stage.denominator is not None:
        return np.inf if stage.maximize else -np.inf
    wants_low = (stage.objective > 0) != stage.maximize
    bound = np.where(wants_low, program.column_lower, program.column_upper)
    used = stage.objective != 0
    if not np.isfinite(bound[used]).all():
        return -np.inf if not stage.maximize else np.inf
    return dot(stage.objective[used], bound[used]) + stage.offset


def check_stages(program: LinearProgram, stages: Sequence[Stage]) -> None:
    """Raise `InvalidProgramError` for stages that repeat a name or have another number of columns."""
    names = [stage.name for stage in stages]
    if len(set(names)) != len(names):
        raise InvalidProgramError(f"two stages have the same name among {', '.join(names)}")
    for stage in stages:
        if stage.objective.shape != (program.num_columns,):
            raise InvalidProgramError(
                f"stage {stage.name} has {stage.objective.shape[0]} costs for {program.num_columns} columns"
            )
