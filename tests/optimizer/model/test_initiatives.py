"""Initiatives: dates, duration, requirements, exclusions and costs of small plans whose answers are known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.errors import InputError
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.result.activities import initiatives
from optimizer.result.solution import Solution
from optimizer.solving import solve

MakePlan = Callable[..., Plan]


def begun(solution: Solution) -> dict[str, str]:
    """Initiative -> period of its start, those that start."""
    table = initiatives(solution)
    started = table[table["start"] != ""]
    return dict(zip(started["initiative"], started["start"], strict=True))


def test_what_pays_is_started_within_its_dates(make_plan: MakePlan) -> None:
    """A benefit above its cost is taken, in the only month that is allowed; a loss is not."""
    table = "initiative,cost,benefit,earliest,latest\nfair,5,9,2027-02,2027-02\nstunt,9,5,,\n"
    solution = solve(make_plan(3, initiatives=table))
    assert begun(solution) == {"fair": "2027-02"}
    assert solution.figure("contribution") == pytest.approx(4.0)
    assert solution.figure("initiative_cost", {"period": "2027-02"}) == pytest.approx(5.0)


def test_running_costs_are_due_while_it_runs(make_plan: MakePlan) -> None:
    """Two months of 3 within the plan, and one month where it starts in the last."""
    table = "initiative,running_cost,benefit,duration,latest\ntool,3,20,2,2027-01\nlate,3,20,2,\n"
    rules = [
        {
            "name": "Late",
            "metric": "starts",
            "where": {"initiative": "late", "period": "2027-03"},
            "equals": 1,
        }
    ]
    solution = solve(make_plan(3, initiatives=table, limits=rules))
    assert solution.figure("initiative_cost", {"initiative": "tool"}) == pytest.approx(6.0)
    assert solution.figure("initiative_cost", {"initiative": "late"}) == pytest.approx(3.0)


def test_a_requirement_comes_first(make_plan: MakePlan) -> None:
    """The training needs the tool two months before, although the tool alone loses money."""
    table = "initiative,cost,benefit,requires,requires_after\ntool,4,,,\ntraining,,10,tool,2\n"
    solution = solve(make_plan(3, initiatives=table))
    assert begun(solution) == {"tool": "2027-01", "training": "2027-03"}


def test_a_requirement_that_cannot_come_first_prevents_a_start(make_plan: MakePlan) -> None:
    """With two months the tool cannot stand three before."""
    table = "initiative,benefit,requires,requires_after\ntool,1,,\ntraining,10,tool,3\n"
    assert set(begun(solve(make_plan(2, initiatives=table)))) == {"tool"}


def test_exclusions_and_groups(make_plan: MakePlan) -> None:
    """Of two that exclude each other the better one; at most two of the group by a rule on starts."""
    table = "initiative,benefit,excludes,group\na,5,b; c,x\nb,4,,x\nc,3,,x\nd,2,,x\ne,1,,x\n"
    limit = [{"name": "Group", "metric": "starts", "where": {"group": "x"}, "at_most": 2}]
    assert set(begun(solve(make_plan(1, initiatives=table)))) == {"b", "c", "d", "e"}
    assert set(begun(solve(make_plan(1, initiatives=table, limits=limit)))) in ({"a", "d"}, {"b", "c"})


def test_owners_hours_are_a_resource(make_plan: MakePlan) -> None:
    """60 hours allow one of two that take 40 a month each while they run."""
    solution = solve(
        make_plan(
            2,
            initiatives="initiative,benefit,duration\na,5,1\nb,4,1\nc,3,\n",
            resources="resource,capacity\nhours,60\n",
            uses="activity,resource,amount\nactive,hours,40\n",
        )
    )
    assert set(begun(solution)) == {"a", "b"}
    assert len(set(begun(solution).values())) == 2


def test_initiatives_beside_sales(make_plan: MakePlan) -> None:
    """Their cost and benefit are part of contribution; revenue by initiative is an error."""
    solution = solve(
        make_plan(
            1,
            markets="region,price,potential,margin_rate\nNorth,10,5,0.5\n",
            initiatives="initiative,cost,benefit\na,3,4\n",
        )
    )
    assert solution.figure("contribution") == pytest.approx(26.0)
    with pytest.raises(InputError, match="initiative"):
        solution.figure("revenue", {"initiative": "a"})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("initiative,requires\na,bb\n", "Nearest: a"),
        ("initiative,duration\na,1.5\n", "whole number"),
    ],
)
def test_initiatives_that_cannot_be_used(make_plan: MakePlan, table: str, message: str) -> None:
    """The row and what is wrong with it."""
    with pytest.raises(InputError, match=message):
        resolve(make_plan(1, initiatives=table))


def test_uses_of_an_unknown_initiative(make_plan: MakePlan) -> None:
    """The nearest name is offered."""
    plan = make_plan(
        1,
        initiatives="initiative\ntraining\n",
        resources="resource,capacity\nhours,60\n",
        uses="activity,resource,amount\ninitiative:trainin,hours,40\n",
    )
    with pytest.raises(InputError, match="Nearest: training"):
        resolve(plan)


def test_an_initiative_takes_hours_of_its_owner(make_plan: MakePlan) -> None:
    """Ann owns the training and sells two units less while it runs; Bob, her equal, sells as before; the fair
    takes time of a trainer who is a resource."""
    plan = make_plan(
        2,
        markets="line,price,potential,margin_rate\nA,10,1000,0.5\n",
        sellers="seller,capacity\nAnn,100\nBob,100\n",
        territories="seller,line,hours_per_unit\n*,*,10\n",
        initiatives="initiative,benefit,owner,earliest\ntraining,50,Ann,2027-02-01\nfair,5,Cem,\n",
        resources="resource,capacity,per\nCem,7,horizon\n",
        uses="activity,resource,amount\nactive:training,owner,20\ninitiative:fair,owner,8\n",
    )
    solution = solve(plan)
    assert begun(solution) == {"training": "2027-02"}
    sold = [
        solution.figure("units", {"seller": name, "period": f"2027-0{month}"})
        for name in ("Ann", "Bob")
        for month in (1, 2)
    ]
    assert sold == pytest.approx([10, 8, 10, 10], rel=1e-4)


@pytest.mark.parametrize(
    ("owner", "activity", "message"),
    [
        ("Anne", "active:a", "Nearest: Ann"),
        ("Bob", "active:a", "not in hours"),
        ("Ann", "sell", "only initiatives"),
    ],
)
def test_owners_that_cannot_give_hours(make_plan: MakePlan, owner: str, activity: str, message: str) -> None:
    """An unknown owner, one whose capacity is in units, and an activity without an owner."""
    plan = make_plan(
        1,
        markets="line,price,potential\nA,10,1000\n",
        sellers="seller,capacity,capacity_unit\nAnn,100,hours\nBob,100,units\n",
        territories="seller,line,hours_per_unit\n*,*,10\n",
        initiatives=f"initiative,owner\na,{owner}\n",
        uses=f"activity,resource,amount\n{activity},owner,20\n",
    )
    with pytest.raises(InputError, match=message):
        resolve(plan)


def test_every_activity_takes_resources(make_plan: MakePlan) -> None:
    """Sales, spending, a start, an active month and a seller take 5, 2, 3, 1 and 2 of 10; the rest is bought."""
    plan = make_plan(
        1,
        markets="line,price,potential,margin_rate\nA,10,10,0.5\n",
        sellers="seller\nAnn\n",
        marketing="channel,min_spend,max_spend\nads,20,20\n",
        initiatives="initiative,benefit\nfair,100\n",
        resources="resource,capacity,extra_price\nteam,10,2\n",
        uses="activity,resource,amount\nsell,team,0.5\nmarketing:ads,team,0.1\ninitiative:fair,team,3\n"
        "active:fair,team,1\nseller:Ann,team,2\n",
    )
    solution = solve(plan)
    assert solution.figure("team") == pytest.approx(13.0, rel=1e-5)
    assert solution.figure("extra_cost") == pytest.approx(6.0, rel=1e-4)
    assert solution.figure("contribution") == pytest.approx(50 - 20 + 100 - 6, rel=1e-5)


def test_milestones_are_carried_through(make_plan: MakePlan) -> None:
    """Owner, milestone and due date stand in the table of the run as the planner wrote them."""
    table = "initiative,benefit,owner,milestone,due\nfair,9,Wang Fang,stand booked,2027-01-20\nstunt,,,,\n"
    found = initiatives(solve(make_plan(1, initiatives=table)))
    columns = ["initiative", "owner", "milestone", "due", "start"]
    assert found[columns].to_numpy().tolist() == [
        ["fair", "Wang Fang", "stand booked", "2027-01-20", "2027-01"],
        ["stunt", "", "", "", ""],
    ]
