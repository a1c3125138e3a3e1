"""What the shipped packs promise: they load, and the main one is the case that README.md tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan
from optimizer.result.solution import Solution
from scenarios import examples as packs


@pytest.fixture(scope="module")
def premium_year(examples: Path) -> Plan:
    """The main pack."""
    return load_plan(examples / "premium_year" / "plan.yaml")


def test_the_main_pack_starts_from_100_million(premium_year: Plan) -> None:
    """Last year's revenue is the sum of its column, to the unit."""
    assert premium_year.tables["markets"].numbers("last_year_revenue").sum() == 100_000_000
    assert premium_year.spec.targets[0].growth == 0.20


def test_the_main_pack_has_the_organisation_of_the_case(premium_year: Plan) -> None:
    """40 sellers in 6 teams, 34 of them reps, 5 agents and one online shop."""
    sellers = premium_year.tables["sellers"]
    channels = sellers.text("sales_channel")
    assert len(set(sellers.text("seller"))) == 40
    assert len(set(sellers.text("team"))) == 6
    assert [channels.count(name) for name in ("direct", "agent", "online")] == [34, 5, 1]


def test_the_main_pack_has_the_markets_of_the_case(premium_year: Plan) -> None:
    """4 regions, 8 provinces, 2 lines, 2 segments, new and existing customers, 12 months."""
    markets = premium_year.tables["markets"]
    columns = ("region", "province", "line", "segment", "customer_type")
    assert [len(set(markets.text(column))) for column in columns] == [4, 8, 2, 2, 2]
    assert premium_year.calendar.size == 12


@pytest.mark.parametrize("seat_groups", [True, False])
def test_the_main_pack_stays_small(premium_year: Plan, seat_groups: bool) -> None:
    """At most 6,000 sales cells, with equal sellers merged and apart."""
    assert compile_plan(resolve(premium_year), seat_groups).cube.num_cells <= 6_000


def test_the_main_pack_meets_the_year_and_misses_a_share(solved: Callable[[str], Solution]) -> None:
    """The year is reachable but tight, premium is met exactly, and one region's market share falls short."""
    outcomes = {(outcome.rule, outcome.member): outcome for outcome in solved("premium_year").outcomes}
    year = outcomes["Year", ()]
    assert year.status == "met" and year.value < 1.01 * 120_000_000
    assert outcomes["Premium", ()].binds
    assert [key for key, outcome in outcomes.items() if outcome.status == "short"] == [
        ("Market share", ("West",))
    ]


def test_the_russian_pack_reads_what_the_report_says(examples: Path) -> None:
    """cp1251, decimal commas, months across and thousands come out as roubles; totals are left out."""
    plan = load_plan(examples / "regional_ru" / "plan.yaml")
    markets = plan.tables["markets"]
    assert len(markets) == 12
    assert set(markets.text("region")) == {"Северо-Запад", "Урал", "Сибирь"}
    assert markets.by_period["last_year_revenue"].sum() == pytest.approx(196_200_000)
    assert "Ли, Вэй" in plan.tables["sellers"].text("seller")


def test_people_and_a_target_are_a_fair_plan(solved: Callable[[str], Solution]) -> None:
    """Everybody who was there all year carries the same, newcomers less, and all of them the target."""
    solution = solved("people_and_target")
    carried = np.bincount(solution.sellers.pair_seat, solution.sales.sum(axis=1))
    assert carried.sum() == pytest.approx(6_300_000 * 1.15, rel=1e-6)
    assert carried[:6] == pytest.approx(np.full(6, carried[0]), rel=1e-6)
    assert carried[7] < carried[6] < carried[0]


def test_markets_alone_meet_every_target(solved: Callable[[str], Solution]) -> None:
    """The Chinese table in 万元 splits 1.9亿 over regions and quarters."""
    solution = solved("markets_only")
    assert solution.outcomes[0].lower == 190_000_000
    assert {outcome.status for outcome in solution.outcomes} == {"met"}


@pytest.mark.parametrize("name", packs.names())
def test_old_encodings_are_kept(name: str) -> None:
    """The packs in old encodings are not turned into UTF-8 by an editor or by git."""
    encodings = {"regional_ru": "cp1251", "markets_only": "gb18030"}
    for path in (packs.FOLDER / name).glob("*.csv"):
        raw = path.read_bytes()
        if name not in encodings:
            assert raw.decode("utf-8")
            continue
        assert raw.decode(encodings[name])
        with pytest.raises(UnicodeDecodeError):
            raw.decode("utf-8")
