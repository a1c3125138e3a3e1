"""What a solve gives back: why it stopped, whether there is a usable plan, and what is proved."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from solvers.errors import NoSolutionError

FloatArray = NDArray[np.float64]


class Reason(StrEnum):
    """Why the solver stopped. Native codes that we do not know are OTHER and never more."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    INFEASIBLE_OR_UNBOUNDED = "infeasible_or_unbounded"
    LIMIT = "limit"
    INTERRUPTED = "interrupted"
    IMPRECISE = "imprecise"
    ERROR = "error"
    OTHER = "other"


class Limit(StrEnum):
    """Which limit stopped it, with Reason.LIMIT."""

    TIME = "time"
    ITERATIONS = "iterations"
    NODES = "nodes"
    SOLUTIONS = "solutions"
    MEMORY = "memory"
    OTHER = "other"


@dataclass(frozen=True)
class Termination:
    """Reason, limit and the solver's own words."""

    reason: Reason
    limit: Limit | None = None
    detail: str = ""


@dataclass(frozen=True)
class Residuals:
    """Our own check of a solution, from our arrays. Each figure is the worst relative violation:
    divided by max(1, magnitude of the row's or column's terms and bounds).

    `dual` and `slackness` are None unless duals were given. `objective` is recomputed from the values.
    """

    objective: float
    primal: float
    bounds: float
    integrality: float
    dual: float | None = None
    slackness: float | None = None
    worst_row: int | None = None

    @property
    def worst(self) -> float:
        """The largest of the primal figures."""
        return max(self.primal, self.bounds, self.integrality)


@dataclass(frozen=True)
class Ranges:
    """In which range a dual or a cost holds. Arrays of shape (m,) for rows and (n,) for costs.

    The limits of a row are those of its active bound. A slack row with one finite bound keeps its dual of
    zero while that bound stays on its side of the activity; NaN where a row is slack between two finite
    bounds or has none. The limits of a cost are those within which the same plan stays optimal.
    """

    row_lower: FloatArray
    row_upper: FloatArray
    cost_lower: FloatArray
    cost_upper: FloatArray


@dataclass(frozen=True)
class Basis:
    """A simplex basis: status codes of the columns (n,) and rows (m,), in the solver's own coding."""

    solver: str
    columns: NDArray[np.int8]
    rows: NDArray[np.int8]


@dataclass(frozen=True)
class SolveResult:
    """A result is a value. Duals: derivative of the optimal objective by the row's bound (a row price),
    for minimise and maximise alike; `reduced_costs` likewise by the column's active bound. Both are None
    unless proved valid. `bound` is the proved bound on the objective; `gap` is
    |objective - bound| / max(1e-10, |objective|), None where no bound is given.
    """

    solver: str
    termination: Termination
    x: FloatArray | None = None
    objective_value: float | None = None
    bound: float | None = None
    duals: FloatArray | None = None
    reduced_costs: FloatArray | None = None
    duals_are_of_fixed_integers: bool = False
    ranges: Ranges | None = None
    basis: Basis | None = None
    residuals: Residuals | None = None
    seconds: float = 0.0
    iterations: int | None = None
    nodes: int | None = None
    method: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def has_solution(self) -> bool:
        """Whether there are values that passed our own check."""
        return self.x is not None

    @property
    def is_optimal(self) -> bool:
        """Whether the values are proved optimal within the asked gap."""
        return self.has_solution and self.termination.reason is Reason.OPTIMAL

    @property
    def values(self) -> FloatArray:
        """The values (n,); raises `NoSolutionError` when there are none."""
        if self.x is None:
            raise NoSolutionError(f"{self.solver} stopped without a solution: {self.termination.reason}")
        return self.x

    @property
    def objective(self) -> float:
        """The objective, recomputed from the values; raises `NoSolutionError` when there are none."""
        if self.objective_value is None:
            raise NoSolutionError(f"{self.solver} stopped without a solution: {self.termination.reason}")
        return self.objective_value

    @property
    def gap(self) -> float | None:
        """Relative distance between objective and proved bound."""
        if self.objective_value is None or self.bound is None:
            return None
        return abs(self.objective_value - self.bound) / max(1e-10, abs(self.objective_value))
