"""Rows and columns added to a program, as triplets."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from solvers.program import BoolArray, FloatArray, IntArray, LinearProgram


class AddedRows:
    """Rows in the making: triplets and bounds."""

    def __init__(self) -> None:
        self.count = 0
        self._triplets: list[tuple[IntArray, IntArray, FloatArray]] = []
        self._lower: list[FloatArray] = []
        self._upper: list[FloatArray] = []

    def add(self, size: int, lower: FloatArray | float, upper: FloatArray | float) -> IntArray:
        """Reserve `size` rows with bounds and return their numbers, counted from 0."""
        self._lower.append(np.broadcast_to(lower, size).astype(float))
        self._upper.append(np.broadcast_to(upper, size).astype(float))
        self.count += size
        return np.arange(self.count - size, self.count)

    def put(self, row: IntArray, column: IntArray, value: FloatArray | float) -> None:
        """Coefficients; those whose column is -1 are left out."""
        there = column >= 0
        self._triplets.append(
            (row[there], column[there], np.broadcast_to(value, row.shape)[there].astype(float))
        )

    def onto(self, program: LinearProgram, integer: BoolArray, most: FloatArray) -> LinearProgram:
        """The program with one column in [0, most] for each entry of `integer` and `most`, and these rows."""
        added = integer.size
        triplets = [np.concatenate(part) for part in zip(*self._triplets, strict=True)]
        block = sparse.csc_array(
            (triplets[2], (triplets[0], triplets[1])), shape=(self.count, program.num_columns + added)
        )
        wide = sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, added))])
        return program.replace(
            objective=np.concatenate([program.objective, np.zeros(added)]),
            matrix=sparse.csc_array(sparse.vstack([wide, block], format="csc")),
            row_lower=np.concatenate([program.row_lower, *self._lower]),
            row_upper=np.concatenate([program.row_upper, *self._upper]),
            column_lower=np.concatenate([program.column_lower, np.zeros(added)]),
            column_upper=np.concatenate([program.column_upper, most]),
            integer=np.concatenate([program.integer, integer]),
            row_blocks=(),
            column_blocks=(),
        )
