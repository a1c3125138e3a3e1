"""One tracking of a plan: everything that is compared, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.actuals import Facts
from optimizer.plan.inputs import Inputs
from optimizer.result.kpis import scope_columns
from optimizer.result.solution import Solution
from optimizer.tracking.causes import Evaluations, Split, evaluate, splits
from optimizer.tracking.drift import Drift, clearest, drifts
from optimizer.tracking.goals import Goal, goals
from optimizer.tracking.grain import make_grain
from optimizer.tracking.levels import Standing, standings
from optimizer.tracking.measured import Measured, measured_rates, pair_factors
from optimizer.tracking.retention import measured_retention, retention_factors, told_bases
from optimizer.tracking.stageflow import entering_stages
from optimizer.tracking.view import fact_view, planned_view

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Plan and fact to date: causes on every level, measured rates, and which of them drift."""

    solution: Solution
    """The plan."""
    inputs: Inputs
    """The same plan with its facts."""
    evaluations: Evaluations
    splits: tuple[Split, ...]
    measured: tuple[Measured, ...]
    drifts: tuple[Drift, ...]

    @property
    def facts(self) -> Facts:
        """What has happened."""
        assert self.inputs.facts is not None
        return self.inputs.facts

    @property
    def scopes(self) -> list[str]:
        """The columns of markets and sellers that are levels."""
        return scope_columns(self.solution)


@dataclass(frozen=True, eq=False)
class Tracking:
    """Plan, fact and forecast on every level."""

    comparison: Comparison
    forecast: Solution
    standings: tuple[Standing, ...]
    goals: tuple[Goal, ...] = ()
    """Every target that facts tell, with the plan kept."""


def compare(solution: Solution, inputs: Inputs, assumed: Sequence[str] = ()) -> Comparison:
    """Compare a plan with facts; `inputs` are those of the same plan with `as_of` and `actuals`.

    Measures that are `assumed` were taken from the plan, so that nothing is measured by them.

    Raises `ValueError` without a plan, and `InputError` where a metric of the plan cannot be measured.
    """
    facts = inputs.facts
    if facts is None or solution.sales is None:
        raise ValueError("nothing to compare: no facts, or no plan")
    plan, cube = planned_view(solution), solution.sellers
    deals = solution.sales * solution.metrics.coefficient("deals")
    price = cube.by_market(cube.markets.price)
    entering = entering_stages(solution) if len(facts.entered.pool) else None
    first = solution.inputs.past
    measured = measured_rates(facts, plan, cube.num_pairs, assumed, entering, first)
    factors, bases = pair_factors(facts, measured, cube.num_pairs), told_bases(solution, facts)
    measured += measured_retention(facts, bases, solution.plan.calendar.periods_a_year, first)
    grain = make_grain(cube, facts, solution.inputs.facts)
    retained = retention_factors(solution, facts, bases)
    found = evaluate(grain, solution.sales, price, factors, retained)
    scopes = scope_columns(solution)
    causes = [split for scope in ("", *scopes) for split in splits(found, scope)]
    chance = solution.plan.spec.tracking.chance
    tests = drifts(measured, found, scopes, deals, chance, first)
    return Comparison(solution, inputs, found, tuple(causes), tuple(measured), tuple(tests))


def track(comparison: Comparison, forecast: Solution) -> Tracking:
    """Plan, fact and forecast side by side; `forecast` is the year with the plan kept."""
    solution, inputs = comparison.solution, comparison.inputs
    views = planned_view(solution), fact_view(inputs), planned_view(forecast)
    rows = standings(solution, comparison.facts, *views, comparison.scopes)
    found = goals(solution, comparison.facts, forecast)
    return Tracking(comparison, forecast, tuple(rows), found)


def as_expected(comparison: Comparison) -> FloatArray:
    """Planned units of each pair and period (P, T), times what deals have been beyond the plan where their
    volume drifts by more than chance: what a forecast takes as the most that is sold.

    The level that shows it most clearly counts; members of it without an alert keep the plan.
    """
    sales = comparison.solution.sales
    assert sales is not None
    factor = np.ones(len(sales))
    for one in clearest(comparison.drifts, "volume"):
        labels = np.array(_pair_labels(comparison, one.scope), dtype=str)
        factor[labels == one.member if one.scope else slice(None)] = one.factor
    return np.asarray(sales * factor[:, None], dtype=np.float64)


def _pair_labels(comparison: Comparison, scope: str) -> list[str]:
    grain = comparison.evaluations.grain
    return grain.labels(scope)[grain.facts.size :] if scope else [""] * grain.cube.num_pairs
