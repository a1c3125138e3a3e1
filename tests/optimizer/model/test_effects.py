"""Effects of initiatives: small plans whose answers can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from optimizer.errors import InputError
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.result.activities import initiatives
from optimizer.result.solution import Solution
from optimizer.result.tables import sales
from optimizer.solving import solve

MakePlan = Callable[..., Plan]
near = partial(pytest.approx, rel=1e-4, abs=1e-4)
MARKET = "line,price,potential,margin_rate\nA,10,30,0.5\n"


def started(solution: Solution) -> dict[str, str]:
    """Initiative -> period of its start, those that start."""
    table = initiatives(solution)
    begun = table[table["start"] != ""]
    return dict(zip(begun["initiative"], begun["start"], strict=True))


def test_demand_is_added_from_the_lag_on(make_plan: MakePlan) -> None:
    """Ten a month in a year of three months: 4 more in each from the second month after the start."""
    plan = make_plan(
        3,
        markets=MARKET,
        initiatives="initiative,cost\nfair,5\n",
        effects="initiative,changes,likely,after\nfair,demand,4,1\n",
        profiles="profile,period_or_age,value\n" + "".join(f"season,{m},{1 / 12}\n" for m in range(1, 13)),
    )
    solution = solve(plan)
    assert started(solution) == {"fair": "2027-01"}
    assert solution.figure("units") == near(30 + 2 * 4)
    assert solution.figure("contribution") == near(38 * 5 - 5)


def test_demand_that_does_not_pay_is_not_bought(make_plan: MakePlan) -> None:
    """Four units of margin 5 for a cost of 21, for one month only."""
    effects = "initiative,changes,likely,lasts\nfair,demand,4,1\n"
    plan = make_plan(1, markets=MARKET, initiatives="initiative,cost\nfair,21\n", effects=effects)
    assert started(solve(plan)) == {}


def test_an_amount_is_shared_and_a_factor_is_not(make_plan: MakePlan) -> None:
    """6 units more over both markets in proportion to potential; 10 % more of each."""
    markets = "line,price,potential,margin_rate\nA,10,20,0.5\nB,10,10,0.5\n"
    table = "initiative\nadds\ntimes\n"
    effects = "initiative,changes,kind,likely,line\nadds,demand,,6,*\ntimes,demand,multiply,1.1,B\n"
    solution = solve(make_plan(1, markets=markets, initiatives=table, effects=effects))
    assert solution.figure("units", {"line": "A"}) == near(24)
    assert solution.figure("units", {"line": "B"}) == near(12 + 1)


def test_capacity_of_the_sellers_that_it_names(make_plan: MakePlan) -> None:
    """Ten hours more for each of two, and 10 % for the third; time is what is short."""
    plan = make_plan(
        1,
        markets="line,price,potential,margin_rate\nA,1,1000,0.5\n",
        sellers="seller,team,capacity\na,East,100\nb,East,50\nc,West,100\n",
        territories="team,line,hours_per_unit\n*,*,1\n",
        initiatives="initiative\ntool\n",
        effects="initiative,changes,kind,likely,team\ntool,capacity,,10,East\ntool,capacity,multiply,1.1,West\n",
    )
    solution = solve(plan)
    assert [solution.figure("units", {"seller": name}) for name in "abc"] == near([110, 60, 110])


def test_hours_of_a_unit(make_plan: MakePlan) -> None:
    """20 % fewer hours sell a quarter more, and the hours are what they are."""
    plan = make_plan(
        2,
        markets="line,price,potential,margin_rate\nA,1,1000,0.5\n",
        sellers="seller,capacity\na,100\nb,100\n",
        territories="seller,line,hours_per_unit\n*,*,2\n",
        initiatives="initiative,latest\ncourse,2027-01\n",
        effects="initiative,changes,kind,likely,after\ncourse,hours,multiply,0.8,1\n",
    )
    solution = solve(plan)
    by_month = [solution.figure("units", {"period": f"2027-0{month}"}) for month in (1, 2)]
    assert by_month == near([100, 125])
    assert solution.figure("hours") == near(400)
    assert solution.figure("utilisation") == near(1.0)
    assert sales(solution)["hours"].sum() == near(400)


def test_effects_add_and_do_not_compound(make_plan: MakePlan) -> None:
    """Two courses of 20 % each save 40 % and not 36 %."""
    plan = make_plan(
        1,
        markets="line,price,potential,margin_rate\nA,1,1000,0.5\n",
        sellers="seller,capacity\na,60\n",
        territories="seller,line,hours_per_unit\n*,*,1\n",
        initiatives="initiative\none\ntwo\n",
        effects="initiative,changes,kind,likely\none,hours,multiply,0.8\ntwo,hours,multiply,0.8\n",
    )
    assert solve(plan).figure("units") == near(100)


def test_price_and_cost_of_a_unit(make_plan: MakePlan) -> None:
    """A price of 10 falls by 1 and a cost of 5 by 40 %: 6 are earned on each unit, commission on 9."""
    plan = make_plan(
        1,
        markets=MARKET,
        sellers="seller,commission_rate\na,0.1\n",
        initiatives="initiative,benefit\nrebate,40\nbuying,\n",
        effects="initiative,changes,kind,likely\nrebate,price,add,-1\nbuying,unit_cost,multiply,0.6\n",
    )
    solution = solve(plan)
    assert len(started(solution)) == 2
    assert solution.figure("revenue") == near(270)
    assert solution.figure("average_price") == near(9)
    assert solution.figure("margin") == near(30 * 6)
    assert solution.figure("commission") == near(27)
    assert solution.figure("contribution") == near(180 - 27 + 40)
    assert sales(solution)["revenue"].sum() == near(270)


def test_value_and_satisfaction(make_plan: MakePlan) -> None:
    """12 a month for two months; 3 points in the line that sold a quarter of last year's revenue."""
    markets = "line,price,potential,margin_rate,last_year_revenue\nA,10,3,0.5,300\nB,10,3,0.5,900\n"
    plan = make_plan(
        2,
        markets=markets,
        initiatives="initiative,latest\nservice,2027-01\n",
        effects="initiative,changes,likely,line\nservice,value,12,*\nservice,satisfaction,3,A\n",
    )
    solution = solve(plan)
    assert solution.figure("initiative_value") == near(24)
    assert solution.figure("initiative_value", {"line": "A"}) == near(12)
    assert solution.figure("satisfaction") == near(0.75)
    assert solution.figure("satisfaction", {"line": "A"}) == near(3)
    assert solution.figure("contribution") == near(30 + 24)


def test_satisfaction_as_a_target_starts_what_raises_it(make_plan: MakePlan) -> None:
    """An initiative that only costs is started for the points that are asked for."""
    plan = make_plan(
        1,
        markets=MARKET,
        initiatives="initiative,cost\nservice,7\n",
        effects="initiative,changes,likely\nservice,satisfaction,2\n",
        targets=[{"name": "Happy", "metric": "satisfaction", "at_least": 1.5}],
    )
    solution = solve(plan)
    assert started(solution) == {"service": "2027-01"}
    assert solution.figure("satisfaction") == near(2)


def test_rows_that_an_initiative_opens(make_plan: MakePlan) -> None:
    """A new line sells from the month after the start; it is worth its cost only with the earlier start."""
    markets = "line,price,potential,margin_rate\nold,10,30,0.5\nnew,10,60,0.5\n"
    plan = make_plan(
        3,
        markets=markets,
        initiatives="initiative,cost,earliest\nlaunch,90,2027-02\n",
        effects="initiative,changes,line,after\nlaunch,unlock,new,1\n",
    )
    solution = solve(plan)
    table = sales(solution)
    assert started(solution) == {"launch": "2027-02"}
    assert set(table.loc[table["line"] == "new", "period"]) == {"2027-03"}
    assert started(solve(plan_with_cost(make_plan, markets, 200))) == {}


def plan_with_cost(make_plan: MakePlan, markets: str, cost: int) -> Plan:
    """The launch of a line at another cost."""
    return make_plan(
        3,
        markets=markets,
        initiatives=f"initiative,cost,earliest\nlaunch,{cost},2027-02\n",
        effects="initiative,changes,line,after\nlaunch,unlock,new,1\n",
    )


def test_a_seller_that_an_initiative_opens_needs_no_potential(make_plan: MakePlan) -> None:
    """The shop's capacity limits what it sells; nothing is sold before it opens."""
    plan = make_plan(
        2,
        markets="line,price,margin_rate\nA,10,0.5\n",
        sellers="seller,capacity,capacity_unit,capacity_per\na,5,units,period\nshop,7,units,period\n",
        initiatives="initiative,cost,earliest\nonline,3,2027-02\n",
        effects="initiative,changes,seller\nonline,unlock,shop\n",
    )
    solution = solve(plan)
    assert solution.figure("units", {"seller": "shop", "period": "2027-01"}) == near(0)
    assert solution.figure("units", {"seller": "shop"}) == near(7)


LEVELS = (
    "line,level,price,potential,unit_cost,shared_demand\n"
    "A,list,10,30,5,A\nA,minus 8 %,9.2,36,5,A\nA,minus 5 %,9.5,33,5,A\nB,list,10,6,5,\n"
)
LEVEL_EFFECTS = "initiative,changes,line,level\neight,unlock,A,minus 8 %\nfive,unlock,A,minus 5 %\n"


def test_exactly_one_level_is_active(make_plan: MakePlan) -> None:
    """List 150, 8 % less 151.2, 5 % less 148.5 over the horizon; in one month two levels never mix."""
    table = "initiative,cost\neight,0\nfive,0\n"
    solution = solve(make_plan(1, markets=LEVELS, initiatives=table, effects=LEVEL_EFFECTS))
    assert started(solution) == {"eight": "2027-01"}
    assert solution.figure("units", {"line": "A"}) == near(36)
    assert solution.figure("units", {"level": "list", "line": "A"}) == near(0)
    dear = solve(
        make_plan(1, markets=LEVELS, initiatives="initiative,cost\neight,2\nfive,2\n", effects=LEVEL_EFFECTS)
    )
    assert dear.figure("contribution") == near(150 + 30)
    assert started(dear) == {}


def test_a_level_without_base_is_chosen(make_plan: MakePlan) -> None:
    """Without a level that is open by itself one has to start, also where all of them only cost."""
    markets = "level,price,potential,unit_cost,shared_demand\ngold,10,3,5,A\nsilver,8,4,5,A\n"
    plan = make_plan(
        1,
        markets=markets,
        initiatives="initiative,cost\ngold,50\nsilver,60\n",
        effects="initiative,changes,level\ngold,unlock,gold\nsilver,unlock,silver\n",
    )
    solution = solve(plan)
    assert started(solution) == {"gold": "2027-01"}
    assert solution.figure("contribution") == near(15 - 50)


def test_markets_may_share_a_demand_without_levels(make_plan: MakePlan) -> None:
    """Two products compete for the same ten customers; each has the potential that one of them gives."""
    markets = "line,price,potential,margin_rate,shared_demand\nA,10,10,0.5,X\nB,10,,0.4,X\n"
    rules = [{"name": "Some B", "metric": "units", "where": {"line": "B"}, "at_least": 4}]
    solution = solve(make_plan(1, markets=markets, limits=rules))
    assert solution.figure("units", {"line": "A"}) == near(6)


def test_initiatives_of_a_group_leave_gaps(make_plan: MakePlan) -> None:
    """Two one-month campaigns with a gap of one month, and a third that does not fit; one without a gap may
    run at any time."""
    table = "initiative,group,benefit,duration,gap\na,mail,5,1,1\nb,mail,4,1,1\nc,mail,3,1,1\nd,mail,1,1,\n"
    solution = solve(make_plan(3, initiatives=table))
    begun = started(solution)
    assert set(begun) == {"a", "b", "d"}
    assert {begun["a"], begun["b"]} == {"2027-01", "2027-03"}


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        ("initiative,changes,likely\nfare,demand,1\n", "Nearest: fair"),
        ("initiative,changes,likely,seller\nfair,demand,1,a\n", "nothing to do with this column"),
        ("initiative,changes,kind,likely\nfair,demand,multiply,-0.05\n", "0.95 for 5 % less"),
        ("initiative,changes,kind,likely\nfair,value,multiply,2\n", "cannot multiply"),
        ("initiative,changes,likely,after\nfair,demand,1,0.5\n", "whole number of periods"),
        ("initiative,changes,low,likely\nfair,demand,2,1\n", "likely"),
        ("initiative,changes,likely\nfair,hours,1\n", "nobody counts the hours"),
        ("initiative,changes,kind,likely\nfair,price,multiply,0\n", "leave nothing of price"),
    ],
)
def test_effects_that_cannot_be_used(make_plan: MakePlan, effects: str, message: str) -> None:
    """The row, what is wrong with it, and the way out."""
    with pytest.raises(InputError, match=message):
        solve(
            make_plan(
                1, markets=MARKET, sellers="seller\na\n", initiatives="initiative\nfair\n", effects=effects
            )
        )


@pytest.mark.parametrize(
    ("changes", "message"), [("unlock", "once it is unlocked"), ("price", "nothing limits how many")]
)
def test_no_large_numbers_stand_in_for_limits(make_plan: MakePlan, changes: str, message: str) -> None:
    """A row without potential and capacity is an error that names it."""
    plan = make_plan(
        1,
        markets="line,price\nA,10\n",
        initiatives="initiative\nfair\n",
        effects=f"initiative,changes,likely\nfair,{changes},1\n",
        objective=[{"minimize": "revenue"}],
    )
    with pytest.raises(InputError, match=message):
        solve(plan)


def test_a_blank_effect_is_written_down(make_plan: MakePlan) -> None:
    """An effect that nobody guessed changes nothing, and the plan says so."""
    plan = make_plan(
        1,
        markets=MARKET,
        initiatives="initiative\nfair\n",
        effects="initiative,changes,likely\nfair,demand,\n",
    )
    found = {one.key: one.rows for one in resolve(plan).assumptions}
    assert found["effect_blank"] == 1


def test_sellers_whom_an_effect_tells_apart_are_no_group(make_plan: MakePlan) -> None:
    """Of three equal sellers one is trained; the stage values are those of everybody apart."""
    plan = make_plan(
        1,
        markets="line,price,potential,margin_rate\nA,1,1000,0.5\n",
        sellers="seller,capacity\na,10\nb,10\nc,10\n",
        territories="seller,line,hours_per_unit\n*,*,1\n",
        initiatives="initiative\ncourse\n",
        effects="initiative,changes,kind,likely,seller\ncourse,hours,multiply,0.5,a\n",
    )
    solution = solve(plan)
    assert [solution.figure("units", {"seller": name}) for name in "abc"] == near([20, 10, 10])
    assert len(solution.model.cube.seat_names) == 2


@pytest.mark.parametrize(("busy", "units"), [(1.0, 110.0), (0.5, 55.0)])
def test_what_a_tool_adds_is_capacity(make_plan: MakePlan, busy: float, units: float) -> None:
    """With a tool for 10 more, somebody of 100 units sells 110 and is as busy as can be, not 110 % (the page said so of
    whole teams), and a limit of 50 % leaves 55; before it works capacity is that of a month."""
    plan = make_plan(
        2,
        markets="line,price,unit_cost,potential\nA,10,5,9999\n",
        sellers="seller,capacity,capacity_unit,capacity_per\na,100,units,period\n",
        initiatives="initiative,earliest\ntool,2027-02-01\n",
        effects="initiative,changes,kind,likely\ntool,capacity,,10\n",
        limits=[{"metric": "utilisation", "each": "period", "at_most": busy}],
        objective=[{"maximize": "contribution"}],
    )
    solution = solve(plan)
    assert solution.figure("units") == near(busy * 100 + units)
    assert solution.figure("capacity") == near(2.1)
    assert solution.figure("utilisation", {"period": "2027-02"}) == near(busy)
