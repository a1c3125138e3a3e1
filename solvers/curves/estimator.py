"""The over-estimator of all curves as a mixed-integer program: secants where convex, tangents where concave.

A curve with one segment needs rows on input and output only. With several segments, input and output are written
in increments (incremental form, Markowitz & Manne 1957): lambda_s in [0, 1] is how far segment s is filled,
z_s = 1 when it is full, so that lambda_{s+1} <= z_s <= lambda_s, and

    input = low + sum_s length_s lambda_s,     output <= f(low) + sum_s gain_s,
    gain_s  = (f(b_s) - f(a_s)) lambda_s                                         on convex segments,
    gain_s <= f'(t) length_s lambda_s + (f(t) - f(a_s) - f'(t) (t - a_s)) z_{s-1}  on concave ones, every tangent t.

The last term makes the relaxation as tight as the convex hull of the segments. Equations need the lower side too: there
secants and tangents change places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from solvers.curves.prepared import Prepared
from solvers.program import BoolArray, FloatArray, IntArray, LinearProgram

_BISECTIONS = 45
_STEEPEST = 1e7
_CLOSEST = 1e-10
_FIRST_TANGENTS = (1e-3, 0.03, 0.15, 0.4)


@dataclass(frozen=True)
class Grid:
    """Nodes and inner tangents of all curves, flat and sorted by owner and position.

    `concave[i]` says how the curve bends to the right of node i.
    """

    owner: IntArray
    x: FloatArray
    concave: BoolArray
    tangent_owner: IntArray
    tangent_x: FloatArray

    def with_nodes(self, owner: IntArray, x: FloatArray) -> Grid:
        """The grid with more nodes; those that lie on a node already change nothing."""
        if owner.size == 0:
            return self
        place = self.left_node(owner, x)
        right = np.minimum(place + 1, self.x.size - 1)
        apart = (x - self.x[place] > _CLOSEST) & (self.x[right] - x > _CLOSEST)
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
        new[1:] = (owners[1:] != owners[:-1]) | (points[1:] - points[:-1] > _CLOSEST)
        return replace(self, tangent_owner=owners[new], tangent_x=points[new])

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


@dataclass(frozen=True)
class Estimator:
    """A mixed-integer program whose first columns are those of the prepared program, and where its parts are:
    column of lambda, z (of the segment's end) and gain by segment, -1 for none."""

    program: LinearProgram
    segments: Segments
    fill: IntArray
    full: IntArray
    gain: IntArray
    num_binaries: int

    def relaxed(self) -> LinearProgram:
        """The linear program without whole numbers."""
        return self.program.replace(integer=np.zeros_like(self.program.integer))

    def curves_relaxed(self, num_columns: int) -> LinearProgram:
        """The program with the whole numbers of the first `num_columns` columns only."""
        integer = self.program.integer.copy()
        integer[num_columns:] = False
        return self.program.replace(integer=integer)

    def lift(self, prepared: Prepared, x: FloatArray) -> FloatArray:
        """The point of this program that stands for a point x of the prepared program on the true curves."""
        segments = self.segments
        point = np.zeros(self.program.num_columns)
        point[: x.size] = x
        at = np.clip(x[prepared.inputs], prepared.low, prepared.high)[segments.owner]
        reached = np.clip(at, segments.a, segments.b)
        filled = self.fill >= 0
        point[self.fill[filled]] = ((reached - segments.a) / (segments.b - segments.a))[filled]
        ended = self.full >= 0
        point[self.full[ended]] = (at >= segments.b)[ended]
        gains = np.flatnonzero(self.gain >= 0)
        owner = segments.owner[gains]
        point[self.gain[gains]] = prepared.table.value(owner, reached[gains]) - segments.value_a[gains]
        return point


def first_grid(prepared: Prepared) -> Grid:
    """The edges of every curve as nodes, and a few tangents on each concave piece."""
    alive = (prepared.high - prepared.low > _CLOSEST)[prepared.edge_owner]
    owner, x = prepared.edge_owner[alive], prepared.edges[alive]
    empty = np.zeros(0)
    grid = Grid(owner, x, prepared.concave[alive], empty.astype(np.int64), empty)
    segments = _segments(prepared, grid)
    hollow = np.flatnonzero(segments.concave)
    curves, a, b = segments.owner[hollow], segments.a[hollow], segments.b[hollow]
    share = np.array(_FIRST_TANGENTS)
    grid = grid.with_tangents(
        np.repeat(curves, share.size), (a[:, None] + (b - a)[:, None] * share).ravel()
    )
    touching = hollow[~segments.first[hollow]]
    return grid.with_tangents(segments.owner[touching], _touching_points(prepared, segments, touching))


def _touching_points(prepared: Prepared, segments: Segments, chosen: IntArray) -> FloatArray:
    # Where the straight line from the curve's lowest point touches the concave segment: the envelope leaves it there.
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


def _segments(prepared: Prepared, grid: Grid) -> Segments:
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


class _Rows:
    """Rows in the making: triplets and bounds."""

    def __init__(self) -> None:
        self.count = 0
        self.row: list[IntArray] = []
        self.column: list[IntArray] = []
        self.value: list[FloatArray] = []
        self.lower: list[FloatArray] = []
        self.upper: list[FloatArray] = []

    def add(self, size: int, lower: FloatArray, upper: FloatArray) -> IntArray:
        """Reserve `size` rows with bounds and return their numbers."""
        self.lower.append(np.broadcast_to(lower, size).astype(float))
        self.upper.append(np.broadcast_to(upper, size).astype(float))
        self.count += size
        return np.arange(self.count - size, self.count)

    def put(self, row: IntArray, column: IntArray, value: FloatArray) -> None:
        """Coefficients; columns of -1 are left out."""
        there = column >= 0
        self.row.append(row[there])
        self.column.append(column[there])
        self.value.append(np.broadcast_to(value, row.shape)[there].astype(float))

    def onto(self, program: LinearProgram, added: int, integer: BoolArray, lower: float) -> LinearProgram:
        """The program with `added` columns in [lower, 1] and these rows."""
        columns = program.num_columns + added
        if self.count == 0:
            return program
        block = sparse.csc_array(
            (np.concatenate(self.value), (np.concatenate(self.row), np.concatenate(self.column))),
            shape=(self.count, columns),
        )
        wide = sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, added))])
        return program.replace(
            objective=np.concatenate([program.objective, np.zeros(added)]),
            matrix=sparse.csc_array(sparse.vstack([wide, block], format="csc")),
            row_lower=np.concatenate([program.row_lower, *self.lower]),
            row_upper=np.concatenate([program.row_upper, *self.upper]),
            column_lower=np.concatenate([program.column_lower, np.full(added, lower)]),
            column_upper=np.concatenate([program.column_upper, np.ones(added)]),
            integer=np.concatenate([program.integer, integer]),
            row_blocks=(),
            column_blocks=(),
        )


def build(prepared: Prepared, grid: Grid) -> Estimator:
    """The mixed-integer program of a grid; its optimum bounds that of the true curves."""
    segments = _segments(prepared, grid)
    several = ~segments.single
    equal = prepared.equal[segments.owner]
    base = prepared.program.num_columns
    fill = _numbered(several, base)
    full = _numbered(several & ~segments.last, base + int(several.sum()))
    own_gain = several & (segments.concave | equal)
    gain = _numbered(own_gain, base + int(several.sum()) + int((full >= 0).sum()))
    integer = np.concatenate([np.zeros(several.sum(), bool), np.ones((full >= 0).sum(), bool), np.zeros(own_gain.sum(), bool)])
    rows = _Rows()
    _fixed_rows(rows, prepared)
    _increment_rows(rows, prepared, segments, fill, full, gain)
    _secant_rows(rows, prepared, segments, fill, gain)
    _tangent_rows(rows, prepared, grid, segments, (fill, full, gain))
    program = rows.onto(prepared.program, integer.size, integer, 0.0)
    if (gain >= 0).any():
        # Gains are free: their rows bound them, and curves that fall have negative ones.
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        lower[gain[gain >= 0]], upper[gain[gain >= 0]] = -np.inf, np.inf
        program = program.replace(column_lower=lower, column_upper=upper)
    return Estimator(program, segments, fill, full, gain, int(integer.sum()))


def _numbered(chosen: BoolArray, start: int) -> IntArray:
    return np.where(chosen, start + np.cumsum(chosen) - 1, -1)


def _fixed_rows(rows: _Rows, prepared: Prepared) -> None:
    # Curves whose input cannot move.
    fixed = np.flatnonzero(prepared.high - prepared.low <= _CLOSEST)
    value = np.maximum(
        prepared.table.value(fixed, prepared.low[fixed]), prepared.table.value(fixed, prepared.high[fixed])
    )
    row = rows.add(fixed.size, np.where(prepared.equal[fixed], value, -np.inf), value)
    rows.put(row, prepared.outputs[fixed], np.ones(fixed.size))


def _increment_rows(
    rows: _Rows, prepared: Prepared, segments: Segments, fill: IntArray, full: IntArray, gain: IntArray
) -> None:
    several = np.flatnonzero(fill >= 0)
    owner = segments.owner[several]
    curves, place = np.unique(owner, return_inverse=True)
    low = prepared.low[curves]
    row = rows.add(curves.size, low, low)
    rows.put(row, prepared.inputs[curves], np.ones(curves.size))
    rows.put(row[place], fill[several], -(segments.b - segments.a)[several])
    start = prepared.table.value(curves, low)
    row = rows.add(curves.size, np.where(prepared.equal[curves], start, -np.inf), start)
    rows.put(row, prepared.outputs[curves], np.ones(curves.size))
    rows.put(row[place], gain[several], -np.ones(several.size))
    inline = several[gain[several] < 0]
    rows.put(
        row[np.searchsorted(curves, segments.owner[inline])],
        fill[inline],
        -(segments.value_b - segments.value_a)[inline],
    )
    ended = np.flatnonzero(full >= 0)
    row = rows.add(ended.size, 0.0, np.inf)
    rows.put(row, fill[ended], np.ones(ended.size))
    rows.put(row, full[ended], -np.ones(ended.size))
    row = rows.add(ended.size, 0.0, np.inf)
    rows.put(row, full[ended], np.ones(ended.size))
    rows.put(row, fill[ended + 1], -np.ones(ended.size))


def _secant_rows(
    rows: _Rows, prepared: Prepared, segments: Segments, fill: IntArray, gain: IntArray
) -> None:
    """Convex segments from above (single ones, and gains of equations), concave ones of equations from below."""
    equal = prepared.equal[segments.owner]
    rise = segments.value_b - segments.value_a
    slope = rise / (segments.b - segments.a)
    above = ~segments.concave
    below = segments.concave & equal
    chosen = np.flatnonzero(segments.single & (above | below))
    owner = segments.owner[chosen]
    level = (segments.value_a - slope * segments.a)[chosen]
    row = rows.add(chosen.size, np.where(below[chosen], level, -np.inf), np.where(above[chosen], level, np.inf))
    rows.put(row, prepared.outputs[owner], np.ones(chosen.size))
    rows.put(row, prepared.inputs[owner], -slope[chosen])
    chosen = np.flatnonzero((gain >= 0) & (above | below))
    row = rows.add(chosen.size, np.where(below[chosen], 0.0, -np.inf), np.where(above[chosen], 0.0, np.inf))
    rows.put(row, gain[chosen], np.ones(chosen.size))
    rows.put(row, fill[chosen], -rise[chosen])


def _tangent_rows(
    rows: _Rows, prepared: Prepared, grid: Grid, segments: Segments, columns: tuple[IntArray, IntArray, IntArray]
) -> None:
    """Concave segments from above, convex ones of equations from below: tangents at both ends and inside."""
    fill, full, gain = columns
    place = np.searchsorted(segments.node, grid.left_node(grid.tangent_owner, grid.tangent_x))
    needed = np.flatnonzero(segments.concave | prepared.equal[segments.owner])
    segment = np.concatenate([place, needed, needed])
    at = np.concatenate([grid.tangent_x, segments.a[needed], segments.b[needed]])
    keep = (segments.concave | prepared.equal[segments.owner])[segment]
    segment, at = segment[keep], at[keep]
    owner = segments.owner[segment]
    slope = prepared.table.slope(owner, at)
    usable = np.isfinite(slope) & (np.abs(slope) <= _STEEPEST)
    segment, at, owner, slope = segment[usable], at[usable], owner[usable], slope[usable]
    value = prepared.table.value(owner, at)
    above = segments.concave[segment]
    unit = 1.0 / np.maximum(1.0, np.abs(slope))
    single = segments.single[segment]
    level = np.where(single, value - slope * at, 0.0)
    at_start = value - segments.value_a[segment] - slope * (at - segments.a[segment])
    level = np.where(~single & segments.first[segment], at_start, level) * unit
    row = rows.add(at.size, np.where(above, -np.inf, level), np.where(above, level, np.inf))
    rows.put(row, np.where(single, prepared.outputs[owner], gain[segment]), unit)
    rows.put(
        row,
        np.where(single, prepared.inputs[owner], fill[segment]),
        -unit * slope * np.where(single, 1.0, (segments.b - segments.a)[segment]),
    )
    before = np.where(single | segments.first[segment], -1, full[np.maximum(segment - 1, 0)])
    rows.put(row, before, -unit * at_start)
