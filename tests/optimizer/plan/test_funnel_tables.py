"""Stages, pipeline, customers and yields with markets as arrays, and their faults with file and row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.plan.inputs import Inputs, resolve
from optimizer.plan.plan import Plan
from optimizer.plan.runout import run_on, run_out_periods

MakePlan = Callable[..., Plan]

MARKETS = (
    "line,customer_type,price,margin_rate,potential,organic,units_per_deal\n"
    "premium,new,60000,0.46,65,,1.1\npremium,existing,60000,0.46,108,,1.3\nstandard,new,18000,0.3,260,,2\n"
)
STAGES = (
    "line,customer_type,stage,conversion,days,hours\n"
    "premium,new,lead,0.35,7,0.5\npremium,new,contact,0.60,14,2\n"
    "premium,new,quote,0.62,30,8\npremium,new,contract,0.92,24,4\n"
)
SEASON = "profile,period_or_age,value\n" + "".join(f"season,{month},{1 / 12:.9f}\n" for month in range(1, 13))
ADS = {
    "marketing": "channel,max_spend\nads,100\n",
    "yields": "channel,line,customer_type,opportunities\nads,premium,new,1\n",
}


def filled(plan: Plan) -> Inputs:
    """The plan with its blanks filled."""
    inputs = resolve(plan)
    assert inputs.funnel is not None
    return inputs


def fault(make_plan: MakePlan, **tables: str) -> str:
    """The message of a plan that is refused."""
    with pytest.raises(InputError) as caught:
        resolve(make_plan(**({"markets": MARKETS, "stages": STAGES} | tables)))
    assert caught.value.text("ru") and caught.value.text("zh")
    return caught.value.text("en")


def test_stages_give_conversion_cycle_and_hours(make_plan: MakePlan) -> None:
    """12 % of the leads sign after 75 days; a won deal takes 28.4 hours, half of them for deals that are lost."""
    stages = filled(make_plan(markets=MARKETS, stages=STAGES, **ADS)).funnel.stages
    assert stages.won[0] == pytest.approx(0.35 * 0.6 * 0.62 * 0.92)
    assert stages.cycle_days[0] == 75.0
    assert stages.hours_an_opportunity[0] / stages.won[0] == pytest.approx(28.4, abs=0.05)
    assert stages.hours_after(5)[0].sum() == pytest.approx(stages.hours_an_opportunity[0])
    assert stages.hours_before(5)[0].sum() == pytest.approx(stages.hours_an_opportunity[0] / stages.won[0])
    assert not stages.covered[1:].any()


def test_the_narrower_row_of_a_stage_wins(make_plan: MakePlan) -> None:
    """A line of its own takes the place of the row for all."""
    rows = "line,stage,conversion,days\n*,lead,0.5,10\n*,quote,0.4,20\npremium,quote,0.8,40\n"
    stages = filled(make_plan(markets=MARKETS, stages=rows, **ADS)).funnel.stages
    assert stages.won.tolist() == pytest.approx([0.4, 0.4, 0.2])
    assert stages.cycle_days.tolist() == [50.0, 50.0, 30.0]


def test_a_yield_and_a_channel_may_know_better_than_stages(make_plan: MakePlan) -> None:
    """The row's own conversion and the channel's own lag count; the days follow from the lag."""
    profiles = SEASON + "slow,1,0.5\nslow,3,0.5\n"
    funnel = filled(
        make_plan(
            12,
            markets=MARKETS,
            stages=STAGES,
            profiles=profiles,
            marketing="channel,max_spend,lag\nads,100,slow\n",
            yields="channel,line,customer_type,opportunities,conversion\nads,premium,new,1,0.3\nads,standard,new,1,\n",
        )
    ).funnel
    assert funnel.of_yield.conversion.tolist() == [0.3, 1.0]
    assert funnel.of_yield.lag[0].tolist() == [0.0, 0.5, 0.0, 0.5]
    assert funnel.of_yield.days[0] == pytest.approx(2 * 365.25 / 12)


def test_open_deals_close_by_date_or_by_the_days_that_are_left(make_plan: MakePlan) -> None:
    """A dated deal closes in its month; one in the contract stage anywhere in the next 24 days; by probability."""
    pipeline = (
        "deal,line,customer_type,stage,amount,close,probability\n"
        "a,premium,new,quote,66000,2027-02-20,\nb,premium,new,contract,66000,,\nc,premium,new,,66000,2027-03-01,0.5\n"
    )
    opening = filled(make_plan(4, markets=MARKETS, stages=STAGES, pipeline=pipeline)).funnel.opening[0]
    assert opening.tolist() == pytest.approx([0.92, 0.62 * 0.92, 0.5, 0.0])


def test_a_deal_of_several_markets_is_divided_not_copied(make_plan: MakePlan) -> None:
    """Two markets share an amount in proportion to their potential in money."""
    pipeline = "line,customer_type,amount,close\npremium,*,1730000,2027-01-05\n"
    inputs = filled(make_plan(2, markets=MARKETS, pipeline=pipeline))
    worth = inputs.markets.price[:, 0] * inputs.markets.units_per_deal[:, 0]
    assert (inputs.funnel.opening[:, 0] * worth).tolist() == pytest.approx([650000.0, 1080000.0, 0.0])
    assert "pipeline_split" in {used.key for used in inputs.assumptions}


def test_without_a_pipeline_organic_opportunities_came_before_as_well(make_plan: MakePlan) -> None:
    """With a cycle of two months, January sells what came in November; nobody starts from nothing."""
    markets = "line,price,margin_rate,organic\npremium,10,0.5,120\n"
    stages = "stage,conversion,days\nlead,0.5,60.875\n"
    inputs = filled(make_plan(12, markets=markets, stages=stages, profiles=SEASON))
    assert inputs.funnel.opening[0].tolist() == pytest.approx([5.0, 5.0] + [0.0] * 10, abs=1e-6)
    assert "organic_before" in {used.key for used in inputs.assumptions}


def test_new_customers_join_those_who_order(make_plan: MakePlan) -> None:
    """Orders go to the market of existing customers, whose row new customers of the same line join."""
    customers = "line,customer_type,customers,retention,orders,revenue_per_order\npremium,existing,200,0.81,1.2,30000\n"
    found = filled(make_plan(12, markets=MARKETS, customers=customers)).funnel.customers
    assert found.entry_market.tolist() == [1]
    assert found.joins.tolist() == [0, -1, -1]
    assert found.kept[0] ** 12 == pytest.approx(0.81)
    assert found.orders[0].sum() == pytest.approx(1.2)
    assert found.units_per_order[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"pipeline": "line,customer_type,stage,amount\npremium,new,quot,10\n"}, ["pipeline.csv, row 2", "quot", "quote"]),
        ({"pipeline": "line,stage,amount\nstandard,quote,10\n"}, ["pipeline.csv, row 2", "no stage “quote”"]),
        ({"pipeline": "line,amount,close\nstandard,10,2026-12-01\n"}, ["row 2, column close", "2027-01-01"]),
        ({"customers": "line,customers\n*,10\npremium,20\n"}, ["customers.csv, row 3", "premium"]),
        ({"customers": "line,customers\nstandard,10\n"}, ["customers.csv, row 2", "customer_type existing"]),
        (
            {"marketing": "channel\nads\n", "yields": "channel,line,opportunities\nads,premium,-1\n"},
            ["yields.csv, row 2", "negative"],
        ),
        (
            {"sellers": "seller\nAnn\n", "territories": "seller,win_factor\nAnn,0\n"},
            ["territories.csv, row 2", "above 0"],
        ),
        ({"stages": "line,stage,conversion\npremium,lead,1.2\n"}, ["stages.csv, row 2", "conversion"]),
        ({"stages": "line,stage,days\npremum,lead,10\n"}, ["stages.csv, row 2", "premium"]),
    ],
)  # fmt: skip
def test_faults_have_their_place(make_plan: MakePlan, tables: dict[str, str], expected: list[str]) -> None:
    """File, row and the way out."""
    text = fault(make_plan, **tables)
    for part in expected:
        assert part in text


def test_the_funnel_needs_markets(make_plan: MakePlan) -> None:
    """Stages and conversions say nothing of a plan of marketing alone."""
    alone = {"markets": None, "stages": None, "marketing": "channel\nads\n"}
    assert "has no table “markets”" in fault(make_plan, **(alone | {"stages": STAGES}))
    yields = "channel,group,opportunities,conversion\nads,men,1,0.2\n"
    assert "yields.csv, row 2, column conversion" in fault(make_plan, **(alone | {"yields": yields}))


def test_hours_of_stages_stand_for_blank_hours(make_plan: MakePlan) -> None:
    """Where opportunities are planned the hours are in them; else a unit takes those of its deal."""
    people = {
        "sellers": "seller,capacity\nAnn,100\n",
        "territories": "seller,line,customer_type,hours_per_unit\nAnn,premium,new,\nAnn,standard,*,6\n",
    }
    led = resolve(make_plan(markets=MARKETS, stages=STAGES, **people, **ADS)).selling.hours_per_unit[:, 0]
    assert led.tolist() == [0.0, 6.0]
    alone = resolve(make_plan(markets=MARKETS, stages=STAGES, **people)).selling.hours_per_unit[:, 0]
    assert alone[0] == pytest.approx(28.4 / 1.1, abs=0.05)


def test_run_out_periods_are_the_longest_lag(make_plan: MakePlan) -> None:
    """75 days are three months at most; carryover of 0.5 works on for four; the plan file may say otherwise."""
    base = {"markets": MARKETS, "stages": STAGES, **ADS}
    assert run_out_periods(resolve(make_plan(12, **base))) == 3
    carried = base | {"marketing": "channel,max_spend,carryover_rate\nads,100,0.5\n"}
    assert run_out_periods(resolve(make_plan(12, **carried))) == 4
    assert run_out_periods(resolve(make_plan(12, **base, run_out=1))) == 1


def test_plans_without_lag_have_no_run_out(make_plan: MakePlan) -> None:
    """Their inputs are handed on as they are."""
    for tables in ({}, {"customers": "line,customer_type,customers\npremium,existing,10\n"}):
        inputs = resolve(make_plan(3, markets=MARKETS, **tables))
        assert run_on(inputs) is inputs


def test_run_out_periods_are_like_the_same_season(make_plan: MakePlan) -> None:
    """Demand of a year before, people of the last month, no money, no starts; a short plan repeats its end."""
    markets = "line,customer_type,price,margin_rate,2027-01,2027-02,2027-03\npremium,new,10,0.5,1,2,3\n"
    options = {"markets_options": {"months_across": "potential"}}
    stages = "stage,conversion,days\nlead,0.5,40\n"
    people = "seller,capacity,capacity_unit,capacity_per,from,to,ramp\nAnn,100,units,period,,2027-02-15,\nBen,100,units,period,2027-02-01,,none\n"
    plan = make_plan(
        3,
        markets=markets,
        stages=stages,
        sellers=people,
        **options,
        **(ADS | {"yields": "channel,opportunities\nads,1\n"}),
    )
    long = run_on(resolve(plan))
    assert long.calendar.period == ("2027-01", "2027-02", "2027-03", "2027-04", "2027-05")
    assert long.markets.potential[0].tolist() == [1, 2, 3, 3, 3]
    assert long.selling.sellers.capacity[:, 3:].tolist() == [[0.0, 0.0], [100.0, 100.0]]
    assert not long.marketing.bounds.upper[0, 3:].any() and not long.marketing.active[0, 3:].any()
    year = make_plan(12, markets="line,customer_type,price,margin_rate,potential,season\npremium,new,10,0.5,100,q\n",
                     profiles=SEASON + "".join(f"q,{m},{v}\n" for m, v in zip(range(1, 13), (0.2, *[0.08] * 10, 0.0), strict=True)),
                     stages=stages, **(ADS | {"yields": "channel,opportunities\nads,1\n"}))  # fmt: skip
    assert np.round(run_on(resolve(year)).markets.potential[0, 11:], 6).tolist() == [0.0, 20.0, 8.0]
