"""What can be said of a plan before it is solved, without loading a solver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from optimizer import messages, page, solve
from optimizer.checking import Finding, check, shape
from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan

MakePlan = Callable[..., Plan]

TWO_REGIONS = "region,price,potential,last_year_revenue\nNorth,1,40,60\nSouth,1,64,40\n"


def keys(plan: Plan) -> list[str]:
    """The keys of what a check finds."""
    return [finding.key for finding in check(plan)]


def the(plan: Plan, key: str) -> Finding:
    """The one finding of a kind."""
    (found,) = [finding for finding in check(plan) if finding.key == key]
    return found


def test_checking_needs_no_solver(root: Path) -> None:
    """A check runs where no solver library is installed, and fast."""
    solvers = "highspy", "ortools", "pulp"
    code = f"import sys, optimizer.checking; print([name for name in {solvers} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_target_above_the_potentials_names_the_gap(make_plan: MakePlan) -> None:
    """Target 120, markets allow 104, and it is North that falls short of its share."""
    plan = make_plan(markets=TWO_REGIONS, targets=[{"name": "Year", "metric": "revenue", "at_least": 120}])
    found = the(plan, "checking.target_above_markets_in")
    assert found.level == "warning"
    assert found.fields["target"] == 120
    assert found.fields["ceiling"] == pytest.approx(104)
    assert found.fields["gap"] == "North"
    assert found.fields["gap_size"] == pytest.approx(0.6 * 120 - 40)
    assert "asks for 120 of revenue; the markets allow at most 104, 16 less" in found.text()


def test_a_must_target_out_of_reach_is_an_error(make_plan: MakePlan) -> None:
    """What must hold and cannot makes the plan impossible."""
    rule = {"name": "Year", "metric": "revenue", "at_least": 120, "must": True}
    assert check(make_plan(markets=TWO_REGIONS, targets=[rule]))[0].level == "error"


def test_a_target_within_reach_is_no_finding(make_plan: MakePlan) -> None:
    """At the ceiling itself nothing is wrong."""
    rule = {"metric": "revenue", "at_least": 104}
    assert keys(make_plan(markets=TWO_REGIONS, targets=[rule])) == []


def test_size_pools_limit_the_ceiling(make_plan: MakePlan) -> None:
    """A share of the whole market counts once for all of its markets."""
    plan = make_plan(
        markets="region,price,potential\nNorth,1,40\nSouth,1,64\n",
        market_size="region,size_revenue,max_share\n*,900,0.1\n",
        targets=[{"metric": "revenue", "at_least": 100}],
    )
    assert the(plan, "checking.target_above_markets").fields["ceiling"] == pytest.approx(90)


def test_growth_and_market_share_are_targets_too(make_plan: MakePlan) -> None:
    """A ratio to a figure that is known bounds sales."""
    plan = make_plan(
        12,
        markets="region,potential,last_year_revenue,size_revenue\nNorth,110,100,1000\n",
        targets=[{"metric": "growth", "at_least": 0.2}, {"metric": "market_share", "at_least": 0.12}],
    )
    found = [finding for finding in check(plan) if finding.key == "checking.target_above_markets"]
    assert [finding.fields["target"] for finding in found] == pytest.approx([120, 120])


def test_people_limit_the_ceiling(make_plan: MakePlan) -> None:
    """Only the capacity of those who may sell in the scope counts."""
    plan = make_plan(
        markets="region,price,potential\nNorth,1,1000\nSouth,1,1000\n",
        sellers="seller,region,capacity,capacity_unit\nAnna,North,30,units\nBen,South,50,units\n",
        targets=[{"metric": "units", "where": {"market.region": "North"}, "at_least": 40}],
    )
    assert the(plan, "checking.target_above_sellers").fields["ceiling"] == pytest.approx(30)


def test_limits_leave_less_than_the_target(make_plan: MakePlan) -> None:
    """Hard caps on parts of a target's scope add up, and are named."""
    plan = make_plan(
        markets="region,potential\nNorth,100\nSouth,100\n",
        targets=[{"name": "All", "metric": "units", "at_least": 90}],
        limits=[
            {"name": "Cap N", "metric": "units", "where": {"region": "North"}, "at_most": 30},
            {"name": "Cap S", "metric": "units", "where": {"region": "South"}, "at_most": 50},
        ],
    )
    found = the(plan, "checking.target_above_limits")
    assert found.fields["ceiling"] == pytest.approx(80)
    assert set(str(found.fields["caps"]).split(", ")) == {"Cap N", "Cap S"}


def test_the_golden_contradiction_is_seen(root: Path) -> None:
    """A must-target of 200 where limits and a capacity leave 170 at most."""
    found = the(load_plan(root / "tests" / "golden" / "infeasible_target"), "checking.target_above_limits")
    assert found.level == "error"
    assert found.fields["ceiling"] == pytest.approx(170)


def test_floors_above_a_cap(make_plan: MakePlan) -> None:
    """Each member's floor may be small, their sum is not."""
    plan = make_plan(
        markets="region,potential\nNorth,100\nSouth,100\n",
        limits=[
            {"name": "Everywhere", "metric": "units", "each": "region", "at_least": 30},
            {"name": "Cap", "metric": "units", "at_most": 50},
        ],
    )
    found = the(plan, "checking.floor_above_cap")
    assert (found.level, found.fields["total"], found.fields["most"]) == ("error", 60, 50)


def test_a_cap_on_another_scope_is_no_contradiction(make_plan: MakePlan) -> None:
    """Floors outside the scope of a cap do not count against it."""
    plan = make_plan(
        markets="region,line,potential\nNorth,a,100\nNorth,b,100\nSouth,a,100\n",
        limits=[
            {"metric": "units", "each": "region", "at_least": 30},
            {"metric": "units", "where": {"line": "a"}, "at_most": 50},
        ],
    )
    assert keys(plan) == []


@pytest.mark.parametrize(
    ("quarters", "expected"),
    [([20, 20, 30, 30], []), ([20, 20, 30, 40], [10.0]), ([20, 20, 30, 20], [-10.0])],
)
def test_quarters_that_do_not_add_up(
    make_plan: MakePlan, quarters: list[float], expected: list[float]
) -> None:
    """Targets by quarter are compared with the target of the year, both ways."""
    plan = make_plan(
        4,
        "quarter",
        markets="region,potential\nNorth,1000\n",
        targets=[
            {"metric": "units", "at_least": 100},
            {
                "metric": "units",
                "each": "quarter",
                "at_least": {f"2027-Q{number}": value for number, value in enumerate(quarters, start=1)},
            },
        ],
    )
    found = [finding.fields["difference"] for finding in check(plan) if finding.level == "info"]
    assert found == pytest.approx(expected)


def test_a_market_without_any_limit_is_an_error(make_plan: MakePlan) -> None:
    """A margin and no potential, no share, no capacity: the best plan would be endless."""
    markets = "region,price,margin_rate,potential\nNorth,10,0.2,\nSouth,10,0.2,5\n"
    found = check(make_plan(markets=markets))
    assert [finding.key for finding in found] == ["checking.market_without_limit"]
    assert found[0].level == "error"
    assert "North" in found[0].text()


@pytest.mark.parametrize(
    "more",
    [
        {"sellers": "seller,capacity,capacity_unit\nAnna,10,units\n"},
        {"market_size": "region,size_revenue,max_share\nNorth,100,0.1\n"},
        {
            "resources": "resource,capacity\ncars,3\n",
            "uses": "activity,resource,amount\nsell,cars,1\n",
        },
        {
            "resources": "resource,capacity,extra_price\ncars,3,2\n",
            "uses": "activity,resource,amount\nsell,cars,1\n",
        },
        {"limits": [{"metric": "revenue", "at_most": 100}]},
        {"objective": [{"minimize": "hours"}]},
    ],
)
def test_each_kind_of_limit_is_enough(make_plan: MakePlan, more: dict[str, object]) -> None:
    """A capacity, a share, a resource, a hard rule, or an objective that does not reward sales."""
    plan = make_plan(markets="region,price,margin_rate\nNorth,10,0.2\n", **more)
    assert "checking.market_without_limit" not in keys(plan)


def test_extra_that_pays_is_no_limit(make_plan: MakePlan) -> None:
    """A resource that can be bought for less than the margin bounds nothing."""
    plan = make_plan(
        markets="region,price,margin_rate\nNorth,10,0.2\n",
        resources="resource,capacity,extra_price\ncars,3,1\n",
        uses="activity,resource,amount\nsell,cars,1\n",
    )
    assert keys(plan) == ["checking.market_without_limit"]


def test_one_seller_without_a_limit_is_enough_to_be_endless(make_plan: MakePlan) -> None:
    """Every seller who may sell there needs a capacity."""
    plan = make_plan(
        markets="region,price,margin_rate\nNorth,10,0.2\n",
        sellers="seller,capacity,capacity_unit\nAnna,10,units\nBen,,\n",
    )
    assert keys(plan) == ["checking.market_without_limit"]


def test_markets_and_sellers_without_each_other(make_plan: MakePlan) -> None:
    """A market nobody may sell to, with what it sold last year, and a seller without a market."""
    plan = make_plan(
        12,
        markets="region,last_year_revenue\nNorth,100\nSouth,70\n",
        sellers="seller,area\nAnna,north\nBen,south\n",
        territories="area,region\nnorth,North\n",
    )
    lost = the(plan, "checking.market_without_seller")
    assert (lost.fields["markets"], lost.fields["last_year"]) == ("South", pytest.approx(70))
    assert the(plan, "checking.seller_without_market").fields["sellers"] == "Ben"


def test_a_target_where_nobody_sells(make_plan: MakePlan) -> None:
    """The rule is named, not only the market."""
    plan = make_plan(
        markets="region,potential\nNorth,100\nSouth,100\n",
        sellers="seller\nAnna\n",
        territories="seller,region\nAnna,North\n",
        targets=[{"name": "South", "metric": "units", "where": {"region": "South"}, "at_least": 5}],
    )
    assert the(plan, "checking.scope_without_cells").fields["rule"] == "South"


def test_sellers_who_are_never_there_and_markets_without_potential(make_plan: MakePlan) -> None:
    """A ramp that outlasts the plan, and last year's 0 as potential of a new market."""
    plan = make_plan(
        3,
        markets="region,last_year_units\nNorth,100\nSouth,0\n",
        sellers="seller,from\nAnna,\nBen,2027-02-01\n",
    )
    assert the(plan, "checking.seller_without_capacity").fields["sellers"] == "Ben"
    assert the(plan, "checking.market_without_potential").fields["markets"] == "South"


def test_capacity_that_flattens_the_season(make_plan: MakePlan) -> None:
    """The same hours in every quarter cannot sell a season; a year's amount that follows it can."""
    profile = "profile,period_or_age,value\n" + "".join(
        f"season,2027-Q{quarter},{share}\n" for quarter, share in enumerate((0.1, 0.2, 0.2, 0.5), start=1)
    )
    markets = "region,last_year_units\nNorth,1000\n"
    for per, expected in (("period", ["checking.season_above_capacity"]), ("year", [])):
        amount = 250 if per == "period" else 1000
        sellers = f"seller,capacity,capacity_unit,capacity_per\nAnna,{amount},units,{per}\n"
        plan = make_plan(4, "quarter", markets=markets, sellers=sellers, profiles=profile)
        found = check(plan)
        assert [finding.key for finding in found] == expected
        assert not found or found[0].fields == {"period": "2027-Q4", "share": pytest.approx(200)}


def test_open_seats(make_plan: MakePlan) -> None:
    """How many, and which may start at any time."""
    plan = make_plan(
        12,
        markets="region,potential\nNorth,100\n",
        sellers="seller,status,from,ramp\nAnna,,,\nSeat 1,open,2027-07-01,none\nSeat 2,open,,\n",
    )
    seats = the(plan, "checking.open_seats")
    assert seats.fields["count"] == 2
    assert the(plan, "checking.open_seat_without_start").fields["sellers"] == "Seat 2"


def test_entries_without_effect(make_plan: MakePlan) -> None:
    """A profile that nothing names, and a distance that nothing bounds."""
    plan = make_plan(
        12,
        markets="region,last_year_revenue\nNorth,100\n",
        profiles="profile,period_or_age,value\nrump,0,1\n",
        stay_near=[{"name": "As before", "by": "region"}],
    )
    assert keys(plan) == ["checking.stay_near_without_effect", "checking.profile_unused"]


def test_rules_that_do_not_fit_are_all_named(make_plan: MakePlan) -> None:
    """Every rule is looked at, the first mistake does not hide the second."""
    plan = make_plan(
        markets="region,unit,potential\nNorth,kg,5\nSouth,piece,5\n",
        targets=[{"metric": "unis", "at_least": 5}, {"metric": "units", "at_least": 5}],
    )
    found = check(plan)
    assert [finding.key for finding in found] == ["model.metric_unknown", "model.unlike_units"]
    assert all(finding.level == "error" and finding.place.file == "plan.yaml" for finding in found)


def test_what_the_tables_lack_is_a_finding(make_plan: MakePlan) -> None:
    """An input that cannot be resolved is reported like everything else."""
    plan = make_plan(markets="region\nNorth\n", sellers="seller,capacity\nAnna,10\n")
    assert keys(plan) == ["model.hours_underivable"]


def test_what_compiling_refuses_is_a_finding(make_plan: MakePlan) -> None:
    """Balances, distances and stages are checked by compiling."""
    plan = make_plan(markets="region,potential\nNorth,5\n", objective=[{"maximize": "utilisation"}])
    assert keys(plan) == ["modes.ratio_of_nothing"]


@pytest.mark.parametrize("pack", ["premium_year", "regional_ru", "people_and_target", "markets_only"])
def test_shipped_packs_have_no_errors(examples: Path, pack: str) -> None:
    """A starter pack is a plan that works."""
    assert not [finding.text() for finding in check(load_plan(examples / pack)) if finding.level == "error"]


def test_shape(make_plan: MakePlan) -> None:
    """The size of what will be solved; equal people count as one seat group."""
    plan = make_plan(
        3,
        markets="region,potential\nNorth,100\nSouth,100\n",
        sellers="seller,capacity,capacity_unit\nAnna,5,units\nBen,5,units\nCara,5,units\n",
    )
    found = shape(plan)
    assert (found["markets"], found["sellers"], found["pairs"], found["seat_groups"]) == (2, 3, 6, 1)
    assert (found["periods"], found["cells"]) == (3, 6)
    assert found["columns"] >= found["cells"]


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_findings_are_sentences(make_plan: MakePlan, language: str) -> None:
    """Numbers are written as people read them, in every language."""
    plan = make_plan(markets=TWO_REGIONS, targets=[{"metric": "revenue", "at_least": 12_345_678}])
    text = check(plan)[0].text(language)
    assert "12\N{NO-BREAK SPACE}345\N{NO-BREAK SPACE}678" in text
    assert "{" not in text


def test_a_factor_that_is_probably_a_share(make_plan: MakePlan) -> None:
    """0.05 for 5 % more is said; 1.05 is not."""
    plan = make_plan(
        1,
        markets="line,price,potential,margin_rate\nA,10,30,0.5\n",
        initiatives="initiative\nfair\n",
        effects="initiative,changes,kind,likely\nfair,demand,multiply,0.05\nfair,demand,multiply,1.05\n",
    )
    found = [finding for finding in check(plan) if finding.key == "effects.factor_odd"]
    assert [finding.place.row for finding in found] == [2]
    assert "-95" in found[0].text("en")


def test_a_target_that_only_an_effect_makes_possible_is_no_error(make_plan: MakePlan) -> None:
    """What initiatives may add counts in the ceiling of a target."""
    plan = make_plan(
        1,
        markets="line,price,potential,margin_rate\nA,10,30,0.5\n",
        initiatives="initiative\nfair\n",
        effects="initiative,changes,kind,likely\nfair,demand,multiply,1.5\n",
        limits=[{"name": "Least", "metric": "units", "at_least": 40}],
    )
    assert not [finding for finding in check(plan) if finding.level == "error"]


def test_labels_that_look_alike_are_told(make_plan: MakePlan) -> None:
    """Case, blanks, width and letters of another alphabet make two labels of one without anybody seeing it."""
    plan = make_plan(markets="region,line,potential\nСибирь,Ａ,1\nCибирь,A,1\nУрал,B,1\nурал ,C,1\n")
    found = [finding for finding in check(plan) if finding.key == "labels.alike"]
    assert [(finding.fields["first"], finding.fields["second"]) for finding in found] == [
        ("Сибирь", "Cибирь"),
        ("Урал", "урал"),
        ("Ａ", "A"),
    ]
    assert found[0].text("ru").startswith("markets.csv, строка 3, столбец region, значение «Cибирь»")


def test_a_column_of_amounts_is_not_silently_labels(make_plan: MakePlan) -> None:
    """A price that nobody mapped is told; codes and years are labels."""
    markets = 'region,цена,code,год,potential\nNorth,"180,5",00123,2026,1\nSouth,95,00124,2027,1\n'
    assert the(make_plan(markets=markets), "labels.only_numbers").fields == {"column": "цена"}


def test_a_seller_whose_label_no_market_has(make_plan: MakePlan) -> None:
    """The row, the label and the nearest one; who differs only by case is told once."""
    markets = "region,potential\nNorth,1\nSouth,1\n"
    plan = make_plan(markets=markets, sellers="seller,region\nAnn,Noth\nBen,south\nCai,South\nDan,North\n")
    found = the(plan, "labels.unknown_to_markets")
    assert (found.place.row, found.place.value, found.fields["nearest"]) == (2, "Noth", "North, South")
    assert the(plan, "labels.alike").place.row == 3


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("share_at_least: 0.7", "share_at_least: 0.4", ["labels.shares_above_whole"]),
        ("share_at_most: 0.5", "share_at_most: 0.4", ["labels.shares_below_whole"]),
        ("share_at_least: 0.6", "share_at_least: 0.4", []),
        ("share_at_most: 0.6", "share_at_most: 0.4", []),
        ("share_at_least: 0.7", "share_at_least: 0.4, must: false", ["labels.shares_above_whole"]),
    ],
)
def test_shares_that_leave_nothing(make_plan: MakePlan, first: str, second: str, expected: list[str]) -> None:
    """Shares of more, or of less, than the whole hold only for a plan that sells nothing, and it says so."""
    limits = [
        {"name": "A", "metric": "units", "where": {"region": "North"}, **_rule(first)},
        {"name": "B", "metric": "units", "where": {"region": "South"}, **_rule(second)},
    ]
    other = {"name": "C", "metric": "revenue", "where": {"region": "North"}, "share_at_most": 0.9}
    plan = make_plan(markets=TWO_REGIONS, limits=[*limits, other])
    assert [key for key in keys(plan) if key.startswith("labels.shares")] == expected
    assert ("Nothing is sold." in page(solve(plan))) == bool(expected)


def _rule(text: str) -> dict[str, object]:
    """The bounds of a rule from a line of YAML."""
    found: dict[str, object] = yaml.safe_load(f"{{{text}}}")
    return found
