"""What solving a curve program gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

from solvers.errors import NoSolutionError
from solvers.program import FloatArray
from solvers.result import Residuals, Termination


@dataclass(frozen=True)
class Moment:
    """What was known after `seconds`: the best value and the proved bound, both on the true curves."""

    seconds: float
    value: float | None
    bound: float | None


@dataclass(frozen=True)
class CurveResult:
    """A plan on the true curves and what is proved about it.

    `x` (n,) has its outputs on (or, with "<=", at most on) the true curves; `value` is the objective there;
    `bound` is proved: no point does better. `gap` is |value - bound| / max(1e-10, |value|). `residuals` are
    our own, with the true curves in `curve_residual` (largest miss of an output, relative to its curve's
    span). `rounds` counts the mixed-integer programs, `binaries` those of the last one.
    """

    termination: Termination
    x: FloatArray | None = None
    value: float | None = None
    bound: float | None = None
    residuals: Residuals | None = None
    curve_residual: float | None = None
    rounds: int = 0
    binaries: int = 0
    seconds: float = 0.0
    history: tuple[Moment, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()

    @property
    def has_solution(self) -> bool:
        """Whether there is a verified plan."""
        return self.x is not None

    @property
    def gap(self) -> float | None:
        """Relative distance between value and bound, None where one of them is missing."""
        if self.value is None or self.bound is None:
            return None
        return abs(self.value - self.bound) / max(1e-10, abs(self.value))

    @property
    def values(self) -> FloatArray:
        """The plan (n,); raises `NoSolutionError` when there is none."""
        if self.x is None:
            raise NoSolutionError(f"the curves stopped without a solution: {self.termination.reason}")
        return self.x
