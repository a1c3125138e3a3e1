"""A linear or mixed-integer program as arrays: the only form in which a model travels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from solvers.errors import InvalidProgramError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Block:
    """A run of rows or columns that one family made.

    `name` is the family's public name (`hours`, `rule`); `start` and `stop` delimit the run;
    `labels` returns the labels of the entries (one tuple of strings each) and is called only when
    somebody reads names, because making them costs more than making the numbers. Names are reversible:
    `name[label,label]` is unique inside a program.
    """

    name: str
    start: int
    stop: int
    labels: Callable[[], Sequence[tuple[str, ...]]] | None = None

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.stop - self.start

    def label(self, position: int) -> tuple[str, ...]:
        """Labels of the entry at `position` (counted in the program, not in the block)."""
        if self.labels is None:
            return (str(position - self.start),)
        return tuple(self.labels()[position - self.start])


@dataclass(frozen=True)
class LinearProgram:
    """Minimise or maximise `objective @ x + offset` over `row_lower <= matrix @ x <= row_upper`,
    `column_lower <= x <= column_upper`, `x[integer]` whole.

    Shapes: n columns, m rows; `matrix` is (m, n) CSC without duplicate entries. Infinite bounds are
    `-inf` and `inf`; a lower bound above its upper one makes the program infeasible, not invalid. Raises
    `InvalidProgramError` when shapes differ, a number is NaN, a coefficient is infinite, or a bound is
    infinite on its wrong side.
    """

    objective: FloatArray
    matrix: sparse.csc_array
    row_lower: FloatArray
    row_upper: FloatArray
    column_lower: FloatArray
    column_upper: FloatArray
    integer: BoolArray
    maximize: bool = False
    offset: float = 0.0
    row_blocks: tuple[Block, ...] = field(default=())
    column_blocks: tuple[Block, ...] = field(default=())

    def __post_init__(self) -> None:
        """Validate once; nothing downstream checks again."""
        check_program(self)

    @property
    def num_columns(self) -> int:
        """n."""
        return int(self.objective.shape[0])

    @property
    def num_rows(self) -> int:
        """m."""
        return int(self.row_lower.shape[0])

    @property
    def is_mip(self) -> bool:
        """Whether any column is integer."""
        return bool(self.integer.any())

    def value(self, x: FloatArray) -> float:
        """Objective at `x` (n,), offset included."""
        return dot(self.objective, x) + self.offset

    def replace(self, **changes: Any) -> LinearProgram:
        """A new program with some arrays replaced."""
        return replace(self, **changes)


def dot(first: FloatArray, second: FloatArray) -> float:
    """The sum of products of two vectors (n,), the same on every machine: a library's dot product splits long
    vectors among threads, so that its rounding depends on their number, and waits for busy cores."""
    return float((first * second).sum())


def check_program(program: LinearProgram) -> None:
    """Raise `InvalidProgramError` unless shapes agree and every number is usable."""
    n, m = program.objective.shape[0], program.row_lower.shape[0]
    shapes = {
        "matrix": (program.matrix.shape, (m, n)),
        "row_upper": (program.row_upper.shape, (m,)),
        "column_lower": (program.column_lower.shape, (n,)),
        "column_upper": (program.column_upper.shape, (n,)),
        "integer": (program.integer.shape, (n,)),
    }
    for name, (found, expected) in shapes.items():
        if found != expected:
            raise InvalidProgramError(f"{name} has shape {found}, expected {expected}")
    for name in ("objective", "row_lower", "row_upper", "column_lower", "column_upper"):
        if np.isnan(getattr(program, name)).any():
            raise InvalidProgramError(
                f"{name} holds NaN at position {int(np.isnan(getattr(program, name)).argmax())}"
            )
    if not np.isfinite(program.matrix.data).all():
        raise InvalidProgramError("the matrix holds a coefficient that is not finite")
    if not np.isfinite(program.objective).all():
        raise InvalidProgramError("the objective holds a coefficient that is not finite")
    for kind, lower, upper in (
        ("row", program.row_lower, program.row_upper),
        ("column", program.column_lower, program.column_upper),
    ):
        if (lower == np.inf).any() or (upper == -np.inf).any():
            raise InvalidProgramError(f"a {kind} bound is infinite on the wrong side")
