"""Modes against what can be worked out by hand: least spend and the largest target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from optimizer.errors import InputError
from optimizer.plan.modes import in_mode, mode_text, read_mode
from optimizer.plan.plan import Plan
from optimizer.plan.schema import LargestSpec
from optimizer.report.compose import page
from optimizer.result.solution import Solution, Status
from optimizer.settings import SolveSettings
from optimizer.solving import solve

MakePlan = Callable[..., Plan]

QUICK = SolveSettings(marginal_values=False, leverage=False)
MARKETS = (
    "region,price,margin_rate,potential,last_year_revenue\n"
    "North,10,0.5,30,200\nSouth,20,0.5,10,100\nWest,10,0.5,50,100\n"
)
HOURS = {
    "resources": "resource,capacity\ndesk,60\n",
    "uses": "activity,region,resource,amount\nsell,*,desk,1\n",
}
DORIAN = {
    "marketing": "channel,unit_cost\ncomedy,50\nfootball,100\n",
    "yields": "channel,group,opportunities\ncomedy,hiw,7\ncomedy,him,2\nfootball,hiw,2\nfootball,him,12\n",
}
SEEN = {"name": "Seen", "metric": "opportunities", "each": "group", "at_least": {"hiw": 28, "him": 24}}


def solved(plan: Plan) -> Solution:
    """The plan's answer, proved."""
    solution = solve(plan, QUICK)
    assert solution.status is Status.OPTIMAL
    return solution


def largest(make_plan: MakePlan, of_last_year: bool = False, **entries: Any) -> float:
    """What the mode `largest: Goal` reaches, in multiples of last year's 400 where asked."""
    plan = make_plan(markets=MARKETS, **HOURS, mode={"largest": "Goal"}, **entries)
    solution = solved(plan)
    stage = next(stage for stage in solution.stages if stage.stage.kind == "largest")
    assert stage.value is not None
    return stage.value * solution.figure("last_year") / 400.0 if of_last_year else stage.value


def test_least_spend_makes_targets_hard(make_plan: MakePlan) -> None:
    """The soft targets of Dorian Auto cost 320, as the must-targets of the published case do."""
    solution = solved(make_plan(**DORIAN, targets=[SEEN], mode="least_spend"))
    assert solution.stages[0].value == pytest.approx(320.0)
    assert all(outcome.must and outcome.status == "met" for outcome in solution.outcomes)
    assert "320" in page(solution)


def test_least_spend_of_unreachable_targets_is_no_plan(make_plan: MakePlan) -> None:
    """A budget below 320 contradicts the targets, and the repair is named."""
    budget = {"name": "Budget", "metric": "marketing_cost", "at_most": 300}
    solution = solve(make_plan(**DORIAN, targets=[SEEN], budgets=[budget], mode="least_spend"), QUICK)
    assert solution.status is Status.NO_PLAN
    assert solution.contradiction is not None
    repairs = {repair.name: repair.change for repair in solution.contradiction.single_repairs}
    assert repairs["Budget"] == pytest.approx(20.0)


def test_the_largest_number_of_one_target(make_plan: MakePlan) -> None:
    """60 hours bring 10 units of 20 and 50 of 10."""
    goal = {"name": "Goal", "metric": "revenue", "at_least": 1}
    assert largest(make_plan, targets=[goal]) == pytest.approx(700.0)


def test_the_largest_growth(make_plan: MakePlan) -> None:
    """700 of revenue on the month's share of last year's 400, whatever was asked."""
    goal = {"name": "Goal", "metric": "revenue", "growth": 0.9}
    plan = make_plan(markets=MARKETS, **HOURS, mode={"largest": "Goal"}, targets=[goal])
    solution = solved(plan)
    assert solution.stages[0].value == pytest.approx(700.0 / solution.figure("last_year") - 1.0)


def test_the_others_are_kept(make_plan: MakePlan) -> None:
    """Twenty units at most of the North, and at most 5 of the South, leave 35 for the West."""
    targets = [
        {"name": "Goal", "metric": "units", "where": {"region": "West"}, "at_least": 50},
        {"name": "North", "metric": "units", "where": {"region": "North"}, "at_least": 20},
        {"name": "South", "metric": "units", "where": {"region": "South"}, "at_least": 5, "priority": 3},
    ]
    assert largest(make_plan, targets=targets) == pytest.approx(35.0, rel=1e-5)


def test_the_largest_common_number_of_several_members(make_plan: MakePlan) -> None:
    """Every region sells as many times last year's revenue: the North's potential allows 1.5 times."""
    goal = {"name": "Goal", "metric": "revenue", "each": "region", "at_least": 1, "of": "last_year"}
    assert largest(make_plan, True, targets=[goal]) == pytest.approx(1.5, rel=1e-5)


def test_bounds_by_member_keep_their_proportions(make_plan: MakePlan) -> None:
    """Twice as many units in the West as in the North, and none asked in the South: 20 and 40."""
    goal = {"name": "Goal", "metric": "units", "each": "region", "at_least": {"North": 10, "West": 20}}
    assert largest(make_plan, targets=[goal]) == pytest.approx(2.0, rel=1e-5)


def test_the_smallest_upper_bound(make_plan: MakePlan) -> None:
    """What 300 of revenue takes at least: 10 hours of the South and 10 of another region."""
    floor = {"name": "floor", "metric": "revenue", "at_least": 300}
    goal = {"name": "Goal", "metric": "desk", "at_most": 5}
    assert largest(make_plan, targets=[goal], limits=[floor]) == pytest.approx(20.0, rel=1e-5)


def test_the_largest_ratio_and_share(make_plan: MakePlan) -> None:
    """With 30 units in all the average price is at most 400 / 30, and the South's share of revenue a half."""
    floor = {"name": "floor", "metric": "units", "at_least": 30}
    price = {"name": "Goal", "metric": "average_price", "at_least": 11}
    assert largest(make_plan, targets=[price], limits=[floor]) == pytest.approx(400 / 30, rel=1e-5)
    share = {"name": "Goal", "metric": "revenue", "where": {"region": "South"}, "share_at_least": 0.1}
    assert largest(make_plan, targets=[share], limits=[floor]) == pytest.approx(0.5, rel=1e-5)


def test_the_page_says_what_can_be_reached(make_plan: MakePlan) -> None:
    """The answer stands beside what was asked, in every language."""
    goal = {"name": "Goal", "metric": "revenue", "growth": 0.9}
    solution = solved(make_plan(markets=MARKETS, **HOURS, mode={"largest": "Goal"}, targets=[goal]))
    assert "“Goal”" in page(solution) and "90 %" in page(solution)
    assert "“Goal”最多可以要求" in page(solution, language="zh")


@pytest.mark.parametrize(
    ("key", "entries"),
    [
        ("modes.largest_unknown", {"mode": {"largest": "Gaol"}}),
        ("modes.largest_two_sides", {"mode": {"largest": "Band"}}),
        ("modes.objective_and_mode", {"mode": "least_spend", "objective": [{"maximize": "revenue"}]}),
    ],
)
def test_what_the_plan_file_cannot_ask(make_plan: MakePlan, key: str, entries: dict[str, Any]) -> None:
    """Wrong modes are refused when the plan is read."""
    targets = [
        {"name": "Goal", "metric": "revenue", "at_least": 1},
        {"name": "Band", "metric": "revenue", "between": [1, 2]},
    ]
    with pytest.raises(InputError) as caught:
        make_plan(markets=MARKETS, targets=targets, **entries)
    assert caught.value.key == key
    assert caught.value.place.file == "plan.yaml"


@pytest.mark.parametrize(
    ("key", "entries"),
    [
        ("modes.nothing_to_spend", {"mode": "least_spend"}),
        ("modes.largest_ratio_members", {"mode": {"largest": "Prices"}}),
        ("modes.largest_of_nothing", {"mode": {"largest": "New"}}),
        ("modes.ratio_may_be_of_nothing", {"objective": [{"maximize": "average_price"}]}),
    ],
)
def test_what_the_tables_cannot_give(make_plan: MakePlan, key: str, entries: dict[str, Any]) -> None:
    """What a mode cannot look for in these tables is an error that says so."""
    targets = [
        {"name": "Prices", "metric": "average_price", "each": "region", "at_least": 1, "penalty": 0},
        {"name": "New", "metric": "revenue", "where": {"region": "New"}, "growth": 0.1, "penalty": 0},
    ]
    plan = make_plan(markets=MARKETS + "New,10,0.5,5,0\n", targets=targets, **entries)
    with pytest.raises(InputError) as caught:
        solve(plan, QUICK)
    assert caught.value.key == key


def test_modes_of_the_command_line(make_plan: MakePlan) -> None:
    """A mode given from outside takes the place of the objective; an unknown one is refused."""
    goal = {"name": "Goal", "metric": "revenue", "at_least": 1}
    plan = make_plan(markets=MARKETS, **HOURS, targets=[goal], objective=[{"minimize": "units"}])
    moded = in_mode(plan, read_mode("largest:Goal"))
    assert moded.spec.mode == LargestSpec(largest="Goal") and moded.spec.objective is None
    assert [mode_text(read_mode(text)) for text in ("least-spend", "contribution", "largest:Goal")] == [
        "least-spend", "contribution", "largest:Goal",
    ]  # fmt: skip
    with pytest.raises(InputError, match="no such mode"):
        read_mode("least-spent")
    found = solve(plan, SolveSettings(marginal_values=False, leverage=False, mode="largest:Goal"))
    assert found.figure("revenue") == pytest.approx(700.0, rel=1e-5)
