"""Quarters of real data tracked month by month: the forecast beside run rate and last year's share."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import backtest, backtest_tracking


@pytest.mark.slow
@pytest.mark.parametrize("data", ["AdventureWorks", "CRM"])
def test_a_real_quarter_is_tracked_month_by_month(shared: Path, data: str) -> None:
    """Facts of one and of two months of a quarter: three forecasts of its total, against what was really sold, in the
    table that is printed."""
    if data == "CRM":
        folder, start = shared / "data" / "crm_sales_opportunities", pd.Timestamp("2017-10-01")
        files = ("products.csv", "accounts.csv", "sales_teams.csv")
        export, mapping = backtest_tracking.CRM_EXPORT, backtest_tracking.CRM_MAPPING
    else:
        folder, start = shared / "data" / "adventureworks", backtest.FIRST + pd.DateOffset(months=33)
        files = ("SalesTerritory.csv", "vSalesPerson.csv")
        export, mapping = backtest.ORDERS, backtest.MAPPING
    found = backtest_tracking.quarter(data, folder, files, export, mapping, start)
    assert [one.months for one in found] == [1, 2]
    for one in found:
        assert set(one.expected) == set(backtest_tracking.METHODS)
        assert all(abs(one.error(method)) < 0.6 for method in backtest_tracking.METHODS)
    if data == "AdventureWorks":
        sold = backtest.sales_by_quarter(folder)[11].sum()
        assert found[0].sold == pytest.approx(sold, rel=1e-6)
    text = backtest_tracking.report(found)
    assert all(method in text for method in backtest_tracking.METHODS)
    best = min(backtest_tracking.METHODS, key=lambda method: abs(found[1].error(method)))
    assert text.splitlines()[-1] == f"  smallest: {best}"
