"""The main pack solved in every way gives one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan
from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution, Status
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.examples import FOLDER

QUIET = SolveSettings(marginal_values=False, leverage=False)
ROUNDING_STEP = 1.0
"""One unit of currency on 120 million."""


def _shuffled(plan: Plan, seed: int) -> Plan:
    """The same plan with the rows of every table but the profiles in another order."""
    random = np.random.default_rng(seed)
    tables = {}
    for name, table in plan.tables.items():
        order = np.arange(len(table)) if name == "profiles" else random.permutation(len(table))
        tables[name] = table.replace(
            frame=table.frame.iloc[order].reset_index(drop=True),
            by_period={column: values[order] for column, values in table.by_period.items()},
            rows=table.rows[order],
        )
    return plan.replace(tables=tables)


def _revenue_by_seller(solution: Solution) -> dict[tuple[str, ...], float]:
    return dict(figures(solution, "revenue", ["seller", "period"]))


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The main pack."""
    return load_plan(FOLDER / "premium_year")


@pytest.fixture(scope="module")
def solution(solved: Callable[[str], Solution]) -> Solution:
    """The main pack solved by default."""
    return solved("premium_year")


def test_main_pack_is_solved_to_proof(solution: Solution) -> None:
    """Every stage is proved optimal and our own residuals hold."""
    assert solution.status is Status.OPTIMAL
    assert solution.residuals is not None
    assert solution.residuals.worst < 1e-7


def test_main_pack_is_as_large_as_it_says(plan: Plan, solution: Solution) -> None:
    """Last year 100 M, target 120 M, 40 sellers, 6 teams, 4 regions, 8 provinces, at most 6,000 cells."""
    markets, sellers = solution.inputs.markets, solution.inputs.selling.sellers
    assert np.nansum(markets.last_year_revenue) == pytest.approx(100e6)
    assert solution.outcomes[0].lower == pytest.approx(120e6)
    assert len(sellers.names) == 40
    assert len(set(sellers.labels["team"])) == 6
    assert len(set(markets.labels["region"])) == 4
    assert len(set(markets.labels["province"])) >= 8
    assert solution.model.cube.num_cells <= 6_000


@pytest.mark.parametrize(
    ("seed", "method"), [(None, "simplex"), (None, "interior_point"), (1, "simplex"), (2, "interior_point")]
)
def test_every_seller_gets_the_same_number(
    plan: Plan, solution: Solution, seed: int | None, method: str
) -> None:
    """Simplex, interior point and shuffled rows agree for every seller and month to a rounding step."""
    other_plan = plan if seed is None else _shuffled(plan, seed)
    other = _revenue_by_seller(solve(other_plan, replace(QUIET, method=method)))
    for member, value in _revenue_by_seller(solution).items():
        assert other[member] == pytest.approx(value, abs=ROUNDING_STEP)


def test_equal_sellers_have_equal_plans(solution: Solution) -> None:
    """Sellers of one seat group with equal capacity sell the same in every period."""
    groups, capacity = solution.model.cube.groups, solution.inputs.selling.sellers.capacity
    names = solution.inputs.selling.sellers.names
    revenue = _revenue_by_seller(solution)
    compared = 0
    for group in range(len(groups.first)):
        first, *others = np.flatnonzero(groups.group == group)
        for seller in others:
            if np.allclose(capacity[seller], capacity[first]):
                compared += 1
                for period in solution.sellers.calendar.period:
                    expected = revenue[names[first], period]
                    assert revenue[names[seller], period] == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert compared >= 10


@pytest.mark.slow
def test_seat_groups_keep_the_optimum(plan: Plan, solution: Solution) -> None:
    """Seat groups and every seller apart have the same optimum in every stage up to the tie-break."""
    apart = solve(plan, replace(QUIET, seat_groups=False))
    assert len(apart.model.cube.seat_names) == 40 > len(solution.model.cube.seat_names)
    for grouped, single in zip(solution.stages[:-1], apart.stages[:-1], strict=True):
        assert single.value == pytest.approx(grouped.value, rel=1e-6, abs=1e-6)


def test_newcomers_carry_what_their_ramp_allows() -> None:
    """Without limits every month is shared in proportion to who is there, ramp included."""
    solution = solve(load_plan(FOLDER / "people_and_target"), QUIET)
    presence = solution.inputs.selling.sellers.presence
    names, periods = solution.inputs.selling.sellers.names, solution.sellers.calendar.period
    revenue = _revenue_by_seller(solution)
    for position, period in enumerate(periods):
        month = sum(revenue[name, period] for name in names)
        for seller, name in enumerate(names):
            expected = month * presence[seller, position] / presence[:, position].sum()
            assert revenue[name, period] == pytest.approx(expected, rel=1e-3, abs=100.0)
