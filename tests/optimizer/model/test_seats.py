"""Seat groups: the same optimum with fewer columns, and equal plans for equal people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan
from optimizer.settings import SolveSettings
from optimizer.solving import solve, solve_model

MakePlan = Callable[..., Plan]

MARKETS = "region,price,margin_rate,potential\nNorth,10,0.3,30\nSouth,20,0.4,40\n"
PEOPLE = (
    "seller,team,capacity,capacity_unit\n"
    "Anna,x,10,units\nBen,x,20,units\nCara,y,10,units\nDan,y,10,units\nEve,y,10,deals\n"
)


def groups(plan: Plan) -> list[list[str]]:
    """The members of each seat group by name."""
    cube = compile_plan(resolve(plan)).cube
    names = cube.inputs.selling.sellers.names
    return [
        [name for name, found in zip(names, cube.groups.group, strict=True) if found == group]
        for group in range(len(cube.seat_names))
    ]


def test_equal_sellers_are_one_seat(make_plan: MakePlan) -> None:
    """The amount of capacity may differ, what it counts may not."""
    assert groups(make_plan(markets=MARKETS, sellers=PEOPLE)) == [["Anna", "Ben", "Cara", "Dan"], ["Eve"]]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (
            [{"metric": "units", "each": "team", "at_most": 20}],
            [["Anna", "Ben"], ["Cara", "Dan"], ["Eve"]],
        ),
        (
            [{"metric": "units", "each": "seller", "at_most": 8}],
            [["Anna", "Cara", "Dan"], ["Ben"], ["Eve"]],
        ),
        (
            [{"metric": "units", "each": "seller", "at_most": {"Cara": 8}}],
            [["Anna", "Dan"], ["Ben"], ["Cara"], ["Eve"]],
        ),
        (
            [{"metric": "units", "where": {"seller": "Dan"}, "at_most": 8}],
            [["Anna", "Ben", "Cara"], ["Dan"], ["Eve"]],
        ),
        (
            [{"metric": "units", "each": "seller", "share_at_most": 0.3}],
            [["Anna"], ["Ben"], ["Cara"], ["Dan"], ["Eve"]],
        ),
        (
            [{"metric": "units", "where": {"region": "North"}, "each": "seller", "share_at_most": 0.3}],
            [["Anna", "Ben", "Cara", "Dan"], ["Eve"]],
        ),
    ],
)
def test_what_rules_say_of_one_seller_keeps_others_out(
    make_plan: MakePlan, rules: list[dict[str, Any]], expected: list[list[str]]
) -> None:
    """A rule that tells two sellers apart does so in the groups as well."""
    assert groups(make_plan(markets=MARKETS, sellers=PEOPLE, limits=rules)) == expected


def test_dates_ramps_and_territories_part_sellers(make_plan: MakePlan) -> None:
    """Who starts later, or may sell elsewhere, is not equal."""
    plan = make_plan(
        12,
        markets=MARKETS,
        sellers="seller,from,commission_rate\nAnna,,\nBen,2027-03-01,\nCara,,\nDan,,0.1\nEve,,\n",
        territories="seller,region\n*,North\nCara,South\n",
    )
    assert groups(plan) == [["Anna", "Eve"], ["Ben"], ["Cara"], ["Dan"]]


def test_small_efforts_part_sellers_too(make_plan: MakePlan) -> None:
    """Hours per unit of currency are tiny; equality is a matter of digits, not of size."""
    plan = make_plan(
        markets="region,potential\nNorth,1e9\n",
        sellers="seller,capacity\nAnna,10\nBen,10\nCara,10\n",
        territories="seller,region,hours_per_unit\nAnna,*,0.00000000011\nBen,*,0.00000000012\nCara,*,0.00000000011\n",
    )
    assert groups(plan) == [["Anna", "Cara"], ["Ben"]]


def test_hours_part_sellers_only_where_they_count(make_plan: MakePlan) -> None:
    """Reported hours differ with productivity; a bound on hours makes that matter."""
    sellers = "seller,productivity\nAnna,1000\nBen,2000\n"
    assert len(groups(make_plan(markets=MARKETS, sellers=sellers))) == 1
    rule = {"metric": "hours", "at_most": 50}
    assert len(groups(make_plan(markets=MARKETS, sellers=sellers, limits=[rule]))) == 2


def test_whole_units_keep_sellers_apart(make_plan: MakePlan) -> None:
    """A group's whole number has no fair split."""
    assert len(groups(make_plan(markets=MARKETS, sellers=PEOPLE, whole_units=True))) == 5


RULES: list[dict[str, Any]] = [
    {},
    {
        "targets": [
            {"metric": "units", "each": "seller", "at_least": 9},
            {"metric": "revenue", "at_least": 5000},
        ]
    },
    {
        "targets": [
            {"metric": "units", "each": "seller", "at_least": {"Anna": 15, "Cara": 2}},
            {"metric": "revenue", "where": {"region": "North"}, "at_most": 100},
        ]
    },
    {"targets": [{"metric": "revenue", "each": "seller", "at_least": 250, "penalty": 0.5}]},
    {"limits": [{"metric": "revenue", "each": "seller", "share_at_most": 0.25}]},
    {"limits": [{"metric": "units", "where": {"region": "South"}, "each": "seller", "share_at_most": 0.5}]},
    {"limits": [{"metric": "utilisation", "each": "seller", "at_most": 0.7}]},
    {"balance": [{"metric": "units", "across": "team", "where": {"seller": ["Anna", "Ben", "Cara", "Dan"]}}]},
    {"objective": [{"maximize": "revenue"}, {"minimize": "hours"}]},
]


@pytest.mark.parametrize("entries", RULES)
def test_groups_have_the_same_optimum_as_single_sellers(make_plan: MakePlan, entries: dict[str, Any]) -> None:
    """Every stage but the tie-break has the same value with and without groups."""
    plan = make_plan(2, markets=MARKETS, sellers=PEOPLE, **entries)
    found = []
    for grouped in (True, False):
        model = compile_plan(resolve(plan), seat_groups=grouped)
        staged = solve_model(model, SolveSettings(marginal_values=False))
        assert staged.has_solution
        found.append([outcome.value for outcome in staged.outcomes[:-1]])
    assert found[0] == pytest.approx(found[1], rel=1e-5, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("pack", ["premium_year", "regional_ru", "people_and_target"])
def test_packs_have_the_same_optimum_as_single_sellers(examples: Path, pack: str) -> None:
    """The shipped plans, too."""
    plan = load_plan(examples / pack)
    found = []
    for grouped in (True, False):
        model = compile_plan(resolve(plan), seat_groups=grouped)
        staged = solve_model(model, SolveSettings(marginal_values=False))
        found.append([outcome.value for outcome in staged.outcomes[:-1]])
    assert found[0] == pytest.approx(found[1], rel=1e-5, abs=1e-6)


def test_equal_people_get_equal_plans(make_plan: MakePlan) -> None:
    """The split is by capacity, in every cell."""
    solution = solve(make_plan(2, markets=MARKETS, sellers=PEOPLE))
    sold = {name: solution.figure("units", {"seller": name}) for name in ("Anna", "Ben", "Cara", "Dan")}
    assert sold["Anna"] == pytest.approx(sold["Cara"])
    assert sold["Ben"] == pytest.approx(2 * sold["Dan"])


def test_shares_add_up(make_plan: MakePlan) -> None:
    """What a group sells is what its members sell; without limits they share equally."""
    cube = compile_plan(resolve(make_plan(markets=MARKETS, sellers="seller\nAnna\nBen\nCara\n"))).cube
    assert cube.groups.share == pytest.approx(np.full(3, 1 / 3))
    assert cube.seat_names == ("Anna +2",)


NEAR = {"name": "near", "by": ["seller", "region", "period"], "to": {"run": "before"}, "priority": 1}


@pytest.mark.parametrize(
    ("more", "ben", "expected"),
    [
        ({}, 12.0, [["Anna", "Ben", "Cara", "Dan"], ["Eve"]]),
        ({}, 11.0, [["Anna", "Cara", "Dan"], ["Ben"], ["Eve"]]),
        ({"changes_at_most": 1}, 12.0, [["Anna"], ["Ben"], ["Cara"], ["Dan"], ["Eve"]]),
    ],
)
def test_nearness_by_seller_parts_those_who_sold_out_of_proportion(
    make_plan: MakePlan, tmp_path: Path, more: dict[str, Any], ben: float, expected: list[list[str]]
) -> None:
    """A run that gave Ben, who has twice the capacity, twice the sales leaves the group whole; the distance is
    that of single sellers."""
    sold = {"Anna": 6.0, "Ben": ben, "Cara": 6.0, "Dan": 6.0}
    rows = [
        {"seller": seller, "region": region, "period": f"2027-{month:02d}", "revenue": amount * factor}
        for seller, amount in sold.items()
        for region, factor in (("North", 1.0), ("South", 0.5))
        for month in range(1, 13)
    ]
    folder = tmp_path / "before" / "tables"
    folder.mkdir(parents=True)
    pd.DataFrame(rows).to_parquet(folder / "sales.parquet")
    plan = make_plan(markets=MARKETS, sellers=PEOPLE, stay_near=[{**NEAR, **more}])
    assert groups(plan) == expected
    values = [
        [stage.value for stage in solve(plan, SolveSettings(seat_groups=grouped)).stages[:2]]
        for grouped in (True, False)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-6)
