"""Programs whose named groups of rows and bounds may be violated at a price."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError
from solvers.program import Block, BoolArray, FloatArray, IntArray, LinearProgram


@dataclass(frozen=True)
class RowGroup:
    """Rows that stand or fall together: `rows` are their positions, `scale` (k,) the size of one business
    unit of each, by which its violation is divided (a target's amount, a capacity)."""

    name: str
    rows: IntArray
    scale: FloatArray


@dataclass(frozen=True)
class BoundGroup:
    """Bounds of columns that stand or fall together; `side` says which of the two bounds is meant."""

    name: str
    columns: IntArray
    scale: FloatArray
    side: Literal["lower", "upper", "both"] = "both"


Group = RowGroup | BoundGroup


@dataclass(frozen=True)
class GroupChange:
    """By how much a group's bounds must give way, in the rows' own units.

    `lower_by` (k,) is how far each lower bound goes down and `upper_by` how far each upper bound goes up, in
    the order of the group's rows or columns; `relative` is the sum of both divided by the scale.
    """

    name: str
    lower_by: FloatArray
    upper_by: FloatArray
    relative: float

    @property
    def amount(self) -> float:
        """Sum of all changes, in the rows' own unit."""
        return float(self.lower_by.sum() + self.upper_by.sum())


class ElasticProgram:
    """The program with an elastic column for each finite side of each row or bound of the groups.

    lower <= a @ x + scale (given - taken) <= upper with given, taken >= 0: the columns are relative, so their
    sum is the sum of relative violations.
    """

    def __init__(self, program: LinearProgram, groups: Sequence[Group]) -> None:
        """Raises `InvalidProgramError` for repeated names or rows and for scales that are not positive."""
        _check(groups)
        self.groups = tuple(groups)
        self.num_columns = program.num_columns
        bounded = _with_bounds_as_rows(program, groups)
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *bounded.rows])
        owner = np.repeat(np.arange(len(groups)), [part.size for part in bounded.rows])
        scale = np.concatenate([np.zeros(0), *(group.scale for group in groups)])
        inside = np.concatenate(
            [np.zeros(0, dtype=np.int64), *(np.arange(part.size) for part in bounded.rows)]
        )
        gives = np.isfinite(bounded.program.row_lower[rows])
        takes = np.isfinite(bounded.program.row_upper[rows])
        self._owner = np.r_[owner[gives], owner[takes]].astype(np.int64)
        self._place = np.r_[inside[gives], inside[takes]].astype(np.int64)
        self._scale = np.r_[scale[gives], scale[takes]]
        self._is_lower = np.r_[np.ones(int(gives.sum()), bool), np.zeros(int(takes.sum()), bool)]
        sign = np.where(self._is_lower, 1.0, -1.0)
        self.program = _with_columns(bounded.program, np.r_[rows[gives], rows[takes]], sign * self._scale)

    def upper_bounds(self, hard: Collection[str]) -> FloatArray:
        """Upper bounds of all columns when the `hard` groups must hold."""
        must_hold = np.array([group.name in hard for group in self.groups], dtype=bool)
        bounds = self.program.column_upper.copy()
        bounds[self.num_columns :][must_hold[self._owner]] = 0.0
        return bounds

    def changes(self, x: FloatArray) -> tuple[GroupChange, ...]:
        """What each group gives up at a solution of the elastic program."""
        given = np.maximum(x[self.num_columns :], 0.0)
        return tuple(self._change(number, group, given) for number, group in enumerate(self.groups))

    def _change(self, number: int, group: Group, given: FloatArray) -> GroupChange:
        size = group.scale.size
        sides = []
        for side in (self._is_lower, ~self._is_lower):
            mine: BoolArray = (self._owner == number) & side
            amounts = np.zeros(size)
            amounts[self._place[mine]] = given[mine] * self._scale[mine]
            sides.append(amounts)
        return GroupChange(group.name, sides[0], sides[1], float(given[self._owner == number].sum()))


@dataclass(frozen=True)
class _Bounded:
    program: LinearProgram
    rows: list[IntArray]


def _with_bounds_as_rows(program: LinearProgram, groups: Sequence[Group]) -> _Bounded:
    # Bounds of a group become rows of their own, so that rows are all that gives way.
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    extra, row_lower, row_upper = [], [program.row_lower], [program.row_upper]
    rows: list[IntArray] = []
    count = program.num_rows
    for group in groups:
        if isinstance(group, RowGroup):
            rows.append(group.rows.astype(np.int64))
            continue
        columns = group.columns.astype(np.int64)
        sides = (group.side != "upper", group.side != "lower")
        row_lower.append(lower[columns] if sides[0] else np.full(columns.size, -np.inf))
        row_upper.append(upper[columns] if sides[1] else np.full(columns.size, np.inf))
        lower[columns] = -np.inf if sides[0] else lower[columns]
        upper[columns] = np.inf if sides[1] else upper[columns]
        ones = (np.ones(columns.size), (np.arange(columns.size), columns))
        extra.append(sparse.csc_array(ones, shape=(columns.size, program.num_columns)))
        rows.append(np.arange(count, count + columns.size, dtype=np.int64))
        count += columns.size
    matrix = (
        sparse.csc_array(sparse.vstack([program.matrix, *extra], format="csc")) if extra else program.matrix
    )
    changed = program.replace(
        matrix=matrix, row_lower=np.concatenate(row_lower), row_upper=np.concatenate(row_upper),
        column_lower=lower, column_upper=upper,
    )  # fmt: skip
    return _Bounded(changed, rows)


def _with_columns(program: LinearProgram, rows: IntArray, values: FloatArray) -> LinearProgram:
    n, count = program.num_columns, rows.size
    elastic = sparse.csc_array((values, rows, np.arange(count + 1)), shape=(program.num_rows, count))
    return program.replace(
        objective=np.r_[np.zeros(n), np.ones(count)],
        matrix=sparse.csc_array(sparse.hstack([program.matrix, elastic], format="csc")),
        column_lower=np.r_[program.column_lower, np.zeros(count)],
        column_upper=np.r_[program.column_upper, np.full(count, np.inf)],
        integer=np.r_[program.integer, np.zeros(count, dtype=bool)],
        maximize=False,
        offset=0.0,
        row_blocks=(),
        column_blocks=_extended(program.column_blocks, n, count),
    )


def _extended(blocks: tuple[Block, ...], num_columns: int, count: int) -> tuple[Block, ...]:
    if sum(block.size for block in blocks) != num_columns:
        blocks = (Block("columns", 0, num_columns),)
    return (*blocks, Block("given_up", num_columns, num_columns + count))


def _check(groups: Sequence[Group]) -> None:
    names = [group.name for group in groups]
    if len(set(names)) != len(names):
        raise InvalidProgramError("two groups have the same name")
    rows = np.concatenate(
        [np.zeros(0, np.int64), *(group.rows for group in groups if isinstance(group, RowGroup))]
    )
    if np.unique(rows).size != rows.size:
        raise InvalidProgramError("a row belongs to two groups")
    for group in groups:
        size = group.rows.size if isinstance(group, RowGroup) else group.columns.size
        if group.scale.shape != (size,) or not (np.isfinite(group.scale) & (group.scale > 0)).all():
            raise InvalidProgramError(
                f"group {group.name} needs one positive scale for each of its {size} entries"
            )
