"""Quotas of a real CRM and of real orders: exact, explained, and measured against what was sold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import backtest
from optimizer.history import fit
from optimizer.plan.load import load_plan
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas import assign
from optimizer.quotas.chain import PARTS, chain_parts
from optimizer.quotas.controls import sums_checked
from optimizer.quotas.quota import Quota
from optimizer.settings import SolveSettings
from optimizer.solving import solve

QUIET = SolveSettings(marginal_values=False, leverage=False)


@pytest.fixture(scope="module")
def crm(shared: Path, examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Quota:
    """Quotas of the quarter after the CRM export: offices, managers, agents, by month."""
    history = shared / "data" / "crm_sales_opportunities" / "sales_pipeline.csv"
    report = fit(history, tmp_path_factory.mktemp("crm") / "plan", examples / "fit" / "crm.yaml")
    plan = load_plan(report.folder)
    levels = [name for name in plan.tables["sellers"].labels if name != "seller"]
    spec = QuotaSpec(by=[*levels, "seller"], over_assignment={"seller": 0.1}, round_to=100)
    return assign(solve(plan.replace(spec=plan.spec.model_copy(update={"quotas": [spec]})), QUIET))[0]


def test_quotas_of_the_crm_add_up_and_are_explained(crm: Quota) -> None:
    """30 agents; no sum is off, and every chain ends at its quota in every span."""
    assert crm.tree.num_leaves == 30
    checked, wrong = sums_checked(crm)
    assert checked >= 50 and wrong == 0
    names, parts = chain_parts(crm, list(range(crm.tree.size)))
    assert names[-1] == "rounding"
    assert (parts[..., -1] == crm.spans.wide(crm.steps) * PARTS).all()
    leaves = crm.tree.leaves
    assert crm.year[leaves].sum() == pytest.approx(1.1 * crm.year[0], abs=100)


def test_a_past_quarter_is_made_out_of_the_quarters_before(shared: Path) -> None:
    """The last quarter of the orders: same total as the company's quotas, each with reasons, error
    computed from sales that no method has seen."""
    folder = shared / "data" / "adventureworks"
    sales, own = backtest.sales_by_quarter(folder), backtest.company_quotas(folder)
    found = backtest.quarter_of(folder, 11, sales, own)
    assert found.explained
    totals = {name: values.sum() for name, values in found.quotas.items()}
    assert all(total == pytest.approx(10_359_000) for total in totals.values())
    assert backtest.wape(found.quotas["ours"], found.sold) < backtest.wape(
        found.quotas["company"], found.sold
    )
    assert backtest.wape(found.sold, found.sold) == 0.0
    errors = {name: backtest.wape(values, found.sold) for name, values in found.quotas.items()}
    best = min(errors, key=lambda name: errors[name])
    text = backtest.report([found])
    assert f"smallest error over all quarters: {best}; ours is the best in {int(best == 'ours')} of 1" in text
    assert "every quota of ours is explained: yes" in text


def test_the_orders_of_the_quarters_are_the_real_ones(shared: Path) -> None:
    """Twelve quarters whose sales come near the company's quotas as a whole, so months are cut at the
    right days."""
    folder = shared / "data" / "adventureworks"
    sales, own = backtest.sales_by_quarter(folder), backtest.company_quotas(folder)
    assert own.to_numpy().sum() == 95_714_000
    assert sales.shape[1] == own.shape[1] == 12
    ratio = sales.sum().to_numpy() / own.sum().to_numpy()
    assert np.abs(ratio - 1).max() < 0.25
