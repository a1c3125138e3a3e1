"""Rules and stages whose meaning is easy to get wrong, each on a plan small enough to solve by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from optimizer.errors import InputError
from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.settings import SolveSettings
from optimizer.solving import solve

MakePlan = Callable[..., Plan]

MARKETS = "region,potential,last_year_units\nNorth,100,100\nSouth,100,50\n"
PEOPLE = "seller,capacity,capacity_unit,last_quota\nAnna,60,units,30\nBen,60,units,50\n"


def sold(plan: Plan, **where: Any) -> float:
    """Units of the solved plan in a scope."""
    return solve(plan, SolveSettings(marginal_values=False)).figure("units", where)


def test_a_penalty_counts_without_any_margin(make_plan: MakePlan) -> None:
    """Where no money is known, missed units still cost their penalty, before the total is kept."""
    target = {"metric": "units", "where": {"region": "South"}, "at_least": 90, "penalty": 2}
    plan = make_plan(12, markets=MARKETS, targets=[target])
    names = [stage.name for stage in compile_plan(resolve(plan)).stages]
    assert names[:2] == ["penalties", "total"]
    assert (
        sold(plan, region="South") == pytest.approx(75, rel=1e-4) or sold(plan, region="South") >= 90 - 1e-4
    )


def test_a_penalty_is_weighed_against_margin(make_plan: MakePlan) -> None:
    """Ten units of margin 1 are given up for ten of penalty 2, and not for penalty 0.5."""
    markets = "region,price,unit_cost,potential\nNorth,2,1,100\nSouth,2,1.9,100\n"
    sellers = "seller,capacity,capacity_unit\nAnna,60,units\n"
    for penalty, expected in ((2.0, 10), (0.5, 0)):
        target = {"metric": "units", "where": {"region": "South"}, "at_least": 10, "penalty": penalty}
        plan = make_plan(markets=markets, sellers=sellers, targets=[target])
        assert sold(plan, region="South") == pytest.approx(expected, abs=1e-4)


def test_a_spread_of_its_own_metric(make_plan: MakePlan) -> None:
    """`minimize: spread` with metric, across and basis needs no balance rule."""
    plan = make_plan(
        12,
        markets=MARKETS,
        objective=[{"minimize": "spread", "metric": "units", "across": "region", "basis": "last_year"}],
        limits=[{"metric": "units", "at_least": 120}],
    )
    assert sold(plan, region="North") == pytest.approx(2 * sold(plan, region="South"), rel=1e-4)


def test_bounds_as_multiples_of_a_sellers_column(make_plan: MakePlan) -> None:
    """1.1 times each seller's own last quota."""
    rule = {"metric": "units", "each": "seller", "at_most": 1.1, "of": "last_quota"}
    plan = make_plan(markets=MARKETS, sellers=PEOPLE, limits=[rule], objective=[{"maximize": "units"}])
    solution = solve(plan, SolveSettings(marginal_values=False))
    assert solution.figure("units", {"seller": "Anna"}) == pytest.approx(33, rel=1e-6)
    assert solution.figure("units", {"seller": "Ben"}) == pytest.approx(55, rel=1e-6)
    by_quarter = {**rule, "each": ["seller", "quarter"]}
    with pytest.raises(InputError, match="cannot be split by period"):
        compile_plan(resolve(make_plan(12, markets=MARKETS, sellers=PEOPLE, limits=[by_quarter])))


def test_a_share_of_all_for_each_seller(make_plan: MakePlan) -> None:
    """`each: seller, share_at_most` is a share of what everybody sells, for each of them alone."""
    people = "seller,capacity,capacity_unit\nAnna,60,units\nBen,30,units\nCara,30,units\n"
    rule = {"metric": "units", "each": "seller", "share_at_most": 0.4}
    plan = make_plan(
        markets="region,potential\nNorth,1000\n",
        sellers=people,
        limits=[rule],
        objective=[{"maximize": "units"}],
    )
    assert sold(plan, seller="Anna") == pytest.approx(40, rel=1e-6)


def test_the_whole_of_a_share_keeps_its_members(make_plan: MakePlan) -> None:
    """`where: line a, each: region`: 40 % of each region's own sales."""
    markets = "region,line,potential\nNorth,a,10\nNorth,b,90\nSouth,a,50\nSouth,b,50\n"
    rule = {"metric": "units", "where": {"line": "a"}, "each": "region", "share_at_least": 0.4}
    plan = make_plan(markets=markets, limits=[rule], objective=[{"maximize": "units"}])
    assert sold(plan, region="North") == pytest.approx(25, rel=1e-6)
    assert sold(plan, region="South") == pytest.approx(100, rel=1e-6)


def test_a_territories_share_of_everything(make_plan: MakePlan) -> None:
    """share_min 1 means that nobody else sells there."""
    plan = make_plan(
        markets=MARKETS,
        sellers="seller\nAnna\nBen\n",
        territories="seller,region,share_min\nAnna,North,1\nBen,North,\nBen,South,\n",
        objective=[{"maximize": "units"}],
    )
    assert sold(plan, region="North", seller="Ben") == pytest.approx(0, abs=1e-6)
    assert sold(plan) == pytest.approx(200, rel=1e-6)


def test_growth_of_some_sellers_has_no_base(make_plan: MakePlan) -> None:
    """Last year is known by market, so growth cannot be asked of one seller of a market."""
    rule = {"metric": "units", "where": {"seller": "Anna"}, "growth": 0.1}
    with pytest.raises(InputError, match="figure of markets"):
        compile_plan(resolve(make_plan(markets=MARKETS, sellers=PEOPLE, targets=[rule])))


def test_a_potential_without_limit_is_no_basis(make_plan: MakePlan) -> None:
    """A ratio to an endless potential means nothing."""
    plan = make_plan(
        markets="region,potential\nNorth,10\nSouth,\n",
        balance=[{"metric": "units", "across": "region", "basis": "potential"}],
    )
    with pytest.raises(InputError, match=r"markets\.csv, row 3, column potential"):
        compile_plan(resolve(plan))


def test_size_times_share_is_phased(make_plan: MakePlan) -> None:
    """A market bounded by its size follows the season like any other; no row says it twice."""
    profile = "profile,period_or_age,value\n" + "".join(
        f"season,2027-Q{quarter},{quarter / 10}\n" for quarter in range(1, 5)
    )
    markets = "region,price,size_revenue,max_share\nNorth,2,1000,0.1\n"
    plan = make_plan(4, "quarter", markets=markets, profiles=profile, objective=[{"maximize": "units"}])
    model = compile_plan(resolve(plan))
    assert [block.name for block in model.program.row_blocks].count("share") == 0
    assert sold(plan, period="2027-Q4") == pytest.approx(20, rel=1e-6)


def test_fixed_uses_are_nobodys_also_in_a_single_team(make_plan: MakePlan) -> None:
    """What sellers take by being there counts in the whole plan, and in no member, however many there are."""
    tables = {
        "markets": "region,potential\nNorth,0\n",
        "sellers": "seller,team,capacity,capacity_unit\nAnna,A,60,units\n",
        "resources": "resource,capacity\nvans,10\n",
        "uses": "activity,resource,amount\nsell,vans,1\nseller,vans,2\n",
    }
    for each, missing in (([], 6), (["team"], 8)):
        rule = {"name": "Vans", "metric": "vans", "each": each, "at_least": 8, "must": False}
        plan = make_plan(**tables, limits=[rule])
        outcome = solve(plan, SolveSettings(marginal_values=False)).outcomes[0]
        assert outcome.value == pytest.approx(8 - missing)


def test_both_sides_of_a_ratio_have_names_of_their_own(make_plan: MakePlan) -> None:
    """A ratio between two bounds is two rows, and a file names each."""
    markets = "region,price,potential\nNorth,2,100\nSouth,4,100\n"
    rule = {"name": "Price", "metric": "average_price", "between": [2.5, 3]}
    program = compile_plan(resolve(make_plan(markets=markets, limits=[rule]))).program
    block = next(block for block in program.row_blocks if block.name == "rules")
    names = [label for part in program.row_blocks if part.name == "rules" for label in part.labels()]
    assert block.labels is not None
    assert names == [("Price", "at least"), ("Price", "at most")]
