"""Many what-ifs of one staged program: a session a stage, each started from the base's optimum of that stage.

Answers do not depend on which what-ifs came before or in which process they run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.result import Basis, SolveResult
from solvers.session import Coefficients, Session, difference
from solvers.stage import Lock, Stage, with_locks
from solvers.staged import StagedResult, StagedRun, check_stages, solve_stages


@dataclass(frozen=True)
class StageStart:
    """Where the what-ifs of one stage start: the base's basis (LP) or values (n,) (MIP), and its locks."""

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
            x = outcome.result.x if base.base.is_mip else None
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
        self, program: LinearProgram, stages: Sequence[Stage], options: SolveOptions | None = None
    ) -> StagedResult:
        """Optimise the stages of a what-if; one of another shape is solved cold, and a note says so.

        The same locks and checks as `solve_stages`; raises like it.
        """
        options = options or self._options
        if not self.fits(program, stages):
            result = solve_stages(program, stages, options, self.solver)
            return replace(result, notes=(*result.notes, "started cold: its shape differs from the base's"))
        check_stages(program, stages)
        return _WhatIf(self, program, options).run(stages)

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
            session.solve(replace(plain, start_basis=start.basis, start_values=start.x))
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

    def result_of(self, stage: Stage, last: bool) -> SolveResult:
        """One stage under the locks so far, in the session of this stage."""
        program = stage.aimed(with_locks(self._program, self._locks))
        session = self._warm.session(stage, self._locks)
        if session is None:
            session = Session(program, self._options, self._solver)
        else:
            patch(session, program)
        return session.solve(self.stage_options(stage))


def patch(session: Session, program: LinearProgram) -> None:
    """Give a session the numbers of a program of the same shape; new places of the matrix are added."""
    base = session.program
    session.patch(
        objective=program.objective,
        column_lower=program.column_lower,
        column_upper=program.column_upper,
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        coefficients=_coefficients(base, program),
        maximize=program.maximize,
        offset=program.offset,
    )


def _coefficients(base: LinearProgram, program: LinearProgram) -> Coefficients | None:
    """What must be set to come from the base's matrix to the program's; None for nothing."""
    found = difference(program.matrix, base.matrix)
    if found is None:
        moved = (program.matrix - base.matrix).tocoo()
        rows, columns = moved.row.astype(np.int64), moved.col.astype(np.int64)
        values = np.asarray(program.matrix.tocsr()[rows, columns], dtype=np.float64).ravel()
        found = rows, columns, values
    return found if found[0].size else None
