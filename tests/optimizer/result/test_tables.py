"""A solution as tidy tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimizer import Plan, Solution, Status, load_plan, solve, tables
from optimizer.io.write import write_table
from optimizer.result import tables as module

Solved = Callable[[str], Solution]
MakePlan = Callable[..., Plan]

MARKETS = "region,price,margin_rate,potential,last_year_units\nNorth,10,0.4,100,80\nSouth,20,0.3,50,40\n"
PACKS = ("markets_only", "people_and_target", "premium_year", "regional_ru")
TablesOf = Callable[[str], dict[str, pd.DataFrame]]


@pytest.fixture(scope="module")
def tables_of(solved: Solved) -> TablesOf:
    """The tables of a shipped pack, made once."""
    return cache(lambda pack: tables(solved(pack)))


@pytest.mark.parametrize("pack", PACKS)
def test_columns_are_the_documented_ones(tables_of: TablesOf, pack: str) -> None:
    """Every table has its columns in their order, also when it has no row."""
    found = tables_of(pack)
    assert [name for name in found if not name.startswith("quota")] == [
        "sales",
        "decisions",
        "targets",
        "limits",
        "kpis",
        "shortfalls",
        "marginal_values",
        "assumptions",
    ]
    for name, columns in {
        "decisions": ("activity", "row", "period", "amount"),
        "targets": module.TARGET_COLUMNS,
        "limits": module.LIMIT_COLUMNS,
        "kpis": ("metric", "unit", "scope", "member", "period", "value"),
        "shortfalls": module.SHORTFALL_COLUMNS,
        "marginal_values": module.MARGINAL_COLUMNS,
        "assumptions": module.ASSUMPTION_COLUMNS,
    }.items():
        assert tuple(found[name].columns) == columns
    assert tuple(found["sales"].columns[-9:]) == (*module.TIME, *module.MEASURES)
    assert found["sales"].columns[0] == "seller"


@pytest.mark.parametrize("pack", PACKS)
def test_sales_add_up_to_the_figures(solved: Solved, tables_of: TablesOf, pack: str) -> None:
    """The sums of the sales table are the company's metrics, in all and by quarter."""
    solution = solved(pack)
    sales, kpis = tables_of(pack)["sales"], tables_of(pack)["kpis"]
    for metric in ("units", "deals", "revenue", "commission"):
        assert sales[metric].sum() == pytest.approx(solution.figure(metric), rel=1e-9)
    company = kpis[(kpis["scope"] == "company") & (kpis["metric"] == "revenue")].set_index("period")["value"]
    for quarter, revenue in sales.groupby("quarter")["revenue"].sum().items():
        assert revenue == pytest.approx(company[quarter], rel=1e-9)


def test_sales_have_no_empty_rows(tables_of: TablesOf) -> None:
    """Only seller, market and period with sales are there, each once."""
    sales = tables_of("premium_year")["sales"]
    assert (sales["units"] > 0).all()
    labels = ["seller", "province", "segment", "line", "customer_type", "period"]
    assert not sales.duplicated(labels).any()


def test_kpis_are_the_figures_of_the_engine(solved: Solved, tables_of: TablesOf) -> None:
    """A sample of metrics, ratios and scopes against `figure`; NaN where there is nothing to divide by."""
    solution = solved("premium_year")
    kpis = tables_of("premium_year")["kpis"].set_index(["metric", "scope", "member", "period"])["value"]
    for metric in (
        "revenue",
        "contribution",
        "market_share",
        "average_check",
        "utilisation",
        "growth",
        "demo units",
    ):
        assert kpis[metric, "company", "", "all"] == pytest.approx(solution.figure(metric), rel=1e-9)
    for metric in ("revenue", "market_share", "margin_rate", "new_customers"):
        where = {"region": ["East"], "quarter": ["2027-Q2"]}
        assert kpis[metric, "region", "East", "2027-Q2"] == pytest.approx(
            solution.figure(metric, where), rel=1e-9
        )
    where = {"team": ["East-1"]}
    assert kpis["utilisation", "team", "East-1", "all"] == pytest.approx(
        solution.figure("utilisation", where)
    )


def test_metrics_that_a_scope_does_not_allow_have_no_rows(tables_of: TablesOf) -> None:
    """Market share by seller and headcount by province are not known."""
    kpis = tables_of("premium_year")["kpis"]
    assert kpis[(kpis["metric"] == "market_share") & (kpis["scope"] == "seller")].empty
    assert kpis[(kpis["metric"] == "headcount") & (kpis["scope"] == "province")].empty
    assert not kpis[(kpis["metric"] == "headcount") & (kpis["scope"] == "team")].empty


def test_a_column_that_differs_between_sellers_and_markets_is_there_twice(make_plan: MakePlan) -> None:
    """Anna of the North sells in the South too, so `region` would say two things."""
    plan = make_plan(
        markets=MARKETS,
        sellers="seller,region\nAnna,North\nBen,South\n",
        territories="seller,market.region\nAnna,*\nBen,South\n",
    )
    solution = solve(plan)
    sales = tables(solution)["sales"]
    assert list(sales.columns[:3]) == ["seller", "seller.region", "market.region"]
    kpis = tables(solution)["kpis"]
    assert {"market.region", "seller.region"} <= set(kpis["scope"]) and "region" not in set(kpis["scope"])


def test_a_column_on_which_both_agree_is_there_once(make_plan: MakePlan) -> None:
    """Without a territories table sellers stay in their region: one column."""
    plan = make_plan(markets=MARKETS, sellers="seller,region\nAnna,North\nBen,South\n")
    assert list(tables(solve(plan))["sales"].columns[:3]) == ["seller", "region", "period"]


def test_targets_show_growth_and_amount(tables_of: TablesOf) -> None:
    """+20 % on 100 M is 120 M, in one row."""
    targets = tables_of("premium_year")["targets"].set_index(["rule", "member"])
    year = targets.loc[("Year", "")]
    assert (year["growth_asked"], year["last_year"], year["at_least"]) == pytest.approx((0.2, 100e6, 120e6))
    assert year["unit"] == "CNY"
    assert targets.loc[("Every region grows", "West"), "last_year"] == pytest.approx(15e6)


def test_shortfalls_are_the_short_targets(make_plan: MakePlan) -> None:
    """2,000 of 2,500: 500 short, which is a fifth, with its sentence."""
    plan = make_plan(
        markets=MARKETS, currency="EUR", targets=[{"name": "Year", "metric": "revenue", "at_least": 2500}]
    )
    row = tables(solve(plan))["shortfalls"].iloc[0]
    assert (row["asked"], row["value"], row["shortfall"], row["share"]) == pytest.approx(
        (2500, 2000, 500, 0.2)
    )
    assert row["sentence"] == "Year ends 500 EUR (20 %) short: 2,000 instead of 2,500."


def test_a_balance_rule_is_a_limit_around_the_middle(make_plan: MakePlan) -> None:
    """Two sellers within 20 %: values lie in 0.8 .. 1.2 of the middle, and the band binds."""
    plan = make_plan(
        markets="region,price,margin_rate,potential\nNorth,10,0.4,1000\nSouth,10,0.2,1000\n",
        sellers="seller,region,capacity,capacity_unit\nAnna,North,4000,revenue\nBen,South,4000,revenue\n",
        limits=[{"name": "All", "metric": "revenue", "at_most": 5000}],
        balance=[{"name": "Fair", "across": "seller", "within": 0.2}],
    )
    limits = tables(solve(plan))["limits"]
    fair = limits[limits["kind"] == "balance"].set_index("member")
    assert fair["value"].to_dict() == pytest.approx({"Anna": 1.2, "Ben": 0.8}, rel=1e-5)
    assert fair["binds"].all() and (fair["status"] == "met").all()
    assert limits.set_index("rule").loc["All", "room"] == pytest.approx(0.0, abs=1e-3)


def test_marginal_values_carry_their_unit_and_range(make_plan: MakePlan) -> None:
    """One more unit of demand in the South brings its margin of 6, and loses it one unit less."""
    values = tables(solve(make_plan(markets=MARKETS)))["marginal_values"].set_index("name")
    south = values.loc["South / 2027-01"]
    assert (south["family"], south["unit"], south["of"]) == ("demand", "units", "contribution")
    assert (south["bound"], south["value"], south["more"], south["less"]) == pytest.approx((50, 6, 6, 6))


def test_assumptions_say_where_they_come_from(solved: Solved) -> None:
    """Sentence and figure, the ones that move the plan most first."""
    frame = tables(solved("people_and_target"))["assumptions"].set_index("key")
    assert frame.loc["growth_cap", "value"] == 1.5
    assert "1.5 times last year" in frame.loc["growth_cap", "from"]
    moves = frame[["leverage_revenue", "leverage_contribution"]].abs().max(axis=1).fillna(0).to_numpy()
    assert (np.diff(moves) <= 0).all()


def test_a_contradiction_is_a_table_of_repairs(root: Path) -> None:
    """Without a plan there are repairs and assumptions, and nothing that needs a plan."""
    solution = solve(load_plan(root / "tests" / "golden" / "infeasible_target"))
    found = tables(solution)
    assert solution.status is Status.NO_PLAN
    assert list(found) == ["repairs", "assumptions"]
    alone = found["repairs"][found["repairs"]["part"] == "alone"].set_index("name")["change"].dropna()
    assert alone.to_dict() == pytest.approx({"Total": -30, "Cara's most": 30})


def test_sales_need_a_plan(root: Path) -> None:
    """Asking for the sales of a contradiction raises, and gives no empty table."""
    with pytest.raises(ValueError, match="holds no plan"):
        module.sales(solve(load_plan(root / "tests" / "golden" / "infeasible_target")))


@pytest.mark.parametrize("pack", PACKS)
def test_csv_and_parquet_hold_the_same(tables_of: TablesOf, pack: str, tmp_path: Path) -> None:
    """Written and read again, no label changes and no figure by more than its last digit."""
    for name, frame in tables_of(pack).items():
        write_table(frame, tmp_path / f"{name}.parquet")
        back = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert list(back.columns) == list(frame.columns) and len(back) == len(frame)
        numbers = [column for column in frame if frame[column].dtype.kind == "f"]
        assert np.array_equal(back[numbers].to_numpy(), frame[numbers].to_numpy(), equal_nan=True)
