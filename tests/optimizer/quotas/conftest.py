"""A small company whose plan is known by heart, and the main pack with quotas, solved once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optimizer.plan.load import load_plan, plan_from_data
from optimizer.plan.plan import Plan
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas import assign
from optimizer.quotas.quota import Quota
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.examples import FOLDER

QUIET = SolveSettings(marginal_values=False, leverage=False)
MARKETS = """region,line,price,margin_rate,last_year_revenue,potential
East,A,1,0.5,4000,90000
East,B,1,0.4,2000,90000
West,A,1,0.5,3000,90000
West,B,1,0.4,1000,90000
"""
HEADER = (
    "seller,region,team,sales_channel,capacity,capacity_unit,quota_min,quota_max,last_quota,target_pay,"
    "status,from"
)
SELLERS = f"""{HEADER}
Ann,East,E1,direct,4000,revenue,,,4100,800,,
Bob,East,E1,direct,2000,revenue,,,1900,500,,
Cem,East,E2,direct,3000,revenue,,,,600,,
Dan,West,W1,direct,1000,revenue,,,900,400,,
Eva,West,W1,direct,2000,revenue,,,,500,open,2027-07-01
Shop,*,*,online,1500,revenue,,,,,,
"""
MakePlan = Callable[..., Plan]
QuotasOf = Callable[..., tuple[Quota, ...]]


@pytest.fixture
def company(tmp_path: Path) -> MakePlan:
    """`company(quotas=[...], locks="seller,value,reason\\n...")`: six sellers, twelve months, no season."""
    given = ("markets", "sellers", "territories", "locks", "commitments", "credits")

    def make(**entries: Any) -> Plan:
        contents = {"markets": MARKETS, "sellers": SELLERS}
        tables = {}
        for name in given:
            content = entries.pop(name, contents.get(name))
            if content is not None:
                (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
                tables[name] = f"{name}.csv"
        calendar = {"start": "2027-01-01", "periods": 12, "every": "month"}
        return plan_from_data({"name": "Firm", "calendar": calendar, "tables": tables, **entries}, tmp_path)

    return make


@pytest.fixture
def quotas_of(company: MakePlan) -> QuotasOf:
    """The quotas of such a plan."""

    def make(**entries: Any) -> tuple[Quota, ...]:
        return assign(solve(company(**entries), QUIET))

    return make


PACK_QUOTAS = (
    QuotaSpec(
        name="Revenue",
        by=["region", "team", "seller"],
        over_assignment={"team": 0.05, "seller": 0.10},
        round_to=1000,
    ),
    QuotaSpec(
        name="Premium",
        where={"line": ["premium"]},
        by=["region", "team", "seller"],
        per="quarter",
        round_to=1000,
    ),
    QuotaSpec(name="New customers", metric="new_customers", by=["region", "seller"], round_to=1),
    QuotaSpec(
        name="Lines",
        by=["market.region", "line", "seller"],
        target="Quarters",
        round_to=100,
        fairness={"basis": "potential"},
    ),
)


@pytest.fixture(scope="session")
def pack() -> Solution:
    """The main pack with four quotas, solved."""
    plan = load_plan(FOLDER / "premium_year")
    return solve(plan.replace(spec=plan.spec.model_copy(update={"quotas": list(PACK_QUOTAS)})), QUIET)


@pytest.fixture(scope="session")
def pack_quotas(pack: Solution) -> tuple[Quota, ...]:
    """The quotas of the main pack."""
    return assign(pack)


@pytest.fixture
def seller_table() -> Callable[..., str]:
    """`seller_table(Ann={"quota_max": 4500})`: the sellers of the small company with some cells changed."""

    def make(**changes: dict[str, object]) -> str:
        header, *rows = [line.split(",") for line in SELLERS.splitlines()]
        for row in rows:
            for column, value in changes.get(row[0], {}).items():
                row[header.index(column)] = str(value)
        return "\n".join(",".join(row) for row in (header, *rows)) + "\n"

    return make
