"""Linear expressions as triplets: one expression a member, no object a variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """K expressions: sum of value * x[column] over the triplets of a member, plus its constant (K,)."""

    member: IntArray
    column: IntArray
    value: FloatArray
    constant: FloatArray

    @property
    def size(self) -> int:
        """K."""
        return len(self.constant)

    @classmethod
    def constants(cls, values: FloatArray) -> Terms:
        """Expressions without variables."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, np.zeros(0), np.asarray(values, dtype=np.float64))

    def __add__(self, other: Terms) -> Terms:
        return Terms(
            np.concatenate([self.member, other.member]),
            np.concatenate([self.column, other.column]),
            np.concatenate([self.value, other.value]),
            self.constant + other.constant,
        )

    def scaled(self, factor: float | FloatArray) -> Terms:
        """Every expression times a number, or times its own number (K,)."""
        factors = np.broadcast_to(np.asarray(factor, dtype=np.float64), (self.size,))
        return Terms(self.member, self.column, self.value * factors[self.member], self.constant * factors)

    def picked(self, member: int) -> Terms:
        """The expression of one member, as the only one."""
        mine = self.member == member
        return Terms(
            np.zeros(int(mine.sum()), dtype=np.int64),
            self.column[mine],
            self.value[mine],
            self.constant[member : member + 1],
        )

    def values(self, x: FloatArray) -> FloatArray:
        """The expressions at a solution x (n,): (K,)."""
        return self.constant + np.bincount(
            self.member, weights=self.value * x[self.column], minlength=self.size
        )

    def dense(self, num_columns: int) -> FloatArray:
        """Coefficients of a single expression as a vector (n,); its constant is not in it."""
        return np.bincount(self.column, weights=self.value, minlength=num_columns)
