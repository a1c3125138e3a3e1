"""What is known while a curve program is solved: best point, proved bound, and when each was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from solvers.curves.prepared import Prepared
from solvers.curves.result import CurveResult, Moment
from solvers.options import Progress
from solvers.program import FloatArray
from solvers.result import Residuals, SolveResult, Termination
from solvers.verify import PRIMAL_TOLERANCE, primal_residuals

_SMALLEST_SIZE = 1e-10


class Ledger:
    """Points are judged in original units on the true curves; values and bounds are kept scaled, larger is
    better. Two threads may write into it."""

    def __init__(
        self,
        prepared: Prepared,
        started: float,
        progress: Callable[[Progress], None] | None,
        least_size: float = 0.0,
    ) -> None:
        """`started` is the reading of the performance counter from which seconds count; smaller values than
        `least_size` are measured by it."""
        self._least_size = max(least_size, _SMALLEST_SIZE)
        self._prepared, self._started, self._progress = prepared, started, progress
        self.best: FloatArray | None = None
        self.value, self.bound = -np.inf, np.inf
        self._residuals: Residuals | None = None
        self._margin = 0.0
        self._history: list[Moment] = []
        self._notes: list[str] = []
        self._lock = threading.RLock()

    @property
    def distance(self) -> float:
        """Scaled distance between bound and value."""
        return self.bound - self.value

    @property
    def least_size(self) -> float:
        """The scaled size by which smaller values are measured."""
        return self._least_size * self._prepared.scaling.objective

    @property
    def size(self) -> float:
        """The scaled size that a relative gap refers to: that of the value in original units."""
        original = abs(self._prepared.original_value(self.value)) if self.best is not None else 0.0
        return max(original, self._least_size) * self._prepared.scaling.objective

    @property
    def magnitude(self) -> float:
        """Size of the scaled objective, which a solver's relative gap refers to."""
        if not np.isfinite(self.bound):
            return 1.0
        # A bound of 0, such as that of a shortfall, does not say how large values are.
        known = 0.0 if self.best is None else abs(self.value)
        return max(abs(self.bound), known, 1e-6)

    @property
    def margin(self) -> float:
        """By how much every bound is raised."""
        return self._margin

    def scaled_best(self) -> FloatArray:
        """The best point in scaled units."""
        if self.best is None:
            raise ValueError("there is no point yet")
        return self._prepared.scaled_point(self.best)

    def take_start(self, start: FloatArray) -> None:
        """A plan to start from; one that breaks a row is noted and not used."""
        true = self._prepared.original.with_true_outputs(start)
        residuals = primal_residuals(self._prepared.original.program, true)
        if residuals.worst > PRIMAL_TOLERANCE:
            place = "" if residuals.worst_row is None else f" (row {residuals.worst_row})"
            self._notes.append(f"the start is not feasible{place} and was left out")
            return
        self._keep(true, residuals)

    def take_point(self, x: FloatArray) -> bool:
        """Whether a scaled point passes our own check and is better than the best one; it is then kept."""
        true = self._prepared.original_point(x)
        residuals = primal_residuals(self._prepared.original.program, true)
        if residuals.worst > PRIMAL_TOLERANCE:
            return False
        return self._keep(true, residuals)

    def take_prices(self, relaxed: SolveResult, tolerance: float) -> None:
        """How much rows and bounds broken by the solver's tolerance can be worth, by the relaxation's prices:
        every bound is raised by it."""
        prices = [part for part in (relaxed.duals, relaxed.reduced_costs) if part is not None]
        self._margin = tolerance * float(sum(np.abs(part).sum() for part in prices))

    def take_bound(self, bound: float) -> None:
        """A bound of a valid over-estimator; one below a verified value is wrong and is not believed."""
        bound += self._margin
        with self._lock:
            if not bound < self.bound:
                return
            if bound < self.value - PRIMAL_TOLERANCE * max(self.size, self.magnitude):
                self._notes.append("a bound below a verified value was not believed")
                return
            self.bound = max(bound, self.value)
            self._note_moment()

    def result(self, termination: Termination, rounds: int, binaries: int) -> CurveResult:
        """Everything known, in original units."""
        prepared, found = self._prepared, self.best is not None
        return CurveResult(
            termination=termination,
            x=self.best,
            value=prepared.original_value(self.value) if found else None,
            bound=prepared.original_value(self.bound) if np.isfinite(self.bound) else None,
            residuals=self._residuals,
            curve_residual=self._curve_residual(),
            rounds=rounds,
            binaries=binaries,
            seconds=time.perf_counter() - self._started,
            history=tuple(self._history),
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def _keep(self, x: FloatArray, residuals: Residuals) -> bool:
        value = self._prepared.scaled_value(residuals.objective)
        if value <= self.value:
            return False
        self.best, self.value, self._residuals = x, value, residuals
        self.bound = max(self.bound, value)
        self._note_moment()
        return True

    def _note_moment(self) -> None:
        value = None if self.best is None else self._prepared.original_value(self.value)
        bound = None if np.isinf(self.bound) else self._prepared.original_value(self.bound)
        moment = Moment(time.perf_counter() - self._started, value, bound)
        self._history.append(moment)
        if self._progress is not None:
            gap = None if value is None or bound is None else abs(value - bound) / max(1e-10, abs(value))
            self._progress(Progress(moment.seconds, value, bound, gap))

    def _curve_residual(self) -> float | None:
        # The largest miss of an output, relative to the size of its curve.
        if self.best is None:
            return None
        program = self._prepared.original
        values, outputs = program.curve_values(self.best), self.best[program.outputs]
        miss = np.where(program.equal, np.abs(outputs - values), np.maximum(outputs - values, 0.0))
        return float((miss / np.maximum(np.abs(values), 1e-300)).max(initial=0.0))
