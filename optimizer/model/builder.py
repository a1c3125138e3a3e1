"""Collects blocks of columns and rows, and hands over one program of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from solvers.program import Block, LinearProgram

if TYPE_CHECKING:
    from optimizer.model.terms import Terms

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Labels = Callable[[], Sequence[tuple[str, ...]]]


class ProgramBuilder:
    """Families add their columns and rows here; `build` joins them without a loop over entries."""

    def __init__(self) -> None:
        self._column_blocks: list[Block] = []
        self._row_blocks: list[Block] = []
        self._columns: list[tuple[FloatArray, FloatArray, NDArray[np.bool_]]] = []
        self._rows: list[tuple[FloatArray, FloatArray]] = []
        self._entries: list[tuple[NDArray[np.int32], IntArray, FloatArray]] = []
        self.num_columns = 0
        self.num_rows = 0

    def add_columns(
        self,
        name: str,
        count: int,
        labels: Labels,
        lower: FloatArray | float = 0.0,
        upper: FloatArray | float = np.inf,
        integer: NDArray[np.bool_] | bool = False,
    ) -> int:
        """Add `count` columns and return the position of the first."""
        start = self.num_columns
        self._columns.append(
            (
                np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)),
                np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)),
                np.broadcast_to(np.asarray(integer, dtype=np.bool_), (count,)),
            )
        )
        self._column_blocks.append(Block(name, start, start + count, labels))
        self.num_columns += count
        return start

    def add_rows(
        self,
        name: str,
        terms: Terms,
        labels: Labels,
        lower: FloatArray | float = -np.inf,
        upper: FloatArray | float = np.inf,
    ) -> int:
        """Add `lower <= terms <= upper`, one row a member; constants go to the bounds. Returns the first
        row."""
        start, count = self.num_rows, terms.size
        low = np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)) - terms.constant
        high = np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)) - terms.constant
        self._rows.append((low, high))
        self._entries.append(((terms.member + start).astype(np.int32), terms.column, terms.value))
        self._row_blocks.append(Block(name, start, start + count, labels))
        self.num_rows += count
        return start

    def column_labels(self, name: str) -> Labels:
        """The labels of the block of columns of this name."""
        return next(
            block.labels for block in self._column_blocks if block.name == name and block.labels is not None
        )

    def build(self) -> LinearProgram:
        """The program with an objective of zeros; stages bring their own. Called once: the parts are let go,
        because together they are larger than the program."""
        lower, upper, integer = (
            np.concatenate([part[index] for part in self._columns]) for index in range(3)
        )
        row_lower, row_upper = (
            _joined(self._rows, 0).astype(np.float64),
            _joined(self._rows, 1).astype(np.float64),
        )
        matrix = self._matrix()
        return LinearProgram(
            objective=np.zeros(self.num_columns),
            matrix=matrix,
            row_lower=row_lower,
            row_upper=row_upper,
            column_lower=lower.astype(np.float64),
            column_upper=upper.astype(np.float64),
            integer=integer.astype(np.bool_),
            row_blocks=tuple(self._row_blocks),
            column_blocks=tuple(self._column_blocks),
        )

    def _matrix(self) -> sparse.csc_array:
        if self._entries:
            row, column, value = (
                np.concatenate([part[index] for part in self._entries], dtype=kind, casting="same_kind")
                for index, kind in enumerate((np.int32, np.int32, np.float64))
            )
        else:
            row, column, value = (np.zeros(0, dtype=kind) for kind in (np.int32, np.int32, np.float64))
        self._entries.clear()
        shape = (self.num_rows, self.num_columns)
        matrix = sparse.coo_array((value, (row, column)), shape=shape).tocsc()
        matrix.sum_duplicates()
        return matrix


def _joined(parts: Sequence[tuple[NDArray[np.generic], ...]], index: int) -> NDArray[np.generic]:
    if not parts:
        return np.zeros(0)
    return np.concatenate([part[index] for part in parts])


def fixed_labels(*labels: tuple[str, ...]) -> Labels:
    """Labels that are known when the rows or columns are added."""
    return lambda: list(labels)
