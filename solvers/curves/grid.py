"""Where the over-estimator of every curve has nodes and tangents."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.curves.prepared import Prepared
from solvers.program import BoolArray, FloatArray, IntArray

CLOSEST = 1e-8
"""Inputs that can move less than this, in units of the largest input of their curve, do not move."""
_BISECTIONS = 45
_FIRST_TANGENTS = (1e-3, 0.02, 0.1, 0.3, 0.6)
_TANGENTS_BEYOND = (0.1, 0.35)
_MOST_PARTS = 4


@dataclass(frozen=True)
class Grid:
    """Nodes and inner tangents of all curves, flat and sorted by owner and position.

    `concave[i]` says how the curve bends to the right of node i. Neighbours are at least `closest` apart:
    solvers are misled by steps shorter than their tolerance.
    """

    owner: IntArray
    x: FloatArray
    concave: BoolArray
    tangent_owner: IntArray
    tangent_x: FloatArray
    closest: float = CLOSEST

    @property
    def size(self) -> int:
        """Number of nodes and tangents."""
        return int(self.x.size + self.tangent_x.size)

    def with_nodes(self, owner: IntArray, x: FloatArray) -> Grid:
        """The grid with more nodes; those that lie on a node already change nothing."""
        if owner.size == 0:
            return self
        place = self.left_node(owner, x)
        right = np.minimum(place + 1, self.x.size - 1)
        apart = (x - self.x[place] > self.closest) & (self.x[right] - x > self.closest)
        owners = np.concatenate([self.owner, owner[apart]])
        points = np.concatenate([self.x, x[apart]])
        bends = np.concatenate([self.concave, self.concave[place[apart]]])
        order = np.lexsort((points, owners))
        return replace(self, owner=owners[order], x=points[order], concave=bends[order])

    def with_tangents(self, owner: IntArray, x: FloatArray) -> Grid:
        """The grid with more tangents; repeated ones are left out."""
        owners, points = np.concatenate([self.tangent_owner, owner]), np.concatenate([self.tangent_x, x])
        order = np.lexsort((points, owners))
        owners, points = owners[order], points[order]
        new = np.ones(owners.size, dtype=bool)
        new[1:] = (owners[1:] != owners[:-1]) | (points[1:] - points[:-1] > self.closest)
        return replace(self, tangent_owner=owners[new], tangent_x=points[new])

    def bends_at(self, x: FloatArray) -> BoolArray:
        """Whether a place (n,) of each curve lies on a convex segment; not for curves without nodes."""
        there = np.zeros(x.size, dtype=bool)
        there[self.owner] = True
        curves = np.flatnonzero(there)
        convex = np.zeros(x.size, dtype=bool)
        convex[curves] = ~self.concave[self.left_node(curves, x[curves])]
        return convex

    def left_node(self, owner: IntArray, x: FloatArray) -> IntArray:
        """Index of the node at or left of each point, the last but one of its curve at most."""
        owners, points = np.concatenate([self.owner, owner]), np.concatenate([self.x, x])
        is_query = np.concatenate([np.zeros(self.owner.size, bool), np.ones(owner.size, bool)])
        order = np.lexsort((is_query, points, owners))
        nodes_so_far = np.cumsum(~is_query[order]) - 1
        place = np.empty(owners.size, dtype=np.int64)
        place[order] = nodes_so_far
        found = place[self.owner.size :]
        first = np.searchsorted(self.owner, owner)
        last = np.searchsorted(self.owner, owner, side="right") - 1
        clipped: IntArray = np.clip(found, first, np.maximum(last - 1, first))
        return clipped


@dataclass(frozen=True)
class Segments:
    """Segments between neighbouring nodes: owner, ends, curve at the ends, bend, place in the curve."""

    owner: IntArray
    a: FloatArray
    b: FloatArray
    value_a: FloatArray
    value_b: FloatArray
    concave: BoolArray
    first: BoolArray
    last: BoolArray
    node: IntArray

    @property
    def single(self) -> BoolArray:
        """Segments that are the only one of their curve."""
        return self.first & self.last


def first_grid(prepared: Prepared, closest: float = CLOSEST) -> Grid:
    """The edges of every curve as nodes, and a few tangents on each concave piece."""
    alive = (prepared.high - prepared.low > CLOSEST)[prepared.edge_owner]
    owner, x = prepared.edge_owner[alive], prepared.edges[alive]
    empty = np.zeros(0)
    grid = Grid(owner, x, prepared.concave[alive], empty.astype(np.int64), empty, closest)
    segments = segments_of(prepared, grid)
    alone = np.flatnonzero(segments.concave & segments.first)
    grid = grid.with_tangents(
        *_spread(segments.owner[alone], segments.a[alone], segments.b[alone], _FIRST_TANGENTS)
    )
    later = np.flatnonzero(segments.concave & ~segments.first)
    touch = _touching_points(prepared, segments, later)
    grid = grid.with_tangents(*_spread(segments.owner[later], touch, segments.b[later], _TANGENTS_BEYOND))
    return grid.with_tangents(segments.owner[later], touch)


def _spread(
    owner: IntArray, a: FloatArray, b: FloatArray, shares: tuple[float, ...]
) -> tuple[IntArray, FloatArray]:
    points = a[:, None] + (b - a)[:, None] * np.array(shares)
    return np.repeat(owner, len(shares)), points.ravel()


def _touching_points(prepared: Prepared, segments: Segments, chosen: IntArray) -> FloatArray:
    # Where the straight line from the curve's lowest point touches the concave segment: the envelope leaves
    # it there.
    owner = segments.owner[chosen]
    origin = prepared.low[owner]
    level = prepared.table.value(owner, origin)
    left, right = segments.a[chosen].copy(), segments.b[chosen].copy()
    for _ in range(_BISECTIONS):
        middle = 0.5 * (left + right)
        rise = prepared.table.slope(owner, middle) * (middle - origin)
        before = rise > prepared.table.value(owner, middle) - level
        left, right = np.where(before, middle, left), np.where(before, right, middle)
    return right


def segments_of(prepared: Prepared, grid: Grid) -> Segments:
    """The segments of a grid."""
    value = prepared.table.value(grid.owner, grid.x)
    node = np.flatnonzero(grid.owner[1:] == grid.owner[:-1])
    owner = grid.owner[node]
    first = np.ones(node.size, dtype=bool)
    first[1:] = owner[1:] != owner[:-1]
    last = np.ones(node.size, dtype=bool)
    last[:-1] = owner[1:] != owner[:-1]
    return Segments(
        owner=owner,
        a=grid.x[node],
        b=grid.x[node + 1],
        value_a=value[node],
        value_b=value[node + 1],
        concave=grid.concave[node],
        first=first,
        last=last,
        node=node,
    )


def refine_secants(prepared: Prepared, grid: Grid, price: FloatArray, allowed: float) -> Grid:
    """More nodes on convex segments where the secant's error is worth more than `allowed`.

    `price` (n,) is what a unit of each curve's output is worth. A segment whose largest error is worth k
    times what is allowed is cut into about sqrt(k) parts, because the error falls with the square of the
    length; 4 at most.
    """
    segments = segments_of(prepared, grid)
    convex = np.flatnonzero(~segments.concave)
    owner, a, b = segments.owner[convex], segments.a[convex], segments.b[convex]
    places = a[:, None] + (b - a)[:, None] * np.array([0.25, 0.5, 0.75])
    share = (places - a[:, None]) / (b - a)[:, None]
    secant = segments.value_a[convex, None] * (1 - share) + segments.value_b[convex, None] * share
    true = prepared.table.value(np.repeat(owner, 3), places.ravel()).reshape(places.shape)
    worth = (secant - true).max(axis=1) * price[owner]
    parts = np.clip(np.ceil(np.sqrt(worth / allowed)), 1, _MOST_PARTS).astype(np.int64)
    owners = np.repeat(owner, parts - 1)
    number = np.arange(owners.size) - np.repeat(np.cumsum(parts - 1) - (parts - 1), parts - 1) + 1
    at = np.repeat(a, parts - 1) + number * np.repeat((b - a) / parts, parts - 1)
    return grid.with_nodes(owners, at)
