"""Every default and derivation of docs/defaults.md: the figure that it gives, and that it is written down."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from optimizer import messages
from optimizer.errors import InputError
from optimizer.plan.inputs import Inputs, resolve
from optimizer.plan.plan import Plan

MakePlan = Callable[..., Plan]

MONTHS = ",".join(f"2026-{month:02d}" for month in range(1, 13))
WEEKDAYS_2027 = 261


def used(inputs: Inputs) -> dict[str, tuple[int, float | None]]:
    """Key -> (rows, value) of every assumption."""
    return {one.key: (one.rows, one.value) for one in inputs.assumptions}


def test_a_yearly_amount_is_phased_by_working_days(make_plan: MakePlan) -> None:
    """Without season and months a year is spread by Monday to Friday, and the plan says so."""
    inputs = resolve(make_plan(12, markets="region,potential,last_year_revenue\nNorth,1200,2400\n"))
    potential = inputs.markets.potential[0]
    assert potential.sum() == pytest.approx(1200)
    assert potential[0] == pytest.approx(1200 * 21 / WEEKDAYS_2027)
    assert inputs.markets.last_year_revenue.sum() == pytest.approx(2400)
    assert used(inputs)["phased_by_working_days"] == (1, None)


def test_season_goes_before_last_years_months(make_plan: MakePlan) -> None:
    """The profile `season` spreads amounts although last year's months are there."""
    profile = "profile,period_or_age,value\n" + "".join(
        f"season,{month},{0.12 if month == 12 else 0.08}\n" for month in range(1, 13)
    )
    markets = f"region,potential,{MONTHS}\nNorth,1000,{','.join(['10'] * 12)}\n"
    options = {"months_across": "last_year_revenue"}
    inputs = resolve(make_plan(12, markets=markets, markets_options=options, profiles=profile))
    assert inputs.markets.potential[0, [0, 11]] == pytest.approx([80, 120])
    assert not any(key.startswith("phased_by") for key in used(inputs))


def test_last_years_months_phase_other_amounts(make_plan: MakePlan) -> None:
    """A potential without months follows the market's own; a market without sales follows all of them."""
    first = ["30", *["10"] * 10, "50"]
    markets = f"region,potential,{MONTHS}\nNorth,1800,{','.join(first)}\nSouth,180,{','.join(['0'] * 12)}\n"
    inputs = resolve(make_plan(12, markets=markets, markets_options={"months_across": "last_year_revenue"}))
    assert inputs.markets.potential[0, [0, 1, 11]] == pytest.approx([300, 100, 500])
    assert inputs.markets.potential[1, [0, 1, 11]] == pytest.approx([30, 10, 50])
    assert used(inputs)["phased_by_last_year"] == (2, None)


def test_a_blank_month_beside_others_is_zero(make_plan: MakePlan) -> None:
    """Reports leave months without sales blank; a row of blanks stays unknown."""
    months = ["5"] * 11
    markets = f"region,{MONTHS}\nNorth,,{','.join(months)}\nSouth{',' * 12}\n"
    inputs = resolve(make_plan(12, markets=markets, markets_options={"months_across": "last_year_revenue"}))
    assert inputs.markets.last_year_revenue[0].sum() == pytest.approx(55)
    assert np.isnan(inputs.markets.last_year_revenue[1]).all()
    assert inputs.markets.potential[0, 0] == 0.0
    assert used(inputs)["blank_month_zero"] == (1, 0.0)


def test_a_half_year_takes_its_part_of_last_year(make_plan: MakePlan) -> None:
    """Last year's amounts are a year's, potentials the horizon's."""
    profile = "profile,period_or_age,value\n" + "".join(
        f"season,{month},{0.05 if month <= 6 else 0.7 / 6}\n" for month in range(1, 13)
    )
    markets = "region,potential,last_year_revenue\nNorth,600,1000\n"
    inputs = resolve(make_plan(6, markets=markets, profiles=profile))
    assert inputs.markets.last_year_revenue.sum() == pytest.approx(300)
    assert inputs.markets.potential.sum() == pytest.approx(600)


def test_working_days_of_a_profile_are_proportions(make_plan: MakePlan) -> None:
    """The profile `working_days` holds days, not shares."""
    days = [15, 18, 23, 22, 18, 22, 22, 21, 22, 21, 21, 22]
    profile = "profile,period_or_age,value\n" + "".join(
        f"working_days,{month},{value}\n" for month, value in enumerate(days, start=1)
    )
    inputs = resolve(make_plan(12, markets="region,last_year_revenue\nNorth,2470\n", profiles=profile))
    assert inputs.markets.last_year_revenue[0] == pytest.approx([10 * value for value in days])


def test_quarters_take_three_months_of_a_season(make_plan: MakePlan) -> None:
    """A season by month serves a plan in quarters."""
    profile = "profile,period_or_age,value\n" + "".join(
        f"season,{month},{month / 78}\n" for month in range(1, 13)
    )
    plan = make_plan(4, "quarter", markets="region,last_year_revenue\nNorth,78\n", profiles=profile)
    assert resolve(plan).markets.last_year_revenue[0] == pytest.approx([6, 15, 24, 33])


@pytest.mark.parametrize(
    ("row", "price", "key"),
    [("7,100,50", 7.0, None), (",100,50", 2.0, "price_from_last_year"), (",100,", 1.0, "price_one")],
)
def test_price(make_plan: MakePlan, row: str, price: float, key: str | None) -> None:
    """Given, else last year's revenue over units, else 1."""
    inputs = resolve(make_plan(markets=f"region,price,last_year_revenue,last_year_units\nNorth,{row}\n"))
    assert inputs.markets.price[0, 0] == pytest.approx(price)
    assert [one for one in used(inputs) if one.startswith("price")] == ([key] if key else [])


def test_a_price_of_zero_is_refused_with_its_row(make_plan: MakePlan) -> None:
    """Nothing can be divided by a price of 0."""
    with pytest.raises(InputError, match=r"markets\.csv, row 3, column price.*above 0"):
        resolve(make_plan(markets="region,price\nNorth,2\nSouth,0\n"))


def test_margin_of_others_stands_in_for_a_blank_one(make_plan: MakePlan) -> None:
    """The mean rate of the markets that have one, by last year; its factor scales only the blank ones."""
    markets = (
        "region,price,margin_rate,unit_cost,last_year_revenue\n"
        "North,10,0.2,,300\nSouth,10,,6,100\nWest,10,,,50\n"
    )
    plan = make_plan(12, markets=markets)
    inputs = resolve(plan)
    assert inputs.markets.unit_margin[:, 0] == pytest.approx([2.0, 4.0, 2.5])
    assert used(inputs)["mean_margin"] == (1, pytest.approx(0.25))
    scaled = resolve(plan, {"mean_margin": 1.1})
    assert scaled.markets.unit_margin[:, 0] == pytest.approx([2.0, 4.0, 2.75])


def test_no_margin_at_all_is_no_margin(make_plan: MakePlan) -> None:
    """Money is no objective where nobody knows a margin."""
    assert not resolve(make_plan(markets="region\nNorth\n")).markets.knows_margin


def test_two_margins_on_a_row_are_refused(make_plan: MakePlan) -> None:
    """A rate and a cost may contradict each other."""
    with pytest.raises(InputError, match="margin_rate and a unit_cost"):
        resolve(make_plan(markets="region,price,margin_rate,unit_cost\nNorth,10,0.2,6\n"))


@pytest.mark.parametrize(
    ("columns", "row", "expected", "key"),
    [
        ("potential,last_year_units", "70,100", 70.0, None),
        ("potential_revenue,last_year_units", "70,100", 35.0, None),
        ("size_units,max_share,last_year_units", "400,0.25,10", 100.0, "size_times_share"),
        ("size_revenue,max_share,last_year_units", "400,0.25,10", 50.0, "size_times_share"),
        ("last_year_units", "100", 150.0, "growth_cap"),
        ("last_year_revenue", "100", 75.0, "growth_cap"),
        ("size_units", "400", np.inf, None),
    ],
)
def test_potential(make_plan: MakePlan, columns: str, row: str, expected: float, key: str | None) -> None:
    """Given in units or money, else size times share, else last year and the growth cap, else no limit."""
    days = 21 / WEEKDAYS_2027 if "last_year" in columns and key == "growth_cap" else 1.0
    inputs = resolve(make_plan(markets=f"region,price,{columns}\nNorth,2,{row}\n"))
    assert inputs.markets.potential[0, 0] == pytest.approx(expected * days)
    assert (key in used(inputs)) == (key is not None)


def test_growth_cap_of_the_plan_file_and_its_factor(make_plan: MakePlan) -> None:
    """The cap is the plan's, and 10 % off moves the potential by 10 %."""
    plan = make_plan(12, markets="region,last_year_units\nNorth,100\n", growth_cap=0.2)
    assert resolve(plan).markets.potential.sum() == pytest.approx(120)
    assert resolve(plan, {"growth_cap": 0.9}).markets.potential.sum() == pytest.approx(108)


def test_presence_counts_days_and_steps(make_plan: MakePlan) -> None:
    """The share of days that somebody is there, times the default ramp of direct sellers who start."""
    sellers = (
        "seller,sales_channel,from,to,ramp\n"
        "Anna,,,2027-02-14,\nBen,direct,2027-02-15,,\nCara,agent,2027-02-15,,\nDan,,2027-02-15,,none\n"
    )
    inputs = resolve(make_plan(12, markets="region\nNorth\n", sellers=sellers))
    people = inputs.selling.sellers
    assert people.headcount[0, :3] == pytest.approx([1, 0.5, 0])
    assert people.headcount[1, :3] == pytest.approx([0, 0.5, 1])
    assert people.presence[1] == pytest.approx([0, 0, 0, 0, 0, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 0.75])
    assert people.presence[2] == pytest.approx(people.headcount[2])
    assert people.presence[3] == pytest.approx(people.headcount[3])
    assert used(inputs)["default_ramp"] == (1, None)


def test_a_ramp_profile_is_used(make_plan: MakePlan) -> None:
    """The named profile's steps, by months since the start."""
    profile = "profile,period_or_age,value\nquick,0,0.5\nquick,2,1\n"
    sellers = "seller,from,ramp\nAnna,2027-01-01,quick\n"
    inputs = resolve(make_plan(4, markets="region\nNorth\n", sellers=sellers, profiles=profile))
    assert inputs.selling.sellers.presence[0] == pytest.approx([0.5, 0.5, 1, 1])


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        ("capacity", "100", [100, 100, 100, 100]),
        ("capacity,capacity_unit", "100,revenue", [10, 20, 30, 40]),
        ("capacity,capacity_unit,capacity_per", "100,deals,period", [100, 100, 100, 100]),
        ("capacity,capacity_per", "100,year", [10, 20, 30, 40]),
        ("productivity", "1000", [100, 200, 300, 400]),
    ],
)
def test_capacity(make_plan: MakePlan, columns: str, row: str, expected: list[float]) -> None:
    """Hours are a rate, everything else an amount that follows the season; productivity is revenue a year."""
    profile = "profile,period_or_age,value\n" + "".join(
        f"season,2027-Q{quarter},{quarter / 10}\n" for quarter in range(1, 5)
    )
    plan = make_plan(
        4,
        "quarter",
        markets="region,last_year_revenue\nNorth,1000\n",
        sellers=f"seller,{columns}\nAnna,{row}\nBen,{',' * columns.count(',')}\n",
        profiles=profile,
    )
    people = resolve(plan).selling.sellers
    assert people.capacity[0] == pytest.approx(expected)
    assert np.isinf(people.capacity[1]).all()


def test_a_blank_month_of_capacity_has_no_limit(make_plan: MakePlan) -> None:
    """Blank is no limit, and a row of blanks may have a productivity instead."""
    months = ",".join(f"2027-{month:02d}" for month in range(1, 4))
    plan = make_plan(
        3,
        markets="region\nNorth\n",
        sellers=f"seller,productivity,capacity_unit,{months}\nAnna,,units,5,,7\nBen,1200,,,,\n",
        sellers_options={"months_across": "capacity"},
    )
    people = resolve(plan).selling.sellers
    assert people.capacity[0] == pytest.approx([5, np.inf, 7])
    assert people.capacity_unit == ("units", "revenue")


def test_productivity_becomes_hours_where_hours_are_known(make_plan: MakePlan) -> None:
    """Hours per revenue at last year's mix; the same person can then do the same revenue of that mix."""
    plan = make_plan(
        12,
        markets="region,price,last_year_revenue\nNorth,10,300\nSouth,20,100\n",
        sellers="seller,productivity\nAnna,400\n",
        territories="seller,region,hours_per_unit\nAnna,North,1\nAnna,South,4\n",
    )
    inputs = resolve(plan)
    rate = (300 * 1 / 10 + 100 * 4 / 20) / 400
    assert inputs.selling.sellers.capacity_unit == ("hours",)
    assert inputs.selling.sellers.capacity.sum() == pytest.approx(400 * rate)
    assert used(inputs)["hours_from_productivity"] == (1, None)


def test_hours_of_productive_sellers_are_reported(make_plan: MakePlan) -> None:
    """261 days of 8 hours, 35 % of them selling, at full load; the capacity stays in revenue."""
    inputs = resolve(
        make_plan(markets="region,price\nNorth,10\n", sellers="seller,productivity\nAnna,7308\n")
    )
    assert inputs.selling.hours_per_unit[0, 0] == pytest.approx(1.0)
    assert inputs.selling.effort[0, 0] == pytest.approx(10)
    assert used(inputs)["selling_hours"] == (1, pytest.approx(730.8))


def test_hours_per_unit_from_last_year(make_plan: MakePlan) -> None:
    """All hours over last year's revenue: last year filled everybody's time."""
    plan = make_plan(
        12,
        markets="region,price,last_year_revenue\nNorth,10,2400\n",
        sellers="seller,capacity\nAnna,10\nBen,10\n",
    )
    inputs = resolve(plan)
    assert inputs.selling.hours_per_unit[0, 0] == pytest.approx(10 * 240 / 2400)
    assert used(inputs)["hours_from_last_year"] == (2, pytest.approx(0.1))
    assert resolve(plan, {"hours_from_last_year": 1.1}).selling.effort[0, 0] == pytest.approx(1.1)


def test_hours_that_cannot_be_derived_are_asked_for(make_plan: MakePlan) -> None:
    """Without last year nothing says how long a sale takes."""
    with pytest.raises(InputError, match="how many hours a sale takes"):
        resolve(make_plan(markets="region\nNorth\n", sellers="seller,capacity\nAnna,10\n"))


def test_capacity_and_productivity_on_one_row_are_refused(make_plan: MakePlan) -> None:
    """Both say how much one person can do."""
    with pytest.raises(InputError, match=r"sellers\.csv, row 2, column productivity"):
        resolve(make_plan(markets="region\nNorth\n", sellers="seller,capacity,productivity\nAnna,10,5\n"))


@pytest.mark.parametrize(
    ("sellers", "pairs", "key"),
    [
        ("seller,region\nAnna,North\nBen,*\n", [(0, 0), (1, 0), (1, 1)], "territories_by_shared_columns"),
        ("seller\nAnna\n", [(0, 0), (0, 1)], "territories_everywhere"),
    ],
)
def test_pairs_without_territories(
    make_plan: MakePlan, sellers: str, pairs: list[tuple[int, int]], key: str
) -> None:
    """Sellers sell where the columns that both tables have agree."""
    inputs = resolve(make_plan(markets="region\nNorth\nSouth\n", sellers=sellers))
    found = inputs.selling.pairs
    assert list(zip(found.seller.tolist(), found.market.tolist(), strict=True)) == pairs
    assert key in used(inputs)


def test_the_narrower_territories_row_wins(make_plan: MakePlan) -> None:
    """More keys filled win; a pair that no row covers may not sell."""
    plan = make_plan(
        markets="region,line,last_year_units\nNorth,a,1\nNorth,b,1\nSouth,a,1\n",
        sellers="seller,capacity\nAnna,10\nBen,10\n",
        territories="seller,region,line,hours_per_unit\n*,North,*,2\nAnna,North,b,3\n",
    )
    pairs = resolve(plan).selling.pairs
    assert list(zip(pairs.seller, pairs.market, pairs.hours_per_unit, strict=True)) == [
        (0, 0, 2),
        (0, 1, 3),
        (1, 0, 2),
        (1, 1, 2),
    ]


def test_share_limits_of_a_row_know_its_markets(make_plan: MakePlan) -> None:
    """The pairs that the row wins, and every market that it covers."""
    plan = make_plan(
        markets="region\nNorth\nSouth\n",
        sellers="seller\nAnna\nBen\n",
        territories="seller,region,share_max\nAnna,*,\nBen,*,0.3\nBen,South,\n",
    )
    (limit,) = resolve(plan).selling.pairs.share_limits
    assert (limit.low, limit.high) == (0.0, 0.3)
    assert limit.pairs.tolist() == [2]
    assert limit.markets.tolist() == [0, 1]


def test_a_size_row_is_one_pool(make_plan: MakePlan) -> None:
    """A coarse size is never copied to each market that it covers; two sizes of one market are refused."""
    markets = "region,line\nNorth,a\nNorth,b\nSouth,a\n"
    sizes = "region,size_revenue,max_share\nNorth,500,0.2\n"
    (pool,) = resolve(make_plan(markets=markets, market_size=sizes)).sizes
    assert (pool.markets.tolist(), pool.revenue, pool.max_share) == ([0, 1], 500, 0.2)
    twice = "region,line,size_revenue\nNorth,*,500\nNorth,a,100\n"
    with pytest.raises(InputError, match="North/a has two sizes"):
        resolve(make_plan(markets=markets, market_size=twice))


def test_uses_add_up(make_plan: MakePlan) -> None:
    """Two rows for one pair are added; sellers take their amount by being there."""
    plan = make_plan(
        2,
        markets="region\nNorth\nSouth\n",
        sellers="seller,from\nAnna,\nBen,2027-02-01\n",
        resources="resource,capacity\ncars,10\n",
        uses=(
            "activity,region,seller,resource,amount\n"
            "sell,*,*,cars,1\nsell,North,*,cars,2\nsell:Ben,*,*,cars,4\nseller,*,*,cars,1\n"
        ),
    )
    resources = resolve(plan).resources
    assert resources.per_unit[0].tolist() == [3, 1, 7, 5]
    assert resources.by_sellers.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("sell,boats,1", "no such resource.*Nearest: cars"),
        ("drive,cars,1", "no activity"),
        ("sell:Anja,cars,1", "no seller has this name.*Nearest: Anna"),
    ],
)
def test_names_in_uses_are_checked(make_plan: MakePlan, row: str, message: str) -> None:
    """Resource, activity and seller of a row exist, or the row is named with the nearest."""
    plan = make_plan(
        markets="region\nNorth\n",
        sellers="seller\nAnna\n",
        resources="resource,capacity\ncars,10\n",
        uses=f"activity,resource,amount\n{row}\n",
    )
    with pytest.raises(InputError, match=rf"uses\.csv, row 2.*{message}"):
        resolve(plan)


def test_every_key_is_documented_and_can_be_said(root: Path) -> None:
    """docs/defaults.md and the catalogue have every key that the code writes down."""
    page = (root / "docs" / "defaults.md").read_text(encoding="utf-8")
    known = messages.catalogue("assumptions", "en")
    code = "".join(path.read_text(encoding="utf-8") for path in (root / "optimizer" / "plan").glob("*.py"))
    written = set(re.findall(r'log\.note\(\s*"(\w+)"', code))
    assert written <= set(known)
    assert not [key for key in known if f"`{key}`" not in page]


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_assumptions_are_sentences(make_plan: MakePlan, language: str) -> None:
    """Each assumption of a plan can be said in every language."""
    plan = make_plan(
        12,
        markets="region,last_year_revenue,margin_rate\nNorth,2400,0.2\nSouth,100,\n",
        sellers="seller,capacity,from\nAnna,10,2027-03-01\n",
    )
    sentences = [assumption.text(language) for assumption in resolve(plan).assumptions]
    assert len(sentences) == 8
    assert all(sentence.endswith((".", "。")) and "{" not in sentence for sentence in sentences)
