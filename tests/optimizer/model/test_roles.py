"""Roles: people without names by tenure, in small plans whose answers can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from optimizer.errors import InputError
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.result.activities import hires
from optimizer.result.evaluate import as_planned
from optimizer.result.solution import Solution
from optimizer.solving import solve

MakePlan = Callable[..., Plan]
near = partial(pytest.approx, rel=1e-4, abs=1e-2)
MARKET = "line,price,potential,margin_rate\nA,10,3000,0.5\n"
REP = "seller,capacity,capacity_unit,capacity_per\nrep,10,units,period\n"
EVEN = "profile,period_or_age,value\n" + "".join(f"season,{month},{1 / 12}\n" for month in range(1, 13))
RAMP = EVEN + "steps,0,0\nsteps,1,0.5\nsteps,2,1\n"


def month(solution: Solution, metric: str) -> list[float]:
    """A metric in each month of the plan."""
    return [solution.figure(metric, {"period": period}) for period in solution.plan.calendar.period]


def test_a_role_sells_by_its_heads(make_plan: MakePlan) -> None:
    """Four heads at full ramp sell forty units a month."""
    solution = solve(
        make_plan(
            2,
            markets=MARKET,
            sellers=REP,
            profiles=RAMP,
            roles="role,headcount,ramp,hire_max\nrep,4,steps,0\n",
        )
    )
    assert month(solution, "units") == near([40, 40])
    assert solution.figure("headcount") == near(4)
    assert solution.figure("utilisation") == near(1)
    assert as_planned(solution).capacity.sum() == near(80)


def test_attrition_lowers_heads_as_an_expectation(make_plan: MakePlan) -> None:
    """A year keeps 0.81^12 of them, so a month keeps 81 %."""
    roles = f"role,headcount,ramp,hire_max,attrition\nrep,10,none,0,{1 - 0.81**12}\n"
    solution = solve(make_plan(3, markets=MARKET, sellers=REP, profiles=EVEN, roles=roles))
    assert month(solution, "role_heads") == near([10, 8.1, 6.561])
    assert month(solution, "units") == near([100, 81, 65.61])


def test_whole_hires_after_their_lead_time_ramp_up(make_plan: MakePlan) -> None:
    """Two hires decided in January start in February and sell 0, 5, 10 each; pay from February on."""
    roles = "role,headcount,ramp,hire_max,lead_time,cost,hiring_cost,attrition\nrep,0,steps,2.9,1,10,0,0\n"
    solution = solve(make_plan(4, markets=MARKET, sellers=REP, profiles=RAMP, roles=roles))
    assert month(solution, "units") == near([0, 0, 10, 20])
    assert month(solution, "hires") == near([2, 0, 0, 0])
    assert solution.figure("hiring_cost") == near(2 * 10 * 3)
    assert solution.figure("contribution") == near(30 * 5 - 60)
    table = hires(solution)
    assert table[["role", "start", "hires"]].values.tolist() == [["rep", "2027-01", 2.0]]


def test_present_staff_costs_nothing_in_contribution(make_plan: MakePlan) -> None:
    """Four heads are paid anyway; letting two of them go saves their pay less what it costs."""
    roles = "role,headcount,ramp,hire_max,cost,leave_max,leave_cost\nrep,4,none,0,70,2,5\n"
    solution = solve(make_plan(2, markets=MARKET, sellers=REP, profiles=EVEN, roles=roles))
    assert month(solution, "role_heads") == near([2, 2])
    assert solution.figure("hiring_cost") == near(-2 * 70 * 2 + 2 * 5)
    kept = solve(
        make_plan(2, markets=MARKET, sellers=REP, profiles=EVEN, roles=roles.replace(",70,", ",40,"))
    )
    assert month(kept, "role_heads") == near([4, 4])
    assert kept.figure("hiring_cost") == near(0)


def test_recruiting_pro_rata_of_the_expected_stay(make_plan: MakePlan) -> None:
    """Attrition of 60 % a year is a stay of 20 months: three months of the plan charge 3/20 of 400."""
    roles = "role,headcount,ramp,hire_max,hiring_cost,attrition,headcount_min\nrep,0,none,1,400,0.6,0\n"
    solution = solve(make_plan(3, markets=MARKET, sellers=REP, profiles=EVEN, roles=roles))
    assert solution.figure("hiring_cost") == near(60)


def test_tenure_at_the_start(make_plan: MakePlan) -> None:
    """Half of the heads are new, half in their second month."""
    profiles = RAMP + "young,0,0.5\nyoung,1,0.5\n"
    roles = "role,headcount,ramp,hire_max,tenure_profile\nrep,4,steps,0,young\n"
    solution = solve(make_plan(3, markets=MARKET, sellers=REP, profiles=profiles, roles=roles))
    assert month(solution, "units") == near([10, 30, 40])


def test_spans_and_support(make_plan: MakePlan) -> None:
    """Three reps a manager and two a supporter: reps wait for managers, who cost 60 each."""
    roles = (
        "role,headcount,ramp,hire_max,cost,managed_by,span,supported_by,support_ratio\n"
        "rep,3,none,9,10,manager,3,office,2\nmanager,1,none,1,60,,,,\noffice,2,none,1,5,,,,\n"
    )
    solution = solve(make_plan(1, markets=MARKET, sellers=REP, profiles=EVEN, roles=roles))
    heads = {role: solution.figure("role_heads", {"role": role}) for role in ("rep", "manager", "office")}
    assert heads == {"rep": near(6), "manager": near(2), "office": near(3)}


def test_training_capacity(make_plan: MakePlan) -> None:
    """Two newcomers at a time, two months below full ramp each: two hires in January and two in March."""
    roles = "role,headcount,ramp,hire_max,training_capacity\nrep,0,steps,4,2\n"
    solution = solve(make_plan(5, markets=MARKET, sellers=REP, profiles=RAMP, roles=roles))
    assert month(solution, "hires")[:3] == near([2, 0, 2])


def test_resources_of_heads_and_hires(make_plan: MakePlan) -> None:
    """Desks for three heads and a trainer's day for one hire."""
    roles = "role,headcount,ramp,hire_max\nrep,1,none,5\n"
    for days, heads in ((1, 2), (9, 3)):
        solution = solve(
            make_plan(
                1,
                markets=MARKET,
                sellers=REP,
                profiles=EVEN,
                roles=roles,
                resources=f"resource,capacity\ndesks,3\ndays,{days}\n",
                uses="activity,resource,amount\nrole:rep,desks,1\nhire:rep,days,1\n",
            )
        )
        assert solution.figure("role_heads") == near(heads)


def test_attrition_of_named_people_lowers_totals_only(make_plan: MakePlan) -> None:
    """A month loses 19 % of two people's time, replaced after one; either of them may still do everything."""
    sellers = (
        "seller,role,capacity,capacity_unit,capacity_per\nAnn,rep,10,units,period\nBob,rep,10,units,period\n"
        "Cem,other,10,units,period\n"
    )
    roles = f"role,attrition,refill,hire_max\nrep,{1 - 0.81**12},1,0\n"
    rules = [{"name": "Ann sells all", "metric": "units", "where": {"seller": "Ann"}, "at_least": 30}]
    solution = solve(make_plan(3, markets=MARKET, sellers=sellers, profiles=EVEN, roles=roles, limits=rules))
    assert month(solution, "units") == near([30, 10 + 20 * 0.81, 10 + 20 * 0.81])
    assert solution.figure("units", {"seller": "Ann"}) == near(30)


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ("role,managed_by,span\nrep,manger,8\nmanager,,\n", "Nearest: manager"),
        ("role,managed_by,span\nrep,,8\n", "belong together"),
        ("role,lead_time\nrep,0.5\n", "whole number of periods"),
    ],
)
def test_roles_that_cannot_be_used(make_plan: MakePlan, roles: str, message: str) -> None:
    """The row, what is wrong with it, and the way out."""
    with pytest.raises(InputError, match=message):
        resolve(make_plan(1, markets=MARKET, sellers=REP, roles=roles))


def test_a_whole_role_needs_what_one_head_can_do(make_plan: MakePlan) -> None:
    """A row of sellers with the name of a role and without a capacity is named."""
    with pytest.raises(InputError, match="what one head can do"):
        resolve(make_plan(1, markets=MARKET, sellers="seller\nrep\n", roles="role,headcount\nrep,3\n"))


def test_training_reaches_whole_roles(make_plan: MakePlan) -> None:
    """Four heads do ten units each, half as many again from the second month on, and two more each beside; without
    a limit of heads there is an error."""
    course = {
        "initiatives": "initiative,benefit,latest\ncourse,1000,2027-01\n",
        "effects": "initiative,changes,kind,likely,after\n"
        "course,capacity,multiply,1.5,1\ncourse,capacity,add,2,1\n",
    }
    roles = "role,headcount,ramp,hire_max\nrep,4,none,0\n"
    plan = make_plan(2, markets=MARKET, sellers=REP, profiles=EVEN, roles=roles, **course)
    solution = solve(plan)
    assert month(solution, "units") == near([40, 4 * 15 + 4 * 2])
    assert as_planned(solution).capacity.sum() == near(40 + 68)
    endless = "role,headcount,ramp,cost\nrep,4,none,1\n"
    with pytest.raises(InputError, match="headcount_max"):
        solve(make_plan(2, markets=MARKET, sellers=REP, profiles=EVEN, roles=endless, **course))


def test_people_with_names_go_on_leaving_behind_the_plan(make_plan: MakePlan) -> None:
    """The loss of run-out periods is that of their age, as for people without names (found by random plans)."""
    roles = resolve(
        make_plan(
            2,
            markets="line,price,unit_cost,potential\nA,10,5,60\n",
            sellers="seller,role,capacity,capacity_unit\nLi,rep,10,units\n",
            roles="role,attrition,refill,ramp\nrep,0.5,,none\n",
        )
    ).roles
    assert roles is not None
    assert roles.run_on(2).loss[0] == pytest.approx([1.0 - 0.5 ** (month / 12) for month in range(4)])
