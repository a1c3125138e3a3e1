"""Prices of marketing that rise or fall with volume: small plans whose answers are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.model.compile import compile_plan
from optimizer.model.tiers import cost_may_pay
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.result.activities import marketing
from optimizer.result.drawn import drawn_curves
from optimizer.result.solution import Solution
from optimizer.solving import solve

MakePlan = Callable[..., Plan]
Solved = Callable[..., Solution]

MAGAZINE = "channel,unit_cost,max_insertions\nmagazine,4,40\n"
LINE = "channel,family,slope\nmagazine,linear,1\n"
RISING = "channel,above_insertions,price_factor\nmagazine,10,1.5\nmagazine,20,2.5\n"
FALLING = "channel,above_insertions,unit_cost\nmagazine,10,2\nmagazine,20,0\n"


@pytest.fixture
def solved(make_plan: MakePlan) -> Solved:
    """Solves a plan of one magazine at 4 an insertion, with tiers of prices."""

    def run(tiers: str, budget: float = 100.0, periods: int = 1, **parts: object) -> Solution:
        budgets = [{"name": "Budget", "metric": "marketing_cost", "at_most": budget}]
        spec = {"markets": None, "marketing": MAGAZINE, "curves": LINE, "budgets": budgets}
        return solve(
            make_plan(periods, tiers=tiers, **(spec | {"objective": [{"maximize": "leads"}]} | parts))
        )

    return run


def _binaries(solution: Solution) -> int:
    return int(solution.model.program.integer.sum())


@pytest.mark.parametrize(("budget", "insertions"), [(40.0, 10.0), (70.0, 15.0), (150.0, 25.0)])
def test_rising_prices_need_no_whole_numbers(solved: Solved, budget: float, insertions: float) -> None:
    """Ten at 4, ten at 6, the rest at 10; a linear program gets it right."""
    solution = solved(RISING, budget)
    assert solution.figure("insertions") == pytest.approx(insertions, rel=1e-6)
    assert solution.figure("marketing_cost") == pytest.approx(budget, rel=1e-6)
    assert _binaries(solution) == 0


@pytest.mark.parametrize(("budget", "insertions"), [(30.0, 7.5), (50.0, 15.0), (61.0, 40.0)])
def test_falling_prices_are_earned_first(solved: Solved, budget: float, insertions: float) -> None:
    """Ten at 4, then ten at 2, then the rest for nothing: nobody starts with the free ones."""
    assert solved(FALLING, budget).figure("insertions") == pytest.approx(insertions, rel=1e-5)


@pytest.mark.parametrize(("per", "insertions"), [("period", 22.5), ("horizon", 30.0)])
def test_tiers_begin_anew_each_period_or_fill_over_the_horizon(
    solved: Solved, per: str, insertions: float
) -> None:
    """50 buy 15 in January; 30 in February buy 7.5 at 4, or 15 at the 2 that January has reached."""
    tiers = f"channel,above_insertions,unit_cost,per\nmagazine,10,2,{per}\n"
    month = [
        {
            "name": "Month",
            "metric": "marketing_cost",
            "each": "period",
            "at_most": {"2027-01": 50, "2027-02": 30},
        }
    ]
    solution = solved(tiers, periods=2, limits=month)
    assert solution.figure("insertions") == pytest.approx(insertions, rel=1e-5)


def test_a_later_tier_is_not_paid_early(solved: Solved) -> None:
    """Rising prices of the horizon: what is bought first costs the first price, whatever budgets by month say."""
    tiers = "channel,above_insertions,unit_cost,per\nmagazine,10,8,horizon\n"
    month = [
        {
            "name": "Month",
            "metric": "marketing_cost",
            "each": "period",
            "at_most": {"2027-01": 80, "2027-02": 20},
        }
    ]
    solution = solved(tiers, periods=2, limits=month)
    assert solution.figure("insertions") == pytest.approx(10 + 40 / 8 + 20 / 8, rel=1e-5)


def test_a_floor_of_cost_is_not_reached_by_skipping_the_first_price(solved: Solved) -> None:
    """Where a rule wants marketing to cost, rising prices keep their order too."""
    floor = [{"name": "Floor", "metric": "marketing_cost", "at_least": 70, "must": True}]
    objective = [{"minimize": "insertions"}]
    solution = solved(RISING, limits=floor, objective=objective)
    assert solution.figure("insertions") == pytest.approx(15.0, rel=1e-5)
    assert cost_may_pay(solution.plan)


def test_money_has_tiers_by_a_factor(solved: Solved) -> None:
    """Without a unit_cost the input is money at the first price: beyond 40 of it each costs 0.75."""
    tiers = "channel,above_spend,price_factor\nmagazine,40,0.75\n"
    solution = solved(tiers, marketing="channel,max_spend\nmagazine,200\n")
    assert solution.figure("leads") == pytest.approx(40 + 60 / 0.75, rel=1e-6)


def test_tables_and_pictures_know_what_was_paid(solved: Solved) -> None:
    """Cost by channel, the return of the next money, and the point of the drawn curve are at the price paid."""
    solution = solved(RISING, 70.0)
    assert marketing(solution)["marketing_cost"].tolist() == pytest.approx([70.0])
    (drawn,) = drawn_curves(solution)
    assert drawn.plan == pytest.approx((70.0, 15.0), rel=1e-5)
    assert drawn.marginal == pytest.approx(1 / 6)
    assert np.interp(70.0, drawn.money, drawn.leads) == pytest.approx(15.0, rel=1e-2)


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ("channel,above_insertions,unit_cost\nmagazine,10,3\nmagazine,10,2\n", "begin at the same amount"),
        (
            "channel,above_insertions,above_spend,unit_cost\nmagazine,10,40,3\n",
            "exactly one of above_insertions",
        ),
        ("channel,above_insertions,unit_cost,price_factor\nmagazine,10,,\n", "exactly one of unit_cost"),
        (
            "channel,above_insertions,unit_cost,per\nmagazine,10,3,period\nmagazine,20,2,horizon\n",
            "some about a period",
        ),
    ],
)
def test_wrong_tiers_are_refused(make_plan: MakePlan, tiers: str, message: str) -> None:
    """Each with its row and the way out."""
    with pytest.raises(InputError, match=message):
        resolve(make_plan(markets=None, marketing=MAGAZINE, curves=LINE, tiers=tiers))


def test_falling_prices_need_a_largest_input(make_plan: MakePlan) -> None:
    """Without a bound or a budget the row of marketing is named."""
    plan = make_plan(markets=None, marketing="channel,unit_cost\nmagazine,4\n", curves=LINE, tiers=FALLING)
    with pytest.raises(InputError, match="max_spend"):
        compile_plan(resolve(plan))


def test_what_facts_took_has_filled_the_lowest_tiers(make_plan: MakePlan) -> None:
    """January's 60 is 60, and bought ten insertions at 4 and ten at 2, so that the last tier at 1 is next."""
    plan = make_plan(
        2,
        calendar={"as_of": "2027-02-01"},
        markets="line,price,margin_rate,potential\nA,10,0.5,20\n",
        marketing="channel,unit_cost,max_insertions\nmagazine,4,60\n",
        curves=LINE,
        tiers="channel,above_insertions,unit_cost,per\nmagazine,10,2,horizon\nmagazine,20,1,horizon\n",
        actuals="period,channel,revenue,spend\n2027-01,*,100,\n2027-01,magazine,,60\n",
        budgets=[{"name": "Budget", "metric": "marketing_cost", "at_most": 100}],
        objective=[{"maximize": "leads"}],
    )
    solution = solve(plan)
    cost = [solution.figure("marketing_cost", {"period": month}) for month in ("2027-01", "2027-02")]
    assert cost == pytest.approx([60.0, 40.0], rel=1e-5)
    assert solution.activities.blocks["spend"].values(solution.x)[0] == pytest.approx([20, 40], rel=1e-5)
    assert solution.figure("leads") == pytest.approx(60.0, rel=1e-5)
