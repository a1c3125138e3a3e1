"""What the two sides of a search share: the prepared program, the ledger, the clock, and where to refine."""

from __future__ import annotations

import threading
import time

import numpy as np

from solvers.curves.grid import CLOSEST, Grid
from solvers.curves.inner import EitherEvent
from solvers.curves.ledger import Ledger
from solvers.curves.prepared import prepare
from solvers.curves.program import CurveProgram
from solvers.options import SolveOptions
from solvers.program import FloatArray, IntArray

DEFAULT_GAP = 1e-6


class Shared:
    """One search: its options in use, and everything that is found, safe to use from two threads."""

    def __init__(
        self, curve_program: CurveProgram, options: SolveOptions, solver: str, least_size: float
    ) -> None:
        """Prepares the program; raises like `prepare`."""
        self.options, self.solver = options, solver
        started = time.perf_counter()
        self.deadline = np.inf if options.time_limit is None else started + options.time_limit
        self.gap = DEFAULT_GAP if options.gap is None else options.gap
        self.tolerance = float(np.clip(1e-5 * self.gap, 1e-9, 1e-7))
        self.stop = EitherEvent(options.interrupt)
        self.prepared = prepare(curve_program, options, solver)
        self.ledger = Ledger(self.prepared, started, options.progress, least_size)
        self._found: list[tuple[IntArray, FloatArray]] = []
        self._lock = threading.Lock()

    def plain(self, gap: float | None = None, share_of_time: float = 1.0) -> SolveOptions:
        """Options of an auxiliary solve with that relative gap and at most that share of the time limit."""
        left = None
        if self.options.time_limit is not None:
            left = self.deadline - time.perf_counter()
            left = max(0.01, min(left, share_of_time * self.options.time_limit))
        return SolveOptions(
            time_limit=left,
            gap=gap,
            threads=1,
            seed=self.options.seed,
            feasibility_tolerance=self.tolerance,
            optimality_tolerance=self.tolerance,
            interrupt=self.stop,
            raw=self.options.raw,
        )

    def wanted(self, objective: float) -> float:
        """The gap asked for in units of the scaled objective, of which one value is `objective`."""
        return self.gap * max(objective, self.ledger.least_size)

    def late(self) -> bool:
        """Whether the time is over or somebody interrupts."""
        return self.stop.is_set() or time.perf_counter() >= self.deadline

    def proved(self) -> bool:
        """Whether the gap is reached."""
        return self.ledger.distance <= self.gap * self.ledger.size

    def over(self) -> bool:
        """Whether there is nothing left to do, or no time for it."""
        return self.proved() or self.late()

    def inputs_at(self, x: FloatArray) -> FloatArray:
        """The inputs of all curves at a scaled point, within their domains."""
        return np.clip(x[self.prepared.inputs], self.prepared.low, self.prepared.high)

    def refine(self, grid: Grid, at: FloatArray, curves: IntArray) -> Grid:
        """The grid with a node at each of these curves' places where the segment there is bounded by its
        secant, and a tangent where it is by tangents; the other side of the search learns of it."""
        curves = curves[(self.prepared.high - self.prepared.low)[curves] > CLOSEST]
        with self._lock:
            self._found.append((curves, at[curves]))
        return refined(grid, curves, at[curves])

    def catch_up(self, grid: Grid, seen: int) -> tuple[Grid, int]:
        """The grid with all refinements from number `seen` on, and how many there are now."""
        with self._lock:
            news, count = self._found[seen:], len(self._found)
        for curves, at in news:
            grid = refined(grid, curves, at)
        return grid, count


def refined(grid: Grid, curves: IntArray, at: FloatArray) -> Grid:
    """The grid with nodes at places on convex and tangents on concave segments."""
    concave = grid.concave[grid.left_node(curves, at)]
    return grid.with_tangents(curves[concave], at[concave]).with_nodes(curves[~concave], at[~concave])
