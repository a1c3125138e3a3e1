"""Programs with curves, solved to a proved gap: an over-estimator bounds, a climb on the true curves answers.

Each round solves the over-estimator to a third of the gap that is left, climbs from its answer, and refines it where
the two differ: a node on a convex segment, a tangent on a concave one.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from solvers.curves.climb import Climber
from solvers.curves.estimator import Estimator, build
from solvers.curves.grid import CLOSEST, Grid, first_grid
from solvers.curves.inner import EitherEvent, run
from solvers.curves.ledger import Ledger
from solvers.curves.prepared import prepare
from solvers.curves.program import CurveProgram
from solvers.curves.result import CurveResult
from solvers.options import Progress, SolveOptions
from solvers.program import FloatArray, IntArray
from solvers.result import Limit, Reason, SolveResult, Termination

DEFAULT_GAP = 1e-6
_RELAXATIONS = 12
_MOST_ROUNDS = 80
_STEPS_APART = 20.0
_SHARE_OF_TIME_FOR_WHOLE = 0.15
_NO_PLAN = (Reason.INFEASIBLE, Reason.UNBOUNDED, Reason.INFEASIBLE_OR_UNBOUNDED)


def solve_curves(
    curve_program: CurveProgram, options: SolveOptions | None = None, solver: str = "highs"
) -> CurveResult:
    """The best point found of a program with curves, and a proved bound on how much better any other could be.

    Uses `gap` (relative, 1e-6 unless given), `time_limit`, `threads`, `seed`, `progress`, `interrupt`, `raw` and
    `start_values` (n,) of the options: the answer is never below a start that is feasible on the true curves.
    Outputs of the start are taken at most at their curve. Raises like `solve`, and `InvalidProgramError` where nothing
    bounds the input of a curve.
    """
    options = options or SolveOptions()
    if not curve_program.curves:
        return _without_curves(curve_program, options, solver)
    return _Search(curve_program, options, solver).run()


def _without_curves(curve_program: CurveProgram, options: SolveOptions, solver: str) -> CurveResult:
    from solvers.solving import solve

    result = solve(curve_program.program, options, solver)
    return CurveResult(
        termination=result.termination,
        x=result.x,
        value=result.objective_value,
        bound=result.bound,
        residuals=result.residuals,
        curve_residual=0.0 if result.x is not None else None,
        seconds=result.seconds,
        notes=result.notes,
    )


class _Search:
    """One solve: options, the prepared program and the ledger of what is known."""

    def __init__(self, curve_program: CurveProgram, options: SolveOptions, solver: str) -> None:
        self.options, self.solver = options, solver
        started = time.perf_counter()
        self.deadline = np.inf if options.time_limit is None else started + options.time_limit
        self.gap = DEFAULT_GAP if options.gap is None else options.gap
        self.tolerance = float(np.clip(1e-3 * self.gap, 1e-9, 1e-7))
        self.prepared = prepare(curve_program, options, solver)
        self.ledger = Ledger(self.prepared, started, options.progress)
        radius = float(np.clip(np.sqrt(self.gap), 1e-4, 0.05))
        self.climber = Climber(self.prepared.only_upright(), self._plain(None), solver, radius)
        self.rounds = self.binaries = 0
        self.to_the_end = False

    def run(self) -> CurveResult:
        """Relax, climb, then refine the over-estimator round by round."""
        if self.options.start_values is not None:
            self.ledger.take_start(self.options.start_values)
        grid, relaxed = self._relax(first_grid(self.prepared, _STEPS_APART * self.tolerance))
        if relaxed.termination.reason in _NO_PLAN:
            return self._result(relaxed.termination)
        if relaxed.x is not None and not self._over():
            grid = self._climb(grid, self._whole(grid, relaxed.x))
        ended: Termination | None = None
        while ended is None and self.rounds < _MOST_ROUNDS and not self._over():
            grid, ended = self._round(grid)
        return self._result(self._why(ended))

    def _why(self, ended: Termination | None) -> Termination:
        if self._proved():
            return Termination(Reason.OPTIMAL, detail=f"proved within {self.gap:g}")
        if self.options.interrupt is not None and self.options.interrupt.is_set():
            return Termination(Reason.INTERRUPTED)
        if self._late():
            return Termination(Reason.LIMIT, Limit.TIME)
        return ended or Termination(Reason.LIMIT, Limit.ITERATIONS)

    def _plain(self, gap: float | None) -> SolveOptions:
        left = None if np.isinf(self.deadline) else max(0.01, self.deadline - time.perf_counter())
        return SolveOptions(
            time_limit=left,
            gap=gap,
            threads=self.options.threads,
            seed=self.options.seed,
            feasibility_tolerance=self.tolerance,
            optimality_tolerance=self.tolerance,
            interrupt=self.options.interrupt,
            raw=self.options.raw,
        )

    def _late(self) -> bool:
        stopped = self.options.interrupt is not None and self.options.interrupt.is_set()
        return stopped or time.perf_counter() >= self.deadline

    def _proved(self) -> bool:
        return self.ledger.distance <= self.gap * self.ledger.size

    def _over(self) -> bool:
        return self._proved() or self._late()

    def _relax(self, coarse: Grid) -> tuple[Grid, SolveResult]:
        """The relaxation with tangents where it lies; those of earlier rounds that it has left are dropped, because
        each one costs every node of the search."""
        grid, last = coarse, np.inf
        for _ in range(_RELAXATIONS):
            estimator = build(self.prepared, grid)
            result = run(estimator.relaxed(), self._plain(None), self.solver)
            if result.termination.reason is not Reason.OPTIMAL or result.x is None:
                return grid, result
            self.ledger.take_prices(result, self.tolerance)
            self.ledger.take_bound(self.prepared.program.value(result.x[: self.prepared.program.num_columns]))
            owner, at, over = estimator.places(self.prepared, result.x)
            gained, last = last - result.objective, result.objective
            if gained <= 0.1 * self.gap * abs(result.objective) or self._late():
                break
            grid = grid.with_tangents(owner[over > self.tolerance], at[over > self.tolerance])
        return coarse.with_tangents(owner, at), result

    def _whole(self, grid: Grid, x: FloatArray) -> FloatArray:
        """A point of the relaxation with the program's own whole numbers whole."""
        if not self.prepared.program.is_mip:
            return x
        program = build(self.prepared, grid).curves_relaxed(self.prepared.program.num_columns)
        options = self._plain(max(1e-3, self.gap))
        if options.time_limit is not None:
            options = replace(options, time_limit=_SHARE_OF_TIME_FOR_WHOLE * options.time_limit)
        result = run(program, options, self.solver)
        if result.bound is not None:
            self.ledger.take_bound(result.bound)
        return x if result.x is None else result.x

    def _climb(self, grid: Grid, x: FloatArray) -> Grid:
        """Climb from a point of the over-estimator; where that ends better than ever, the over-estimator is made
        exact there."""
        found = self.climber.climb(x[: self.prepared.program.num_columns], self.deadline)
        if found is None or not self.ledger.take_point(found.x):
            return grid
        at = np.clip(found.x[self.prepared.inputs], self.prepared.low, self.prepared.high)
        return self._refined(grid, at, self.prepared.all)

    def _refined(self, grid: Grid, at: FloatArray, curves: IntArray) -> Grid:
        # A node where the segment at hand is bounded by its secant, a tangent where by tangents.
        alive = curves[(self.prepared.high - self.prepared.low)[curves] > CLOSEST]
        concave = grid.concave[grid.left_node(alive, at[alive])]
        tangents, nodes = alive[concave], alive[~concave]
        return grid.with_tangents(tangents, at[tangents]).with_nodes(nodes, at[nodes])

    def _round(self, grid: Grid) -> tuple[Grid, Termination | None]:
        """Solve one over-estimator, climb from its answer, refine where the two differ."""
        estimator = build(self.prepared, grid)
        self.rounds += 1
        self.binaries = estimator.num_binaries
        wanted, least = self._wanted()
        result = run(estimator.program, self._round_options(estimator, wanted), self.solver)
        if result.termination.reason in _NO_PLAN:
            lost = Termination(Reason.IMPRECISE, detail="the over-estimator lost the plan")
            return grid, result.termination if self.ledger.best is None else lost
        optimal = result.termination.reason is Reason.OPTIMAL
        if result.bound is not None:
            self.ledger.take_bound(result.bound)
        elif optimal and not estimator.program.is_mip:
            self.ledger.take_bound(result.objective)
        if result.x is None:
            return grid, None if self._over() else result.termination
        before = grid.size
        at = np.clip(result.x[self.prepared.inputs], self.prepared.low, self.prepared.high)
        miss = self.prepared.sign * result.x[self.prepared.outputs] - self.prepared.true_values(result.x)
        grid = self._refined(grid, at, np.flatnonzero(miss > 0.1 * self.tolerance))
        if not self._over():
            grid = self._climb(grid, result.x)
        if grid.size > before or not optimal:
            return grid, None
        if wanted <= least:
            return grid, Termination(Reason.IMPRECISE, detail="the precision of the solver is reached")
        self.to_the_end = True
        return grid, None

    def _wanted(self) -> tuple[float, float]:
        # The scaled distance to which this round is solved, and the least that is ever asked.
        least = 0.3 * self.gap * self.ledger.size
        if self.to_the_end:
            return least, least
        if self.ledger.best is None:
            return 1e-3 * self.ledger.magnitude, least
        return max(least, self.ledger.distance / 3.0), least

    def _round_options(self, estimator: Estimator, wanted: float) -> SolveOptions:
        # The search also ends as soon as its bound proves the best point known, or the caller interrupts.
        proved = EitherEvent(self.options.interrupt)

        def listen(progress: Progress) -> None:
            if progress.bound is not None:
                self.ledger.take_bound(progress.bound)
            if self._proved():
                proved.set()

        options = replace(self._plain(wanted / self.ledger.magnitude), interrupt=proved, progress=listen)
        if self.ledger.best is None:
            return options
        return replace(options, start_values=estimator.lift(self.prepared, self.ledger.scaled_best()))

    def _result(self, termination: Termination) -> CurveResult:
        return self.ledger.result(termination, self.rounds, self.binaries)
