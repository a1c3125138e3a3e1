"""Answers of chains to prices: lattices as fine as the bound has to be, points, and where to cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.curves.chains import Chain
from solvers.curves.lattice import Bounds, Lattice, Payoff, make_lattice
from solvers.curves.prepared import Prepared
from solvers.curves.region import Region
from solvers.program import FloatArray, IntArray

_PARTS = (1, 2, 3, 4, 6, 8, 12, 16)
_LEAST_PROGRESS = 0.7
"""A finer lattice is made for as long as what the bound misses falls below this share of what it was."""
_MOST_PRICES = 8
_MOST_STEPS = 1000
_ROOM = 1e-6
_KEPT = 4
"""Lattices kept of each chain."""


@dataclass(frozen=True)
class Best:
    """What no point of a chain exceeds, and the best path found: its value, decisions (n,) and binary."""

    most: float
    value: float = -np.inf
    decisions: FloatArray | None = None
    switched: float = 0.0


@dataclass(frozen=True)
class Cut:
    """A place of a column of the prepared program, and what mixing points on both sides of it gains."""

    gain: float
    column: int
    place: float


class ChainSearch:
    """The searches of one chain, which share lattices; one search at a time."""

    def __init__(self, prepared: Prepared, chain: Chain) -> None:
        """Lattices are made when they are needed."""
        self._prepared, self.chain = prepared, chain
        self._unit = prepared.scaling.columns
        self._lattices: dict[tuple[int, int], Lattice] = {}
        self._number = 0
        span = max(float(case.upper.max() - case.lower.min()) for case in chain.cases)
        self._parts = [parts for parts in _PARTS if parts * span <= _MOST_STEPS * chain.unit] or [1]

    def best(self, objective: FloatArray, region: Region, known: float, miss: float) -> Best:
        """The best of an objective (n,) of the prepared program in a region, to `miss` where some point of it
        is worth `known`, or as well as lattices can."""
        payoff, cases = self._payoff(objective), self._cases(region)
        found, number, before = Best(np.inf), self._number, np.inf
        while True:
            tried = [
                self._tried(case, self._bounds(case, region), payoff, number, known, miss) for case in cases
            ]
            most = min(found.most, max((one.most for one in tried), default=-np.inf))
            found = replace(max([found, *tried], key=lambda one: one.value), most=most)
            missed = most - max(found.value, known)
            if not _LEAST_PROGRESS * before > missed > miss or number == len(self._parts) - 1:
                break
            before, wanted = missed, self._parts[number] * np.sqrt(missed / miss)
            number = min(max(number + 1, int(np.searchsorted(self._parts, wanted))), len(self._parts) - 1)
        self._number = max(0, number - 1) if missed < 0.25 * miss else number
        return found

    def point(self, objective: FloatArray, found: Best) -> FloatArray:
        """The point (n,) of the prepared program with the path that was found, and outputs used where they
        are worth most."""
        chain, uses = self.chain, self.chain.uses
        assert found.decisions is not None
        levels = chain.levels_at(found.decisions)
        worth, taken = self._worth(objective / self._unit)
        made = chain.table.value(chain.formula, np.maximum(levels, 0.0))
        made = np.where((worth > 0) | (objective[chain.outputs] >= 0), made, 0.0)
        point = np.zeros(objective.size)
        point[chain.decisions], point[chain.levels], point[chain.outputs] = found.decisions, levels, made
        point[uses.column[taken]] = uses.amount[taken] * made[uses.step[uses.group[taken]]]
        point /= self._unit
        if chain.switch >= 0:
            point[chain.switch] = found.switched
        return point

    def cut(self, worth: FloatArray, shares: FloatArray, points: FloatArray) -> Cut | None:
        """Where to cut the decisions of points (p, n) that are mixed, for outputs worth so much (n,); None
        where mixing gains nothing that a cut could take.

        In step t mixing gains worth[t] (sum_p share_p curve(level_p) - curve(sum_p share_p level_p)).
        """
        chain, table = self.chain, self._prepared.table
        shares = shares / shares.sum()
        levels, decisions = points[:, chain.levels], points[:, chain.decisions] * self._unit[chain.decisions]
        made = np.array([table.value(chain.curves, one) for one in levels])
        gain = worth * (shares @ made - table.value(chain.curves, shares @ levels))
        mean = shares @ decisions
        age = np.subtract.outer(np.arange(chain.size), np.arange(chain.size))
        effect = np.where(age >= 0, chain.keep ** np.maximum(age, 0), 0.0)
        score = (shares @ np.abs(decisions - mean)) * (np.maximum(gain, 0.0) @ effect)
        start = min(float(case.lower.min()) for case in chain.cases)
        places = start + chain.unit * np.round((mean - start) / chain.unit)
        room = _ROOM * chain.unit
        inside = (places > decisions.min(axis=0) + room) & (places < decisions.max(axis=0) - room)
        step = int(np.argmax(np.where(inside, score, -1.0)))
        if not inside[step] or gain.sum() <= 0.0:
            return None
        column = int(chain.decisions[step])
        return Cut(float(gain.sum()), column, float(places[step]) / float(self._unit[column]))

    def _tried(
        self, number: int, bounds: Bounds, payoff: Payoff, size: int, known: float, miss: float
    ) -> Best:
        """One case on a lattice of one size. A further row that its path breaks gets a price, which is raised
        until a path keeps it and halved between; every price gives a bound."""
        case, lattice = self.chain.cases[number], self._lattice(number, size)
        extra = payoff.switch * case.switched
        path = lattice.best(payoff, bounds)
        broken = None if path.decisions is None else case.broken(path.decisions)
        if broken is None:
            return Best(path.most + extra, path.value + extra, path.decisions, case.switched)
        found, (row, side) = Best(path.most + extra), broken
        low, high = 0.0, np.inf
        price = float(np.abs(payoff.cost).mean() / np.abs(row).max())
        for _ in range(_MOST_PRICES):
            path = lattice.best(payoff.with_row(row, side, price), bounds)
            found = replace(found, most=min(found.most, path.most + extra))
            if path.decisions is None:
                break
            over = float(row @ path.decisions) - side
            value = path.value - price * over + extra
            if case.broken(path.decisions) is None and value > found.value:
                found = Best(found.most, value, path.decisions, case.switched)
            if found.most - max(found.value, known) <= miss:
                break
            low, high = (low, price) if over >= 0.0 else (price, high)
            price = 0.5 * (low + high) if high < np.inf else 3.0 * low
        return found

    def _lattice(self, number: int, size: int) -> Lattice:
        key = number, size
        if key not in self._lattices:
            while len(self._lattices) >= _KEPT * len(self.chain.cases):
                self._lattices.pop(next(iter(self._lattices)))
            self._lattices[key] = make_lattice(self.chain, self.chain.cases[number], self._parts[size])
        return self._lattices[key]

    def _cases(self, region: Region) -> list[int]:
        cases, switch = self.chain.cases, self.chain.switch
        if switch < 0:
            return [0]
        low, high = region.lower[switch] - 0.5, region.upper[switch] + 0.5
        return [number for number, case in enumerate(cases) if low < case.switched < high]

    def _bounds(self, number: int, region: Region) -> Bounds:
        case, own, unit = self.chain.cases[number], self.chain.decisions, self._unit[self.chain.decisions]
        program = self._prepared.program
        cut = region.lower[own] > program.column_lower[own], region.upper[own] < program.column_upper[own]
        return Bounds(
            np.where(cut[0], np.maximum(region.lower[own] * unit, case.lower), case.lower),
            np.where(cut[1], np.minimum(region.upper[own] * unit, case.upper), case.upper),
        )

    def _payoff(self, objective: FloatArray) -> Payoff:
        """What an objective of the prepared program pays, in original units."""
        chain, costs = self.chain, objective / self._unit
        worth, _ = self._worth(costs)
        paid = costs[chain.levels]
        direct = costs[chain.decisions]
        if chain.levels is chain.decisions:
            direct = np.zeros(chain.size)
        # A level stays on: what it pays is what the decisions before it are paid.
        later = paid.copy()
        for step in range(chain.size - 2, -1, -1):
            later[step] += chain.keep * later[step + 1]
        constant = chain.opening * float(later[0])
        switch = float(objective[chain.switch]) if chain.switch >= 0 else 0.0
        return Payoff(worth, -(direct + chain.gain * later), constant, switch)

    def _worth(self, costs: FloatArray) -> tuple[FloatArray, IntArray]:
        """What a unit of each output is worth (n,), and the uses that are taken for that."""
        chain, uses = self.chain, self.chain.uses
        paid = costs[uses.column] * uses.amount
        order = np.lexsort((paid, uses.group))
        last = np.ones(order.size, dtype=bool)
        last[:-1] = uses.group[order][1:] != uses.group[order][:-1]
        taken = order[last]
        taken = taken[paid[taken] > 0]
        worth = costs[chain.outputs] + np.bincount(uses.step[uses.group[taken]], paid[taken], chain.size)
        return np.maximum(worth, 0.0), taken
