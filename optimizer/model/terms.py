"""Linear expressions as triplets: one expression a member, no object a variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROUNDING = 1e-14
"""Share of its parts that a sum may be and still be nothing but their rounding."""


def sum_by(member: IntArray, values: FloatArray, size: int) -> FloatArray:
    """The sum of `values` by member (size,)."""
    return np.asarray(np.bincount(member, weights=values, minlength=size), dtype=np.float64)


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

    def cancelled(self) -> Terms:
        """The same with 0 where the parts of a coefficient cancel but for rounding.

        What is left of 90 - 90 days is 1e-17; alone in a row it would be scaled to a rule of its own.
        """
        order = np.lexsort((self.column, self.member))
        member, column, value = self.member[order], self.column[order], self.value[order]
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = (member[1:] != member[:-1]) | (column[1:] != column[:-1])
        starts = np.flatnonzero(first)
        if len(starts) == len(order):
            return self
        sums, sizes = np.add.reduceat(value, starts), np.add.reduceat(np.abs(value), starts)
        nothing = np.repeat(np.abs(sums) <= _ROUNDING * sizes, np.diff(np.append(starts, len(order))))
        found = self.value.copy()
        found[order[nothing]] = 0.0
        return Terms(self.member, self.column, found, self.constant)

    def values(self, x: FloatArray) -> FloatArray:
        """The expressions at a solution x (n,): (K,)."""
        return self.constant + sum_by(self.member, self.value * x[self.column], self.size)

    def dense(self, num_columns: int) -> FloatArray:
        """Coefficients of a single expression as a vector (n,); its constant is not in it."""
        return sum_by(self.column, self.value, num_columns)


def spread_members(terms: Terms, source: IntArray) -> Terms:
    """The expressions `terms[source]`: member k of the answer is member source[k] of `terms`."""
    order = np.argsort(terms.member, kind="stable")
    edges = np.searchsorted(terms.member[order], np.arange(terms.size + 1))
    count = (edges[1:] - edges[:-1])[source]
    member = np.repeat(np.arange(len(source)), count)
    within = np.arange(len(member)) - np.repeat(np.cumsum(count) - count, count)
    taken = order[np.repeat(edges[:-1][source], count) + within]
    return Terms(member, terms.column[taken], terms.value[taken], terms.constant[source])
