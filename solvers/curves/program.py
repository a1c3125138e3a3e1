"""A linear or mixed-integer program some of whose columns are tied by curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from solvers.curves.definition import Curve
from solvers.curves.table import CurveTable, make_table
from solvers.errors import InvalidProgramError
from solvers.program import BoolArray, FloatArray, IntArray, LinearProgram


@dataclass(frozen=True)
class CurveTerm:
    """x[output_column] <= curve(x[input_column]), or = with sense "=".

    "<=" is enough, and much easier, wherever a larger output never hurts; "=" is needed where it may.
    """

    input_column: int
    output_column: int
    curve: Curve
    sense: Literal["<=", "="] = "<="


@dataclass(frozen=True)
class CurveProgram:
    """`program` with the terms `curves`. The input columns have a lower bound of at least 0 (above 0 for
    curves that do not exist at 0); an output column belongs to one term only.

    Raises `InvalidProgramError` when a column does not exist, is tied twice, or may leave its curve's domain.
    """

    program: LinearProgram
    curves: tuple[CurveTerm, ...]
    table: CurveTable = field(init=False, repr=False, compare=False)

    def __init__(self, program: LinearProgram, curves: Sequence[CurveTerm]) -> None:
        """Validate once; nothing downstream checks again."""
        object.__setattr__(self, "program", program)
        object.__setattr__(self, "curves", tuple(curves))
        object.__setattr__(self, "table", make_table([term.curve for term in self.curves]))
        _check(self)

    @property
    def inputs(self) -> IntArray:
        """Input columns (k,)."""
        return np.array([term.input_column for term in self.curves], dtype=np.int64)

    @property
    def outputs(self) -> IntArray:
        """Output columns (k,)."""
        return np.array([term.output_column for term in self.curves], dtype=np.int64)

    @property
    def equal(self) -> BoolArray:
        """Which terms (k,) are equations."""
        return np.array([term.sense == "=" for term in self.curves], dtype=bool)

    def replace(self, **changes: Any) -> CurveProgram:
        """The same terms over the program with some arrays replaced."""
        return CurveProgram(self.program.replace(**changes), self.curves)

    def curve_values(self, x: FloatArray) -> FloatArray:
        """The true curves (k,) at the point x (n,)."""
        return self.table.value(np.arange(len(self.curves)), x[self.inputs])

    def with_true_outputs(self, x: FloatArray) -> FloatArray:
        """The point x (n,) with outputs above their curve lowered to it; equations get exactly the curve."""
        values, outputs = self.curve_values(x), self.outputs
        true = x.copy()
        true[outputs] = np.where(self.equal, values, np.minimum(x[outputs], values))
        return true


def local_program(curve_program: CurveProgram, x: FloatArray) -> LinearProgram:
    """The linear program at the point x (n,): each curve replaced by its tangent there, whole columns fixed.

    Its optimal duals are the marginal values of the rows at x, as far as they exist: with f the curve,
    output <= f(x) + f'(x) (input - x), appended as rows after those of the program in the order of the terms.
    """
    from scipy import sparse

    program, terms = curve_program.program, len(curve_program.curves)
    inputs, outputs = curve_program.inputs, curve_program.outputs
    point = x[inputs]
    slope = curve_program.table.slope(np.arange(terms), point)
    slope = np.where(np.isfinite(slope), slope, 0.0)
    level = curve_program.curve_values(x) - slope * point
    rows = np.arange(terms)
    tangent = sparse.csc_array(
        (np.concatenate([np.ones(terms), -slope]), (np.tile(rows, 2), np.concatenate([outputs, inputs]))),
        shape=(terms, program.num_columns),
    )
    whole = np.where(program.integer, np.round(x), 0.0)
    return replace(
        program,
        matrix=sparse.csc_array(sparse.vstack([program.matrix, tangent], format="csc")),
        row_lower=np.concatenate([program.row_lower, np.where(curve_program.equal, level, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, level]),
        column_lower=np.where(program.integer, whole, program.column_lower),
        column_upper=np.where(program.integer, whole, program.column_upper),
        integer=np.zeros_like(program.integer),
    )


def _check(curve_program: CurveProgram) -> None:
    program, inputs, outputs = curve_program.program, curve_program.inputs, curve_program.outputs
    if inputs.size == 0:
        return
    columns = np.concatenate([inputs, outputs])
    if columns.min() < 0 or columns.max() >= program.num_columns:
        raise InvalidProgramError("a curve ties a column that the program does not have")
    if np.unique(outputs).size != outputs.size:
        raise InvalidProgramError("two curves have the same output column; add them up to one curve")
    if (inputs == outputs).any():
        raise InvalidProgramError("a curve has the same column as input and output")
    for position, term in enumerate(curve_program.curves):
        lower = program.column_lower[term.input_column]
        if lower < 0 or (lower == 0 and term.curve.open_at_zero):
            least = "above 0" if term.curve.open_at_zero else "of at least 0"
            raise InvalidProgramError(
                f"curve {position} needs a lower bound {least} for its input, "
                f"column {term.input_column} has {lower!r}"
            )
