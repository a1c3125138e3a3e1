"""Plans from what prices mix: whole numbers as the mixed points have them, a search where they differ."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np

from solvers.curves.answers import Mixed
from solvers.curves.decomposition import Decomposition
from solvers.curves.estimator import Estimator
from solvers.curves.inner import EitherEvent, run
from solvers.curves.region import Region
from solvers.curves.rounds import Rounds
from solvers.curves.tuning import QUICK_NODES
from solvers.options import SolveOptions
from solvers.program import FloatArray

_SHARE_OF_TIME = 0.1
_SHARE_OF_GAP = 0.3
_ON_THE_END = 1e-9


class Proposals:
    """A side of its own that makes plans of the newest mixture while regions are bounded."""

    def __init__(self, decomposition: Decomposition) -> None:
        self._decomposition, self._shared = decomposition, decomposition.shared
        self._climbing = Rounds(self._shared, decomposition.grid, hunting=True, alone=False)
        self._newest: tuple[Mixed, Region] | None = None
        self._news = threading.Condition()
        self._done = EitherEvent(self._shared.stop)
        self._tried: set[bytes] = set()
        self._searches = decomposition.bends_outside_chains()

    def offer(self, mixed: Mixed, region: Region) -> None:
        """The newest mixture."""
        with self._news:
            self._newest = mixed, region
            self._news.notify()

    def close(self) -> None:
        """No more are wanted."""
        self._done.set()
        with self._news:
            self._news.notify()

    def run(self) -> None:
        """Make plans until closed: of what is mixed, which is a plan where no curve gains by mixing, of each
        block's largest share alone, and of all that blocks mix."""
        while not self._over():
            with self._news:
                if self._newest is None:
                    self._news.wait(1.0)
                    continue
                (mixed, region), self._newest = self._newest, None
            started, value = time.perf_counter(), self._shared.ledger.value
            self._climbing.climb(mixed.mean(), insist=False)
            if not self._over():
                self._propose(mixed, region, leading=True)
            if self._searches and not self._over():
                self._propose(mixed, region, leading=False)
            if self._shared.ledger.value <= value:
                # The cores are worth more to the bounds for as long as this one took.
                self._done.wait(time.perf_counter() - started)

    def _over(self) -> bool:
        return self._done.is_set() or self._shared.over()

    def _propose(self, mixed: Mixed, region: Region, leading: bool) -> None:
        agreed = self._agreed(mixed, region, leading)
        key = b"".join(part.tobytes() for part in (agreed.low, agreed.high, agreed.lower, agreed.upper))
        if key in self._tried:
            return
        self._tried.add(key)
        estimator = agreed.of(self._decomposition.estimator())
        result = run(
            estimator.relaxed() if leading else estimator.program,
            self._options(estimator, leading),
            self._shared.solver,
        )
        if result.x is not None and not self._over():
            self._climbing.climb(result.x)

    def _options(self, estimator: Estimator, leading: bool) -> SolveOptions:
        # Bounds of a part of the program are none of the whole, so nobody listens.
        shared = self._shared
        if leading:
            return replace(shared.plain(), interrupt=self._done)
        options = shared.plain(_SHARE_OF_GAP * shared.gap, _SHARE_OF_TIME)
        raw = {**QUICK_NODES.get(shared.solver, {}), **options.raw}
        start = None
        if shared.ledger.best is not None:
            start = estimator.lift(shared.prepared, shared.ledger.scaled_best())
        return replace(options, interrupt=self._done, raw=raw, start_values=start)

    def _agreed(self, mixed: Mixed, region: Region, leading: bool) -> Region:
        """The part of a region that has each binary as all mixed points of its block and the best point known
        have it, or as the point with the largest share has it."""
        prepared, answers = self._shared.prepared, self._decomposition.answers
        estimator = self._decomposition.estimator()
        ends = np.flatnonzero(estimator.full >= 0)
        curve, end = estimator.segments.owner[ends], estimator.segments.b[ends]
        lower, upper = estimator.program.column_lower.copy(), estimator.program.column_upper.copy()
        for number, columns in enumerate(answers.columns):
            points = self._of_block(mixed, number, leading)
            mine = np.flatnonzero(np.isin(curve, answers.curves[number]))
            passed = points[:, prepared.inputs[curve[mine]]] >= end[mine] - _ON_THE_END
            binary = estimator.full[ends[mine]]
            lower[binary], upper[binary] = passed.min(axis=0), passed.max(axis=0)
            whole = columns[prepared.program.integer[columns]]
            values = np.round(points[:, whole])
            lower[whole], upper[whole] = values.min(axis=0), values.max(axis=0)
        return region.within(estimator, lower, upper)

    def _of_block(self, mixed: Mixed, number: int, leading: bool) -> FloatArray:
        shares, points = mixed.of(number)
        if leading:
            return points[[int(np.argmax(shares))]]
        ledger = self._shared.ledger
        return points if ledger.best is None else np.vstack([points, ledger.scaled_best()])
