"""A curve program in the units in which it is solved: every input, output and the objective near 1."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from solvers.curves.domain import implied_bounds
from solvers.curves.program import CurveProgram
from solvers.curves.shape import Shape, split
from solvers.curves.table import CurveTable, make_table
from solvers.errors import InvalidProgramError
from solvers.options import SolveOptions
from solvers.program import BoolArray, FloatArray, IntArray, LinearProgram
from solvers.scaling import Scaling, implied_magnitudes
from solvers.solving import solve

_HARDLY_ANY = 1e-6
"""A span of this share of a curve's size is none."""


@dataclass(frozen=True)
class Prepared:
    """Scaled program (maximised, offset 0) and its simple curves 0..n-1; `extended` is it before scaling.

    Curve j says sign[j] x[outputs[j]] <= f_j(x[inputs[j]]) for an input in [low[j], high[j]]. An equation is
    two curves: the second, with sign -1, is the first one turned over. Curve j bends one way on each of its
    pieces between its `edges`; `concave` says which way, entry i from edge i to i + 1. The first
    `num_upright` curves are those of sign 1. The first `num_columns` columns are those of the original
    program, the others are the outputs of the parts of curves that were split.
    """

    original: CurveProgram
    extended: LinearProgram
    program: LinearProgram
    scaling: Scaling
    table: CurveTable
    inputs: IntArray
    outputs: IntArray
    sign: FloatArray
    equal: BoolArray
    low: FloatArray
    high: FloatArray
    edges: FloatArray
    edge_owner: IntArray
    concave: BoolArray
    num_upright: int

    @property
    def size(self) -> int:
        """Number of simple curves."""
        return int(self.inputs.size)

    def only_upright(self) -> Prepared:
        """The same with the curves of sign 1 only, in which an equation is one curve."""
        size = self.num_upright
        mine = self.edge_owner < size
        return replace(
            self,
            inputs=self.inputs[:size],
            outputs=self.outputs[:size],
            sign=self.sign[:size],
            equal=self.equal[:size],
            low=self.low[:size],
            high=self.high[:size],
            edges=self.edges[mine],
            edge_owner=self.edge_owner[mine],
            concave=self.concave[mine],
        )

    @property
    def all(self) -> IntArray:
        """0..n-1."""
        return np.arange(self.size)

    def true_values(self, x: FloatArray) -> FloatArray:
        """The curves (n,) at a scaled point; inputs just outside their domain count as its end."""
        return self.table.value(self.all, np.clip(x[self.inputs], self.low, self.high))

    def true_values_at(self, point: FloatArray) -> FloatArray:
        """The curves (n,) at inputs (n,)."""
        return self.table.value(self.all, point)

    def pieces_at(self, point: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray]:
        """For inputs (n,): start of the piece to their left, end of the piece to their right, and whether the
        piece to the right and the piece to the left are concave."""
        at = point[self.edge_owner]
        start, end = self.low.copy(), self.high.copy()
        np.maximum.at(start, self.edge_owner, np.where(self.edges < at, self.edges, -np.inf))
        np.minimum.at(end, self.edge_owner, np.where(self.edges > at, self.edges, np.inf))
        inner = np.flatnonzero(np.diff(self.edge_owner, append=-1) == 0)
        piece_owner, concave = self.edge_owner[inner], self.concave[inner]
        a, b, at = self.edges[inner], self.edges[inner + 1], point[self.edge_owner[inner]]
        right, left = np.ones(self.size, bool), np.ones(self.size, bool)
        holds_right, holds_left = (a <= at) & (at < b), (a < at) & (at <= b)
        right[piece_owner[holds_right]] = concave[holds_right]
        left[piece_owner[holds_left]] = concave[holds_left]
        return start, end, right, left

    def original_point(self, x: FloatArray) -> FloatArray:
        """A scaled point in the units of the original program, with outputs on the true curves."""
        size = self.original.program.num_columns
        point = (x * self.scaling.columns)[:size]
        program = self.original.program
        whole = np.where(program.integer, np.round(point), point)
        return self.original.with_true_outputs(np.clip(whole, program.column_lower, program.column_upper))

    def scaled_point(self, x: FloatArray) -> FloatArray:
        """A point of the original program in scaled units, outputs of parts on their curves."""
        size = self.original.program.num_columns
        point = np.concatenate([x, np.zeros(self.program.num_columns - size)]) / self.scaling.columns
        parts = np.flatnonzero((self.outputs >= size) & (self.sign > 0))
        point[self.outputs[parts]] = self.true_values(point)[parts]
        return point

    def original_value(self, value: float) -> float:
        """A scaled objective in original units."""
        program = self.original.program
        return (1.0 if program.maximize else -1.0) * value / self.scaling.objective + program.offset

    def scaled_value(self, value: float) -> float:
        """An original objective in scaled units, larger is better."""
        program = self.original.program
        return (1.0 if program.maximize else -1.0) * (value - program.offset) * self.scaling.objective


def prepare(curve_program: CurveProgram, options: SolveOptions, solver: str) -> Prepared:
    """Find every curve's domain, split curves that bend often, and scale.

    Raises `InvalidProgramError` where nothing bounds an input column from above.
    """
    program, table = curve_program.program, curve_program.table
    inputs, outputs = curve_program.inputs, curve_program.outputs
    lower, upper = implied_bounds(program)
    unbounded = inputs[~np.isfinite(upper[inputs])]
    for column in np.unique(unbounded).tolist():
        upper[column] = _largest(program, column, options, solver)
    low = np.maximum(lower[inputs], program.column_lower[inputs])
    high = np.maximum(np.minimum(upper[inputs], program.column_upper[inputs]), low)
    _, most = table.reach(low, high)
    bounded = program.replace(column_upper=program.column_upper.copy())
    bounded.column_upper[outputs] = np.minimum(bounded.column_upper[outputs], most)
    lower, upper = implied_bounds(bounded)
    shapes = [split(term.curve, *span) for term, *span in zip(curve_program.curves, low, high, strict=True)]
    return _scaled(curve_program, shapes, low, high, np.maximum(np.abs(lower), np.abs(upper)))


def _largest(program: LinearProgram, column: int, options: SolveOptions, solver: str) -> float:
    # What the rows leave the column at most, whole numbers relaxed.
    objective = np.zeros(program.num_columns)
    objective[column] = 1.0
    relaxed = program.replace(
        objective=objective, maximize=True, offset=0.0, integer=np.zeros_like(program.integer)
    )
    result = solve(relaxed, SolveOptions(threads=options.threads, time_limit=options.time_limit), solver)
    if not result.has_solution:
        raise InvalidProgramError(
            f"nothing bounds column {column} from above, which is the input of a curve: "
            f"{result.termination.reason}"
        )
    return result.objective * (1.0 + 1e-6)


@dataclass(frozen=True)
class _Parts:
    """The parts of all curves, then those of equations once more, turned over: shape, term and output column
    of each, how many are upright, and the program with the columns of parts."""

    shapes: list[Shape]
    term: IntArray
    outputs: IntArray
    upright: int
    program: LinearProgram


def _parts(curve_program: CurveProgram, shapes: list[list[Shape]]) -> _Parts:
    flat = [shape for pieces in shapes for shape in pieces]
    counts = np.array([len(pieces) for pieces in shapes], dtype=np.int64)
    term = np.repeat(np.arange(counts.size), counts)
    parted = np.flatnonzero(counts[term] > 1)
    outputs = curve_program.outputs[term]
    outputs[parted] = curve_program.program.num_columns + np.arange(parted.size)
    extended = _with_parts(curve_program, term[parted], np.flatnonzero(counts > 1))
    equations = np.flatnonzero(curve_program.equal[term])
    return _Parts(
        [*flat, *(flat[index].turned_over() for index in equations.tolist())],
        np.concatenate([term, term[equations]]),
        np.concatenate([outputs, outputs[equations]]),
        len(flat),
        extended,
    )


def _scaled(
    curve_program: CurveProgram,
    shapes: list[list[Shape]],
    low: FloatArray,
    high: FloatArray,
    sizes: FloatArray,
) -> Prepared:
    parts = _parts(curve_program, shapes)
    term, outputs, upright = parts.term, parts.outputs, parts.upright
    table = make_table([shape.curve for shape in parts.shapes])
    low, high, inputs = low[term], high[term], curve_program.inputs[term]
    least, most = table.reach(low, high)
    output_unit = _output_units(least, most)
    columns = _column_units(parts.program, sizes)
    columns[inputs], columns[outputs] = np.where(high > 0, high, 1.0), output_unit
    columns[curve_program.outputs] = np.bincount(term[:upright], output_unit[:upright], len(shapes))
    columns[parts.program.integer] = 1.0
    scaling = _scaling(parts.program, columns)
    scaled = scaling.program(parts.program)
    sign = 1.0 if curve_program.program.maximize else -1.0
    edges = [np.asarray(shape.edges) / columns[at] for shape, at in zip(parts.shapes, inputs, strict=True)]
    return Prepared(
        original=curve_program,
        extended=parts.program,
        program=scaled.replace(objective=sign * scaled.objective, maximize=True, offset=0.0),
        scaling=scaling,
        table=table.scaled(columns[inputs], columns[outputs]),
        inputs=inputs,
        outputs=outputs,
        sign=np.where(np.arange(term.size) < upright, 1.0, -1.0),
        equal=curve_program.equal[term],
        low=low / columns[inputs],
        high=high / columns[inputs],
        edges=np.concatenate(edges) if edges else np.zeros(0),
        edge_owner=np.repeat(np.arange(term.size), [edge.size for edge in edges]),
        concave=np.array([bend for shape in parts.shapes for bend in (*shape.concave, True)], dtype=bool),
        num_upright=upright,
    )


def _output_units(least: FloatArray, most: FloatArray) -> FloatArray:
    # How far a curve reaches; where its input hardly moves, how large it is: a span of rounding errors would
    # make a number of 1e9 of the output, whose weight in every row solvers take for 0.
    span, size = most - least, np.maximum(np.abs(least), np.abs(most))
    return np.where(span > _HARDLY_ANY * size, span, np.where(size > 0, size, 1.0))


def _with_parts(curve_program: CurveProgram, part_term: IntArray, terms: IntArray) -> LinearProgram:
    # Columns for the parts of split curves, and the rows output - sum of parts <= 0 (or = 0).
    program, added = curve_program.program, part_term.size
    if added == 0:
        return program
    rows = np.searchsorted(terms, part_term)
    block = sparse.csc_array(
        (
            np.concatenate([np.ones(terms.size), -np.ones(added)]),
            (
                np.concatenate([np.arange(terms.size), rows]),
                np.concatenate([curve_program.outputs[terms], program.num_columns + np.arange(added)]),
            ),
        ),
        shape=(terms.size, program.num_columns + added),
    )
    wide = sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, added))])
    return program.replace(
        objective=np.concatenate([program.objective, np.zeros(added)]),
        matrix=sparse.csc_array(sparse.vstack([wide, block], format="csc")),
        row_lower=np.concatenate([program.row_lower, np.where(curve_program.equal[terms], 0.0, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, np.zeros(terms.size)]),
        column_lower=np.concatenate([program.column_lower, np.full(added, -np.inf)]),
        column_upper=np.concatenate([program.column_upper, np.full(added, np.inf)]),
        integer=np.concatenate([program.integer, np.zeros(added, dtype=bool)]),
        row_blocks=(),
        column_blocks=(),
    )


def _column_units(program: LinearProgram, sizes: FloatArray) -> FloatArray:
    # How large each column gets; where nothing bounds it, what its rows suggest, else 1.
    suggested = implied_magnitudes(program, np.abs(program.matrix.data))
    units = np.concatenate([sizes, np.full(program.num_columns - sizes.size, np.inf)])
    units = np.where(np.isfinite(units) & (units > 0), units, suggested)
    return np.where(np.isfinite(units) & (units > 0), units, 1.0)


def _scaling(program: LinearProgram, columns: FloatArray) -> Scaling:
    terms = np.abs(program.matrix.data) * np.repeat(columns, np.diff(program.matrix.indptr))
    largest = np.zeros(program.num_rows)
    np.maximum.at(largest, program.matrix.indices, terms)
    costs = float(np.abs(program.objective * columns).max(initial=0.0))
    return Scaling(
        columns=columns,
        rows=1.0 / np.where(largest > 0, largest, 1.0),
        objective=1.0 / costs if costs > 0 else 1.0,
    )
