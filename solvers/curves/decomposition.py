"""Prices for the rows that couple: a bound that knows the hull of every block, not only that of every curve.

With y the prices of the coupling rows, a program falls apart into blocks, each with its whole numbers kept:

    bound(y) = y b + max over the rest of (c - y A) x + sum over blocks of max (c - y A) x

Every y bounds the program (Geoffrion 1974), and the best one as well as the hulls of all blocks do, which
for curves over time is much closer than their envelopes. y comes from the master program over the blocks'
answers so far (Dantzig & Wolfe 1960), within a box around the best y known (du Merle et al. 1999). Where
the blocks' answers lie above the curves, the over-estimator is refined before the next round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solvers.curves.answers import Answers, Mixed, mixed_of
from solvers.curves.blocks import Blocks, find_blocks
from solvers.curves.estimator import Estimator, build
from solvers.curves.grid import Grid
from solvers.curves.paths import Cut
from solvers.curves.pricing import Answer, Part, Priced, Pricing
from solvers.curves.region import Region
from solvers.curves.shared import Shared
from solvers.program import FloatArray, IntArray

_SHARE_OF_GAP_FOR_BLOCKS = 0.1
_SHARE_OF_DISTANCE = 0.05
# A node on a convex segment costs a binary and few points lie there; a tangent costs next to nothing.
_SHARE_OF_NODES = 10.0
_LEAST_PRICE = 0.1
_SMALLEST_BOX = 1e-3
_LEAST_SLACK = 0.1
_WIDER, _NARROWER = 2.0, 0.4
_PATIENCE = 4
_WORTH_MORE_ROUNDS = 0.1


@dataclass(frozen=True)
class Bounded:
    """What rounds in a region have proved, by which prices, and what the last master program mixed."""

    bound: float
    priced: Priced
    mixed: Mixed | None


class Box:
    """How far prices may go from the best ones known: further after rounds that kept their promise."""

    def __init__(self, size: float) -> None:
        """`size` is relative to each price."""
        self.size = size

    def judge(self, gained: float, expected: float) -> None:
        """After a round that was expected to lower the bound by so much."""
        if gained > 0.5 * expected:
            self.size *= _WIDER
        elif gained <= 0.0:
            self.size = max(_SMALLEST_BOX, _NARROWER * self.size)

    def around(self, center: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of the prices."""
        size = np.abs(center)
        reach = self.size * np.maximum(size, _LEAST_PRICE * float(size.mean()))
        return center - reach, center + reach


class Decomposition:
    """The grid and the answers of the blocks, which all regions share."""

    def __init__(
        self,
        shared: Shared,
        estimator: Estimator,
        grid: Grid,
        blocks: Blocks,
        pricing: Pricing,
        duals: FloatArray,
    ) -> None:
        """`estimator` is that of the grid, `blocks` are its blocks, `duals` the prices of its rows when it is
        relaxed."""
        self.shared, self.grid = shared, grid
        self.answers = Answers(shared.prepared, blocks)
        self.worth = np.where(estimator.output_row >= 0, np.abs(duals[estimator.output_row]), 0.0)
        self.pricing, self._seen, self._value = pricing, 0, -np.inf
        self._slack = 1.0
        self._outside = np.setdiff1d(shared.prepared.all, np.concatenate(self.answers.curves))

    def cut(self, number: int, mixed: Mixed) -> Cut | None:
        """Where to cut a chain; None also for blocks that are none."""
        search = self.pricing.chain(number)
        return None if search is None else search.cut(self.worth[search.chain.curves], *mixed.of(number))

    def bends_outside_chains(self) -> bool:
        """Whether curves of blocks that are no chains need whole numbers."""
        estimator, blocks = self.estimator(), range(len(self.answers.curves))
        bent = estimator.segments.owner[estimator.full >= 0]
        others = [self.answers.curves[number] for number in blocks if self.pricing.chain(number) is None]
        return any(np.isin(bent, curves).any() for curves in others)

    def estimator(self) -> Estimator:
        """The over-estimator as it is by now."""
        return build(self.shared.prepared, self.grid)

    def rounds(
        self,
        region: Region,
        first: FloatArray | Priced,
        most: int,
        box: Box,
        target: Callable[[], float],
        tell: Callable[[float, Mixed], None],
    ) -> Bounded | None:
        """At most that many rounds in a region, from prices of the coupling rows or what they prove there,
        until nearly the best are found, the bound is at the target, or rounds bring little; None where blocks
        could not be solved.

        `tell` is shown the best bound and what is mixed after every round.
        """
        best, center, mixed, expected = np.inf, None, None, np.inf
        bounds: list[float] = []
        while len(bounds) < most and not self.shared.late():
            part = self._part(region)
            priced = self._priced(part, first, best)
            if priced is None:
                break
            gained = best - priced.bound
            if gained > 0 or center is None:
                best, center = priced.bound, priced
            bounds.append(best)
            self._judge(gained, expected, best)
            box.judge(gained, expected)
            if best <= target():
                break
            mixed = mixed_of(
                self.shared,
                part.estimator,
                part.blocks,
                self.answers.in_region(region),
                box.around(center.prices),
            )
            if mixed is None:
                break
            self._refine(mixed.rest, self._outside, best)
            tell(best, mixed)
            expected, first = best - mixed.objective, mixed.prices
            if expected <= _SHARE_OF_DISTANCE * self._distance(best):
                if not mixed.at_the_side:
                    break
                box.size *= _WIDER
            if self._slow(bounds):
                break
        return None if center is None else Bounded(best, center, mixed)

    def _judge(self, gained: float, expected: float, best: float) -> None:
        # Where rounds fall short of a large promise, what answers and curves may miss is what holds them up.
        if gained > 0.5 * expected:
            self._slack = min(1.0, 2.0 * self._slack)
        elif _WORTH_MORE_ROUNDS * self._distance(best) < expected < np.inf:
            self._slack = max(_LEAST_SLACK, 0.5 * self._slack)

    def _slow(self, bounds: list[float]) -> bool:
        if len(bounds) <= _PATIENCE or self.shared.ledger.best is None:
            return False
        return bounds[-1 - _PATIENCE] - bounds[-1] < _WORTH_MORE_ROUNDS * self._distance(bounds[-1])

    def _distance(self, bound: float) -> float:
        shared, ledger = self.shared, self.shared.ledger
        known = bound - ledger.value if ledger.best is not None and np.isfinite(bound) else 0.0
        return max(shared.gap * ledger.magnitude, known)

    def _part(self, region: Region) -> Part:
        shared = self.shared
        self.grid, self._seen = shared.catch_up(self.grid, self._seen)
        if shared.ledger.value > self._value:
            self._value, best = shared.ledger.value, shared.ledger.scaled_best()
            for number in range(len(self.answers.columns)):
                self.answers.add(number, best)
        estimator = region.of(self.estimator())
        blocks = find_blocks(shared.prepared, estimator)
        if blocks is None:
            raise AssertionError("a finer grid of the same curves has the same blocks")
        return Part(region, estimator, blocks)

    def _priced(self, part: Part, prices: FloatArray | Priced, best: float) -> Priced | None:
        """The bound of prices; the blocks' answers are remembered, and the grid refined where they lie."""
        if isinstance(prices, Priced):
            return prices
        known = self.answers.in_region(part.region)
        priced = self.pricing.bound(part, prices, known, self._miss(best))
        if priced is not None:
            for number, answer in enumerate(priced.answers):
                self._learn(number, answer, best)
        return priced

    def again(self, region: Region, priced: Priced, number: int) -> Priced | None:
        """What prices that bound a region prove in a part of it that cuts one block only."""
        part = self._part(region)
        known = self.answers.in_region(region)
        answer = self.pricing.answer(part, number, priced.prices, known, self._miss(priced.bound))
        if answer is None:
            return None
        self._learn(number, answer, priced.bound)
        return priced.replaced(number, answer)

    def _miss(self, bound: float) -> float:
        shared = self.shared
        least = _SHARE_OF_GAP_FOR_BLOCKS * shared.gap * shared.ledger.magnitude
        return self._slack * max(least, _SHARE_OF_DISTANCE * self._distance(bound))

    def _learn(self, number: int, answer: Answer, bound: float) -> None:
        if answer.true is not None:
            self.answers.add(number, answer.true)
        if answer.estimated is not None:
            self._refine(answer.estimated, self.answers.curves[number], bound)

    def _refine(self, point: FloatArray, curves: IntArray, best: float) -> None:
        # Where a point (n,) lies above some curves by more than their share of the distance is worth.
        shared, prepared = self.shared, self.shared.prepared
        miss = prepared.sign * point[prepared.outputs] - prepared.true_values(point)
        at = shared.inputs_at(point)
        share = np.where(self.grid.bends_at(at), _SHARE_OF_NODES, 1.0) * _SHARE_OF_DISTANCE / prepared.size
        missed = curves[(miss * self.worth > share * self._slack * self._distance(best))[curves]]
        self.grid = shared.refine(self.grid, at, missed)
