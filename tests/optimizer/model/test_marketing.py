"""Marketing: bounds, switches, carryover, curves and yields of small plans whose answers are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.report.compose import page
from optimizer.result.activities import marketing
from optimizer.result.solution import Solution
from optimizer.solving import solve

MakePlan = Callable[..., Plan]
Solved = Callable[..., Solution]


@pytest.fixture
def solved(make_plan: MakePlan) -> Solved:
    """Solves a plan of marketing alone from the text of its tables."""

    def run(periods: int = 1, budget: float = 100.0, **parts: object) -> Solution:
        spec = {
            "budgets": [{"name": "Budget", "metric": "marketing_cost", "at_most": budget}],
            "objective": [{"maximize": "leads"}],
        }
        return solve(make_plan(periods, **({"markets": None} | spec | parts)))

    return run


def spend_of(solution: Solution, channel: str) -> float:
    """What a channel costs."""
    return solution.figure("marketing_cost", {"channel": channel})


LINEAR = "channel,family,slope\na,linear,2\nb,linear,1\n"


def test_the_budget_goes_where_it_brings_most(solved: Solved) -> None:
    """Up to the largest amount of the better channel, then to the other."""
    solution = solved(marketing="channel,max_spend\na,60\nb,\n", curves=LINEAR)
    assert spend_of(solution, "a") == pytest.approx(60.0, abs=1e-4)
    assert solution.figure("leads") == pytest.approx(160.0, rel=1e-6)


def test_the_page_of_a_plan_of_marketing_speaks_of_leads(solved: Solved) -> None:
    """There is no revenue in a plan without markets; its page begins with leads and what they cost."""
    text = page(solved(marketing="channel,max_spend\na,60\nb,\n", curves=LINEAR))
    assert "Revenue" not in text
    assert "160 leads · marketing 100" in text


def test_a_multiple_of_the_base_bounds_spending(solved: Solved) -> None:
    """At most 1.5 times last year's 20, at least 0.5 times of it."""
    table = "channel,base_spend,min_of_base,max_of_base\na,20,,1.5\nb,20,0.5,\n"
    solution = solved(marketing=table, curves=LINEAR, budget=35.0)
    assert spend_of(solution, "a") == pytest.approx(25.0, abs=1e-4)
    assert spend_of(solution, "b") == pytest.approx(10.0, abs=1e-4)


def test_a_least_amount_when_used(solved: Solved) -> None:
    """60 is the least for the better channel; a budget of 50 goes to the other."""
    table = "channel,min_if_used,max_spend\na,60,100\nb,,\n"
    assert spend_of(solved(marketing=table, curves=LINEAR, budget=50.0), "a") == pytest.approx(0.0, abs=1e-6)
    assert spend_of(solved(marketing=table, curves=LINEAR, budget=70.0), "a") == pytest.approx(70.0, abs=1e-3)


@pytest.mark.parametrize(("fixed_per", "leads"), [("period", 160.0), ("horizon", 180.0)])
def test_a_fixed_cost_is_part_of_the_budget(solved: Solved, fixed_per: str, leads: float) -> None:
    """10 for each month of use, or 10 once: with at most 55 a month two months are used."""
    table = f"channel,fixed_cost,fixed_per,max_spend\na,10,{fixed_per},100\n"
    limit = [{"name": "Month", "metric": "marketing_cost", "each": "period", "at_most": 55}]
    solution = solved(periods=2, marketing=table, curves="channel,family,slope\na,linear,2\n", limits=limit)
    assert solution.figure("leads") == pytest.approx(leads, rel=1e-5)
    assert solution.figure("marketing_cost") == pytest.approx(100.0, rel=1e-5)


def test_a_switch_without_any_limit_is_refused(make_plan: MakePlan) -> None:
    """A fixed cost needs a largest amount; the row is named."""
    plan = make_plan(
        1, markets=None, marketing="channel,fixed_cost\na,5\n", curves=LINEAR.replace("b,linear,1\n", "")
    )
    with pytest.raises(InputError, match="max_spend"):
        compile_plan(resolve(plan))


@pytest.mark.parametrize(("normalised", "factor"), [("no", 1.0), ("yes", 0.5)])
def test_geometric_carryover(solved: Solved, normalised: str, factor: float) -> None:
    """100 at once, half of it kept each month: 1 + 1/2 + 1/4 times the slope, and 8 opening 4 + 2 + 1."""
    table = f"channel,carryover_rate,normalised,opening_stock\na,0.5,{normalised},8\n"
    solution = solved(periods=3, marketing=table, curves="channel,family,slope\na,linear,2\n")
    assert solution.figure("leads") == pytest.approx(2 * (100 * 1.75 * factor + 7), rel=1e-5)


def test_a_carryover_profile(solved: Solved) -> None:
    """A kernel by age: what is spent in January works in February."""
    tables = {
        "marketing": "channel,carryover_profile\na,late\n",
        "curves": "channel,family,slope\na,linear,1\n",
        "profiles": "profile,period_or_age,value\nlate,0,0.25\nlate,1,0.75\n",
    }
    solution = solved(periods=2, **tables)
    assert solution.figure("leads", {"period": "2027-02"}) == pytest.approx(75.0, rel=1e-5)


def test_even_pacing_is_one_amount_in_every_active_month(solved: Solved) -> None:
    """Three of four months are active; each gets a third."""
    table = "channel,pacing,to\na,even,2027-03-31\n"
    solution = solved(periods=4, marketing=table, curves="channel,family,scale,exponent\na,power,1,0.5\n")
    found = marketing(solution).set_index("period")["marketing_cost"]
    assert found.tolist() == pytest.approx([100 / 3] * 3, rel=1e-5)


def test_a_concave_curve_splits_evenly(solved: Solved) -> None:
    """Two equal square roots share a budget equally; the answer is proved on the true curves."""
    solution = solved(
        marketing="channel\na\nb\n", curves="channel,family,scale,exponent\na,power,1,0.5\nb,power,1,0.5\n"
    )
    assert solution.figure("leads") == pytest.approx(2 * np.sqrt(50.0), rel=1e-6)


def test_an_s_curve_takes_all_or_nothing(solved: Solved) -> None:
    """Two equal S-curves of slope 3: one gets the whole budget of 100, not each a half."""
    curve = "channel,family,top,half,slope\na,hill,100,80,3\nb,hill,100,80,3\n"
    solution = solved(marketing="channel\na\nb\n", curves=curve)
    assert solution.figure("leads") == pytest.approx(100 * 100**3 / (80**3 + 100**3), rel=1e-5)


def test_three_figures_make_a_curve(solved: Solved) -> None:
    """Through (40, 10) and (80, 15): half is 40 * 2 * 0.5 / 0.5 = 80, top 30."""
    table = "channel,spend_now,leads_now,leads_if_doubled,curve_per\na,40,10,15,horizon\n"
    solution = solved(marketing="channel\na\n", curves=table, budget=80.0)
    assert solution.figure("leads") == pytest.approx(15.0, rel=1e-5)


def test_points_make_a_curve_from_zero(solved: Solved) -> None:
    """Lines through (0, 0), (50, 100), (100, 120)."""
    table = "channel,spend,leads,curve_per\na,50,100,horizon\na,100,120,horizon\n"
    assert solved(marketing="channel\na\n", curves=table, budget=75.0).figure("leads") == pytest.approx(
        110.0, rel=1e-5
    )


def test_a_curve_of_spend_with_insertions(solved: Solved) -> None:
    """20 insertions of 5 are 100 of currency for the curve."""
    solution = solved(
        marketing="channel,unit_cost,curve_of\na,5,spend\n",
        curves="channel,family,scale,exponent\na,power,1,0.5\n",
    )
    assert solution.figure("insertions") == pytest.approx(20.0, rel=1e-5)
    assert solution.figure("leads") == pytest.approx(10.0, rel=1e-5)


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ("channel,family,top\na,hill,5\n", "half"),
        ("channel,spend_now,leads_now,leads_if_doubled\na,10,5,12\n", "at most twice"),
        ("channel,spend_now\na,10\n", "belong together"),
        ("channel,family,slope,curve_per\na,linear,1,year\na,linear,1,period\n", "curve_per"),
    ],
)
def test_curves_that_cannot_be_used(make_plan: MakePlan, curves: str, message: str) -> None:
    """The row of the curve and what is wrong with it."""
    plan = make_plan(1, markets=None, marketing="channel\na\n", curves=curves)
    with pytest.raises(InputError, match=message):
        resolve(plan)


def test_a_metric_of_sales_has_no_channel(make_plan: MakePlan) -> None:
    """Revenue by channel is an error that names the column, not a zero."""
    plan = make_plan(
        1,
        markets="region,price,potential,margin_rate\nNorth,1,5,0.5\n",
        marketing="channel\na\n",
        budgets=[{"metric": "marketing_cost", "at_most": 1}],
    )
    solution = solve(plan)
    with pytest.raises(InputError, match="channel"):
        solution.figure("revenue", {"channel": "a"})
