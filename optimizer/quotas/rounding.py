"""Whole steps from the top down, every sum exact.

Given the whole numbers Q of the parents, the children's figures are scaled to x[n,t] with
sum over children x[., t] = ratio Q[parent, t]; then A[n,t] is the floor or the ceiling of x[n,t], and so
are the sums over longer spans and over the children, and all of them add up. Children nest under parents
and months under quarters and years: two nested families make a network, so a linear program has a whole
optimum (Cox 1987; Edmonds 1970). It minimises the sum of the distances of all these numbers from the true
figures. Sums across markets cross those over time; then a small integer program follows, and where no such
table exists the fewest steps beyond floor and ceiling are taken.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.quotas.balancing import balanced_rows, shifted_sums
from optimizer.quotas.hierarchy import Hierarchy
from optimizer.quotas.spans import Spans
from optimizer.quotas.steps import Window, floor, nearest_table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Rounded:
    """Whole steps by node and shortest span (N, T), and by how many steps a number had to leave its floor or
    ceiling (N,): 0 everywhere but where no such table exists."""

    steps: IntArray
    excess: IntArray


def round_top_down(
    tree: Hierarchy,
    spans: Spans,
    real: FloatArray,
    ratio: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    unassigned: FloatArray,
) -> Rounded:
    """Whole numbers for figures `real` (N, T) in steps.

    `ratio` (D,) is what the children of each level carry for one step of their parent. `lower` and `upper`
    (N,) are whole bounds on the horizon that the figures keep; `unassigned` (N,) in steps stays with the
    parent. Raises `SolverFailedError` when the solver fails.
    """
    low, high = reachable(tree, ratio, lower, _without_idle(tree, real, lower, upper))
    steps = np.zeros(real.shape, dtype=np.int64)
    excess = np.zeros(tree.size, dtype=np.int64)
    names = ties(tree, spans)
    total = floor(np.array([real[0].sum() + 0.5]))
    root = Window(total, total)
    steps[:1], excess[:1] = nearest_table(
        real[:1], np.zeros(1, dtype=np.int64), spans, root, names[:1], company=True
    )
    for level in range(1, tree.depth + 1):
        nodes = tree.nodes(level)
        parent = tree.parent[nodes] - tree.nodes(level - 1).start
        scaled = _scaled(tree, level, real, steps, float(ratio[level - 1]), low, high, unassigned, spans)
        window = Window(low[nodes], high[nodes])
        steps[nodes], excess[nodes] = nearest_table(scaled, parent, spans, window, names[nodes])
    return Rounded(steps, excess)


def _without_idle(tree: Hierarchy, real: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """The upper bounds, where a leaf without any figure can take nothing beyond its floor."""
    found = upper.copy()
    leaves = tree.leaves
    idle = real[leaves].sum(axis=1) <= _ROUNDING
    found[leaves] = np.where(idle, np.maximum(lower[leaves], 0.0), found[leaves])
    return found


def reachable(
    tree: Hierarchy, ratio: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Whole totals of the horizon that leave room for the bounds below: lowest and highest (N,).

    A parent's number Q fits children whose numbers add up to S when S is floor or ceiling of ratio Q.
    """
    low, high = np.maximum(lower, 0.0), upper.copy()
    for level in range(tree.depth, 0, -1):
        nodes, above = tree.nodes(level), tree.nodes(level - 1)
        at, count, step = tree.parent[nodes] - above.start, above.stop - above.start, ratio[level - 1]
        floors = np.bincount(at, weights=low[nodes], minlength=count)
        caps = np.bincount(at, weights=high[nodes], minlength=count)
        from_floors = np.maximum(np.floor((floors - 1.0) / step + _ROUNDING) + 1.0, 0.0)
        from_caps = np.ceil((caps + 1.0) / step - _ROUNDING) - 1.0
        low[above] = np.maximum(low[above], from_floors)
        # A locked parent above its children's caps keeps its number: the rest is unassigned.
        high[above] = np.maximum(np.minimum(high[above], from_caps), low[above])
    return low, high


def _scaled(
    tree: Hierarchy,
    level: int,
    real: FloatArray,
    steps: IntArray,
    ratio: float,
    low: FloatArray,
    high: FloatArray,
    unassigned: FloatArray,
    spans: Spans,
) -> FloatArray:
    """Figures of a level that add up to `ratio` times their parent's whole numbers, within their bounds."""
    nodes, above = tree.nodes(level), tree.nodes(level - 1)
    parent = tree.parent[nodes] - above.start
    count = above.stop - above.start
    figures = real[nodes]
    below = np.zeros((count, figures.shape[1]))
    np.add.at(below, parent, figures)
    keeps = unassigned[above] > 0
    asked = np.where(keeps[:, None], below, ratio * steps[above])
    children_low = np.bincount(parent, weights=low[nodes], minlength=count)
    children_high = np.bincount(parent, weights=high[nodes], minlength=count)
    asked = shifted_sums(asked, np.clip(asked.sum(axis=1), children_low, children_high), spans)
    share = np.divide(asked, below, out=np.zeros_like(below), where=below > 0)
    scaled = figures * share[parent]
    stranded = (below <= 0) & (asked > 0)
    if stranded.any():
        # The parent has a number where no child has a figure: the children's shares of the horizon count.
        scaled += _by_horizon(figures, parent, count) * np.where(stranded, asked, 0.0)[parent]
    return balanced_rows(scaled, parent, asked, low[nodes], high[nodes])


def _by_horizon(figures: FloatArray, parent: IntArray, count: int) -> FloatArray:
    """Share of each child in its parent's horizon (n, 1); equal shares where all are zero."""
    rows = figures.sum(axis=1)
    total = np.bincount(parent, weights=rows, minlength=count)
    size = np.bincount(parent, minlength=count)
    equal = 1.0 / size[parent]
    share = np.divide(rows, total[parent], out=equal.copy(), where=total[parent] > 0)
    return np.asarray(share[:, None])


def ties(tree: Hierarchy, spans: Spans) -> FloatArray:
    """A number in 0..1 for each node and shortest span (N, T) from their labels alone: it decides between
    roundings that are equally near, so that row order, method and worker do not."""
    node = np.array([zlib.crc32("\x1f".join(path).encode()) for path in tree.paths], dtype=np.uint64)
    span = _hashes(spans.labels)
    mixed = (node[:, None] * np.uint64(2654435761) + span[None, :] * np.uint64(40503)) % np.uint64(1_000_003)
    return np.asarray(mixed.astype(np.float64) / 1_000_003)


def _hashes(labels: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([zlib.crc32(label.encode()) for label in labels], dtype=np.uint64)
