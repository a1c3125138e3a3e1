"""A solved plan as a value: nothing is written back into the input."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import Activities
from optimizer.model.compile import Model
from optimizer.model.cube import Cube
from optimizer.model.metrics import Metrics
from optimizer.model.objective import PlanStage
from optimizer.plan.inputs import Inputs
from optimizer.plan.plan import Plan
from solvers.result import Residuals, SolveResult

FloatArray = NDArray[np.float64]


class Status(StrEnum):
    """What the planner got. `optimal`: every stage proved; `feasible`: a verified plan, not proved best (a
    limit or an interruption came first); the others come without a plan."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    NO_PLAN = "no_plan"
    LIMIT = "limit"
    FAILED = "failed"


EXIT_CODES = {Status.OPTIMAL: 0, Status.FEASIBLE: 0, Status.NO_PLAN: 4, Status.LIMIT: 5, Status.FAILED: 6}


@dataclass(frozen=True)
class StageOutcome:
    """One stage as it ended: its figure on the finished plan, in the stage's own unit, and the solver's
    result.

    `result` is None for a stage that was not solved (its objective is zero, or could not be better, or the
    solve stopped before it); `note` says why. `bound` is what is proved, `gap` the relative distance to it.
    """

    stage: PlanStage
    value: float | None
    result: SolveResult | None
    note: str = ""

    @property
    def bound(self) -> float | None:
        """The proved bound on the stage's figure; None where the stage was not solved or proves none."""
        return None if self.result is None else self.result.bound

    @property
    def gap(self) -> float | None:
        """Relative distance between figure and bound at the end of the stage."""
        return None if self.result is None else self.result.gap


@dataclass(frozen=True)
class RuleOutcome:
    """One member of one rule, measured on the finished plan.

    `value` and the bounds are in the metric's unit (a ratio's own unit for ratios, the share for shares);
    `shortfall` is how far the value lies outside its bounds, 0 when met; `status` is met, short, over,
    or no_denominator (a ratio of nothing satisfies every bound).
    """

    rule: str
    kind: str
    metric: str
    unit: str
    member: tuple[str, ...]
    each: tuple[str, ...]
    must: bool
    priority: int | None
    value: float
    lower: float | None
    upper: float | None
    shortfall: float
    status: str
    binds: bool
    """Whether the value lies on a bound, within rounding."""


@dataclass(frozen=True)
class MarginalValue:
    """What one more unit of a limit brings, in the money stage: `value` currency per `unit`; None where it
    could not be computed. `less` and `more` are the left and right values by re-solving (None where not
    asked); the price holds while the bound stays within `holds_from` .. `holds_to`."""

    family: str
    name: tuple[str, ...]
    bound: float
    unit: str
    value: float
    less: float | None = None
    more: float | None = None
    holds_from: float | None = None
    holds_to: float | None = None
    of: str = "contribution"


@dataclass(frozen=True)
class Repair:
    """One must-rule (or given capacity, potential, resource) and the least change of its bound, in business
    units, that makes a plan possible by itself; `change` is None where no change of it alone is enough."""

    family: str
    name: str
    unit: str
    bound: float | None
    change: float | None


@dataclass(frozen=True)
class Contradiction:
    """Why no plan exists: the change of least relative violation, repairs by one rule alone, a minimal
    set."""

    least_change: tuple[Repair, ...]
    single_repairs: tuple[Repair, ...]
    conflicting: tuple[Repair, ...]
    conflicting_is_minimal: bool
    """False when the time budget ended before minimality was proved."""


@dataclass(frozen=True)
class Leverage:
    """How far the plan moves when one assumption is 10 % off: change of revenue and contribution, of the
    larger side."""

    key: str
    revenue: float | None
    contribution: float | None


@dataclass(frozen=True)
class Solution:
    """A solve of a plan, whatever came of it."""

    plan: Plan
    inputs: Inputs
    model: Model
    status: Status
    reason: str
    """Why it stopped, one of the solver layer's reasons (and limit)."""
    stages: tuple[StageOutcome, ...]
    """Every stage in order."""
    residuals: Residuals | None
    """Our own check of the finished plan against the rows of the program; None without a plan."""
    sellers: Cube
    """The cube of single sellers that the figures below are about."""
    sales: FloatArray | None = None
    """Units sold by pair of `sellers` and period (P, T); None without a plan."""
    sales_after: FloatArray | None = None
    """Units sold in run-out periods by pair of `sellers` (P, R), which no figure counts; None without a
    plan."""
    opening: FloatArray | None = None
    """Deals of before the plan that it works on, by market and closing period (M, T + R), run-out periods
    included; None without a plan or without such deals."""
    extra: FloatArray | None = None
    """Resources bought beyond capacity (R, T)."""
    others: FloatArray | None = None
    """The columns of the activities between sales and extra resources, in their order; None without a plan or
    without such activities."""
    outcomes: tuple[RuleOutcome, ...] = ()
    marginal_values: tuple[MarginalValue, ...] = ()
    marginal_note: str = ""
    """Message key that says why there are no marginal values, or what they are."""
    leverages: tuple[Leverage, ...] = ()
    contradiction: Contradiction | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Seconds by phase: read, compile, solve, explain."""
    notes: tuple[tuple[str, dict[str, object]], ...] = ()
    """Sentences for the report: message key and fields."""
    keeps: str = ""
    """Name of the run whose plan this one keeps; blank where the plan was looked for."""

    @property
    def has_plan(self) -> bool:
        """Whether there is a verified plan."""
        return self.sales is not None

    @property
    def exit_code(self) -> int:
        """0 a plan; 4 no plan exists; 5 a limit came first; 6 the solver failed."""
        return EXIT_CODES[self.status]

    @property
    def metrics(self) -> Metrics:
        """Metrics over the cube of single sellers; evaluate with `values`."""
        return self._view[0]

    @property
    def x(self) -> FloatArray:
        """The plan as one vector over the columns of all activities, sales of single sellers first."""
        return self._view[1]

    @property
    def activities(self) -> Activities:
        """The columns that `x` is about."""
        return self.metrics.activities

    def figure(self, metric: str, where: dict[str, object] | None = None) -> float:
        """A metric (a sum or a ratio) of the finished plan in a scope; NaN for a ratio of nothing.

        Raises `InputError` for unknown metrics, columns and labels.
        """
        from optimizer.result.evaluate import figure

        return figure(self, metric, where or {})

    def __str__(self) -> str:
        """The page that a manager reads, in the plan's language."""
        from optimizer.report.compose import page

        return page(self)

    @property
    def _view(self) -> tuple[Metrics, FloatArray]:
        from optimizer.result.evaluate import view

        return view(self)
