"""The part of a curve program in which a search looks: bounds of columns and of the inputs of curves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.curves.estimator import Estimator
from solvers.curves.prepared import Prepared
from solvers.program import FloatArray


@dataclass(frozen=True)
class Region:
    """Bounds of the prepared program's columns (n,), and of the inputs of its curves (k,) where a binary of
    an over-estimator tells their sides apart. It means the same for every grid."""

    lower: FloatArray
    upper: FloatArray
    low: FloatArray
    high: FloatArray

    def within(self, estimator: Estimator, lower: FloatArray, upper: FloatArray) -> Region:
        """This region and the bounds (m,) of an over-estimator's columns."""
        ends = np.flatnonzero(estimator.full >= 0)
        owner, end = estimator.segments.owner[ends], estimator.segments.b[ends]
        column = estimator.full[ends]
        passed, missed = lower[column] > 0.5, upper[column] < 0.5
        low, high = self.low.copy(), self.high.copy()
        np.maximum.at(low, owner[passed], end[passed])
        np.minimum.at(high, owner[missed], end[missed])
        size = self.lower.size
        return Region(np.maximum(self.lower, lower[:size]), np.minimum(self.upper, upper[:size]), low, high)

    def of(self, estimator: Estimator) -> Estimator:
        """The over-estimator in this region."""
        program, size = estimator.program, self.lower.size
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        lower[:size] = np.maximum(lower[:size], self.lower)
        upper[:size] = np.minimum(upper[:size], self.upper)
        ends = np.flatnonzero(estimator.full >= 0)
        owner, end = estimator.segments.owner[ends], estimator.segments.b[ends]
        column = estimator.full[ends]
        lower[column] = np.where(self.low[owner] >= end, 1.0, lower[column])
        upper[column] = np.where(self.high[owner] <= end, 0.0, upper[column])
        return replace(estimator, program=program.replace(column_lower=lower, column_upper=upper))

    def above(self, curve: int, end: float) -> Region:
        """The part where the input of a curve is at least `end`."""
        low = self.low.copy()
        low[curve] = max(low[curve], end)
        return replace(self, low=low)

    def below(self, curve: int, end: float) -> Region:
        """The part where the input of a curve is at most `end`."""
        high = self.high.copy()
        high[curve] = min(high[curve], end)
        return replace(self, high=high)

    def column_from(self, column: int, value: float) -> Region:
        """The part where a column is at least so much."""
        lower = self.lower.copy()
        lower[column] = max(lower[column], value)
        return replace(self, lower=lower)

    def column_to(self, column: int, value: float) -> Region:
        """The part where a column is at most so much."""
        upper = self.upper.copy()
        upper[column] = min(upper[column], value)
        return replace(self, upper=upper)


def whole_region(prepared: Prepared) -> Region:
    """Everything."""
    program = prepared.program
    return Region(program.column_lower, program.column_upper, prepared.low, prepared.high)
