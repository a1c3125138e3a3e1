"""Published cases, written as plans, come out as published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from optimizer.plan.load import load_plan
from optimizer.result.solution import Solution, Status
from optimizer.solving import solve

HERE = Path(__file__).parent
PUBLISHED_TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def wyndor() -> Solution:
    """Wyndor Glass Co., solved."""
    return solve(load_plan(HERE / "wyndor"))


def test_wyndor_plan(wyndor: Solution) -> None:
    """Two doors and six windows bring 36."""
    assert wyndor.status is Status.OPTIMAL
    assert wyndor.sales is not None
    assert wyndor.sales.ravel() == pytest.approx([2.0, 6.0], abs=1e-5)
    assert wyndor.figure("contribution") == pytest.approx(36.0, rel=PUBLISHED_TOLERANCE)


def test_wyndor_prices_and_ranges(wyndor: Solution) -> None:
    """Plant 2 is worth 1.5 between 6 and 18, plant 3 is worth 1 between 12 and 24, and plant 1 nothing."""
    found = {value.name: (value.value, value.holds_from, value.holds_to) for value in wyndor.marginal_values}
    assert set(found) == {("plant2",), ("plant3",)}
    assert found["plant2",] == pytest.approx((1.5, 6.0, 18.0))
    assert found["plant3",] == pytest.approx((1.0, 12.0, 24.0))


def test_wyndor_prices_hold_on_both_sides(wyndor: Solution) -> None:
    """One unit less and one unit more, solved again, bring what the price says."""
    for value in wyndor.marginal_values:
        assert value.less == pytest.approx(value.value)
        assert value.more == pytest.approx(value.value)


def test_wyndor_allowable_ranges(wyndor: Solution) -> None:
    """The plan stays while doors earn 0 to 7.5 and windows 2 or more; plant 1 may shrink to 2."""
    ranges = wyndor.stages[0].result.ranges
    assert ranges.cost_lower[:2] == pytest.approx([0.0, 2.0], abs=1e-9)
    assert ranges.cost_upper[:2] == pytest.approx([7.5, np.inf])


def test_wyndor_agrees_with_the_published_file(wyndor: Solution, shared: Path) -> None:
    """Objective, decisions and duals are those of the published case."""
    published = json.loads((shared / "cases/textbook/wyndor.json").read_text())["published"]
    assert wyndor.figure("contribution") == pytest.approx(published["objective"], rel=PUBLISHED_TOLERANCE)
    for product, units in published["x"].items():
        assert wyndor.figure("units", {"product": product}) == pytest.approx(units, abs=1e-5)
    prices = {value.name[0]: value.value for value in wyndor.marginal_values}
    for plant, price in published["duals"].items():
        assert prices.get(plant, 0.0) == pytest.approx(price)


def test_largest_smallest_attainment() -> None:
    """150 units for last year's 100, 80 and 50 give everybody 15/23 of it."""
    solution = solve(load_plan(HERE / "maxmin_fairness"))
    assert solution.status is Status.OPTIMAL
    assert solution.stages[0].value == pytest.approx(150 / 230, rel=PUBLISHED_TOLERANCE)
    for product, last_year in (("a", 100), ("b", 80), ("c", 50)):
        assert solution.figure("units", {"product": product}) >= last_year * 150 / 230 * (
            1 - PUBLISHED_TOLERANCE
        )


@pytest.fixture(scope="module")
def impossible() -> Solution:
    """A must-target of 200 where 170 is the most."""
    return solve(load_plan(HERE / "infeasible_target"))


def test_impossible_target_gives_no_plan(impossible: Solution) -> None:
    """No plan, exit code 4, and no figures that could be taken for one."""
    assert impossible.status is Status.NO_PLAN
    assert impossible.exit_code == 4
    assert impossible.sales is None
    assert impossible.outcomes == ()


def test_least_change_is_thirty(impossible: Solution) -> None:
    """The change of least relative violation lowers the target, the largest bound, by 30 units."""
    changes = {repair.name: repair.change for repair in impossible.contradiction.least_change}
    assert changes == {"Total": pytest.approx(-30.0)}


def test_every_repair_by_one_rule_alone(impossible: Solution) -> None:
    """Lowering the target by 30 or raising Cara's cap by 30 is enough; no other rule repairs it alone."""
    repairs = {repair.name: repair.change for repair in impossible.contradiction.single_repairs}
    possible = {name: change for name, change in repairs.items() if change is not None}
    assert possible == {"Total": pytest.approx(-30.0), "Cara's most": pytest.approx(30.0)}
    assert {"Anna's most", "Ben's most", "North", "Cara's least"} <= set(repairs)


def test_conflicting_set_is_minimal(impossible: Solution) -> None:
    """The named rules cannot hold together, and any one of them can be dropped to make a plan possible."""
    names = {repair.name for repair in impossible.contradiction.conflicting}
    assert impossible.contradiction.conflicting_is_minimal
    assert names in ({"Total", "North", "Cara's most"}, {"Total", "Anna's most", "Cara's most", "Ben"})
