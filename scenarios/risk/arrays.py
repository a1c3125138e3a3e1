"""One future of one plan as arrays: a program that maximises money, and what is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scenarios.risk.measures import Measures
from solvers.program import LinearProgram

FloatArray = NDArray[np.float64]

_PROGRAM = ("row_lower", "row_upper", "column_lower", "column_upper", "objective")
_MEASURES = ("top_constant", "bottom_constant", "at_least", "at_most")


@dataclass(frozen=True)
class World:
    """What a plan may do in one future, and what is measured of it."""

    program: LinearProgram
    """Maximises money."""
    measures: Measures
    ties: FloatArray
    """What tells apart plans that bring the same money (n,): less than money can notice, the same in every
    future."""

    @property
    def preferring(self) -> LinearProgram:
        """The program that prefers one plan among those of the same money."""
        return self.program.replace(objective=self.program.objective - self.ties)

    def flat(self) -> FloatArray:
        """Every number in one vector: rows, columns, objective, matrix, measures."""
        program, measures = self.program, self.measures
        return np.concatenate(
            [getattr(program, name) for name in _PROGRAM]
            + [np.array([program.offset]), program.matrix.data, measures.top.data, measures.bottom.data]
            + [getattr(measures, name) for name in _MEASURES]
        )

    def with_numbers(self, flat: FloatArray) -> World:
        """A world of the same shape with other numbers."""
        cuts = np.cumsum(self._sizes())[:-1]
        parts = np.split(flat, cuts)
        numbers = dict(zip(_PROGRAM, parts[:5], strict=True))
        program, measures = self.program, self.measures
        matrix, top, bottom = (
            _with_data(part, data)
            for part, data in zip((program.matrix, measures.top, measures.bottom), parts[6:9], strict=True)
        )
        constants: dict[str, Any] = dict(zip(_MEASURES, parts[9:], strict=True))
        changed = replace(measures, top=top, bottom=bottom, **constants)
        return World(program.replace(matrix=matrix, offset=float(parts[5][0]), **numbers), changed, self.ties)

    def fits(self, other: World) -> bool:
        """Whether another world has the same places, so that only numbers differ."""
        own, its = self.program, other.program
        return (
            own.matrix.shape == its.matrix.shape
            and _same(own.matrix, its.matrix)
            and np.array_equal(own.integer, its.integer)
            and self.measures.labels == other.measures.labels
            and _same(self.measures.top, other.measures.top)
            and _same(self.measures.bottom, other.measures.bottom)
        )

    def place_of_rows(self) -> int:
        """Where `row_upper` starts in the flat vector."""
        return self.program.num_rows

    def place_of_columns(self) -> int:
        """Where `column_upper` starts in the flat vector."""
        return 2 * self.program.num_rows + self.program.num_columns

    def place_of_matrix(self) -> int:
        """Where the coefficients of the matrix start in the flat vector."""
        return sum(self._sizes()[:6])

    def place_of_measures(self) -> int:
        """Where the measures start in the flat vector."""
        return sum(self._sizes()[:7])

    def _sizes(self) -> list[int]:
        program, measures = self.program, self.measures
        sizes = [len(getattr(program, name)) for name in _PROGRAM] + [1, program.matrix.nnz]
        sizes += [measures.top.nnz, measures.bottom.nnz]
        return sizes + [len(getattr(measures, name)) for name in _MEASURES]


def _with_data(matrix: Any, data: FloatArray) -> Any:
    # Making a sparse matrix takes longer than comparing its numbers.
    if np.array_equal(matrix.data, data):
        return matrix
    return type(matrix)((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _same(one: sparse.sparray, other: sparse.sparray) -> bool:
    return np.array_equal(one.indptr, other.indptr) and np.array_equal(one.indices, other.indices)
