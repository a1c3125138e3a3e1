"""What the effects of started initiatives bring, in their own units and in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from optimizer.model.compile import compile_plan
from optimizer.plan.effects import SIDES
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.report.compose import page
from optimizer.result.brought import UNITS, brings_by_initiative, effect_table
from optimizer.result.solution import Solution
from optimizer.solving import solve

MakePlan = Callable[..., Plan]
near = partial(pytest.approx, rel=1e-4, abs=1e-4)


def brought(solution: Solution) -> dict[str, tuple[float, str]]:
    """What an effect changes -> what it brings, and the unit."""
    table = effect_table(solution)
    return {row["changes"]: (row["brings"], row["unit"]) for _, row in table.iterrows()}


def test_effects_on_units_and_capacity(make_plan: MakePlan) -> None:
    """Two months, ten units of A each, B opened: every effect in its own unit, from the second month on."""
    plan = make_plan(
        2,
        markets="line,price,potential,margin_rate\nA,10,20,0.5\nB,20,8,0.5\n",
        sellers="seller,capacity,capacity_per\nAnna,100,period\n",
        territories="seller,hours_per_unit\nAnna,4\n",
        profiles="profile,period_or_age,value\n" + "".join(f"season,{m},{1 / 12}\n" for m in range(1, 13)),
        initiatives="initiative,latest,benefit\nall,2027-01,10000\nnever,2026-01,\n",
        effects="initiative,changes,kind,likely,line,after\n"
        "all,demand,,3,A,1\nall,capacity,multiply,1.2,*,1\nall,hours,multiply,0.5,A,1\nall,price,,1,A,1\n"
        "all,unit_cost,,0.5,A,1\nall,value,,7,*,1\nall,satisfaction,,2,*,1\nall,unlock,,,B,1\n"
        "never,demand,,99,A,0\n",
    )
    solution = solve(plan)
    assert solution.figure("units", {"line": "A", "period": "2027-02"}) == near(13)
    assert brought(solution) == {
        "demand": (near(3), "units"),
        "capacity": (near(20), "hours"),
        "hours": (near(-13 * 2), "hours"),
        "price": (near(13), "currency"),
        "unit_cost": (near(6.5), "currency"),
        "value": (near(7), "currency"),
        "satisfaction": (near(2), "points"),
        "unlock": (near(solution.figure("units", {"line": "B"})), "units"),
    }
    assert set(effect_table(solution)["first"]) == {"2027-02"}
    assert "demand +3 units" in brings_by_initiative(solution)["all"]
    assert "all: demand +3 units" in " ".join(page(solution, 200).split())


def test_effects_on_the_funnel(make_plan: MakePlan) -> None:
    """A month of leads, organic opportunities and customers, each with what is added to it."""
    plan = make_plan(
        1,
        markets="line,price,margin_rate,organic,customer_type\nA,10,0.5,8,new\nOld,10,0.5,,existing\n",
        marketing="channel,max_spend\nads,50\n",
        yields="channel,line,opportunities,conversion\nads,A,1,0.2\n",
        stages="line,stage,conversion,days\nA,lead,0.5,1\n",
        customers="line,customers,retention,orders\nOld,100,0.5,12\n",
        initiatives="initiative,latest,benefit\nall,2027-01,10000\n",
        effects="initiative,changes,kind,likely,line,channel\n"
        "all,organic,,4,A,*\nall,leads,multiply,1.1,*,ads\nall,conversion,,0.1,A,ads\nall,cycle,,1,A,*\n"
        "all,retention,,0.1,Old,*\nall,repeat,multiply,1.5,Old,*\n",
    )
    solution = solve(plan)
    assert solution.figure("opportunities") == near(55 + 12)
    assert brought(solution) == {
        "organic": (near(4), "opportunities"),
        "leads": (near(5), "leads"),
        "conversion": (near(5.5), "deals"),
        "cycle": (near(55 + 12), "days"),
        "retention": (near(100 * (0.6 ** (1 / 12) - 0.5 ** (1 / 12))), "customers"),
        "repeat": (near(50), "orders"),
    }


def test_every_change_has_a_unit() -> None:
    """What an effect may change is either here, or counted as its sellers count."""
    assert set(UNITS) == set(SIDES) - {"capacity"}


def test_plans_without_effects_bring_nothing(make_plan: MakePlan) -> None:
    """An initiative without effects has a blank cell."""
    plan = make_plan(
        markets="line,price,potential,margin_rate\nA,10,20,0.5\n", initiatives="initiative\nall\n"
    )
    assert compile_plan(resolve(plan)).context.activities.blocks.get("working") is None
    assert brings_by_initiative(solve(plan)) == {}
