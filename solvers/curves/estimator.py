"""The over-estimator of all curves as a mixed-integer program: secants where convex, tangents where concave.

Input and output of a curve are written in increments (Markowitz & Manne 1957). A convex segment is one step,
its secant; a concave one has a step for each stretch between the crossings of its tangents. With fill_k in
[0, length_k unit_k] and unit_k = max(1, slope_k), so that a rounding error of a fill is one of the output at
most:

    input = low + sum_k fill_k / unit_k,    output <= f(low) + sum_k slope_k / unit_k fill_k

Steps of a concave segment fill in their order by themselves, because the first are the steepest. Between
segments a binary z_s says that segment s is full: its fills make up at least its length times z_s, and fill_k
<= length_k unit_k z_s on the steps of segment s + 1. A curve of one concave segment needs no binary, and no
curve needs a row for each tangent: rows are what a search pays for at every node. Steps beyond the point
where the straight line from the curve's start touches it share one row with z; the relaxation is the concave
envelope all the same, because filling them before z is 1 never pays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.curves.grid import CLOSEST, Grid, Segments, segments_of
from solvers.curves.prepared import Prepared
from solvers.curves.rows import AddedRows
from solvers.program import BoolArray, FloatArray, IntArray, LinearProgram

_STEEPEST = 1e6


@dataclass(frozen=True)
class Steps:
    """Steps of all segments, in order: segment, ends, and the over-estimator's height (above the curve's
    value at the segment's start) at both ends."""

    segment: IntArray
    start: FloatArray
    end: FloatArray
    height_start: FloatArray
    height_end: FloatArray
    first: BoolArray

    @property
    def length(self) -> FloatArray:
        """Length of each step."""
        return self.end - self.start

    @property
    def slope(self) -> FloatArray:
        """Slope of the over-estimator on each step."""
        return (self.height_end - self.height_start) / self.length

    @property
    def unit(self) -> FloatArray:
        """Fills of each step are counted in this many to a unit of input."""
        return np.maximum(1.0, np.abs(self.slope))


@dataclass(frozen=True)
class Estimator:
    """A mixed-integer program whose first columns are those of the prepared program, and where its parts are:
    the column of each step's fill, of the binary at each segment's end (-1 for none), how far the
    over-estimator lies above the curve at each segment's start, and the row that bounds each curve's output
    (-1 for none)."""

    program: LinearProgram
    segments: Segments
    steps: Steps
    fill: IntArray
    full: IntArray
    jump: FloatArray
    output_row: IntArray
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
        point = np.zeros(self.program.num_columns)
        point[: x.size] = x
        at = np.clip(x[prepared.inputs], prepared.low, prepared.high)[self.segments.owner]
        steps = self.steps
        filled = np.clip(at[steps.segment] - steps.start, 0.0, steps.length) * steps.unit
        there = self.fill >= 0
        point[self.fill[there]] = filled[there]
        ended = self.full >= 0
        point[self.full[ended]] = (at >= self.segments.b)[ended]
        return point

    def places(self, prepared: Prepared, x: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """For concave segments in use at a relaxed point: curve, the place on the curve that the point stands
        for (fills divided by z), and how far the over-estimator lies above the curve there, times z."""
        segments, steps = self.segments, self.steps
        before = np.where(segments.first, -1, self.full[np.maximum(np.arange(segments.owner.size) - 1, 0)])
        share = np.where(before >= 0, x[before], 1.0)
        filled = np.where(self.fill >= 0, x[self.fill], 0.0) / steps.unit
        reached = np.bincount(steps.segment, filled, share.size)
        height = np.bincount(steps.segment, steps.slope * filled, share.size) + self.jump * share
        direct = np.bincount(steps.segment, self.fill < 0, share.size) > 0
        used = np.flatnonzero(segments.concave & (share > 1e-7))
        owner, share = segments.owner[used], share[used]
        at = np.where(direct[used], x[prepared.inputs[owner]], segments.a[used] + reached[used] / share)
        at = np.clip(at, segments.a[used], segments.b[used])
        true = share * (prepared.table.value(owner, at) - segments.value_a[used])
        over = np.where(direct[used], np.inf, height[used] - true)
        return owner, at, over


def build(prepared: Prepared, grid: Grid) -> Estimator:
    """The mixed-integer program of a grid; its optimum bounds that of the true curves."""
    segments = segments_of(prepared, grid)
    steps = _steps(prepared, grid, segments)
    jump = np.zeros(segments.owner.size)
    jump[steps.segment[steps.first]] = steps.height_start[steps.first]
    counts = np.bincount(segments.owner[steps.segment], minlength=prepared.size)
    several = counts[segments.owner[steps.segment]] > 1
    fill = _numbered(several, prepared.program.num_columns)
    full = _numbered(~segments.last, prepared.program.num_columns + int(several.sum()))
    integer = np.concatenate(
        [np.zeros(several.sum(), dtype=bool), np.ones((~segments.last).sum(), dtype=bool)]
    )
    rows = AddedRows()
    _fixed_rows(rows, prepared)
    output_row = np.full(prepared.size, -1)
    _direct_rows(rows, prepared, segments, steps, (fill, output_row))
    _increment_rows(rows, prepared, segments, steps, (fill, full, jump, output_row))
    _order_rows(rows, prepared, segments, steps, (fill, full))
    upper = np.concatenate([(steps.length * steps.unit)[several], np.ones((~segments.last).sum())])
    program = rows.onto(prepared.program, integer, upper)
    output_row[output_row >= 0] += prepared.program.num_rows
    return Estimator(program, segments, steps, fill, full, jump, output_row, int(integer.sum()))


def _numbered(chosen: BoolArray, start: int) -> IntArray:
    return np.where(chosen, start + np.cumsum(chosen) - 1, -1)


def _steps(prepared: Prepared, grid: Grid, segments: Segments) -> Steps:
    """Convex segments as they are; concave ones cut where their tangents cross.

    The height at a crossing is the larger of the two tangents there, so that rounding only raises the
    over-estimator.
    """
    segment, at = _tangents(prepared, grid, segments)
    owner = segments.owner[segment]
    slope = prepared.table.slope(owner, at, at >= segments.b[segment])
    usable = np.isfinite(slope) & (np.abs(slope) <= _STEEPEST)
    segment, at, owner, slope = segment[usable], at[usable], owner[usable], slope[usable]
    height = prepared.table.value(owner, at) - segments.value_a[segment]
    pair = np.flatnonzero(segment[1:] == segment[:-1])
    crossing, crossing_height = _crossings(at, height, slope, pair)
    hollow = np.flatnonzero(~segments.concave)
    first = np.ones(segment.size, dtype=bool)
    first[1:] = segment[1:] != segment[:-1]
    last = np.ones(segment.size, dtype=bool)
    last[:-1] = segment[1:] != segment[:-1]
    # Points through which the over-estimator goes: both ends of every segment and the crossings between.
    a, b = segments.a[segment], segments.b[segment]
    points = [
        (segment[first], a[first], (height + slope * (a - at))[first]),
        (segment[pair], crossing, crossing_height),
        (segment[last], b[last], (height + slope * (b - at))[last]),
        (hollow, segments.a[hollow], np.zeros(hollow.size)),
        (hollow, segments.b[hollow], (segments.value_b - segments.value_a)[hollow]),
    ]
    where, x, up = (np.concatenate(part) for part in zip(*points, strict=True))
    order = np.lexsort((x, where))
    where, x, up = where[order], x[order], up[order]
    step = np.flatnonzero((where[1:] == where[:-1]) & (x[1:] > x[:-1]))
    starts = np.ones(step.size, dtype=bool)
    starts[1:] = where[step][1:] != where[step][:-1]
    return Steps(where[step], x[step], x[step + 1], up[step], up[step + 1], starts)


def _tangents(prepared: Prepared, grid: Grid, segments: Segments) -> tuple[IntArray, FloatArray]:
    # Tangents at the ends of concave segments and inside, sorted by segment and place, none twice.
    inside = np.searchsorted(segments.node, grid.left_node(grid.tangent_owner, grid.tangent_x))
    keep = segments.concave[inside]
    concave = np.flatnonzero(segments.concave)
    segment = np.concatenate([inside[keep], concave, concave])
    at = np.concatenate([grid.tangent_x[keep], segments.a[concave], segments.b[concave]])
    order = np.lexsort((at, segment))
    segment, at = segment[order], at[order]
    new = np.ones(segment.size, dtype=bool)
    new[1:] = (segment[1:] != segment[:-1]) | (at[1:] - at[:-1] > grid.closest)
    return segment[new], at[new]


def _crossings(
    at: FloatArray, height: FloatArray, slope: FloatArray, pair: IntArray
) -> tuple[FloatArray, FloatArray]:
    left, right = at[pair], at[pair + 1]
    bend = slope[pair] - slope[pair + 1]
    level = (height[pair + 1] - slope[pair + 1] * right) - (height[pair] - slope[pair] * left)
    middle = 0.5 * (left + right)
    crossing = np.where(bend > 1e-12, level / np.where(bend > 1e-12, bend, 1.0), middle)
    crossing = np.clip(crossing, left, right)
    height_left = height[pair] + slope[pair] * (crossing - left)
    height_right = height[pair + 1] + slope[pair + 1] * (crossing - right)
    return crossing, np.maximum(height_left, height_right)


def _fixed_rows(rows: AddedRows, prepared: Prepared) -> None:
    # Curves whose input cannot move.
    fixed = np.flatnonzero(prepared.high - prepared.low <= CLOSEST)
    ends = [prepared.table.value(fixed, end[fixed]) for end in (prepared.low, prepared.high)]
    row = rows.add(fixed.size, -np.inf, np.maximum(*ends))
    rows.put(row, prepared.outputs[fixed], prepared.sign[fixed])


def _direct_rows(
    rows: AddedRows, prepared: Prepared, segments: Segments, steps: Steps, places: tuple[IntArray, IntArray]
) -> None:
    # Curves of a single step: one straight line.
    fill, output_row = places
    alone = np.flatnonzero(fill < 0)
    segment = steps.segment[alone]
    owner = segments.owner[segment]
    slope = steps.slope[alone]
    level = segments.value_a[segment] + steps.height_start[alone] - slope * steps.start[alone]
    row = rows.add(alone.size, -np.inf, level)
    output_row[owner] = row
    rows.put(row, prepared.outputs[owner], prepared.sign[owner])
    rows.put(row, prepared.inputs[owner], -slope)


def _increment_rows(
    rows: AddedRows,
    prepared: Prepared,
    segments: Segments,
    steps: Steps,
    columns: tuple[IntArray, IntArray, FloatArray, IntArray],
) -> None:
    """Input and output of curves of several steps."""
    fill, full, jump, output_row = columns
    chosen = np.flatnonzero(fill >= 0)
    curves, place = np.unique(segments.owner[steps.segment[chosen]], return_inverse=True)
    low = prepared.low[curves]
    row = rows.add(curves.size, low, low)
    rows.put(row, prepared.inputs[curves], 1.0)
    rows.put(row[place], fill[chosen], -1.0 / steps.unit[chosen])
    head = np.searchsorted(segments.owner, curves)
    row = rows.add(curves.size, -np.inf, segments.value_a[head] + jump[head])
    output_row[curves] = row
    rows.put(row, prepared.outputs[curves], prepared.sign[curves])
    rows.put(row[place], fill[chosen], -(steps.slope / steps.unit)[chosen])
    raised = np.flatnonzero((jump > 0) & ~segments.first)
    rows.put(row[np.searchsorted(curves, segments.owner[raised])], full[raised - 1], -jump[raised])


def _order_rows(
    rows: AddedRows, prepared: Prepared, segments: Segments, steps: Steps, columns: tuple[IntArray, IntArray]
) -> None:
    """A segment is full before the next one starts."""
    fill, full = columns
    ended = np.flatnonzero(full >= 0)
    row = rows.add(ended.size, 0.0, np.inf)
    number = np.full(segments.owner.size, -1)
    number[ended] = row
    mine = np.flatnonzero(number[steps.segment] >= 0)
    rows.put(number[steps.segment[mine]], fill[mine], 1.0 / steps.unit[mine])
    rows.put(row, full[ended], -(segments.b - segments.a)[ended])
    steep = _steep(prepared, segments, steps)
    opened = np.where(segments.first, -1, full[np.maximum(np.arange(full.size) - 1, 0)])[steps.segment]
    single = np.flatnonzero((opened >= 0) & steep)
    row = rows.add(single.size, -np.inf, 0.0)
    rows.put(row, fill[single], 1.0)
    rows.put(row, opened[single], -(steps.length * steps.unit)[single])
    shared = np.flatnonzero((opened >= 0) & ~steep)
    together, place = np.unique(steps.segment[shared], return_inverse=True)
    row = rows.add(together.size, -np.inf, 0.0)
    rows.put(row[place], fill[shared], 1.0 / steps.unit[shared])
    rows.put(
        row, full[together - 1], -np.bincount(place, steps.length[shared], together.size).astype(np.float64)
    )


def _steep(prepared: Prepared, segments: Segments, steps: Steps) -> BoolArray:
    # Steps up to the one at whose end the straight line from the curve's start is steepest.
    owner = segments.owner[steps.segment]
    start = prepared.low[owner]
    base = prepared.table.value(owner, start)
    chord = (segments.value_a[steps.segment] + steps.height_end - base) / np.maximum(
        steps.end - start, CLOSEST
    )
    best = np.full(segments.owner.size, -np.inf)
    np.maximum.at(best, steps.segment, chord)
    reaches = chord >= best[steps.segment]
    end = np.full(segments.owner.size, -np.inf)
    np.maximum.at(end, steps.segment[reaches], steps.end[reaches])
    return steps.end <= end[steps.segment]
