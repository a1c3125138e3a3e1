"""Equal stretch on a tree with bounds: water-filling.

Every leaf gets `level * weight`, within its bounds and those of the nodes above it; one level for the
whole tree, another one below each node whose own bound acts. Among all divisions that keep the bounds it
is the one whose largest ratio of share to weight is smallest, then the next (leximin), and at once the one
whose smallest is largest: Megiddo 1974 (flows on trees), Fujishige 1980 (lexicographically optimal bases).
O(n log n) a level of bounded nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.quotas.hierarchy import Hierarchy

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Filled:
    """A division: `share` of each node (N,), `unassigned` at each node (N,) where all caps below bind.

    share[n] = sum of its children's shares + unassigned[n].
    """

    share: FloatArray
    unassigned: FloatArray


def fill(tree: Hierarchy, weights: FloatArray, total: float, lower: FloatArray, upper: FloatArray) -> Filled:
    """Divide `total` over the leaves in proportion to `weights` (L,) >= 0, within bounds of nodes (N,).

    Leaves without weight get their lower bound. The bounds of the company are not looked at. The caller
    has made sure by `floor_conflict` that no node's floors exceed what it may carry; then every bound holds.
    """
    anchor, bounded = _anchors(tree, lower, upper)
    groups: dict[int, _Curve] = {}
    curves: dict[int, _Curve] = {}
    members = _members(tree, anchor, bounded)
    for node in bounded[::-1].tolist():
        inside = _group_curve(tree, weights, lower, upper, members[node], curves)
        groups[node] = inside
        if node:
            curves[node] = inside.clipped(lower[node], upper[node])
    share = np.zeros(tree.size)
    amount = {0: total}
    first = int(tree.starts[-2])
    for node in bounded.tolist():
        level = groups[node].level_of(amount[node])
        leaves, inner = members[node]
        share[leaves] = _leaf_shares(weights[leaves - first], level, lower[leaves], upper[leaves])
        for child in inner.tolist():
            amount[child] = float(curves[child].value(level))
    return _summed(tree, share, bounded, amount)


def floor_conflict(
    tree: Hierarchy, lower: FloatArray, upper: FloatArray, total: float
) -> tuple[int, float] | None:
    """The first node, from below, whose floors add up to more than it may carry, and their sum; else None."""
    floors = np.maximum(lower, 0.0).copy()
    limit = upper.copy()
    limit[0] = total
    for level in range(tree.depth, 0, -1):
        nodes = tree.nodes(level)
        below = np.zeros(tree.size)
        over = floors[nodes] > limit[nodes] + _ROUNDING * np.maximum(1.0, np.abs(limit[nodes]))
        if over.any():
            node = nodes.start + int(over.argmax())
            return node, float(floors[node])
        np.add.at(below, tree.parent[nodes], floors[nodes])
        above = tree.nodes(level - 1)
        floors[above] = np.maximum(floors[above], below[above])
    if below[0] > total + _ROUNDING * max(1.0, abs(total)):
        return 0, float(below[0])
    return None


@dataclass(frozen=True)
class _Curve:
    """What a set of leaves takes in by the level: `start`, then slope changes `steps` at sorted levels
    `at`."""

    start: float
    at: FloatArray
    steps: FloatArray

    def values(self) -> tuple[FloatArray, FloatArray]:
        """Value at each breakpoint, and the slope after it."""
        slope = np.cumsum(self.steps)
        gaps = np.diff(self.at, prepend=0.0)
        before = np.concatenate([[0.0], slope[:-1]])
        return self.start + np.cumsum(before * gaps), slope

    def value(self, level: float) -> float:
        """Value at a level."""
        reached = self.at < level
        if np.isinf(level):
            values, _ = self.values()
            return float(values[-1]) if len(values) else self.start
        return float(self.start + ((level - self.at[reached]) * self.steps[reached]).sum())

    def level_of(self, amount: float) -> float:
        """The smallest level at which `amount` is taken in; inf where it never is, 0 where it always is."""
        if amount <= self.start or not len(self.at):
            return 0.0 if amount <= self.start else np.inf
        values, slope = self.values()
        after = int(np.searchsorted(values, amount, side="left"))
        if after < len(values) and values[after] == amount:
            return float(self.at[after])
        at = after - 1
        if at < 0:
            return float(self.at[0])
        # What is left of a slope after all leaves are full is rounding of the sum.
        if slope[at] <= _ROUNDING * np.abs(self.steps).max():
            return np.inf if after == len(values) else float(self.at[after])
        return float(self.at[at] + (amount - values[at]) / slope[at])

    def clipped(self, low: float, high: float) -> _Curve:
        """The curve held within `low` and `high`."""
        raised = self._raised(low)
        if high == np.inf:
            return raised
        if raised.start >= high:
            return _Curve(high, np.zeros(0), np.zeros(0))
        full = raised.level_of(high)
        if np.isinf(full):
            return raised
        kept = raised.at < full
        steps = raised.steps[kept]
        return _Curve(raised.start, np.append(raised.at[kept], full), np.append(steps, -steps.sum()))

    def _raised(self, low: float) -> _Curve:
        """The curve where it lies above `low`, and `low` elsewhere."""
        if low <= self.start:
            return self
        leaves = self.level_of(low)
        if np.isinf(leaves):
            return _Curve(low, np.zeros(0), np.zeros(0))
        kept = self.at > leaves
        slope = self.steps[~kept].sum()
        return _Curve(low, np.insert(self.at[kept], 0, leaves), np.insert(self.steps[kept], 0, slope))


def _anchors(tree: Hierarchy, lower: FloatArray, upper: FloatArray) -> tuple[IntArray, IntArray]:
    """The nearest node with a bound of its own above each node (N,), and those nodes, company first.

    Leaves are not among them: their bounds are part of the curves.
    """
    own = (lower > 0) | (upper < np.inf)
    own[0] = True
    own[tree.leaves] = False
    anchor = np.zeros(tree.size, dtype=np.int64)
    for level in range(1, tree.depth + 1):
        nodes = tree.nodes(level)
        above = tree.parent[nodes]
        anchor[nodes] = np.where(own[above], above, anchor[above])
    return anchor, np.flatnonzero(own)


def _members(tree: Hierarchy, anchor: IntArray, bounded: IntArray) -> dict[int, tuple[IntArray, IntArray]]:
    """The leaves and the bounded nodes that hang on each bounded node directly."""
    leaves = np.arange(tree.starts[-2], tree.starts[-1])
    inner = bounded[1:]
    found = {}
    for nodes, side in ((leaves, 0), (inner, 1)):
        order = np.argsort(anchor[nodes], kind="stable")
        cuts = np.searchsorted(anchor[nodes][order], [bounded, bounded + 1])
        for at, node in enumerate(bounded.tolist()):
            found[node, side] = nodes[order[cuts[0, at] : cuts[1, at]]]
    return {node: (found[node, 0], found[node, 1]) for node in bounded.tolist()}


def _group_curve(
    tree: Hierarchy,
    weights: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    members: tuple[IntArray, IntArray],
    curves: dict[int, _Curve],
) -> _Curve:
    leaves, inner = members
    weight = weights[leaves - int(tree.starts[-2])]
    floors = np.maximum(lower[leaves], 0.0)
    rising = (weight > 0) & (upper[leaves] > floors)
    weight, low, high = weight[rising], floors[rising], upper[leaves][rising]
    capped = np.isfinite(high)
    parts = [curves[node] for node in inner.tolist()]
    at = np.concatenate([low / weight, high[capped] / weight[capped], *(part.at for part in parts)])
    steps = np.concatenate([weight, -weight[capped], *(part.steps for part in parts)])
    order = np.argsort(at, kind="stable")
    start = float(floors.sum()) + sum(part.start for part in parts)
    return _Curve(start, at[order], steps[order])


def _leaf_shares(weight: FloatArray, level: float, lower: FloatArray, upper: FloatArray) -> FloatArray:
    floors = np.maximum(lower, 0.0)
    if np.isinf(level):
        return np.where(weight > 0, np.where(np.isfinite(upper), upper, floors), floors)
    return np.where(weight > 0, np.clip(weight * level, floors, np.maximum(upper, floors)), floors)


def _summed(tree: Hierarchy, share: FloatArray, bounded: IntArray, amount: dict[int, float]) -> Filled:
    """Shares of inner nodes from below; a bounded node keeps its own amount and shows what is unassigned."""
    unassigned = np.zeros(tree.size)
    own = np.full(tree.size, np.nan)
    own[bounded] = [amount[node] for node in bounded.tolist()]
    for level in range(tree.depth - 1, -1, -1):
        nodes, below = tree.nodes(level), tree.nodes(level + 1)
        total = np.bincount(
            tree.parent[below] - nodes.start, weights=share[below], minlength=nodes.stop - nodes.start
        )
        rest = np.nan_to_num(own[nodes] - total)
        real = rest > _ROUNDING * np.maximum(1.0, np.abs(np.nan_to_num(own[nodes])))
        unassigned[nodes] = np.where(real, rest, 0.0)
        share[nodes] = total + unassigned[nodes]
    return Filled(share, unassigned)
