"""One objective of several, linear or a ratio, and the row that keeps what it reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from solvers.program import FloatArray, LinearProgram, dot

_LEAST_SLACK = 1e-6


@dataclass(frozen=True)
class Stage:
    """One objective: `objective` (n,) @ x + `offset`, minimised or maximised.

    With a `denominator` (n,) the objective is a ratio: (objective @ x + offset) / (denominator @ x +
    denominator_offset), whose denominator has to be above 0 in every plan.

    Its lock, for a minimisation: f <= f* + max(tolerance |f*|, 1e-6 scale), with f* the verified value; f
    <= f* where that is the best which the bounds of the columns alone allow. `scale` is the size that one
    business unit of f has, `tolerance` is relative. `lock=False` leaves later stages free to give it up.
    A relative gap refers to the value, or to `least_size` where the value is smaller (`scale` unless given).
    `chooses` marks a stage that only chooses among plans which are equally good: whole numbers and curves
    may stay where the stages before have put them.
    `keep_duals=False` says that nobody reads this stage's duals, so that it need not be solved when its
    value cannot be better; `ranging` asks for ranges in this stage.
    """

    name: str
    objective: FloatArray
    maximize: bool = False
    scale: float = 1.0
    tolerance: float = 0.0
    offset: float = 0.0
    lock: bool = True
    keep_duals: bool = True
    ranging: bool = False
    denominator: FloatArray | None = None
    denominator_offset: float = 0.0
    least_size: float | None = None
    chooses: bool = False

    def value(self, x: FloatArray) -> float:
        """The stage's objective at `x` (n,); raises `ZeroDivisionError` for a ratio of nothing."""
        return (dot(self.objective, x) + self.offset) / self.divisor(x)

    def divisor(self, x: FloatArray) -> float:
        """What a ratio divides by at `x` (n,); 1 for a linear objective."""
        return 1.0 if self.denominator is None else dot(self.denominator, x) + self.denominator_offset

    @property
    def is_constant(self) -> bool:
        """Whether every plan has the same value."""
        return not self.objective.any() and (self.denominator is None or not self.denominator.any())

    def slack(self, value: float) -> float:
        """How much a later stage may give up of `value`."""
        return max(self.tolerance * abs(value), _LEAST_SLACK * self.scale)

    def is_better(self, value: float, other: float) -> bool:
        """Whether `value` beats `other` in this stage's sense."""
        return value > other if self.maximize else value < other

    def at(self, level: float, unit: float) -> Stage:
        """The linear objective 1 + (numerator - level * denominator) / unit of a ratio: above 1 exactly where
        the ratio is above the level. The 1 gives relative gaps their meaning."""
        if self.denominator is None:
            return self
        return replace(
            self,
            objective=(self.objective - level * self.denominator) / unit,
            offset=1.0 + (self.offset - level * self.denominator_offset) / unit,
            denominator=None,
            denominator_offset=0.0,
            lock=False,
        )

    def aimed(self, program: LinearProgram) -> LinearProgram:
        """The program with this objective, which has to be linear."""
        return program.replace(objective=self.objective, maximize=self.maximize, offset=self.offset)


@dataclass(frozen=True)
class Lock:
    """The row that keeps a stage: lower <= coefficients @ x <= upper."""

    stage: Stage
    lower: float
    upper: float
    row: FloatArray | None = None
    """The coefficients (n,) where they are not those of the stage's objective."""

    @property
    def coefficients(self) -> FloatArray:
        """Coefficients of the row (n,)."""
        return self.stage.objective if self.row is None else self.row


def lock_at(stage: Stage, x: FloatArray, slack: float) -> Lock:
    """The row that lets later stages give up at most `slack` of the stage's value at `x` (n,).

    A ratio is kept by numerator - (value -+ slack) * denominator >= 0 (<= 0), in shares of its numerator.
    """
    value = stage.value(x)
    if stage.denominator is None:
        linear = value - stage.offset
        bounds = (linear - slack, np.inf) if stage.maximize else (-np.inf, linear + slack)
        return Lock(stage, *bounds)
    kept = stage.at(value - slack if stage.maximize else value + slack, ratio_unit(stage, value, x))
    side = 1.0 - kept.offset
    return Lock(stage, *((side, np.inf) if stage.maximize else (-np.inf, side)), row=kept.objective)


def ratio_unit(stage: Stage, level: float, x: FloatArray) -> float:
    """The size of the numerator of a ratio of this level at `x` (n,)."""
    return (abs(level) or 1.0) * abs(stage.divisor(x))


def with_locks(program: LinearProgram, locks: Sequence[Lock]) -> LinearProgram:
    """The program with the locks as further rows."""
    if not locks:
        return program
    rows = sparse.csc_array(np.vstack([lock.coefficients for lock in locks]))
    return program.replace(
        matrix=sparse.csc_array(sparse.vstack([program.matrix, rows], format="csc")),
        row_lower=np.append(program.row_lower, [lock.lower for lock in locks]),
        row_upper=np.append(program.row_upper, [lock.upper for lock in locks]),
    )
