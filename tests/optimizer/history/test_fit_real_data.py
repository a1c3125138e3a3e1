"""`fit` on a public CRM export and on public reseller orders, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from optimizer.history import FitReport, fit
from optimizer.plan.load import load_plan
from optimizer.solving import solve


@pytest.fixture(scope="module")
def crm(shared: Path, examples: Path, tmp_path_factory: pytest.TempPathFactory) -> FitReport:
    """8,800 opportunities of ten months; the plan is the quarter after them."""
    history = shared / "data" / "crm_sales_opportunities" / "sales_pipeline.csv"
    return fit(history, tmp_path_factory.mktemp("crm") / "plan", examples / "fit" / "crm.yaml")


@pytest.fixture(scope="module")
def orders(shared: Path, examples: Path, tmp_path_factory: pytest.TempPathFactory) -> FitReport:
    """3,806 orders of three years; the plan is the year after them."""
    history = shared / "data" / "adventureworks" / "derived_reseller_orders_by_store.csv"
    return fit(history, tmp_path_factory.mktemp("orders") / "plan", examples / "fit" / "orders.yaml")


def worst(report: FitReport, measure: str, by: str) -> float:
    """The largest difference between history and estimates of a member with 1 % or more."""
    rows = report.reproduction
    rows = rows.loc[(rows["measure"] == measure) & (rows["by"] == by)]
    weighty = rows.loc[rows["history"] >= 0.01 * rows["history"].sum()]
    return float(weighty["difference"].abs().max())


def finding(report: FitReport, check: str, **where: str) -> pd.Series:
    """The single line of the quality report about `check`."""
    rows = report.quality.loc[report.quality["check"] == check]
    for column, value in where.items():
        rows = rows.loc[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_crm_export_becomes_30_agents_7_products_and_3_regions(crm: FitReport) -> None:
    """Every agent with deals, every product, every region; none of the 8,800 rows is lost."""
    assert crm.counts == {"total": 8800, "won": 4238, "lost": 2473, "open": 2089}
    assert len(crm.tables["sellers"]) == 30
    assert crm.tables["markets"]["product"].nunique() == 7
    assert crm.tables["markets"]["region"].nunique() == 3
    assert not (crm.quality["action"] == "dropped").any()


def test_the_known_dirt_of_the_crm_export_is_found(crm: FitReport) -> None:
    """GTXPro, technolgy, open deals without account, prospects without a date."""
    assert finding(crm, "fixed", value="GTXPro")["count"] == 1480
    assert finding(crm, "fixed", value="technolgy")["count"] == 12
    assert finding(crm, "account_blank")["count"] == 1425
    assert finding(crm, "account_blank")["value"] == "open"
    assert finding(crm, "never_opened")["count"] == 500


def test_the_crm_estimates_give_the_history_back(crm: FitReport) -> None:
    """Won deals within 0.5 %, revenue 1 %, by product 6 %, by region 5 %, by seller exactly, month 12 %."""
    total = crm.reproduction.set_index(["measure", "by"]).loc[("revenue", "all"), "history"].item()
    assert total == pytest.approx(10_005_534)
    assert worst(crm, "won_deals", "all") < 0.005
    assert worst(crm, "revenue", "all") < 0.01
    assert worst(crm, "revenue", "product") < 0.06
    assert worst(crm, "revenue", "region") < 0.05
    assert worst(crm, "recent_revenue", "seller") < 1e-9
    assert worst(crm, "revenue_at_market_rates", "seller") < 0.25
    assert worst(crm, "revenue", "month") < 0.12


def test_the_crm_rates_are_those_of_the_export(crm: FitReport) -> None:
    """Won / closed is 63.2 %, the mean cycle lies between one and two months, prices lie near the list."""
    rows = crm.estimates.set_index(["column", "keys"])
    assert rows.loc[("win_rate", "all"), "value"] == pytest.approx(4238 / 6711)
    assert 1.0 < rows.loc[("cycle", "lag"), "value"] < 2.0
    price = rows.loc[("price", "series=GTX; product=GTX Pro; region=West")]
    assert price["value"] == pytest.approx(4821, rel=0.01)
    assert price["pooled_with"] == "series=GTX; product=GTX Pro"


def test_the_crm_plan_of_the_next_quarter_solves(crm: FitReport) -> None:
    """The target of 5 % more than the projected quarter is met, and nobody sells above the own capacity."""
    plan = load_plan(crm.folder)
    assert (plan.spec.calendar.start.isoformat(), plan.spec.calendar.periods) == ("2018-01-01", 3)
    solution = solve(plan)
    assert [outcome.status for outcome in solution.outcomes] == ["met"]
    assert solution.outcomes[0].value == pytest.approx(1.05 * 2_936_060, rel=1e-3)


def test_the_orders_become_13_reps_and_10_territories(orders: FitReport) -> None:
    """Amounts are scaled by 0.85, and every order is used."""
    assert orders.counts == {"total": 3806, "won": 3806, "lost": 0, "open": 0}
    assert (len(orders.tables["sellers"]), len(orders.tables["markets"])) == (13, 10)
    total = orders.reproduction.set_index(["measure", "by"]).loc[("revenue", "all"), "history"].item()
    assert total == pytest.approx(0.85 * 108_264_284, rel=1e-2)


def test_the_order_estimates_give_the_history_back(orders: FitReport) -> None:
    """Revenue within 0.1 %, by territory 20 %, by rep's pace exactly, by month of the year 10 %."""
    assert worst(orders, "revenue", "all") < 0.001
    assert worst(orders, "revenue", "territory") < 0.20
    assert worst(orders, "recent_revenue", "seller") < 1e-9
    assert worst(orders, "revenue", "month_of_year") < 0.10


def test_what_orders_do_not_tell_is_assumed(orders: FitReport) -> None:
    """No win rate, cycle or organic volume is made up."""
    assert {"no_openings", "potential_won_only", "hours_unknown"} <= set(orders.quality["check"])
    assert "organic" not in set(orders.estimates["column"])


def test_the_plan_of_the_orders_solves(orders: FitReport) -> None:
    """A year for 13 reps; the target is met to 2 %, and what is short is said."""
    plan = load_plan(orders.folder)
    assert (plan.spec.calendar.start.isoformat(), plan.spec.calendar.periods) == ("2014-06-01", 12)
    (outcome,) = solve(plan).outcomes
    assert outcome.value == pytest.approx(outcome.lower, rel=0.02)
    assert outcome.status in ("met", "short")
