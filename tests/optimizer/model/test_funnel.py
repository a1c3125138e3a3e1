"""Opportunities, customers, hours on leads and run-out periods of small plans whose answers are known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.errors import InputError
from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution, Status
from optimizer.settings import SolveSettings
from optimizer.solving import solve

MakePlan = Callable[..., Plan]

MARKETS = "line,customer_type,price,margin_rate,potential\nlift,new,10,0.5,400\n"
FLAT = "profile,period_or_age,value\n" + "".join(f"season,{month},{1 / 12:.12f}\n" for month in range(1, 13))
LAGGED = {
    "markets": MARKETS,
    "profiles": FLAT,
    "marketing": "channel,max_spend\nads,1200\n",
    "yields": "channel,opportunities\nads,1\n",
    "stages": "stage,conversion,days\nlead,0.4,60.875\n",
    "objective": [{"maximize": "contribution"}],
}
"""Spending 1 brings 0.4 deals of margin 5 two months later."""


def solved(plan: Plan, **settings: object) -> Solution:
    """The proved plan."""
    solution = solve(plan, SolveSettings(leverage=False, **settings))
    assert solution.status is Status.OPTIMAL
    return solution


def by_period(solution: Solution, metric: str) -> list[float]:
    """A metric month by month."""
    return [value for _, value in figures(solution, metric, ["period"])]


def test_what_is_spent_late_counts_by_run_out_periods(make_plan: MakePlan) -> None:
    """The last two months spend like all others; no figure of the plan shows what they sell afterwards."""
    solution = solved(make_plan(12, **LAGGED))
    assert sum(by_period(solution, "marketing_cost")[10:]) > 100.0
    after = solution.sales_after
    assert after is not None and after.sum() == pytest.approx(
        0.4 * sum(by_period(solution, "opportunities")[10:])
    )
    assert solution.figure("units") == pytest.approx(0.4 * sum(by_period(solution, "opportunities")[:10]))
    money = solution.stages[0].value
    assert money == pytest.approx(solution.figure("contribution") + 5.0 * after.sum())


def test_without_run_out_the_last_months_are_idle(make_plan: MakePlan) -> None:
    """`run_out: 0` plans as if the world ended, which is what run-out periods are there to prevent."""
    solution = solved(make_plan(12, **LAGGED, run_out=0))
    assert by_period(solution, "marketing_cost")[10:] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert solution.figure("marketing_cost") == pytest.approx(sum([400 / 12 / 0.4] * 10))


def test_rules_do_not_see_run_out_periods(make_plan: MakePlan) -> None:
    """A target of the whole plan is short by what is sold behind it; a cap leaves run-out sales alone."""
    targets = [{"name": "Sales", "metric": "units", "at_least": 400}]
    limits = [{"name": "Cap", "metric": "units", "at_most": 300}]
    solution = solved(make_plan(12, **LAGGED, targets=targets, limits=limits))
    assert solution.figure("units") == pytest.approx(300.0, rel=1e-4)
    assert solution.outcomes[0].shortfall == pytest.approx(100.0, rel=1e-3)
    assert solution.sales_after is not None and solution.sales_after.sum() == pytest.approx(
        2 * 400 / 12, rel=1e-4
    )


def test_ratios_of_the_funnel(make_plan: MakePlan) -> None:
    """conversion, cycle, cost of a new customer, return: also for what signs behind the horizon, by channel."""
    solution = solved(make_plan(12, **LAGGED))
    assert solution.figure("conversion") == pytest.approx(0.4)
    assert solution.figure("cycle_time") == pytest.approx(60.875)
    assert solution.figure("cac") == pytest.approx(1 / 0.4)
    assert solution.figure("roas") == pytest.approx(0.4 * 5.0)
    assert figures(solution, "cac", ["channel"]) == [(("ads",), pytest.approx(1 / 0.4))]
    assert solution.figure("customers_brought") == pytest.approx(0.4 * solution.figure("marketing_cost"))
    assert solution.figure("new_customers") < solution.figure("customers_brought")


def test_a_pool_is_routed_and_joint_rows_feed_both(make_plan: MakePlan) -> None:
    """One row for two markets goes to the dearer one; two rows bring to each of them."""
    markets = "line,customer_type,price,margin_rate,potential\na,new,10,0.5,400\nb,new,40,0.5,400\n"
    base = {
        "markets": markets,
        "marketing": "channel,max_spend\nads,10\n",
        "objective": [{"maximize": "contribution"}],
    }
    pool = solved(make_plan(1, **base, yields="channel,line,opportunities\nads,*,1\n"))
    assert [value for _, value in figures(pool, "units", ["line"])] == pytest.approx(
        [0.0, 10.0], rel=1e-4, abs=1e-3
    )
    joint = solved(make_plan(1, **base, yields="channel,line,opportunities\nads,a,1\nads,b,0.5\n"))
    assert [value for _, value in figures(joint, "units", ["line"])] == pytest.approx([10.0, 5.0], rel=1e-4)


def test_a_negative_yield_takes_opportunities_away(make_plan: MakePlan) -> None:
    """The campaign for b costs a half of its leads in a."""
    markets = (
        "line,customer_type,price,margin_rate,organic,potential\na,new,10,0.5,8,400\nb,new,40,0.5,,400\n"
    )
    yields = "channel,line,opportunities\nads,b,1\nads,a,-0.5\n"
    tables = {"markets": markets, "marketing": "channel,max_spend\nads,10\n", "yields": yields}
    solution = solved(make_plan(1, **tables, objective=[{"maximize": "contribution"}]))
    assert [value for _, value in figures(solution, "units", ["line"])] == pytest.approx(
        [3.0, 10.0], rel=1e-4
    )


def test_win_factors_make_more_of_an_opportunity(make_plan: MakePlan) -> None:
    """Ten deals are twelve and a half with the better seller."""
    tables = {
        "markets": "line,customer_type,price,margin_rate,organic\na,new,10,0.5,10\n",
        "sellers": "seller\nAnn\nBen\n",
        "territories": "seller,win_factor\nAnn,1.25\nBen,\n",
    }
    solution = solved(make_plan(1, **tables, objective=[{"maximize": "contribution"}]))
    assert [value for _, value in figures(solution, "units", ["seller"])] == pytest.approx([12.5, 0.0])
    assert len(compile_plan(resolve(make_plan(1, **tables))).cube.seat_names) == 2


def test_what_is_not_sold_waits_where_it_is_kept(make_plan: MakePlan) -> None:
    """Demand comes a month after the opportunities, of which half are still there."""
    markets = "line,customer_type,price,margin_rate,waiting_kept,2027-01,2027-02\na,new,10,0.5,{kept},0,100\n"
    organic = "line,customer_type,amount,close\na,new,400,2027-01-10\n"
    sold = {}
    for kept in ("", 0.5):
        tables = {"markets": markets.format(kept=kept), "pipeline": organic}
        options = {"markets_options": {"months_across": "potential"}}
        solution = solved(make_plan(2, **tables, **options, objective=[{"maximize": "contribution"}]))
        sold[kept] = by_period(solution, "units")
    assert sold == {"": pytest.approx([0.0, 0.0]), 0.5: pytest.approx([0.0, 20.0])}


def test_customers_who_stay_order_again(make_plan: MakePlan) -> None:
    """100 customers at 0.9 a quarter and ten who join: 100 orders of two units in each quarter."""
    tables = {
        "markets": "line,customer_type,price,margin_rate,organic\nnew,new,10,0.5,20\nmore,existing,5,0.4,\n",
        "customers": "customers,retention,orders,revenue_per_order\n100,0.6561,4,10\n",
        "profiles": FLAT,
    }
    solution = solved(make_plan(2, "quarter", **tables, objective=[{"maximize": "contribution"}]))
    assert [value for _, value in figures(solution, "units", ["line", "period"])] == pytest.approx(
        [10, 10, 200, 200]
    )
    assert solution.figure("customers") == pytest.approx(100.0)
    assert [value for _, value in figures(solution, "customers", ["period"])] == pytest.approx([100.0, 100.0])
    assert solution.figure("retention") == pytest.approx(0.6561)


def test_lost_deals_cost_hours_and_idle_leads_do_not(make_plan: MakePlan) -> None:
    """An hour a lead and two a quote: a deal takes ten hours with the deals that are lost, so 50 are worth it."""
    tables = {
        "markets": "line,customer_type,price,margin_rate,organic\na,new,10,0.5,1000\n",
        "sellers": "seller,capacity\nAnn,500\n",
        "stages": "stage,conversion,days,hours\nlead,0.4,0,1\nquote,0.45,0,2\n",
    }
    solution = solved(make_plan(1, **tables, objective=[{"maximize": "contribution"}]))
    assert solution.figure("deals") == pytest.approx(50.0)
    assert solution.figure("hours") == pytest.approx(500.0)
    assert solution.figure("utilisation") == pytest.approx(1.0)


GROUPED = {
    "markets": "line,customer_type,price,margin_rate,organic\na,new,10,0.5,400\nb,new,20,0.4,300\n",
    "sellers": "seller,capacity,capacity_per\nAnn,100,period\nBen,50,period\nCai,100,period\nShop,,\n",
    "territories": (
        "seller,line,hours_per_unit,win_factor\nAnn,*,1,0.8\nBen,*,1,0.8\nCai,*,1,1.2\nShop,a,0,0.5\n"
    ),
    "stages": "stage,conversion,days,hours\nlead,0.4,10,1\nquote,0.5,40,2\n",
    "marketing": "channel,max_spend\nads,200\n",
    "yields": "channel,opportunities\nads,1\n",
    "profiles": FLAT,
}


def test_seat_groups_change_no_stage(make_plan: MakePlan) -> None:
    """Sellers with the same win factor are one group; stage values are those of everybody apart."""
    plan = make_plan(6, **GROUPED)
    together, apart = solved(plan), solved(plan, seat_groups=False)
    assert len(together.model.cube.seat_names) == 3 and len(apart.model.cube.seat_names) == 4
    for one, other in zip(together.stages, apart.stages, strict=True):
        if one.stage.name != "tie-break":
            assert one.value == pytest.approx(other.value, rel=1e-5, abs=1e-6)
    hours = dict(figures(together, "hours", ["seller"]))
    assert hours["Ann",] == pytest.approx(2 * hours["Ben",], rel=1e-6)
    assert together.residuals is not None and together.residuals.worst < 1e-9


def test_plans_without_a_funnel_stay_as_they_are(make_plan: MakePlan) -> None:
    """No column, no row and no period more."""
    model = compile_plan(resolve(make_plan(3, markets=MARKETS)))
    assert {block.name for block in model.program.row_blocks if block.size} == {"demand"}
    assert model.cube.num_periods == model.cube.num_planned == 3


def test_with_facts_the_pipeline_is_that_of_today(make_plan: MakePlan) -> None:
    """In March the open deals of March count, and not a second time what January brought; without a pipeline it does."""
    told = {
        "markets": "line,customer_type,price,margin_rate,organic,potential\nlift,new,10,0.5,120,4000\n",
        "stages": "stage,conversion,days\nlead,0.5,60.875\n",
        "profiles": FLAT,
        "actuals": "period,line,units\n2027-01,lift,7\n2027-02,lift,7\n",
        "calendar": {"as_of": "2027-03-01"},
        "objective": [{"maximize": "contribution"}],
    }
    sold = by_period(solved(make_plan(12, **told)), "units")
    assert sold[:2] == [7.0, 7.0] and sold[2:] == pytest.approx([5.0] * 10, rel=1e-4)
    pipeline = "line,customer_type,amount,close\nlift,new,80,2027-04-10\n"
    sold = by_period(solved(make_plan(12, **told, pipeline=pipeline)), "units")
    assert sold[:5] == pytest.approx([7.0, 7.0, 0.0, 8.0, 5.0], rel=1e-4)
    early = pipeline.replace("2027-04-10", "2027-02-10")
    with pytest.raises(InputError, match="2027-03-01"):
        resolve(make_plan(12, **told, pipeline=early))


def test_no_figure_depends_on_the_order_of_rows(make_plan: MakePlan) -> None:
    """Which of the idle leads are worked on, who works on them and which orders are taken is decided by labels."""

    def turned(text: str) -> str:
        head, *rows = text.rstrip("\n").split("\n")
        return "\n".join([head, *rows[::-1]]) + "\n"

    names = ("markets", "sellers", "territories", "yields", "marketing")
    tables = GROUPED | {"yields": "channel,line,opportunities\nads,*,1\nads,a,0.5\n"}
    one = solved(make_plan(3, **tables))
    other = solved(make_plan(3, **(tables | {name: turned(tables[name]) for name in names})))
    for metric in ("revenue", "opportunities", "won", "conversion", "hours", "marketing_cost"):
        assert by_period(one, metric) == pytest.approx(
            by_period(other, metric), rel=1e-4, abs=1e-4, nan_ok=True
        )
    for metric in ("hours", "revenue"):
        assert dict(figures(one, metric, ["seller"])) == pytest.approx(
            dict(figures(other, metric, ["seller"])), rel=1e-4, abs=1e-4
        )


def test_a_horizon_of_resources_runs_out_in_proportion(make_plan: MakePlan) -> None:
    """Twelve months have twelve demonstrations; two months behind them have two more, not twelve (found by random
    plans)."""
    kits = {
        "resources": "resource,capacity,per\nkits,12,horizon\n",
        "uses": "activity,resource,amount\nsell,kits,1\n",
    }
    solution = solved(make_plan(12, **LAGGED, **kits))
    assert solution.figure("units") == pytest.approx(12.0, rel=1e-4)
    assert solution.sales_after is not None and solution.sales_after.sum() == pytest.approx(2.0, rel=1e-4)
