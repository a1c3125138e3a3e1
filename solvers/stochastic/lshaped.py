"""The multi-cut L-shaped method: a master of the first stage, and planes below the loss of each future.

Source: Van Slyke & Wets 1969; Birge & Louveaux 1988 (a plane a future); the point at which planes are taken
lies between the master's answer and the best decision so far (Ben-Ameur & Neto 2007), which steadies it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.result import Basis, Limit, Reason, SolveResult, Termination
from solvers.solving import solve
from solvers.staged import with_basic_rows
from solvers.stochastic.extensive import TwoStageResult
from solvers.stochastic.measures import Blend
from solvers.stochastic.planes import Plane
from solvers.stochastic.subproblems import Evaluation, Subproblems
from solvers.stochastic.two_stage import TwoStage

_IN_SHARE = 0.5
"""How far from the best decision towards the master's answer planes are taken."""
_STALLED = 0.1
"""Where a round lifted the bound by less than this share of the gap, the master's answer itself is tried."""

_FIRST_BOX, _LAST_BOX = 1e2, 1e10
"""Size of decisions inside which a master is solved that its planes do not bound yet."""

Report = Callable[[float, float, float], None]
"""Called after each round with seconds, best objective and bound (in the program's own sense)."""


@dataclass(frozen=True)
class DecompositionOptions:
    """`gap` relative; `time_limit` in seconds; `workers` threads; `start` (n,) is tried first."""

    gap: float = 1e-6
    time_limit: float | None = None
    rounds: int = 500
    workers: int = 1
    solver: str = "highs"
    start: FloatArray | None = None
    planes: tuple[Plane, ...] = ()
    """Planes of an earlier run on the same program, under any blend."""
    report: Report | None = None


@dataclass
class _State:
    """What is known so far, as a minimisation."""

    best: float = np.inf
    bound: float = -np.inf
    x: FloatArray | None = None
    losses: FloatArray | None = None
    trace: list[tuple[float, float, float]] = field(default_factory=list)

    def gap(self) -> float:
        """Relative gap; infinite before there are both."""
        if not np.isfinite(self.best) or not np.isfinite(self.bound):
            return np.inf
        return (self.best - self.bound) / max(1e-10, abs(self.best))


def solve_lshaped(
    problem: TwoStage, blend: Blend | None = None, options: DecompositionOptions | None = None
) -> TwoStageResult:
    """Decide the first stage to a proved gap; the second stage must be continuous.

    Raises `InvalidProgramError` for whole later decisions and a first stage that nothing bounds.
    """
    return _Decomposition(problem, blend or Blend(), options or DecompositionOptions()).run()


class _Decomposition:
    """One run."""

    def __init__(self, problem: TwoStage, blend: Blend, options: DecompositionOptions) -> None:
        self._started = time.perf_counter()
        self._problem, self._blend, self._options = problem, blend, options
        self._futures = Subproblems(problem, workers=options.workers, solver=options.solver)
        self._master = Master(problem, blend)
        self._master.add(options.planes)
        self._state = _State()

    def run(self) -> TwoStageResult:
        """Rounds until the gap, the limit, or the proof that there is no decision."""
        if self._options.start is not None:
            self._try(self._options.start)
        whole = self._problem.first.is_mip
        # The planes of the relaxed first stage are valid for the whole one, and cheaper to come by.
        for relaxed in (True, False) if whole else (False,):
            end = self._rounds(relaxed)
            if end is not None:
                return self._result(end)
            if relaxed:
                self._state = replace(self._state, best=np.inf, x=None, losses=None)
        return self._result(Termination(Reason.OPTIMAL))

    def _rounds(self, relaxed: bool) -> Termination | None:
        """None when the gap is reached, else why the method stopped."""
        target = self._options.gap / 2 if relaxed else self._options.gap
        for _ in range(self._options.rounds):
            found = self._master.solve(relaxed, self._options.solver, self._left(), target)
            if found.x is None:
                return found.termination
            point, bound = self._master.read(found)
            state, lifted = self._state, bound - self._state.bound
            state.bound = max(state.bound, bound)
            whole = self._problem.first.is_mip and not relaxed
            steady = state.x is not None and not whole and lifted > _STALLED * (state.best - state.bound)
            self._try(state.x + _IN_SHARE * (point - state.x) if steady and state.x is not None else point)
            self._note()
            if self._state.gap() <= target:
                return None
            left = self._left()
            if left is not None and left <= 0:
                return Termination(Reason.LIMIT, Limit.TIME)
        return Termination(Reason.LIMIT, Limit.ITERATIONS)

    def _try(self, x: FloatArray) -> None:
        """Evaluate a decision, keep its planes, and keep it when it is the best."""
        found = self._futures.at(x)
        self._master.add(found.planes)
        if not found.possible:
            return
        value = self._value(found)
        if value < self._state.best:
            self._state.best, self._state.x, self._state.losses = value, x, found.losses

    def _value(self, found: Evaluation) -> float:
        first, sign = self._problem.first, self._problem.sign
        return sign * first.value(found.x) + self._blend.of(found.losses, self._problem.probability)

    def _left(self) -> float | None:
        limit = self._options.time_limit
        return None if limit is None else max(0.0, limit - (time.perf_counter() - self._started))

    def _note(self) -> None:
        sign = self._problem.sign
        row = (time.perf_counter() - self._started, sign * self._state.best, sign * self._state.bound)
        self._state.trace.append(row)
        if self._options.report is not None:
            self._options.report(*row)

    def _result(self, end: Termination) -> TwoStageResult:
        state, sign = self._state, self._problem.sign
        seconds = time.perf_counter() - self._started
        bound = sign * state.bound if np.isfinite(state.bound) else None
        trace, planes = tuple(state.trace), self._master.planes
        if state.x is None or state.losses is None:
            return TwoStageResult(end, bound=bound, seconds=seconds, trace=trace, planes=planes)
        values, objective = sign * state.losses, sign * state.best
        return TwoStageResult(end, state.x, values, objective, bound, seconds, trace, planes=planes)


class Master:
    """The first stage with a column for the loss of each future, and the planes below these losses.

    Columns: x (n,), theta (S,), then with a tail v and z (S,). A future without any plane has theta fixed
    at 0, and the bound says nothing yet.
    """

    def __init__(self, problem: TwoStage, blend: Blend) -> None:
        self._problem, self._blend = problem, blend
        self._count = len(problem.futures)
        self._lowest = _lowest_losses(problem)
        self._planes: list[Plane] = []
        self._known = np.isfinite(self._lowest)
        self._basis: Basis | None = None
        self._box, self._boxed = _FIRST_BOX, False

    @property
    def planes(self) -> tuple[Plane, ...]:
        """All planes."""
        return tuple(self._planes)

    def add(self, planes: tuple[Plane, ...]) -> None:
        """Planes that hold from now on."""
        self._planes += planes
        for plane in planes:
            if not plane.feasibility:
                self._known[plane.future] = True

    def read(self, result: SolveResult) -> tuple[FloatArray, float]:
        """The decision (n,) and what is proved, as a minimisation; -infinity while a future has no plane."""
        sure = self._known.all() and not self._boxed and result.bound is not None
        bound = result.bound if sure and result.bound is not None else -np.inf
        return result.values[: self._problem.first.num_columns], bound

    def solve(self, relaxed: bool, solver: str, seconds: float | None, gap: float) -> SolveResult:
        """The best decision as far as the planes tell; raises `InvalidProgramError` when it is unbounded."""
        program = self._program(relaxed)
        # A master in whole numbers is solved to a part of the gap that is asked of the whole.
        options = SolveOptions(time_limit=seconds, gap=gap / 4 if program.is_mip else None)
        if not program.is_mip:
            known = self._basis
            start = None if known is None else with_basic_rows(known, program.num_rows - known.rows.size)
            options = replace(options, method="simplex", basis=True, start_basis=start)
        result = solve(program, options, solver)
        self._boxed = result.termination.reason is Reason.UNBOUNDED
        if self._boxed:
            # The planes so far do not bound the decisions; inside a box they do, and the bound says nothing.
            result = self._boxed_answer(program, options, solver)
        self._basis = result.basis or self._basis
        return result

    def _boxed_answer(self, program: LinearProgram, options: SolveOptions, solver: str) -> SolveResult:
        """The best decision inside a box, which grows until the rows of now have room in it."""
        while True:
            result = solve(self._inside_box(program), options, solver)
            if result.termination.reason is not Reason.INFEASIBLE or self._box > _LAST_BOX:
                return result

    def _inside_box(self, program: LinearProgram) -> LinearProgram:
        if self._box > _LAST_BOX:
            raise InvalidProgramError("nothing bounds the decisions of the first stage")
        n, lower, upper = self._problem.first.num_columns, program.column_lower, program.column_upper
        boxed = program.replace(
            column_lower=np.append(np.maximum(lower[:n], -self._box), lower[n:]),
            column_upper=np.append(np.minimum(upper[:n], self._box), upper[n:]),
        )
        self._box *= 10.0
        return boxed

    def _program(self, relaxed: bool) -> LinearProgram:
        first, sign, count = self._problem.first, self._problem.sign, self._count
        n, tail = first.num_columns, count + 1 if self._blend.tail else 0
        known = self._known
        lowest = np.where(known, self._lowest, 0.0)
        upper = np.where(known, np.inf, 0.0)
        slopes, levels, feasibility, futures = self._arrays()
        picks = sparse.csr_array(
            (np.where(feasibility, 0.0, -1.0), (np.arange(len(futures)), futures)),
            shape=(len(futures), count),
        )
        # Planes come last, so that a basis of the round before is one of this round with more rows.
        rows = [sparse.hstack([first.matrix, sparse.csc_array((first.num_rows, count + tail))])]
        if tail:
            rows.append(_tail_rows(n, count))
        rows.append(sparse.hstack([sparse.csr_array(slopes), picks, sparse.csc_array((len(futures), tail))]))
        above = count if tail else 0
        lower = [first.row_lower, np.full(above + len(futures), -np.inf)]
        higher = [first.row_upper, np.zeros(above), -levels]
        bounds = [np.full(1, -np.inf), np.zeros(count)] if tail else []
        return LinearProgram(
            objective=np.concatenate([sign * first.objective, self._costs()]),
            matrix=sparse.csc_array(sparse.vstack(rows, format="csc")),
            row_lower=np.concatenate(lower),
            row_upper=np.concatenate(higher),
            column_lower=np.concatenate([first.column_lower, lowest, *bounds]),
            column_upper=np.concatenate([first.column_upper, upper, np.full(tail, np.inf)]),
            integer=np.append(first.integer & (not relaxed), np.zeros(count + tail, dtype=np.bool_)),
            offset=sign * first.offset,
        )

    def _arrays(self) -> tuple[FloatArray, FloatArray, np.ndarray, np.ndarray]:
        n = self._problem.first.num_columns
        slopes = np.array([plane.slope for plane in self._planes]).reshape(-1, n)
        levels = np.array([plane.level for plane in self._planes], dtype=np.float64)
        feasibility = np.array([plane.feasibility for plane in self._planes], dtype=np.bool_)
        return slopes, levels, feasibility, np.array([p.future for p in self._planes], dtype=np.int64)

    def _costs(self) -> FloatArray:
        shares = self._problem.probability
        mean = self._blend.mean * shares
        if not self._blend.tail:
            return mean
        tail = self._blend.tail * np.append(1.0, shares / (1.0 - self._blend.level))
        return np.concatenate([mean, tail])


def _tail_rows(n: int, count: int) -> sparse.csr_array:
    """theta_s - v - z_s <= 0."""
    identity = sparse.eye_array(count)
    parts = [sparse.csr_array((count, n)), identity, sparse.csr_array(-np.ones((count, 1))), -identity]
    return sparse.csr_array(sparse.hstack(parts))


def _lowest_losses(problem: TwoStage) -> FloatArray:
    """What the bounds of later decisions alone say of each loss (S,); -infinity where they say nothing."""
    sign, lowest = problem.sign, []
    for future in problem.futures:
        costs = sign * future.recourse.objective
        best = np.where(costs > 0.0, future.recourse.column_lower, future.recourse.column_upper)
        used = costs != 0.0
        first = sign * future.costs
        mine = np.where(first > 0.0, problem.first.column_lower, problem.first.column_upper)
        chosen = first != 0.0
        total = float(costs[used] @ best[used]) + float(first[chosen] @ mine[chosen])
        lowest.append(total + sign * future.recourse.offset)
    return np.array(lowest)
