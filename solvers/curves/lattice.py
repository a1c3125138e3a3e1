"""The best path of a chain by dynamic programming on a lattice, and a bound on all paths.

Decisions x are rounded to multiples of a step h, all with one random threshold, so that X[t] has the mean
x[t] and keeps bounds and differences that are multiples of h, and others within h; the level before each
decision is rounded to one of the nodes beside it, at random with the right mean. So the rounded level P[t]
has the mean level[t], a variance of at most

    v = (w h / 2)^2 + (g / 2)^2 sum_{0 < j < n} keep^(2 j),    w = gain sum_{j < n} keep^j

with g the nodes' distance, and lies within r = w h + g sum_{0 < j < n} keep^j of it. With s(P) the largest
of minus the second derivative within 2 r of P, E[curve(P) + v/2 s(P)] >= curve(level). So the best that any
rule makes of curve + v/2 s on the lattice is no less than what any path makes of the curves, and it is what
Bellman's recursion finds, by linear interpolation between nodes (1957). The error falls with h^2.

The path that comes back follows the recursion's values with the levels as they are: it is a point of the
chain, and its value is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.curves.chains import Case, Chain
from solvers.program import BoolArray, FloatArray, IntArray

_ROUNDING = 1e-9
_MOST_NODES = 500


@dataclass(frozen=True)
class Payoff:
    """What a unit of each output is worth, what a unit of each decision costs (n,), what there is anyway, and
    what the binary pays."""

    worth: FloatArray
    cost: FloatArray
    constant: float
    switch: float = 0.0

    def with_row(self, row: FloatArray, side: float, price: float) -> Payoff:
        """The same and `price` for what `row` (n,) of the decisions is above `side`."""
        return replace(self, cost=self.cost - price * row, constant=self.constant - price * side)


@dataclass(frozen=True)
class Bounds:
    """Where decisions (n,) have to be."""

    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class Path:
    """What no path exceeds; a path's decisions (n,) and value, None and -inf where none was found."""

    most: float
    decisions: FloatArray | None = None
    value: float = -np.inf


@dataclass(frozen=True)
class Lattice:
    """Rounded decisions (d,), nodes of the level before (k,), and for each pair (d, k) the node left of the
    level after as a place in (d, k), its share of the way to the next node, and each formula's value with
    its error (f, d, k); the same of the first step, whose level is exact (d,)."""

    chain: Chain
    case: Case
    step: float
    decisions: FloatArray
    nodes: FloatArray
    left: IntArray
    share: FloatArray
    made: FloatArray
    made_first: FloatArray

    def best(self, payoff: Payoff, bounds: Bounds) -> Path:
        """The bound and a path."""
        values, size = self._values(payoff, bounds), self._size(payoff)
        first = payoff.worth[0] * self.made_first - payoff.cost[0] * self.decisions
        first += self._between(values[0], self.decisions, self._start())
        first[self._outside(bounds, 0)] = -10.0 * size
        if first.max() < -2.0 * size:
            return Path(-np.inf)
        most = float(first.max()) + payoff.constant + _ROUNDING * size
        return self._followed(payoff, bounds, values, most)

    def _size(self, payoff: Payoff) -> float:
        # No path's value is further from 0.
        made = np.abs(self.made).max(axis=(1, 2))[self.chain.formula]
        largest = max(abs(float(self.decisions[0])), abs(float(self.decisions[-1])))
        return float(payoff.worth @ made + np.abs(payoff.cost).sum() * largest) + 1e-300

    def _values(self, payoff: Payoff, bounds: Bounds) -> list[FloatArray]:
        """What the steps after each one make at most (d, k), for its decision and the node after it; far less
        than any path makes where bounds allow none."""
        chain, forbidden = self.chain, -10.0 * self._size(payoff)
        value = np.zeros((self.decisions.size, self.nodes.size))
        values = [value]
        for step in range(chain.size - 1, 0, -1):
            flat = value.ravel()
            total = flat.take(self.left)
            total += self.share * (flat.take(self.left + 1) - total)
            total += payoff.worth[step] * self.made[chain.formula[step]]
            total -= payoff.cost[step] * self.decisions[:, None]
            total[self._outside(bounds, step)] = forbidden
            rise, fall = (self._steps(side[step]) for side in (self.case.rise, self.case.fall))
            value = np.maximum(_window(total, fall, rise, forbidden), forbidden)
            values.append(value)
        return values[::-1]

    def _start(self) -> FloatArray:
        return self.chain.opening + self.chain.gain * self.decisions

    def _steps(self, width: float) -> int:
        return int(np.ceil(min(width / self.step, self.decisions.size) - _ROUNDING))

    def _outside(self, bounds: Bounds, step: int) -> BoolArray:
        # Rounded decisions may be outside their bounds by less than a step.
        room = (1.0 - _ROUNDING) * self.step
        low, high = bounds.lower[step] - room, bounds.upper[step] + room
        outside: BoolArray = (self.decisions <= low) | (self.decisions >= high)
        return outside

    def _between(self, value: FloatArray, decision: FloatArray, level: FloatArray) -> FloatArray:
        """Values (d, k) between rounded decisions and nodes, at pairs of both."""
        down, across = _place(self.decisions, decision)
        left, share = _place(self.nodes, level)
        below = np.minimum(down + 1, self.decisions.size - 1)
        ends = [value[row, left] + share * (value[row, left + 1] - value[row, left]) for row in (down, below)]
        between: FloatArray = ends[0] + across * (ends[1] - ends[0])
        return between

    def _followed(self, payoff: Payoff, bounds: Bounds, values: list[FloatArray], most: float) -> Path:
        """The path that takes the best next decision by the values."""
        chain, case = self.chain, self.case
        decisions, total, last, kept = np.empty(chain.size), payoff.constant, np.nan, chain.opening
        for step in range(chain.size):
            low, high = bounds.lower[step], bounds.upper[step]
            if step:
                low, high = max(low, last - case.fall[step]), min(high, last + case.rise[step])
            if low > high + _ROUNDING * self.step:
                return Path(most)
            inside = self.decisions[(self.decisions > low) & (self.decisions < high)]
            tried = np.concatenate([[low], inside, [max(low, high)]])
            level = kept + chain.gain * tried
            made = _values_of(chain, int(chain.formula[step]), level)
            reward = payoff.worth[step] * made - payoff.cost[step] * tried
            chosen = int(np.argmax(reward + self._between(values[step], tried, level)))
            decisions[step], last = tried[chosen], float(tried[chosen])
            total += float(reward[chosen])
            kept = chain.keep * float(level[chosen])
        return Path(most, decisions, total)


def make_lattice(chain: Chain, case: Case, parts: int) -> Lattice:
    """The lattice whose steps are that many to the chain's unit."""
    start, end = float(case.lower.min()), float(case.upper.max())
    # One decision only is not rounded; the step is then of no account.
    step = chain.unit / parts if end > start else _ROUNDING * chain.unit
    count = int(np.ceil((end - start) / step - _ROUNDING)) + 1
    decisions = start + step * np.arange(count, dtype=np.float64)
    powers = chain.powers()
    weight, carried = chain.gain * float(powers.sum()), float((powers[1:] ** 2).sum())
    nodes = _nodes(chain, case, decisions, weight * step / np.sqrt(max(carried, 1e-300)))
    distance = float(nodes[1] - nodes[0])
    reach = weight * step + distance * float(powers[1:].sum())
    variance = (0.5 * weight * step) ** 2 + (0.5 * distance) ** 2 * carried

    def made(number: int, level: FloatArray) -> FloatArray:
        low, high = (np.maximum(level + side * 2.0 * reach, 0.0).ravel() for side in (-1.0, 1.0))
        sharpest = chain.table.sharpest(np.full(level.size, number), low, high)
        return _values_of(chain, number, level) + 0.5 * variance * sharpest.reshape(level.shape)

    after = chain.keep * nodes[None, :] + chain.gain * decisions[:, None]
    left, share = _place(nodes, after)
    left = left + np.arange(count)[:, None] * nodes.size
    every = np.array([made(number, after) for number in range(chain.table.size)])
    first = made(int(chain.formula[0]), chain.opening + chain.gain * decisions)
    return Lattice(chain, case, step, decisions, nodes, left, share, every, first)


def _nodes(chain: Chain, case: Case, decisions: FloatArray, distance: float) -> FloatArray:
    """Nodes at about that distance, from the least to the largest level that rounded decisions leave to a
    later step, and as far beyond as rounding to nodes may lead."""
    step = float(decisions[1] - decisions[0]) if decisions.size > 1 else 0.0
    ends = np.maximum(case.lower - step, decisions[0]), np.minimum(case.upper + step, decisions[-1])
    least, most = (chain.levels_at(end)[:-1] for end in ends)
    low, high = float(least.min()), float(most.max())
    span = max(high - low, chain.gain * chain.unit)
    distance = float(np.clip(distance, span / _MOST_NODES, span))
    margin = distance * float(chain.powers().sum())
    # Where nothing is below 0, rounding to nodes from 0 on leads to nothing below.
    first = max(low - margin, 0.0) if min(low, float(decisions[0])) >= 0.0 else low - margin
    count = int(np.ceil((high + margin - first) / distance)) + 2
    return first + distance * np.arange(count, dtype=np.float64)


def _values_of(chain: Chain, number: int, level: FloatArray) -> FloatArray:
    # One formula at levels; below 0, where a growing curve is not defined, it counts as it is at 0.
    flat = np.maximum(level, 0.0).ravel()
    values: FloatArray = chain.table.value(np.full(flat.size, number), flat).reshape(level.shape)
    return values


def _place(nodes: FloatArray, at: FloatArray) -> tuple[IntArray, FloatArray]:
    """The node left of each place and the share of the way to the next one, for nodes equally far apart."""
    if nodes.size == 1:
        return np.zeros(at.shape, dtype=np.int64), np.zeros(at.shape)
    way = (at - nodes[0]) / (nodes[1] - nodes[0])
    left = np.clip(way.astype(np.int64), 0, nodes.size - 2)
    return left, np.clip(way - left, 0.0, 1.0)


def _window(total: FloatArray, before: int, behind: int, least: float) -> FloatArray:
    """The largest of the rows i - before .. i + behind (d, k), by runs of doubled length."""
    size, length = total.shape[0], before + behind + 1
    padded = np.full((size + before + behind, total.shape[1]), least)
    padded[before : before + size] = total
    run = 1
    while 2 * run <= length:
        padded = np.maximum(padded[:-run], padded[run:])
        run *= 2
    if length > run:
        padded = np.maximum(padded[: run - length], padded[length - run :])
    return padded
