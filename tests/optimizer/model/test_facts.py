"""Facts in the model: the cube before as_of is what has happened, and the rest is planned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.model.families.share import sold_before, untold_shares
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.plan.runout import run_on
from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution
from optimizer.solving import solve
from optimizer.tracking.view import fact_view

MakePlan = Callable[..., Plan]

MARKETS = """region,line,last_year_revenue,price,margin_rate
East,a,1200,10,0.5
East,b,600,20,0.4
West,a,600,10,0.5
"""
SELLERS = """seller,region,capacity,capacity_unit,capacity_per
Li,East,3000,revenue,year
Xu,East,3000,revenue,year
Ma,West,2000,revenue,year
"""
ACTUALS = """period,region,line,seller,units,revenue
2027-01,East,*,*,,140
2027-02,East,a,Li,10,100
2027-02,East,b,*,3,60
2027-01,West,*,*,5,50
2027-02,West,a,*,5,45
"""


@pytest.fixture
def solved(make_plan: MakePlan) -> Solution:
    """A plan of a year with two months of facts."""
    return solve(
        make_plan(
            periods=12,
            markets=MARKETS,
            sellers=SELLERS,
            actuals=ACTUALS,
            calendar={"as_of": "2027-03-01"},
            targets=[
                {"name": "Year", "metric": "revenue", "growth": 0.2},
                {"name": "Regions", "metric": "revenue", "each": "region", "growth": 0.1, "priority": 2},
            ],
            balance=[{"metric": "revenue", "across": "seller", "within": 0.2}],
        )
    )


def test_closed_periods_are_the_facts(solved: Solution) -> None:
    """Company, regions, lines and sellers show what is told of them, and nothing of what is not."""
    by_period = dict(figures(solved, "revenue", ["period"]))
    assert by_period[("2027-01",)] == pytest.approx(190.0)
    assert by_period[("2027-02",)] == pytest.approx(205.0)
    assert solved.sales is not None and not solved.sales[:, :2].any()
    by_line = dict(figures(solved, "revenue", ["line", "period"]))
    # West sells line a only; East's January is a pool of two lines.
    assert by_line[("a", "2027-01")] == pytest.approx(50.0)
    assert by_line[("b", "2027-01")] == 0.0
    by_seller = dict(figures(solved, "revenue", ["seller", "period"]))
    assert by_seller[("Li", "2027-02")] == pytest.approx(100.0)
    assert by_seller[("Xu", "2027-02")] == 0.0


def test_targets_keep_their_full_amount(solved: Solution) -> None:
    """The year's target is that of the whole year, and facts count towards it."""
    year = next(one for one in solved.outcomes if one.rule == "Year")
    assert year.lower == pytest.approx(2880.0)
    assert year.value == pytest.approx(sum(value for _, value in figures(solved, "revenue", ["period"])))


def test_the_band_is_about_what_is_ahead(solved: Solution) -> None:
    """Revenue over capacity from as_of on lies within 20 % of its middle for every seller."""
    cube = solved.sellers
    revenue = np.zeros(3)
    np.add.at(revenue, cube.pair_seat, (solved.sales * solved.metrics.coefficient("revenue")).sum(axis=1))
    ratio = revenue / cube.capacity.sum(axis=1)
    assert ratio.max() / ratio.min() <= 1.2 / 0.8 + 1e-6


def test_what_was_sold_takes_its_part_of_a_size(make_plan: MakePlan) -> None:
    """A share of the market that facts have used up leaves nothing."""
    plan = make_plan(
        periods=3,
        markets="region,price,potential,margin_rate\nEast,10,90,0.5\n",
        market_size="region,size_revenue,max_share\nEast,1000,0.3\n",
        actuals="period,revenue\n2027-01,200\n",
        calendar={"as_of": "2027-02-01"},
    )
    solution = solve(plan)
    assert sold_before(solution.sellers, solution.inputs.sizes).tolist() == [200.0]
    assert solution.figure("revenue") == pytest.approx(300.0)


def test_started_initiatives_stay_started(make_plan: MakePlan) -> None:
    """A start that is a fact is in the plan though it is not worth it, and nothing else starts before
    as_of."""
    plan = make_plan(
        periods=4,
        markets="region,price,potential,margin_rate\nEast,10,90,0.5\n",
        initiatives="initiative,cost,benefit,requires\nfair,10,0,\nshop,10,50,fair\n",
        actuals="period,initiative,revenue,starts\n2027-01,*,20,\n2027-02,*,20,\n2027-02,fair,,1\n",
        calendar={"as_of": "2027-03-01"},
    )
    solution = solve(plan)
    begun = solution.activities.blocks["start"].values(solution.x)
    assert begun[0].tolist() == [0, 1, 0, 0]
    assert begun[1, :2].tolist() == [0, 0] and begun[1].sum() == pytest.approx(1.0)


def test_spent_money_is_spent(make_plan: MakePlan) -> None:
    """Facts fix the input of closed periods, count in the budget, and leave the rest of a channel's
    maximum."""
    plan = make_plan(
        periods=4,
        marketing="channel,max_spend\nweb,100\n",
        curves="channel,family,slope\nweb,linear,2\n",
        actuals="period,channel,spend\n2027-01,web,70\n2027-02,web,10\n",
        calendar={"as_of": "2027-03-01"},
        objective=[{"maximize": "leads"}],
    )
    solution = solve(plan)
    spent = solution.activities.blocks["spend"].values(solution.x)[0]
    assert spent[:2].tolist() == [70.0, 10.0]
    assert spent.sum() == pytest.approx(100.0)


@pytest.mark.parametrize("per", ["period", "horizon"])
def test_what_was_spent_has_its_fixed_cost_inside(make_plan: MakePlan, per: str) -> None:
    """Eight were spent, four of them on the fixed cost, which is not added to that; sixteen of the maximum of twenty are
    left, and a fixed cost that is due once is not due again (found by random plans)."""
    plan = make_plan(
        periods=2,
        marketing=f"channel,max_spend,fixed_cost,fixed_per\nweb,20,4,{per}\n",
        curves="channel,family,slope\nweb,linear,2\n",
        actuals="period,channel,spend\n2027-01,web,8\n",
        calendar={"as_of": "2027-02-01"},
        objective=[{"maximize": "leads"}],
    )
    solution = solve(plan)
    cost = [value for _, value in figures(solution, "marketing_cost", ["period"])]
    assert cost == pytest.approx([8.0, 16.0 + (4.0 if per == "period" else 0.0)])


@pytest.mark.parametrize(
    ("january", "left"), [("Anna,20\n2027-01,North,Ben,80", 130), ("Anna,90\n2027-01,North,Ben,10", 100)]
)
def test_closed_months_count_in_shares_of_a_territory(make_plan: MakePlan, january: str, left: float) -> None:
    """Half of all that is sold at most is Anna's: of 100 in January 20 were hers, so that 30 may be caught up; 90 that
    were hers are not made good, and leave her half of the rest."""
    plan = make_plan(
        periods=2,
        markets="region,potential\nNorth,400\n",
        profiles="profile,period_or_age,value\nseason,1,0.5\nseason,2,0.5\n",
        sellers="seller\nAnna\nBen\n",
        territories="seller,region,share_max\nAnna,North,0.5\nBen,North,\n",
        actuals=f"period,region,seller,units\n2027-01,North,{january}\n",
        calendar={"as_of": "2027-02-01"},
        objective=[{"maximize": "units"}, {"maximize": "units", "where": {"seller": "Anna"}}],
    )
    solution = solve(plan)
    assert solution.figure("units", {"seller": "Anna", "period": "2027-02"}) == pytest.approx(left, rel=1e-5)
    assert not any(untold_shares(solution.inputs).values())


@pytest.mark.parametrize(
    ("table", "left", "known"),
    [
        ("", 100, {True: [], False: ["Anna/North"]}),
        ("period,seller,units\n2027-01,Anna,10\n2027-01,Ben,40\n", 130, {True: ["Anna/North"], False: []}),
        ("period,seller,units\n2027-01,*,0\n", 100, {True: [], False: ["Anna/North"]}),
    ],
)
def test_closed_months_of_whom_count_in_shares_as_planned(
    make_plan: MakePlan, table: str, left: float, known: dict[bool, list[str]]
) -> None:
    """A hundred were sold in the North; a fifth of it was planned as Anna's, so that 30 may be caught up. Without a plan,
    or where it had nothing, half of the rest is hers."""
    plan = make_plan(
        periods=2,
        markets="region,potential\nNorth,400\n",
        profiles="profile,period_or_age,value\nseason,1,0.5\nseason,2,0.5\n",
        sellers="seller\nAnna\nBen\n",
        territories="seller,region,share_max\nAnna,North,0.5\nBen,North,\n",
        actuals="period,region,units\n2027-01,North,100\n",
        calendar={"as_of": "2027-02-01"},
        objective=[{"maximize": "units"}, {"maximize": "units", "where": {"seller": "Anna"}}],
        **({"planned": table} if table else {}),
    )
    solution = solve(plan)
    assert solution.figure("units", {"seller": "Anna", "period": "2027-02"}) == pytest.approx(left, rel=1e-5)
    assert untold_shares(solution.inputs) == known


def test_what_was_taken_beyond_a_capacity_was_bought(make_plan: MakePlan) -> None:
    """Ten units took ten vans where there are six: four were hired at 3 each, though nobody may sell more than was sold."""
    plan = make_plan(
        periods=2,
        markets="region,potential,price,margin_rate\nNorth,0,10,0.5\n",
        resources="resource,capacity,extra_price\nvans,6,3\n",
        uses="activity,resource,amount\nsell,vans,1\n",
        actuals="period,region,units\n2027-01,North,10\n",
        calendar={"as_of": "2027-02-01"},
    )
    solution = solve(plan)
    assert solution.figure("extra_cost", {"period": "2027-01"}) == pytest.approx(12)
    assert solution.figure("contribution") == pytest.approx(50 - 12)
    assert fact_view(solution.inputs).by_period("contribution", "") == {"": pytest.approx([38, 0])}


def test_run_out_is_like_a_season_and_not_like_its_facts(make_plan: MakePlan) -> None:
    """Behind a plan of a year comes the first quarter again: with its organic opportunities, which for the closed quarter
    stand in the pipeline (found by random plans), and at measured rates, which act from `as_of` on."""
    plan = make_plan(
        4,
        markets="line,price,unit_cost,potential,organic\nA,10,5,120,40\n",
        pipeline="line,amount\nA,20\n",
        actuals="period,units\n2027-Q1,4\n",
        rates="rate,line,factor,reason\nleads,A,1.5,more\nprice,A,1.1,dearer\nvolume,A,0.5,less\n",
        calendar={"every": "quarter", "as_of": "2027-04-01"},
        run_out=1,
    )
    inputs = run_on(resolve(plan))
    assert inputs.funnel is not None
    assert inputs.funnel.organic[0] == pytest.approx([0.0, 15.0, 15.0, 15.0, 15.0], rel=0.02)
    assert inputs.markets.price[0] == pytest.approx([10.0, 11.0, 11.0, 11.0, 11.0])
    assert inputs.markets.unit_margin[0] == pytest.approx([5.0, 6.0, 6.0, 6.0, 6.0])
    assert inputs.markets.potential[0] == pytest.approx([30.0, 15.0, 15.0, 15.0, 15.0], rel=0.02)


def test_new_customers_are_the_deals_that_are_told(make_plan: MakePlan) -> None:
    """Seven deals in a market of new customers are seven; where none are told, of 30 units like last year's 10 and 20 the
    first are 5 deals with new customers (found by random plans)."""
    plan = make_plan(
        2,
        markets="line,price,last_year_units,units_per_deal,customer_type\nA,10,120,2,new\nB,10,240,1,existing\n",
        actuals="period,line,units,deals\n2027-01,A,10,7\n2027-02,*,30,\n",
        calendar={"as_of": "2027-03-01", "periods": 3},
    )
    new = dict(figures(solve(plan), "new_customers", ["period"]))
    assert new["2027-01",] == pytest.approx(7.0)
    assert new["2027-02",] == pytest.approx(5.0)
