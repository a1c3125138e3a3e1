"""Open seats: whether and when they are filled, in small plans whose answers can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from optimizer.errors import InputError
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.quotas import assign
from optimizer.result.activities import hires
from optimizer.result.brought import effect_table
from optimizer.result.evaluate import as_planned
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

MakePlan = Callable[..., Plan]
near = partial(pytest.approx, rel=1e-4, abs=1e-4)
MARKET = "line,price,potential,margin_rate\nA,10,1200,0.5\n"
EVEN = "profile,period_or_age,value\n" + "".join(f"season,{month},{1 / 12}\n" for month in range(1, 13))
RAMP = EVEN + "steps,0,0\nsteps,1,0.5\nsteps,2,1\n"


def started(solution: Solution) -> dict[str, str]:
    """Seat -> period of its start, those that are filled."""
    table = hires(solution)
    filled = table[table["start"] != ""]
    return dict(zip(filled["seller"], filled["start"], strict=True))


def test_a_seat_that_pays_is_filled_at_once(make_plan: MakePlan) -> None:
    """Ramp 0, 50 %, 100 %: 15 units of margin 5 in three months, for a pay of 20 a month."""
    sellers = (
        "seller,status,capacity,capacity_unit,capacity_per,ramp,cost\n"
        "Ann,,20,units,period,none,99\nSeat,open,10,units,period,steps,20\n"
    )
    solution = solve(make_plan(3, markets=MARKET, sellers=sellers, profiles=RAMP))
    assert started(solution) == {"Seat": "2027-01"}
    by_month = [solution.figure("units", {"seller": "Seat", "period": f"2027-0{m}"}) for m in (1, 2, 3)]
    assert by_month == near([0, 5, 10])
    assert solution.figure("hiring_cost") == near(60)
    assert solution.figure("contribution") == near(5 * (60 + 15) - 60)
    assert solution.figure("headcount") == near(2)
    assert solution.figure("seller_cost") == near(3 * 99 + 60)
    assert solution.figure("utilisation", {"seller": "Seat"}) == near(1)


def test_a_seat_that_does_not_pay_stays_open(make_plan: MakePlan) -> None:
    """At 26 a month the seat costs more than the 15 units earn; nothing is sold by it."""
    sellers = (
        "seller,status,capacity,capacity_unit,capacity_per,ramp,cost\nSeat,open,10,units,period,steps,26\n"
    )
    solution = solve(make_plan(3, markets=MARKET, sellers=sellers, profiles=RAMP))
    assert started(solution) == {}
    assert solution.figure("units") == near(0)
    assert solution.figure("headcount") == near(0)


def test_from_is_the_earliest_start(make_plan: MakePlan) -> None:
    """Half of February is there to be worked, from the day on which somebody may come."""
    sellers = (
        "seller,status,capacity,capacity_unit,capacity_per,ramp,from\n"
        "Seat,open,28,units,period,none,2027-02-15\n"
    )
    solution = solve(make_plan(3, markets=MARKET, sellers=sellers, profiles=EVEN))
    assert started(solution) == {"Seat": "2027-02"}
    by_month = [solution.figure("units", {"period": f"2027-0{m}"}) for m in (1, 2, 3)]
    assert by_month == near([0, 14, 28])


def test_recruiting_is_charged_pro_rata(make_plan: MakePlan) -> None:
    """A hire for 20 months that starts in the second of four months is charged 3/20 of the recruiting."""
    sellers = (
        "seller,status,capacity,capacity_unit,capacity_per,ramp,from,hiring_cost,tenure\n"
        "Seat,open,10,units,period,none,2027-02-01,200,20\n"
    )
    solution = solve(make_plan(4, markets=MARKET, sellers=sellers, profiles=EVEN))
    assert solution.figure("hiring_cost") == near(30)
    assert solution.figure("hiring_cost", {"period": "2027-02"}) == near(30)
    assert solution.figure("hires") == near(1)


def test_a_blank_tenure_is_written_down(make_plan: MakePlan) -> None:
    """Sixty months stand in, and only where there is something to charge."""
    sellers = "seller,status,capacity,hiring_cost\nA,open,10,200\nB,open,10,\n"
    plan = make_plan(
        1, markets=MARKET + "B,10,5,0.5\n", sellers=sellers, territories="seller,line,hours_per_unit\n*,*,1\n"
    )
    found = {one.key: (one.rows, one.value) for one in resolve(plan).assumptions}
    assert found["tenure"] == (1, 60.0)


def test_a_budget_of_hires_chooses_the_better_seat(make_plan: MakePlan) -> None:
    """One hire is allowed: the seat that can do more is filled."""
    sellers = (
        "seller,status,team,capacity,capacity_unit,capacity_per,ramp\n"
        "S1,open,East,10,units,period,none\nS2,open,West,30,units,period,none\n"
    )
    rules = [{"name": "One", "metric": "hires", "at_most": 1}]
    solution = solve(make_plan(1, markets=MARKET, sellers=sellers, profiles=EVEN, limits=rules))
    assert started(solution) == {"S2": "2027-01"}
    assert solution.figure("hires", {"team": "West"}) == near(1)


def test_equal_seats_are_filled_in_order(make_plan: MakePlan) -> None:
    """Of three equal seats two are wanted: the first two by name, whatever the order of rows."""
    rows = [f"S{number},open,10,units,period,none,20" for number in (3, 1, 2)]
    header = "seller,status,capacity,capacity_unit,capacity_per,ramp,cost\n"
    market = "line,price,potential,margin_rate\nA,10,17,0.5\n"
    for order in (rows, rows[::-1]):
        solution = solve(
            make_plan(1, markets=market, sellers=header + "\n".join(order) + "\n", profiles=EVEN)
        )
        assert set(started(solution)) == {"S1", "S2"}


def test_a_seat_without_capacity_needs_a_potential(make_plan: MakePlan) -> None:
    """With a potential it sells it after its start; without one the row is named."""
    sellers = "seller,status,from,ramp\nAgent,open,2027-02-01,none\n"
    solution = solve(make_plan(2, markets=MARKET, sellers=sellers, profiles=EVEN))
    assert [solution.figure("units", {"period": f"2027-0{m}"}) for m in (1, 2)] == near([0, 600])
    with pytest.raises(InputError, match="nothing limits what this open seat"):
        solve(
            make_plan(2, markets="line,price\nA,10\n", sellers=sellers, objective=[{"minimize": "revenue"}])
        )


@pytest.mark.parametrize("hours", ["stages", "none"])
@pytest.mark.parametrize("potential", ["80", ""])
@pytest.mark.parametrize(("pay", "signs"), [(30, 0), (20, 5)])
def test_a_seat_that_nobody_holds_signs_nothing(
    make_plan: MakePlan, hours: str, potential: str, pay: float, signs: float
) -> None:
    """A seat without commission signs what others work on once it is filled, for 25 of commission saved, be it the
    potential or the opportunities alone that limit it; where its pay is more it stays open and signs nothing."""
    parts = {
        "markets": f"line,price,margin_rate,potential,organic\nA,10,0.8,{potential},10\n",
        "stages": f"line,stage,conversion,hours\nA,quote,0.5,{1 if hours == 'stages' else 0}\n",
        "sellers": "seller,status,capacity,capacity_unit,ramp,cost,commission_rate\n"
        f"Ann,,20,hours,none,99,0.5\nSeat,open,20,hours,none,{pay},0\n",
        "territories": f"seller,line,hours_per_unit\n*,*,{'' if hours == 'stages' else 0}\n",
        "profiles": EVEN,
    }
    solution = solve(make_plan(1, **parts))
    assert [solution.figure("units", {"seller": who}) for who in ("Seat", "Ann")] == near([signs, 5 - signs])
    assert started(solution) == ({"Seat": "2027-01"} if signs else {})


def test_a_role_without_heads_signs_nothing(make_plan: MakePlan) -> None:
    """Half of what the market takes where half a head is expected, nothing where nobody is."""
    for heads, units in ((0, 0), (0.5, 4), (2, 5)):
        parts = {
            "markets": "line,price,margin_rate,potential,organic\nA,10,0.8,8,10\n",
            "stages": "line,stage,conversion,hours\nA,quote,0.5,1\n",
            "sellers": "seller,capacity,capacity_unit,ramp,commission_rate\nAnn,20,hours,none,0.5\nrep,20,hours,none,0\n",
            "roles": f"role,headcount,hire_max\nrep,{heads},0\n",
            "profiles": EVEN,
        }
        solution = solve(make_plan(1, **parts))
        assert solution.figure("units", {"seller": "rep"}) == near(units)
        assert solution.figure("units") == near(5)


def test_what_a_seat_takes_of_a_resource(make_plan: MakePlan) -> None:
    """One licence is left: one of two seats is filled."""
    sellers = (
        "seller,status,capacity,capacity_unit,capacity_per,ramp\nAnn,,10,units,period,none\n"
        "S1,open,10,units,period,none\nS2,open,10,units,period,none\n"
    )
    plan = make_plan(
        1,
        markets=MARKET,
        sellers=sellers,
        profiles=EVEN,
        resources="resource,capacity\nlicences,2\n",
        uses="activity,resource,amount\nseller,licences,1\n",
    )
    solution = solve(plan)
    assert set(started(solution)) == {"S1"}
    assert solution.figure("licences") == near(2)


def test_a_target_fills_a_seat_that_only_costs(make_plan: MakePlan) -> None:
    """A target that nobody else can reach comes before money."""
    sellers = (
        "seller,status,capacity,capacity_unit,capacity_per,ramp,cost\n"
        "Ann,,10,units,period,none,\nSeat,open,10,units,period,none,500\n"
    )
    rules = [{"name": "Sell", "metric": "units", "at_least": 15}]
    solution = solve(make_plan(1, markets=MARKET, sellers=sellers, profiles=EVEN, targets=rules))
    assert started(solution) == {"Seat": "2027-01"}
    assert solution.outcomes[0].status == "met"


def test_vacant_seats_in_quotas(make_plan: MakePlan) -> None:
    """A filled seat carries a quota from its start and is marked vacant; its seat of capacity counts."""
    sellers = (
        "seller,status,team,capacity,capacity_unit,capacity_per,ramp,from\n"
        "Ann,,East,10,units,period,none,\nSeat,open,East,10,units,period,none,2027-02-01\n"
    )
    plan = make_plan(
        2, markets=MARKET, sellers=sellers, profiles=EVEN, quotas=[{"by": ["team", "seller"], "round_to": 1}]
    )
    solution = solve(plan)
    (quota,) = assign(solution)
    at = quota.tree.paths.index(("East", "Seat"))
    assert quota.vacant[at] and quota.ramping[at]
    assert quota.amounts[at].tolist() == [0, 100]
    assert as_planned(solution).capacity.sum(axis=1) == near([20, 10])


def test_seats_apart_and_in_groups(make_plan: MakePlan) -> None:
    """Equal people stay a group beside an equal open seat; the stage values are those of everybody apart."""
    sellers = (
        "seller,status,capacity,capacity_unit,capacity_per,ramp,cost\nAnn,,10,units,period,none,20\n"
        "Bob,,10,units,period,none,20\nSeat,open,10,units,period,none,20\n"
    )
    plan = make_plan(2, markets=MARKET, sellers=sellers, profiles=EVEN)
    found = [solve(plan, SolveSettings(seat_groups=groups)) for groups in (True, False)]
    assert len(found[0].model.cube.seat_names) == 2
    values = [{stage.stage.name: stage.value for stage in one.stages} for one in found]
    assert values[0]["contribution"] == near(values[1]["contribution"])


@pytest.mark.parametrize(
    ("change", "units"),
    [("capacity,multiply,1.5", [15, 30]), ("capacity,,4", [12, 24]), ("capacity,multiply,0.5", [5, 10])],
)
def test_training_reaches_seats_once_they_are_filled(
    make_plan: MakePlan, change: str, units: list[float]
) -> None:
    """Half a head in February and one in March: a factor on what they do, or an amount a head; nothing without a
    start, and also where the course does harm."""
    plan = make_plan(
        3,
        markets=MARKET,
        sellers="seller,status,capacity,capacity_unit,capacity_per,ramp,from,to\n"
        "Seat,open,20,units,period,none,2027-02-15,\nGone,open,20,units,period,none,2027-06-01,\n",
        profiles=EVEN,
        initiatives="initiative,benefit,latest\ncourse,1000,2027-01\n",
        effects=f"initiative,changes,kind,likely\ncourse,{change}\n",
    )
    solution = solve(plan)
    assert started(solution) == {"Seat": "2027-02"}
    by_month = [solution.figure("units", {"seller": "Seat", "period": f"2027-0{m}"}) for m in (1, 2, 3)]
    assert by_month == near([0, *units])
    assert as_planned(solution).capacity[0] == near([0, *units])
    table = effect_table(solution)
    assert table["brings"].tolist() == near([sum(units) - 30])
    assert table["unit"].tolist() == ["units"]


def test_training_may_be_what_makes_a_hire_pay(make_plan: MakePlan) -> None:
    """Ten units a month earn 50 for a pay of 60; fifteen earn 75, and the course costs 20 in two months."""
    parts = {
        "markets": MARKET,
        "sellers": "seller,status,capacity,capacity_unit,capacity_per,ramp,cost\nSeat,open,10,units,period,none,60\n",
        "profiles": EVEN,
    }
    assert started(solve(make_plan(2, **parts))) == {}
    course = {
        "initiatives": "initiative,cost\ncourse,20\n",
        "effects": "initiative,changes,kind,likely\ncourse,capacity,multiply,1.5\n",
    }
    solution = solve(make_plan(2, **parts, **course))
    assert started(solution) == {"Seat": "2027-01"}
    assert solution.figure("contribution") == near(2 * (75 - 60) - 20)
