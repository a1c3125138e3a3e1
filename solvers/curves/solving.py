"""Programs with curves, solved to a proved gap: an over-estimator bounds, a climb on the true curves answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from solvers.curves.climb import Climbed, Climber, measured
from solvers.curves.estimator import Estimator, build
from solvers.curves.grid import Grid, first_grid
from solvers.curves.prepared import Prepared, prepare
from solvers.curves.program import CurveProgram
from solvers.curves.result import CurveResult, Moment
from solvers.options import Progress, SolveOptions
from solvers.program import FloatArray, IntArray
from solvers.result import Limit, Reason, Residuals, SolveResult, Termination
from solvers.curves.inner import run
from solvers.verify import PRIMAL_TOLERANCE, primal_residuals

DEFAULT_GAP = 1e-6
_RELAXATIONS = 12
_MOST_ROUNDS = 60


def solve_curves(
    curve_program: CurveProgram, options: SolveOptions | None = None, solver: str = "highs"
) -> CurveResult:
    """The best point of a program with curves, with a proved bound on how much better any other could be.

    Uses `gap` (relative, 1e-6 unless given), `time_limit`, `threads`, `seed`, `progress`, `interrupt` and `start_values`
    of the options: the answer is never below a start that is feasible. Raises like `solve`, and
    `InvalidProgramError` where nothing bounds the input of a curve.
    """
    options = options or SolveOptions()
    return _Search(curve_program, options, solver).run()


@dataclass
class _Search:
    """The state of one solve: best point, best bound (both scaled, larger is better), history."""

    curve_program: CurveProgram
    options: SolveOptions
    solver: str
    started: float = field(default_factory=time.perf_counter)
    best: FloatArray | None = None
    value: float = -np.inf
    bound: float = np.inf
    residuals: Residuals | None = None
    rounds: int = 0
    binaries: int = 0
    exact: bool = False
    history: list[Moment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        limit = self.options.time_limit
        self.deadline = np.inf if limit is None else self.started + limit
        self.gap = DEFAULT_GAP if self.options.gap is None else self.options.gap
        self.tolerance = float(np.clip(1e-3 * self.gap, 1e-9, 1e-7))
        self.prepared: Prepared = prepare(self.curve_program, self.options, self.solver)
        radius = float(np.clip(np.sqrt(self.gap), 1e-4, 0.05))
        self.climber = Climber(self.prepared.only_upright(), self._plain(None), self.solver, radius)

    def run(self) -> CurveResult:
        """Relax, climb, then refine the over-estimator round by round."""
        self._take_start()
        grid, relaxed = self._relax(first_grid(self.prepared))
        if relaxed.termination.reason in (Reason.INFEASIBLE, Reason.UNBOUNDED, Reason.INFEASIBLE_OR_UNBOUNDED):
            return self._result(relaxed.termination)
        if relaxed.x is not None and not self._done():
            grid = self._climb(grid, self._whole(grid, relaxed.x))
        for _ in range(_MOST_ROUNDS):
            if self._done():
                return self._result(Termination(Reason.OPTIMAL, detail="gap reached"))
            if self._late():
                break
            grid, ended = self._round(grid)
            if ended is not None and not self._done():
                return self._result(ended)
        if self._done():
            return self._result(Termination(Reason.OPTIMAL, detail="gap reached"))
        if self.options.interrupt is not None and self.options.interrupt.is_set():
            return self._result(Termination(Reason.INTERRUPTED))
        limit = Limit.TIME if self._late() else Limit.ITERATIONS
        return self._result(Termination(Reason.LIMIT, limit))

    def _plain(self, gap: float | None) -> SolveOptions:
        left = None if np.isinf(self.deadline) else max(0.01, self.deadline - time.perf_counter())
        return SolveOptions(
            time_limit=left,
            gap=gap,
            threads=self.options.threads,
            seed=self.options.seed,
            feasibility_tolerance=self.tolerance,
            optimality_tolerance=self.tolerance,
            scale=False,
            interrupt=self.options.interrupt,
            raw=self.options.raw,
        )

    def _late(self) -> bool:
        stopped = self.options.interrupt is not None and self.options.interrupt.is_set()
        return stopped or time.perf_counter() >= self.deadline

    def _size(self) -> float:
        # The scaled size that the relative gap refers to.
        original = abs(self.prepared.original_value(self.value)) if np.isfinite(self.value) else 0.0
        return max(original, 1e-10) * self.prepared.scaling.objective

    def _distance(self) -> float:
        return self.bound - self.value

    def _done(self) -> bool:
        return self._distance() <= self.gap * self._size()

    def _take_start(self) -> None:
        start = self.options.start_values
        if start is None:
            return
        point = self.prepared.scaled_point(self.curve_program.with_true_outputs(start))
        self._offer(measured(self.prepared.only_upright(), point))
        if self.best is None:
            self.notes.append("the start breaks a row or a bound, so the answer need not be as good")

    def _offer(self, point: Climbed | None) -> bool:
        # Take a point as the best one, if it passes our own check in original units.
        if point is None:
            return False
        x = self.prepared.original_point(point.x)
        residuals = primal_residuals(self.curve_program.program, x)
        value = self.prepared.scaled_value(residuals.objective)
        if residuals.worst > PRIMAL_TOLERANCE or value <= self.value:
            return False
        self.best, self.value, self.residuals = x, value, residuals
        self._note_moment()
        return True

    def _lower_bound_to(self, bound: float) -> None:
        if bound < self.bound:
            self.bound = max(bound, self.value)
            self._note_moment()

    def _note_moment(self) -> None:
        value = None if self.best is None else self.prepared.original_value(self.value)
        bound = None if np.isinf(self.bound) else self.prepared.original_value(self.bound)
        moment = Moment(time.perf_counter() - self.started, value, bound)
        self.history.append(moment)
        if self.options.progress is not None:
            gap = None if value is None or bound is None else abs(value - bound) / max(1e-10, abs(value))
            self.options.progress(Progress(moment.seconds, value, bound, gap))

    def _relax(self, coarse: Grid) -> tuple[Grid, SolveResult]:
        """The relaxation with tangents where it lies; tangents of earlier rounds that it has left are dropped, because
        every row costs each node of the search."""
        grid, last = coarse, np.inf
        for _ in range(_RELAXATIONS):
            estimator = build(self.prepared, grid)
            result = run(estimator.relaxed(), self._plain(None), self.solver)
            if not result.is_optimal or result.x is None:
                break
            self._lower_bound_to(result.objective)
            cuts = self._cuts(estimator, result.x)
            if last - result.objective <= 0.1 * self.gap * abs(result.objective):
                break
            last = result.objective
            grid = grid.with_tangents(*cuts)
        if result.x is not None and result.is_optimal:
            grid = coarse.with_tangents(*self._touched(estimator, result.x))
        return grid, result

    def _touched(self, estimator: Estimator, x: FloatArray) -> tuple[IntArray, FloatArray]:
        owner, at, _ = estimator.places(self.prepared, x)
        return owner, at

    def _cuts(self, estimator: Estimator, x: FloatArray) -> tuple[IntArray, FloatArray]:
        # Tangents where a relaxed point lies above the hull of its segment.
        owner, at, over = estimator.places(self.prepared, x)
        return owner[over > 1e-9], at[over > 1e-9]

    def _whole(self, grid: Grid, x: FloatArray) -> FloatArray:
        """A point of the relaxation with the program's own whole numbers whole."""
        if not self.prepared.program.is_mip:
            return x
        program = build(self.prepared, grid).curves_relaxed(self.prepared.program.num_columns)
        options = self._plain(max(1e-3, self.gap))
        if options.time_limit is not None:
            options = replace(options, time_limit=0.15 * options.time_limit)
        result = run(program, options, self.solver)
        if result.bound is not None:
            self._lower_bound_to(result.bound)
        return x if result.x is None else result.x

    def _climb(self, grid: Grid, x: FloatArray) -> Grid:
        """Climb from a point of the over-estimator; put tangents and nodes where the climb ends."""
        start = x[: self.prepared.program.num_columns]
        found = self.climber.climb(start, self.deadline)
        if found is None:
            return grid
        if self._offer(found):
            at = np.clip(found.x[self.prepared.inputs], self.prepared.low, self.prepared.high)
            grid = self._refined(grid, at, self.prepared.all)
        return grid

    def _refined(self, grid: Grid, at: FloatArray, curves: np.ndarray) -> Grid:
        # A node where the segment at hand is bounded by its secant, a tangent where by tangents.
        alive = curves[(self.prepared.high - self.prepared.low)[curves] > 1e-10]
        place = grid.left_node(alive, at[alive])
        concave = grid.concave[place]
        tangents, nodes = alive[concave], alive[~concave]
        return grid.with_tangents(tangents, at[tangents]).with_nodes(nodes, at[nodes])

    def _round(self, grid: Grid) -> tuple[Grid, Termination | None]:
        """Solve one mixed-integer over-estimator, climb from its answer, refine where the two differ."""
        estimator = build(self.prepared, grid)
        self.rounds += 1
        self.binaries = estimator.num_binaries
        wanted, least = self._wanted()
        result = run(estimator.program, self._round_options(estimator, wanted), self.solver)
        if result.termination.reason in (Reason.INFEASIBLE, Reason.UNBOUNDED):
            if self.best is None:
                return grid, result.termination
            return grid, Termination(Reason.IMPRECISE, detail="the over-estimator lost the plan")
        if result.bound is not None:
            self._lower_bound_to(result.bound)
        elif not self.prepared.program.is_mip and estimator.num_binaries == 0 and result.is_optimal:
            self._lower_bound_to(result.objective)
        if result.x is None:
            return grid, (None if self._late() else result.termination)
        x = result.x
        at = np.clip(x[self.prepared.inputs], self.prepared.low, self.prepared.high)
        miss = self.prepared.sign * x[self.prepared.outputs] - self.prepared.true_values(x)
        before = grid.x.size + grid.tangent_x.size
        wrong = np.flatnonzero(miss > 1e-10)
        grid = self._refined(grid, at, wrong)
        if not self._done():
            grid = self._climb(grid, x)
        if grid.x.size + grid.tangent_x.size == before and result.is_optimal and not self._done():
            if wanted <= least:
                return grid, Termination(Reason.IMPRECISE, detail="the precision of the solver is reached")
            self.exact = True
        return grid, None

    def _wanted(self) -> tuple[float, float]:
        # The scaled distance to which this round is solved, and the least that is ever asked.
        least = 0.3 * self.gap * self._size()
        if self.exact:
            return least, least
        if np.isfinite(self._distance()):
            return max(least, self._distance() / 3.0), least
        return max(least, 1e-3 * abs(self.bound) if np.isfinite(self.bound) else 1e-3), least

    def _round_options(self, estimator: Estimator, wanted: float) -> SolveOptions:
        scale = abs(self.bound) if np.isfinite(self.bound) else 1.0
        options = self._plain(wanted / max(scale, 1e-9))
        if self.best is None:
            return options
        return replace(options, start_values=estimator.lift(self.prepared, self.prepared.scaled_point(self.best)))

    def _result(self, termination: Termination) -> CurveResult:
        prepared = self.prepared
        found = self.best is not None
        return CurveResult(
            termination=termination,
            x=self.best,
            value=prepared.original_value(self.value) if found else None,
            bound=prepared.original_value(self.bound) if np.isfinite(self.bound) else None,
            residuals=self.residuals,
            rounds=self.rounds,
            binaries=self.binaries,
            seconds=time.perf_counter() - self.started,
            history=tuple(self.history),
            notes=tuple(self.notes),
        )
