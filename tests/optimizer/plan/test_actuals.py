"""Facts: read in any detail, never split, refused where they contradict themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.plan.actuals import Facts
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan

MakePlan = Callable[..., Plan]

MARKETS = """region,province,line,last_year_revenue,price,margin_rate
East,Jiangsu,a,1200,10,0.5
East,Zhejiang,b,600,20,0.4
West,Sichuan,a,600,10,0.5
"""
SELLERS = "seller,region\nLi,East\nXu,East\nMa,West\n"


def facts_of(make_plan: MakePlan, actuals: str, as_of: str = "2027-03-01", **entries: Any) -> Facts:
    """The facts of a plan of a year with the tables above."""
    plan = make_plan(
        periods=12, markets=MARKETS, sellers=SELLERS, actuals=actuals, calendar={"as_of": as_of}, **entries
    )
    facts = resolve(plan).facts
    assert facts is not None
    return facts


def test_a_pool_knows_what_follows_from_its_keys(make_plan: MakePlan) -> None:
    """A province lies in one region and one line; a region says nothing about line or seller."""
    facts = facts_of(make_plan, "period,region,province,revenue\n2027-01,*,Jiangsu,5\n2027-02,West,*,7\n")
    assert facts.past == 2
    assert facts.labels["region"] == ["East", "West"]
    assert facts.labels["line"] == ["a", "a"]
    assert facts.labels["seller"] == ["", "Ma"]
    assert facts.labels["market.region"] == ["East", "West"]


def test_a_combination_that_the_plan_has_not_keeps_its_labels(make_plan: MakePlan) -> None:
    """A product that is sold in a region for the first time is no total of anything, and counts for both."""
    actuals = "period,region,line,revenue\n2027-01,West,b,7\n2027-01,East,b,5\n2027-01,West,a,3\n"
    facts = facts_of(make_plan, actuals, as_of="2027-02-01")
    assert facts.labels["region"][0] == "West" and facts.labels["line"][0] == "b"
    assert facts.values["revenue"][:, 0].tolist() == [7.0, 5.0, 3.0]


def test_what_is_sold_is_of_no_channel(make_plan: MakePlan) -> None:
    """One channel in the plan is no label of sales and opportunities, whose markets have other sources; spending
    is of it. What follows of markets stays where marketing has the column too."""
    facts = facts_of(
        make_plan,
        "period,province,channel,revenue,opportunities,spend\n"
        "2027-01,Jiangsu,*,5,3,\n2027-01,Sichuan,fair,1,,\n2027-01,*,*,,,9\n",
        as_of="2027-02-01",
        marketing="channel,region,max_spend\nfair,West,100\n",
        yields="channel,opportunities\nfair,0.1\n",
    )
    assert facts.labels["channel"] == ["", "fair", "fair"]
    assert facts.labels["region"] == ["East", "West", "West"]


def test_a_coarse_fact_stays_one_pool(make_plan: MakePlan) -> None:
    """A region with two lines and two sellers carries neither."""
    facts = facts_of(make_plan, "period,region,revenue\n2027-01,East,100\n2027-02,East,0\n")
    assert facts.labels["line"] == [""] and facts.labels["seller"] == [""]
    assert facts.values["revenue"][0, :2].tolist() == [100.0, 0.0]


def test_units_follow_from_revenue_and_the_reverse(make_plan: MakePlan) -> None:
    """Blank figures come from price and rates of what a row covers."""
    facts = facts_of(make_plan, "period,province,units,revenue\n2027-01,Zhejiang,3,\n2027-02,Zhejiang,,50\n")
    assert facts.values["revenue"][0, 0] == pytest.approx(60.0)
    assert facts.values["units"][0, 1] == pytest.approx(2.5)
    assert facts.values["margin"][0, :2] == pytest.approx([24.0, 20.0])


def test_mixed_rates_are_an_assumption(make_plan: MakePlan) -> None:
    """Units of a region with two prices are revenue over the mean price, and said so."""
    plan = make_plan(
        periods=12, markets=MARKETS, actuals="period,region,revenue\n2027-01,East,40\n",
        calendar={"as_of": "2027-02-01"},
    )  # fmt: skip
    inputs = resolve(plan)
    assert inputs.facts is not None
    # 120 units at 10 and 30 at 20 a year: 12 on average.
    assert inputs.facts.values["units"][0, 0] == pytest.approx(40 / 12)
    assert "facts_at_mean" in [used.key for used in inputs.assumptions]


def test_coarse_facts_are_at_the_planned_mix(make_plan: MakePlan) -> None:
    """Where the plan had 30 units at 20 and 10 at 10, units are revenue over 17.5, and the page says that it is the plan's
    mix; a month without a plan keeps last year's mean of 12."""
    plan = make_plan(
        periods=12, markets=MARKETS, calendar={"as_of": "2027-03-01"},
        actuals="period,region,revenue\n2027-01,East,70\n2027-02,East,24\n",
        planned="period,province,units\n2027-01,Jiangsu,10\n2027-01,Zhejiang,30\n",
    )  # fmt: skip
    inputs = resolve(plan)
    assert inputs.facts is not None
    assert inputs.facts.values["units"][0, :2] == pytest.approx([4.0, 2.0], rel=1e-6)
    assert "facts_as_planned" in [used.key for used in inputs.assumptions]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2027-03,East,5", "this period is not closed"),
        ("2027-01,Eest,5", "Eest"),
        ("2027-01,East,-5", "-5"),
    ],
)
def test_what_was_planned_is_about_closed_periods(make_plan: MakePlan, row: str, said: str) -> None:
    """An open period, an unknown label and a negative number are errors with their place."""
    with pytest.raises(InputError, match=said):
        resolve(
            make_plan(
                periods=12, markets=MARKETS, calendar={"as_of": "2027-02-01"},
                actuals="period,region,revenue\n2027-01,East,40\n",
                planned=f"period,region,units\n{row}\n",
            )
        )  # fmt: skip


def test_returns_are_subtracted(make_plan: MakePlan) -> None:
    """A row marked as returned stands beside the sales of its month."""
    facts = facts_of(
        make_plan,
        "period,province,units,returned\n2027-01,Jiangsu,10,\n2027-01,Jiangsu,-2,yes\n",
        as_of="2027-02-01",
    )
    assert facts.values["units"][0, 0] == 8.0


def test_a_total_beside_its_details_counts_once(make_plan: MakePlan) -> None:
    """The company's total agrees with its regions and is not added to them."""
    facts = facts_of(
        make_plan,
        "period,region,revenue\n2027-01,East,100\n2027-01,West,50\n2027-01,*,150.1\n",
        as_of="2027-02-01",
    )
    assert facts.values["revenue"].sum() == pytest.approx(150.0)


BAD = {
    "tracking.period_open": "period,region,revenue\n2027-01,East,1\n2027-03,East,1\n",
    "plan.unknown_period": "period,region,revenue\n2026-12,East,1\n",
    "tracking.period_long": "period,region,revenue\n2027-Q1,East,1\n",
    "plan.unknown_label": "period,region,revenue\n2027-01,Est,1\n",
    "plan.unknown_column": "period,country,revenue\n2027-01,China,1\n",
    "tracking.period_twice": "period,region,revenue\n2027-01,East,1\nJan 2027,East,1\n2027-02,East,1\n",
    "plan.keys_twice": "period,region,revenue\n2027-01,East,1\n2027-01,East,1\n",
    "tracking.period_missing": "period,region,revenue\n2027-01,East,1\n",
    "tracking.negative": "period,region,units\n2027-01,East,-1\n2027-02,East,1\n",
    "plan.blank_key": "period,region,units\n2027-01,,1\n2027-02,East,1\n",
    "tracking.total_contradicts": "period,region,revenue\n2027-01,East,100\n2027-01,*,150\n2027-02,East,1\n",
    "tracking.rows_overlap": (
        "period,region,line,revenue\n2027-01,East,*,1\n2027-01,*,b,1\n2027-01,*,a,1\n2027-02,East,*,1\n"
    ),
}


@pytest.mark.parametrize("key", BAD)
def test_bad_facts_are_errors_with_their_place(make_plan: MakePlan, key: str) -> None:
    """Each kind of bad facts is refused with file and, where there is one, row and value."""
    with pytest.raises(InputError) as error:
        facts_of(make_plan, BAD[key])
    assert error.value.key == key
    assert error.value.place.file == "actuals.csv"
    if key not in ("tracking.period_missing", "plan.unknown_column"):
        assert error.value.place.row is not None


def test_as_of_and_actuals_need_each_other(make_plan: MakePlan) -> None:
    """One without the other is an error, and so is a day inside a month."""
    with pytest.raises(InputError) as error:
        resolve(make_plan(periods=3, markets=MARKETS, actuals="period,revenue\n2027-01,1\n"))
    assert error.value.key == "tracking.as_of_missing"
    with pytest.raises(InputError) as error:
        resolve(make_plan(periods=3, markets=MARKETS, calendar={"as_of": "2027-02-01"}))
    assert error.value.key == "tracking.actuals_missing"
    with pytest.raises(InputError) as error:
        make_plan(periods=3, markets=MARKETS, calendar={"as_of": "2027-02-10"})
    assert error.value.key == "tracking.as_of_inside"
    assert "2027-02-01" in str(error.value)
    with pytest.raises(InputError) as error:
        make_plan(periods=3, markets=MARKETS, calendar={"as_of": "2030-05-01"})
    assert error.value.key == "tracking.as_of_outside"


def test_spend_of_a_channel_is_its_own_and_of_several_a_pool(make_plan: MakePlan) -> None:
    """Spend that names one row of marketing fixes its input; a shared amount is a cost of the pool."""
    plan = make_plan(
        periods=3,
        markets="region,last_year_revenue,price\nEast,120,10\n",
        marketing="channel,unit_cost\nfair,10\nweb,\n",
        actuals="period,channel,revenue,spend\n2027-01,*,9,\n2027-01,fair,,50\n2027-02,*,9,70\n",
        calendar={"as_of": "2027-03-01"},
    )
    facts = resolve(plan).facts
    assert facts is not None and facts.spend is not None
    assert facts.spend[0].tolist() == [5.0, 0.0, 0.0]
    assert facts.values["marketing_cost"].sum(axis=0).tolist() == [0.0, 70.0, 0.0]
    assert np.isnan(facts.told["spend"]).sum() == 4
