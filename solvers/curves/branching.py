"""The tree of regions, each bounded by its own best prices.

A region whose bound is not within the gap of the best value is cut in two where the points that its master
program mixes lie on both sides, and each half is priced again, from its parent's prices and all answers so
far (branch and price, Barnhart et al. 1998). The largest bound of the regions left bounds the program.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from solvers.curves.answers import Mixed
from solvers.curves.decomposition import Box, Decomposition
from solvers.curves.pricing import Priced
from solvers.curves.region import Region, whole_region
from solvers.program import FloatArray, IntArray

_ROUNDS_AT_THE_ROOT, _BOX_AT_THE_ROOT = 20, 0.1
_ROUNDS, _BOX = 6, 0.02
_MOST_TRIES, _WORTH_A_TRY = 3, 0.02
# A hair inside the gap, so that rounding leaves a bound at the target within it.
_SHARE_OF_GAP = 0.98
_BOTH_SIDES = 1e-9


@dataclass(order=True)
class Node:
    """A region, what is known to bound it, the prices to start from or what they prove there, and how often
    it was searched; the one with the largest bound comes first."""

    less_bound: float
    number: int
    region: Region = field(compare=False)
    first: FloatArray | Priced = field(compare=False)
    tries: int = field(compare=False, default=0)

    @property
    def bound(self) -> float:
        """No point of the region is better."""
        return -self.less_bound


class Branching:
    """The search of the tree."""

    def __init__(self, decomposition: Decomposition, offer: Callable[[Mixed, Region], None]) -> None:
        """`offer` is shown what is mixed after each round."""
        self._decomposition, self._shared, self._offer = decomposition, decomposition.shared, offer
        self._open: list[Node] = []
        self._closed, self._pushed = -np.inf, 0
        self.number = 0

    def run(self, prices: FloatArray) -> None:
        """Search from prices of the coupling rows, until the gap is proved, time is over, or branching does
        not help any further."""
        self._push(np.inf, whole_region(self._shared.prepared), prices)
        while self._open and not self._shared.over():
            node = heapq.heappop(self._open)
            self.number += 1
            searched = node.bound <= self._target() or self._search(node)
            if not searched:
                heapq.heappush(self._open, node)
            elif node.bound <= self._target():
                self._closed = max(self._closed, node.bound)
            self._take_bound()
            if not searched:
                return

    def _search(self, node: Node) -> bool:
        """Rounds in a region, and its halves in its place; whether anything was proved that helps."""
        root = node.bound == np.inf
        shared, region = self._shared, node.region

        def tell(bound: float, mixed: Mixed) -> None:
            if root:
                shared.ledger.take_bound(bound)
            self._offer(mixed, region)

        most, box = (_ROUNDS_AT_THE_ROOT, _BOX_AT_THE_ROOT) if root else (_ROUNDS, _BOX)
        found = self._decomposition.rounds(region, node.first, most, Box(box), self._target, tell)
        if found is None:
            return False
        before, bound = node.bound, min(found.bound, node.bound)
        node.less_bound = -bound
        if bound <= self._target():
            return True
        halves = None if found.mixed is None else self._halves(region, found.mixed)
        if halves is None:
            # What is mixed gains nothing by mixing: the prices are not the best ones yet.
            tries = 0 if before - bound > _WORTH_A_TRY * (bound - shared.ledger.value) else node.tries + 1
            self._push(bound, region, found.priced.prices, tries)
            return tries <= _MOST_TRIES
        number, *parts = halves
        for part in parts:
            first = self._decomposition.again(part, found.priced, number)
            if first is None:
                return False
            self._push(min(bound, first.bound), part, first)
        return True

    def _push(self, bound: float, region: Region, first: FloatArray | Priced, tries: int = 0) -> None:
        # Of equal bounds the newest goes on, which ends in plans sooner.
        self._pushed += 1
        heapq.heappush(self._open, Node(-bound, -self._pushed, region, first, tries))

    def _target(self) -> float:
        ledger = self._shared.ledger
        return ledger.value + _SHARE_OF_GAP * self._shared.gap * ledger.size - ledger.margin

    def _take_bound(self) -> None:
        ledger = self._shared.ledger
        most = max([self._closed, ledger.value, *(node.bound for node in self._open)])
        if np.isfinite(most):
            ledger.take_bound(most)

    def _halves(self, region: Region, mixed: Mixed) -> tuple[int, Region, Region] | None:
        """Which block to cut, and the halves of the region: where mixing gains most, in what it is worth."""
        count = len(self._decomposition.answers.columns)
        cuts = [self._decomposition.cut(number, mixed) for number in range(count)]
        gains = np.array([0.0 if cut is None else cut.gain for cut in cuts])
        curve, end, apart = self._ends(region, mixed)
        column, worth = self._switches(mixed)
        most = [gains.max(initial=0.0), apart.max(initial=0.0), worth.max(initial=0.0)]
        if max(most) <= _BOTH_SIDES:
            return None
        kind = int(np.argmax(most))
        if kind == 0:
            number = int(np.argmax(gains))
            cut = cuts[number]
            assert cut is not None
            return number, region.column_to(cut.column, cut.place), region.column_from(cut.column, cut.place)
        if kind == 1:
            one, place = int(curve[np.argmax(apart)]), float(end[np.argmax(apart)])
            number = self._owner(int(self._shared.prepared.inputs[one]))
            return number, region.below(one, place), region.above(one, place)
        at = int(column[np.argmax(worth)])
        return self._owner(at), region.column_to(at, 0.0), region.column_from(at, 1.0)

    def _owner(self, column: int) -> int:
        return next(n for n, own in enumerate(self._decomposition.answers.columns) if column in own)

    def _ends(self, region: Region, mixed: Mixed) -> tuple[IntArray, FloatArray, FloatArray]:
        # Curve and place of each segment's end outside chains, and how far apart the mixed points lie there.
        decomposition = self._decomposition
        estimator = region.of(decomposition.estimator())
        free = estimator.program.column_upper > estimator.program.column_lower
        ends = np.flatnonzero(estimator.full >= 0)
        ends = ends[free[estimator.full[ends]]]
        curve, end = estimator.segments.owner[ends], estimator.segments.b[ends]
        apart = np.zeros(ends.size)
        for number, curves in enumerate(decomposition.answers.curves):
            if decomposition.pricing.chain(number) is None:
                shares, points = mixed.of(number)
                mine = np.flatnonzero(np.isin(curve, curves))
                beyond = points[:, self._shared.prepared.inputs[curve[mine]]] - end[mine]
                both = np.minimum(shares @ np.maximum(beyond, 0.0), shares @ np.maximum(-beyond, 0.0))
                apart[mine] = both * decomposition.worth[curve[mine]]
        return curve, end, apart

    def _switches(self, mixed: Mixed) -> tuple[IntArray, FloatArray]:
        # Binaries of the program, and how far from whole they are mixed, in what their curves are worth.
        decomposition, integer = self._decomposition, self._shared.prepared.program.integer
        columns, worth = [], []
        for number, own in enumerate(decomposition.answers.columns):
            shares, points = mixed.of(number)
            switches = own[integer[own]]
            mean = shares @ points[:, switches]
            size = decomposition.worth[decomposition.answers.curves[number]].max(initial=0.0)
            columns.append(switches)
            worth.append(np.minimum(mean, 1.0 - mean) * size)
        return np.concatenate(columns), np.concatenate(worth)
