"""Effects on what fills the funnel and on customers: small plans whose answers can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from optimizer.errors import InputError
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.plan.runout import run_out_periods
from optimizer.result.funnel import customers as customers_table
from optimizer.result.solution import Solution
from optimizer.solving import solve

MakePlan = Callable[..., Plan]
near = partial(pytest.approx, rel=1e-4, abs=1e-4)
ADS = "channel,max_spend,unit_cost\nads,100,1\n"
YIELDS = "channel,line,opportunities,conversion\nads,A,1,0.2\n"
MARKET = "line,price,margin_rate\nA,10,0.5\n"
NOW = "initiative,latest\ntraining,2027-01\n"


def month(solution: Solution, metric: str) -> list[float]:
    """A metric in each month of the plan."""
    return [solution.figure(metric, {"period": period}) for period in solution.plan.calendar.period]


def test_conversion_of_what_enters_while_it_works(make_plan: MakePlan) -> None:
    """50 opportunities a month at 20 %, and at 30 % from the second month on."""
    plan = make_plan(
        2,
        markets=MARKET,
        marketing="channel,max_spend,pacing\nads,100,even\n",
        yields=YIELDS,
        initiatives=NOW,
        effects="initiative,changes,likely,after\ntraining,conversion,0.1,1\n",
    )
    solution = solve(plan)
    assert month(solution, "units") == near([10, 15])
    assert solution.figure("conversion") == near(25 / 100)
    assert solution.figure("won") == near(25)
    assert solution.figure("contribution") == near(25 * 5 - 100)


def test_training_pays_only_where_conversion_is_low(make_plan: MakePlan) -> None:
    """A factor of 1.5 on 20 % brings 10 deals more of 100 opportunities: 60 for a cost of 55, not of 65."""
    for cost, units in ((55, 30), (65, 20)):
        plan = make_plan(
            1,
            markets="line,price,margin_rate\nA,10,0.6\n",
            marketing=ADS,
            yields=YIELDS,
            initiatives=f"initiative,cost\ntraining,{cost}\n",
            effects="initiative,changes,kind,likely,line,channel\ntraining,conversion,multiply,1.5,A,ads\n",
            objective=[{"maximize": "contribution"}],
        )
        assert solve(plan).figure("units") == near(units)


def test_cac_counts_the_customers_that_training_wins(make_plan: MakePlan) -> None:
    """100 of spending bring 20 customers, 30 with training."""
    plan = make_plan(
        1,
        markets="line,price,margin_rate,customer_type\nA,10,0.9,new\n",
        marketing=ADS,
        yields=YIELDS,
        initiatives=NOW,
        effects="initiative,changes,likely\ntraining,conversion,0.1\n",
        targets=[{"name": "CAC", "metric": "cac", "at_most": 3.4}],
    )
    solution = solve(plan)
    assert solution.figure("cac") == near(100 / 30)
    assert solution.outcomes[0].status == "met"


def test_organic_opportunities(make_plan: MakePlan) -> None:
    """Eight a month and half as many again, then ten more in the line that names none of its own."""
    plan = make_plan(
        1,
        markets="line,price,margin_rate,organic\nA,10,0.5,8\nB,10,0.5,0\n",
        initiatives="initiative\nsite\npress\n",
        effects="initiative,changes,kind,likely,line\nsite,organic,multiply,1.5,A\npress,organic,,10,B\n",
    )
    solution = solve(plan)
    assert [solution.figure("units", {"line": line}) for line in "AB"] == near([12, 10])
    assert solution.figure("opportunities") == near(22)


def test_leads_of_a_channel(make_plan: MakePlan) -> None:
    """100 leads, 20 % more and five more; every lead an opportunity, every fifth a deal."""
    plan = make_plan(
        1,
        markets=MARKET,
        marketing="channel,max_spend\nads,100\nfair,50\n",
        yields=YIELDS,
        initiatives="initiative\nseo\nmail\n",
        effects="initiative,changes,kind,likely,channel\nseo,leads,multiply,1.2,ads\nmail,leads,add,5,ads\n",
        objective=[{"maximize": "revenue"}],
    )
    solution = solve(plan)
    assert solution.figure("leads", {"channel": "ads"}) == near(125)
    assert solution.figure("units") == near(25)


def test_a_longer_cycle_moves_deals(make_plan: MakePlan) -> None:
    """What is won at once is won a month later while the measure works; nothing is lost, the days say so."""
    plan = make_plan(
        3,
        markets="line,price,margin_rate,organic\nA,10,0.5,12\n",
        profiles="profile,period_or_age,value\n" + "".join(f"season,{m},{1 / 12}\n" for m in range(1, 13)),
        initiatives="initiative,earliest,latest,duration,benefit\naudit,2027-02-01,2027-02-28,1,99\n",
        effects="initiative,changes,likely\naudit,cycle,30.4375\n",
    )
    solution = solve(plan)
    assert month(solution, "units") == near([4, 0, 8])
    assert solution.figure("cycle_time") == near(4 * 30.4375 / 12)


def test_retention_of_the_customers_of_the_start(make_plan: MakePlan) -> None:
    """Of 100 customers a year keeps 1/4, each month 89.1 %; with training 1/2, each month 94.4 %."""
    customers = "line,customers,retention,orders,revenue_per_order\nA,100,0.25,12,10\n"
    plan = make_plan(
        3,
        markets="line,price,margin_rate\nA,10,0.5\n",
        customers=customers,
        profiles="profile,period_or_age,value\n" + "".join(f"season,{m},{1 / 12}\n" for m in range(1, 13)),
        initiatives=NOW,
        effects="initiative,changes,likely\ntraining,retention,0.25\n",
    )
    solution = solve(plan)
    kept, more = 0.25 ** (1 / 12), 0.5 ** (1 / 12) - 0.25 ** (1 / 12)
    first = 100 * (kept + more)
    second = first * kept + more * 100 * kept
    assert month(solution, "customers")[:2] == near([first, second])
    assert month(solution, "units") == near([100, first, second])
    table = customers_table(solution)
    assert table["left"].tolist()[:2] == near([100 - first, first - second])
    assert table["joined"].tolist() == near([0.0, 0.0, 0.0])
    before = 100 + first + second
    assert solution.figure("retention") == near((0.25 * before + 0.25 * 100 * (1 + kept + kept**2)) / before)


def test_orders_of_the_customers_of_the_start(make_plan: MakePlan) -> None:
    """An order a month each, and a fifth more; an order a year more is a twelfth of one a month."""
    for kind, likely, units in (("multiply", 1.2, 120), ("add", 6, 150)):
        plan = make_plan(
            1,
            markets="line,price,margin_rate\nA,10,0.5\n",
            customers="line,customers,retention,orders,revenue_per_order\nA,100,1,12,10\n",
            profiles="profile,period_or_age,value\n"
            + "".join(f"season,{m},{1 / 12}\n" for m in range(1, 13)),
            initiatives=NOW,
            effects=f"initiative,changes,kind,likely\ntraining,repeat,{kind},{likely}\n",
        )
        assert solve(plan).figure("units") == near(units)


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        ("initiative,changes,likely\ntraining,conversion,0.9\n", "range from 0 to 1"),
        ("initiative,changes,likely,line\ntraining,organic,5,B\n", "whose opportunities are not planned"),
        ("initiative,changes,likely,line\ntraining,leads,5,A\n", "nothing to do with this column"),
        ("initiative,changes,likely\ntraining,cycle,-5\n", "leave nothing of cycle"),
    ],
)
def test_effects_that_cannot_be_used(make_plan: MakePlan, effects: str, message: str) -> None:
    """The row, what is wrong with it, and the way out."""
    plan = make_plan(
        1,
        markets="line,price,potential\nA,10,\nB,10,5\n",
        marketing=ADS,
        yields=YIELDS,
        initiatives=NOW,
        effects=effects,
    )
    with pytest.raises(InputError, match=message):
        solve(plan)


def test_leads_without_limit_are_named(make_plan: MakePlan) -> None:
    """Conversion changes for as many leads as money buys, and nothing limits the money."""
    plan = make_plan(
        1,
        markets="line,price,potential,margin_rate\nA,10,100,0.5\n",
        marketing="channel\nads\n",
        yields=YIELDS,
        initiatives=NOW,
        effects="initiative,changes,likely\ntraining,conversion,0.1\n",
    )
    with pytest.raises(InputError, match="Give the row a max_spend"):
        solve(plan)


@pytest.mark.parametrize(
    ("effect", "more"),
    [
        ("course,cycle,,45,A,*", 3),
        ("course,cycle,multiply,2,A,ads", 2),
        ("course,cycle,,-20,A,*", 1),
        ("course,organic,,5,B,*", 3),
    ],
)
def test_effects_lengthen_the_run_out(make_plan: MakePlan, effect: str, more: int) -> None:
    """A cycle of a month, 45 days longer or twice as long; organic opportunities where none came, with a cycle of
    three months; a cycle that gets shorter ends no earlier for what nobody trains."""
    plan = make_plan(
        2,
        markets="line,price,margin_rate,organic\nA,10,0.5,\nB,10,0.5,0\n",
        marketing=ADS,
        yields="channel,line,opportunities\nads,A,1\n",
        stages=f"line,stage,conversion,days\nA,lead,0.5,{365.25 / 12}\nB,lead,0.5,{3 * 365.25 / 12}\n",
        initiatives="initiative\ncourse\n",
        effects=f"initiative,changes,kind,likely,line,channel\n{effect}\n",
    )
    assert run_out_periods(resolve(plan)) == more


def test_late_opportunities_of_a_longer_cycle_still_count(make_plan: MakePlan) -> None:
    """An offer doubles the deals and delays by two months what would have been won anyway: these deals come behind
    the horizon, and the plan counts them."""
    plan = make_plan(
        2,
        markets="line,price,margin_rate,potential\nA,10,0.5,1000\n",
        marketing="channel,max_spend,pacing\nads,20,even\n",
        yields="channel,line,opportunities,conversion\nads,A,1,0.4\n",
        initiatives="initiative,cost\noffer,10\n",
        effects=f"initiative,changes,kind,likely\noffer,conversion,multiply,2\noffer,cycle,,{2 * 365.25 / 12}\n",
    )
    solution = solve(plan)
    assert solution.figure("starts") == near(1)
    assert solution.figure("units") == near(8)
    assert solution.stages[0].value == near(20 * 0.8 * 5 - 20 - 10)


def test_windows_that_end_with_the_plan_part_behind_it(make_plan: MakePlan) -> None:
    """An effect of one month and one to the end are one window in a plan of a month, and two in its run-out (found by
    random plans)."""
    plan = make_plan(
        1,
        markets="line,price,unit_cost,potential,organic\nA,10,5,12,6\n",
        initiatives="initiative,cost\nb,10\n",
        effects="initiative,changes,likely,lasts\nb,demand,3,1\nb,value,40,\n",
        run_out=2,
        objective=[{"maximize": "contribution"}],
    )
    # Six opportunities a month at a margin of 5 sell in the plan and twice behind it; the value comes three times.
    assert solve(plan).stages[0].value == pytest.approx(3 * 6 * 5 - 10 + 3 * 40, rel=1e-6)


def test_a_training_leaves_channels_with_a_negative_yield_alone(make_plan: MakePlan) -> None:
    """What a campaign takes from another market is won better as well; it was not allowed to run beside the training
    (found by random plans)."""
    plan = make_plan(
        1,
        markets="line,price,unit_cost,potential,organic\nA,10,5,500,\nB,10,5,500,30\n",
        stages="stage,conversion\nlead,0.5\n",
        marketing="channel,max_spend\nads,20\n",
        yields="channel,line,opportunities\nads,A,1\nads,B,-0.1\n",
        initiatives="initiative\ntraining\n",
        effects="initiative,changes,likely\ntraining,conversion,0.1\n",
        objective=[{"maximize": "contribution"}],
    )
    # Of 20 + 30 - 2 opportunities 60 % are won at a margin of 5.
    assert solve(plan).stages[0].value == pytest.approx(0.6 * 48 * 5 - 20, rel=1e-5)


def test_repeat_orders_of_a_training_are_those_of_today(make_plan: MakePlan) -> None:
    """With facts the customers of the start are those of `as_of`: none has left before (found by random plans)."""
    season = "".join(f"season,{month},{1 / 12:.12f}\n" for month in range(1, 13))
    plan = make_plan(
        3,
        markets="line,price,unit_cost,potential\nA,10,5,6000\n",
        customers="line,customers,retention,orders\nA,100,0.5,12\n",
        initiatives="initiative,earliest\ntraining,2027-03-01\n",
        effects="initiative,changes,kind,likely\ntraining,repeat,multiply,2\n",
        profiles=f"profile,period_or_age,value\n{season}",
        actuals="period,units\n2027-01,1\n2027-02,1\n",
        calendar={"as_of": "2027-03-01"},
        objective=[{"maximize": "units"}],
        run_out=0,
    )
    assert solve(plan).figure("units", {"period": "2027-03"}) == pytest.approx(200.0, rel=1e-5)
