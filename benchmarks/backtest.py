"""Quotas of past quarters made from the quarters before, against what was really sold.

AdventureWorks (a sample company of Microsoft): twelve quarters of real quotas of 17 people, and 3,806
orders by the owner of each store. For every quarter from the fifth on, `apportion fit` reads the orders
before it, the plan of the quarter is solved, and its quotas are made for the same company total as the
company's own. Printed: the error of these quotas, of the company's, and of two naive rules against
realised sales by rep (WAPE: sum of absolute errors over sum of sales; amounts x 0.85, see SOURCE.md of the
data), the spread of attainment (sales / quota), and the correlation of stretch (quota / sales of the year
before) with the size of the territory (sales of all quarters before).

With the folder of the CRM data as well, quarters of both data sets are tracked month by month, and the error
of the forecast is printed beside run rate and last year's share (`benchmarks.backtest_tracking`).

    python -m benchmarks.backtest FOLDER_OF_ADVENTUREWORKS [FOLDER_OF_CRM] [--json FILE]
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.history import fit
from optimizer.io.yaml import load_yaml
from optimizer.plan.load import load_plan
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas import assign
from optimizer.quotas.chain import chain
from optimizer.quotas.quota import Quota
from optimizer.settings import SolveSettings
from optimizer.solving import solve

ORDERS = "derived_reseller_orders_by_store.csv"
MAPPING = Path(__file__).resolve().parent.parent / "scenarios" / "examples" / "fit" / "orders.yaml"
SCALE = 0.85
SHIFT_DAYS = 4
FIRST = pd.Timestamp("2011-06-01")
QUARTERS = 12
LEAST_HISTORY = 4
STEP = 1000.0
METHODS = ("ours", "company", "last quarter", "mean of last four")


@dataclass(frozen=True)
class Quarter:
    """One quarter: quotas of each method and realised sales by rep, in the same order of reps."""

    start: pd.Timestamp
    reps: tuple[str, ...]
    sold: np.ndarray
    quotas: dict[str, np.ndarray]
    size: np.ndarray
    """Sales of each rep in all quarters before."""
    year_before: np.ndarray
    explained: bool
    """Whether every quota of ours has a chain of reasons that adds up to it."""


def sales_by_quarter(folder: Path) -> pd.DataFrame:
    """Realised sales: one row a rep, one column a quarter from 0."""
    orders = pd.read_csv(folder / ORDERS, dtype={"StoreOwner_SalesPersonID": str})
    when = pd.to_datetime(orders["OrderDate_shifted_to_quota_calendar"]) + pd.Timedelta(days=SHIFT_DAYS)
    months = (when.dt.year - FIRST.year) * 12 + when.dt.month - FIRST.month
    orders = orders.assign(quarter=months // 3, amount=orders["TotalDue"] * SCALE)
    table = orders.pivot_table(
        index="StoreOwner_SalesPersonID", columns="quarter", values="amount", aggfunc="sum", fill_value=0.0
    )
    return table.reindex(columns=range(QUARTERS), fill_value=0.0)


def company_quotas(folder: Path) -> pd.DataFrame:
    """The company's own quotas: one row a rep, one column a quarter from 0."""
    history = pd.read_csv(folder / "SalesPersonQuotaHistory.csv", dtype={"BusinessEntityID": str})
    dates = sorted(history["QuotaDate"].unique())
    history = history.assign(quarter=history["QuotaDate"].map({date: at for at, date in enumerate(dates)}))
    return history.pivot_table(
        index="BusinessEntityID", columns="quarter", values="SalesQuota", aggfunc="sum", fill_value=0
    )


def our_quota(folder: Path, quarter: int, total: float) -> Quota:
    """The quota of a quarter from the orders before it, for a company total."""
    start = FIRST + pd.DateOffset(months=3 * quarter)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        orders = pd.read_csv(folder / ORDERS, dtype=str)
        when = pd.to_datetime(orders["OrderDate_shifted_to_quota_calendar"]) + pd.Timedelta(days=SHIFT_DAYS)
        orders[when < start].to_csv(work / ORDERS, index=False)
        for name in ("SalesTerritory.csv", "vSalesPerson.csv"):
            shutil.copy(folder / name, work / name)
        mapping = load_yaml(MAPPING, MAPPING.name).data
        mapping["plan"] |= {"start": str(start.date()), "periods": 3}
        (work / "mapping.yaml").write_text(json.dumps(mapping, default=str), encoding="utf-8")
        report = fit(work / ORDERS, work / "plan", work / "mapping.yaml")
        plan = load_plan(report.folder)
        spec = QuotaSpec(name="Quarter", by=["seller"], target=f"{total:.0f}", round_to=STEP)
        plan = plan.replace(spec=plan.spec.model_copy(update={"quotas": [spec]}))
        solution = solve(plan, SolveSettings(marginal_values=False, leverage=False))
        (quota,) = assign(solution)
    return quota


def adds_up(quota: Quota) -> bool:
    """Whether the chain of every number of the quarter ends at the quota."""
    last = len(quota.spans.all_labels) - 1
    return all(
        abs(sum(step.adds for step in chain(quota, node, last)) - quota.year[node]) < 1e-6 * STEP
        for node in range(quota.tree.size)
    )


def quarter_of(
    folder: Path, quarter: int, sales: pd.DataFrame, own: pd.DataFrame, owners_only: bool = False
) -> Quarter:
    """All methods for one quarter, each for the company's own total; reps are those with a quota or sales
    in it, with `owners_only` those of them whom any store belongs to in the data."""
    present = sorted(set(own.index[own[quarter] > 0]) | set(sales.index[sales[quarter] > 0]))
    present = [rep for rep in present if rep in sales.index or not owners_only]
    before = sales.reindex(present, fill_value=0.0)
    company = own[quarter].reindex(present, fill_value=0.0).to_numpy()
    total = float(company.sum())
    quota = our_quota(folder, quarter, total)
    ours = {quota.tree.paths[node][-1]: quota.year[node] for node in range(1, quota.tree.size)}
    shares = {
        "ours": np.array([ours.get(rep, 0.0) for rep in present]),
        "company": company,
        "last quarter": before[quarter - 1].to_numpy(),
        "mean of last four": before[list(range(quarter - 4, quarter))].mean(axis=1).to_numpy(),
    }
    return Quarter(
        start=FIRST + pd.DateOffset(months=3 * quarter),
        reps=tuple(present),
        sold=before[quarter].to_numpy(),
        quotas={name: values * (total / values.sum()) for name, values in shares.items()},
        size=before[list(range(quarter))].sum(axis=1).to_numpy(),
        year_before=before[list(range(quarter - 4, quarter))].sum(axis=1).to_numpy(),
        explained=adds_up(quota),
    )


def wape(quotas: np.ndarray, sold: np.ndarray) -> float:
    """Sum of absolute errors over the sum of sales."""
    return float(np.abs(quotas - sold).sum() / sold.sum())


def figures(quarters: list[Quarter], method: str) -> dict[str, float]:
    """Error, error of the shares alone, spread of attainment and correlation of a method over some
    quarters."""
    quotas = np.concatenate([one.quotas[method] for one in quarters])
    sold = np.concatenate([one.sold for one in quarters])
    level = np.concatenate([one.sold * (one.quotas[method].sum() / one.sold.sum()) for one in quarters])
    given = quotas > 0
    attainment = sold[given] / quotas[given]
    stretch, size = [], []
    for one in quarters:
        known = (one.year_before > 0) & (one.quotas[method] > 0)
        stretch.append(one.quotas[method][known] / (one.year_before[known] / 4.0))
        size.append(one.size[known] / one.size[known].mean())
    return {
        "wape": wape(quotas, sold),
        "wape_of_shares": wape(quotas, level),
        "attainment_p10": float(np.quantile(attainment, 0.1)),
        "attainment_median": float(np.median(attainment)),
        "attainment_p90": float(np.quantile(attainment, 0.9)),
        "size_correlation": float(np.corrcoef(np.concatenate(stretch), np.concatenate(size))[0, 1]),
    }


def backtest(folder: Path, owners_only: bool = False) -> list[Quarter]:
    """Every quarter from the fifth on."""
    sales, own = sales_by_quarter(folder), company_quotas(folder)
    return [quarter_of(folder, at, sales, own, owners_only) for at in range(LEAST_HISTORY, QUARTERS)]


def report(quarters: list[Quarter]) -> str:
    """The table of errors by quarter and the figures over all of them; who wins is not left out."""
    lines = ["WAPE of quotas against realised sales by rep, same company total", ""]
    lines.append(
        "quarter      reps  company total       sold  " + "".join(f"{name:>19s}" for name in METHODS)
    )
    for one in quarters:
        total = one.quotas["company"].sum()
        errors = "".join(f"{wape(one.quotas[name], one.sold):18.1%} " for name in METHODS)
        lines.append(
            f"{one.start.date()} {len(one.reps):6d} {total:14,.0f} {one.sold.sum():10,.0f}  {errors}"
        )
    lines += ["", "all quarters" + " " * 33 + "".join(f"{name:>19s}" for name in METHODS)]
    every = {name: figures(quarters, name) for name in METHODS}
    for key in every["ours"]:
        lines.append(f"{key:45s}" + "".join(f"{every[name][key]:19.3f}" for name in METHODS))
    best = min(METHODS, key=lambda name: every[name]["wape"])
    won = sum(min(METHODS, key=lambda name: wape(one.quotas[name], one.sold)) == "ours" for one in quarters)
    lines += [
        "",
        f"smallest error over all quarters: {best}; ours is the best in {won} of {len(quarters)} quarters",
    ]
    lines.append(
        f"every quota of ours is explained: {'yes' if all(one.explained for one in quarters) else 'NO'}"
    )
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the reports, and write the figures where asked."""
    found: dict[str, Any] = {}
    for owners_only, title in (
        (False, "Everybody with a quota"),
        (True, "Only people whom a store belongs to"),
    ):
        quarters = backtest(Path(arguments[0]), owners_only)
        print(f"{title}\n{'=' * len(title)}\n{report(quarters)}\n")
        found[title] = {name: figures(quarters, name) for name in METHODS}
    if arguments[1:2] and not arguments[1].startswith("-"):
        from benchmarks import backtest_tracking

        tracked = backtest_tracking.backtest(Path(arguments[0]), Path(arguments[1]))
        print(backtest_tracking.report(tracked))
        found["Forecasts month by month"] = backtest_tracking.rows(tracked)
    if "--json" in arguments:
        target = Path(arguments[arguments.index("--json") + 1])
        target.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
