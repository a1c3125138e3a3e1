"""Rounds: solve the over-estimator, climb from its answer, refine it where the two differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.curves.climb import Climbed, Climber
from solvers.curves.estimator import Estimator, build
from solvers.curves.grid import Grid
from solvers.curves.inner import EitherEvent, run
from solvers.curves.shared import DEFAULT_GAP, Shared
from solvers.curves.tuning import NO_HEURISTICS, QUICK_NODES
from solvers.options import Progress, SolveOptions
from solvers.program import FloatArray
from solvers.result import Reason, SolveResult, Termination

MOST_ROUNDS = 80
NO_PLAN = (Reason.INFEASIBLE, Reason.UNBOUNDED, Reason.INFEASIBLE_OR_UNBOUNDED)
_SHARE_OF_TIME_FOR_WHOLE = 0.15
_SHARE_OF_TIME_FOR_HUNTING = 0.1


class Rounds:
    """One side of the search. Alone it does everything; with a hunter beside it, the prover leaves finding
    better points to it. A hunter solves for a tenth of the time each and goes on from what it finds."""

    def __init__(self, shared: Shared, grid: Grid, hunting: bool = False, alone: bool = True) -> None:
        """`grid` is where both sides start."""
        self.shared, self.grid = shared, grid
        self.number = self.binaries = 0
        self._hunting, self._alone = hunting, alone
        self._seen = 0
        self._to_the_end = False
        radius = float(np.clip(np.sqrt(shared.gap), 1e-4, 0.05))
        self._climber = Climber(shared.prepared.only_upright(), shared.plain(), shared.solver, radius)

    def run(self) -> Termination | None:
        """Rounds until the gap is reached or the time is over; why they ended otherwise."""
        while self.number < MOST_ROUNDS and not self.shared.over():
            ended = self._round()
            if ended is not None:
                return ended
        return None

    def climb(self, x: FloatArray, insist: bool = True) -> None:
        """Climb from a point of the over-estimator; where that ends better than ever, the over-estimator is
        made exact there."""
        shared = self.shared
        better = False

        def enough(point: Climbed) -> bool:
            nonlocal better
            better |= point.feasible and shared.ledger.take_point(point.x)
            # To the default gap a climb goes to its end, because curves are flat where they are best.
            return shared.gap > DEFAULT_GAP and shared.over()

        start = x[: shared.prepared.program.num_columns]
        found = self._climber.climb(start, shared.deadline, shared.stop, insist, enough)
        if found is not None and (shared.ledger.take_point(found.x) or better):
            self.grid = shared.refine(self.grid, shared.inputs_at(found.x), shared.prepared.all)

    def begin(self, x: FloatArray) -> None:
        """Climb from a point of the relaxation, whole numbers at the next ones; where no plan is known then,
        from where a search for whole numbers ends that takes the curves as relaxed."""
        shared, prepared = self.shared, self.shared.prepared
        self.climb(x, insist=shared.ledger.best is None)
        if shared.ledger.best is not None or shared.over() or not prepared.program.is_mip:
            return
        estimator = build(prepared, self.grid)
        program = estimator.curves_relaxed(prepared.program.num_columns)
        options = self._until_proved(shared.plain(max(1e-3, shared.gap), _SHARE_OF_TIME_FOR_WHOLE))
        result = run(program, options, shared.solver)
        if result.bound is not None:
            shared.ledger.take_bound(result.bound)
        if result.x is not None and not shared.over():
            self.climb(result.x)

    def _round(self) -> Termination | None:
        shared, ledger = self.shared, self.shared.ledger
        before = self.grid.size
        self.grid, self._seen = shared.catch_up(self.grid, self._seen)
        estimator = build(shared.prepared, self.grid)
        self.number += 1
        self.binaries = estimator.num_binaries
        wanted, least = self._wanted()
        result = run(estimator.program, self._options(estimator, wanted), shared.solver)
        if result.termination.reason in NO_PLAN:
            lost = Termination(Reason.IMPRECISE, detail="the over-estimator lost the plan")
            return result.termination if ledger.best is None else lost
        self._take_bound(estimator, result)
        if result.x is None:
            return None if shared.over() else result.termination
        at = shared.inputs_at(result.x)
        miss = shared.prepared.sign * result.x[shared.prepared.outputs] - shared.prepared.true_values(
            result.x
        )
        self.grid = shared.refine(self.grid, at, np.flatnonzero(miss > 0.1 * shared.tolerance))
        if not shared.over():
            self.climb(result.x)
        if self.grid.size > before:
            return None
        if result.termination.reason is Reason.OPTIMAL and wanted <= least:
            return Termination(Reason.IMPRECISE, detail="the precision of the solver is reached")
        self._to_the_end = True
        return None

    def _take_bound(self, estimator: Estimator, result: SolveResult) -> None:
        if result.bound is not None:
            self.shared.ledger.take_bound(result.bound)
        elif result.termination.reason is Reason.OPTIMAL and not estimator.program.is_mip:
            self.shared.ledger.take_bound(result.objective)

    def _wanted(self) -> tuple[float, float]:
        # The scaled distance to which this round is solved, and the least that is ever asked.
        ledger = self.shared.ledger
        least = 0.3 * self.shared.gap * ledger.size
        if self._to_the_end:
            return least, least
        if ledger.best is None:
            return 1e-3 * ledger.magnitude, least
        return max(least, ledger.distance / 3.0), least

    def _until_proved(self, options: SolveOptions) -> SolveOptions:
        # A solve also ends as soon as its bound proves the best point known.
        shared, enough = self.shared, EitherEvent(self.shared.stop)

        def listen(progress: Progress) -> None:
            if progress.bound is not None:
                shared.ledger.take_bound(progress.bound)
            if shared.proved():
                enough.set()

        return replace(options, interrupt=enough, progress=listen)

    def _options(self, estimator: Estimator, wanted: float) -> SolveOptions:
        shared, ledger = self.shared, self.shared.ledger
        share = _SHARE_OF_TIME_FOR_HUNTING if self._hunting else 1.0
        options = self._until_proved(shared.plain(wanted / ledger.magnitude, share))
        options = replace(options, seed=options.seed + self.number * self._hunting)
        if ledger.best is None:
            return options
        tuning = {**QUICK_NODES.get(shared.solver, {})}
        if not (self._alone or self._hunting):
            tuning |= NO_HEURISTICS.get(shared.solver, {})
        start = estimator.lift(shared.prepared, ledger.scaled_best())
        return replace(options, raw={**tuning, **options.raw}, start_values=start)
