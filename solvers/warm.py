"""Many what-ifs of one staged program, each started from the base, never from another what-if.

Linear: a session a stage, started from the base's basis of that stage. With whole numbers or curves: the
first stage starts from the base's plan. So answers do not depend on which what-ifs came before or in which
process they run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solvers.curves import CurveTerm
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.result import Basis, Reason, SolveResult
from solvers.session import Session
from solvers.stage import Lock, Stage, with_locks
from solvers.staged import AT_BEST, StagedResult, StagedRun, StageOutcome, best_by_bounds, check_stages
from solvers.staged_curves import solve_curve_stages


@dataclass(frozen=True)
class StageStart:
    """Where the what-ifs of one stage start: the base's basis (linear) or values (n,), and its locks."""

    name: str
    basis: Basis | None
    x: FloatArray | None
    lock_lower: tuple[float, ...]
    lock_upper: tuple[float, ...]


def stage_starts(base: StagedResult) -> tuple[StageStart, ...]:
    """Starts from a base that was solved with `options.basis`; arrays only, so that they can travel.

    A stage that was not solved has none, and is started cold.
    """
    found = []
    for outcome in base.outcomes:
        if outcome.result is not None and outcome.result.x is not None:
            x = outcome.result.x if outcome.result.basis is None or base.base.is_mip else None
            lower = tuple(lock.lower for lock in outcome.locks)
            upper = tuple(lock.upper for lock in outcome.locks)
            found.append(StageStart(outcome.stage.name, outcome.result.basis, x, lower, upper))
    return tuple(found)


class WarmStages:
    """A base program with its stages, ready for what-ifs of the same shape."""

    def __init__(
        self,
        program: LinearProgram,
        stages: Sequence[Stage],
        starts: Sequence[StageStart],
        options: SolveOptions | None = None,
        solver: str = "highs",
    ) -> None:
        """`starts` are those of this very program; nothing is solved before the first what-if."""
        self._program, self._stages = program, tuple(stages)
        self._starts = {start.name: start for start in starts}
        self._options, self.solver = options or SolveOptions(), solver
        self._sessions: dict[str, Session] = {}
        plans = [start.x for start in starts if start.x is not None]
        self._plan = plans[-1] if plans else None
        self._at_best = self._count_at_best()

    def _count_at_best(self) -> int:
        """How many stages at the beginning came out as good as the bounds of their columns allow."""
        start = self._starts.get(self._stages[-1].name) if self._stages else None
        count = 0
        for stage, lower, upper in zip(
            self._stages, start.lock_lower if start else (), start.lock_upper if start else (), strict=False
        ):
            best = best_by_bounds(self._program, stage) - stage.offset
            if (
                stage.keep_duals
                or stage.denominator is not None
                or (lower if stage.maximize else upper) != best
            ):
                break
            count += 1
        return count

    def fits(self, program: LinearProgram, stages: Sequence[Stage]) -> bool:
        """Whether the what-if has the rows, columns, whole numbers and stages of the base; a ratio is solved
        by levels of its own and never fits."""
        base = self._program
        if any(stage.denominator is not None for stage in stages):
            return False
        return (
            program.matrix.shape == base.matrix.shape
            and np.array_equal(program.integer, base.integer)
            and [stage.name for stage in stages] == [stage.name for stage in self._stages]
        )

    def solve(
        self,
        program: LinearProgram,
        stages: Sequence[Stage],
        options: SolveOptions | None = None,
        curves: Sequence[CurveTerm] = (),
    ) -> StagedResult:
        """Optimise the stages of a what-if, whose columns `curves` tie; one of another shape is solved cold,
        and a note says so.

        The same locks and checks as `solve_stages` and `solve_curve_stages`; raises like them.
        """
        options, fits = options or self._options, self.fits(program, stages)
        if fits and not curves and not program.is_mip:
            check_stages(program, stages)
            found = _WhatIf(self, program, options).expecting(stages, self._at_best)
            return found or _WhatIf(self, program, options).run(stages)
        start = replace(options, start_values=self._plan if fits else None)
        result = solve_curve_stages(program, curves, stages, start, self.solver)
        if fits and self._plan is not None:
            return result
        why = "the base has no plan" if fits else "its shape differs from the base's"
        return replace(result, notes=(*result.notes, f"started cold: {why}"))

    def session(self, stage: Stage, locks: Sequence[Lock]) -> Session | None:
        """The session of a stage, at its base; None where the base did not solve it with such locks."""
        start = self._starts.get(stage.name)
        if start is None or len(start.lock_lower) != len(locks):
            return None
        session = self._sessions.get(stage.name)
        if session is None:
            base = self._base_program(stage.name, [lock.stage.name for lock in locks], start)
            session = self._sessions[stage.name] = Session(base, self._options, self.solver)
            plain = replace(self._options, time_limit=None, progress=None, interrupt=None)
            session.solve(replace(plain, start_basis=start.basis))
        session.reset_to_base()
        return session

    def _base_program(self, name: str, locked: Sequence[str], start: StageStart) -> LinearProgram:
        stages = {stage.name: stage for stage in self._stages}
        bounds = zip(locked, start.lock_lower, start.lock_upper, strict=True)
        locks = [Lock(stages[other], lower, upper) for other, lower, upper in bounds]
        return stages[name].aimed(with_locks(self._program, locks))


class _WhatIf(StagedRun):
    """One what-if on its way through the stages."""

    def __init__(self, warm: WarmStages, program: LinearProgram, options: SolveOptions) -> None:
        super().__init__(program, options, warm.solver)
        self._warm = warm

    def expecting(self, stages: Sequence[Stage], count: int) -> StagedResult | None:
        """All stages, the first `count` taken to come out as good as the bounds of their columns allow.

        A plan that the next stage finds under their locks proves it. None where it finds none, and where
        nothing is to be expected.
        """
        if not count or self.stopped():
            return None
        for stage in stages[:count]:
            self._outcomes.append(StageOutcome(stage, None, locks=tuple(self._locks), note=AT_BEST))
            best = best_by_bounds(self._program, stage) - stage.offset
            self._locks.append(Lock(stage, *((best, np.inf) if stage.maximize else (-np.inf, best))))
        self.solve(stages[count], count == len(stages) - 1)
        return None if self._x is None else self.run(stages, first=count + 1)

    def result_of(self, stage: Stage, last: bool) -> SolveResult:
        """One stage under the locks so far, in the session of this stage."""
        program = stage.aimed(with_locks(self._program, self._locks))
        session = self._warm.session(stage, self._locks)
        if session is None:
            session = Session(program, self._options, self._solver)
        else:
            patch(session, program)
        result = session.solve(self.stage_options(stage))
        if self._x is None or result.termination.reason is not Reason.INFEASIBLE:
            return result
        # The plan of the stage before keeps every lock, so that this is numerical trouble of a warm start.
        note = "started cold: from the base's basis it was called infeasible"
        cold = Session(program, self._options, self._solver).solve(self.stage_options(stage))
        return replace(cold, notes=(*cold.notes, note))


_ARRAYS = ("objective", "column_lower", "column_upper", "row_lower", "row_upper")


def patch(session: Session, program: LinearProgram) -> None:
    """Give a session the numbers of a program of the same shape, those only that differ."""
    base = session.program
    changes: dict[str, Any] = {
        name: getattr(program, name)
        for name in _ARRAYS
        if not np.array_equal(getattr(base, name), getattr(program, name))
    }
    changes |= {
        name: getattr(program, name)
        for name in ("maximize", "offset")
        if getattr(base, name) != getattr(program, name)
    }
    session.patch(matrix=program.matrix, **changes)
