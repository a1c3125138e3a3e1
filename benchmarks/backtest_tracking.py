"""Quarters of real sales tracked month by month: the forecast beside run rate and last year's share.

For each quarter `apportion fit` reads what was closed before it, its plan is solved, and the facts of its
first one and two months are tracked. Printed: the error of the quarter's total (forecast over what was
really sold, less 1) of

    forecast            `track`: facts, and the plan kept for the rest with the measured rates
    run rate            facts, and the rest of the plan times facts / plan to date
    last year's share   facts / share that these months had of the same quarter a year before

AdventureWorks: quarters 6 to 12 of the orders by store. CRM opportunities: the last quarter of 2017; nothing
is known a year before, so that the share is that of the fitted plan's months.

    python -m benchmarks.backtest_tracking FOLDER_OF_ADVENTUREWORKS FOLDER_OF_CRM [--json FILE]
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.backtest import FIRST, MAPPING, ORDERS, QUARTERS
from optimizer.history import fit
from optimizer.io.yaml import load_yaml
from optimizer.plan.load import load_plan
from optimizer.plan.scopes import market_dimensions
from scenarios.crmfacts import crm_facts
from scenarios.tracking import tracked

CRM_MAPPING = MAPPING.with_name("crm.yaml")
CRM_EXPORT = "sales_pipeline.csv"
METHODS = ("forecast", "run rate", "last year's share")
MONTHS = 3
LEAST_HISTORY = 5


@dataclass(frozen=True)
class Tracked:
    """One quarter after some months: what each method expects of its total, and what it was."""

    data: str
    start: pd.Timestamp
    months: int
    sold: float
    expected: dict[str, float]

    def error(self, method: str) -> float:
        """Expected over sold, less 1."""
        return self.expected[method] / self.sold - 1.0


def plan_of_quarter(
    folder: Path, files: Sequence[str], export: str, mapping: Path, start: pd.Timestamp, work: Path
) -> Path:
    """The plan that `fit` makes of the history before a quarter; the export stays whole, facts included."""
    for name in (*files, export):
        shutil.copy(folder / name, work / name)
    data: dict[str, Any] = load_yaml(mapping, mapping.name).data
    data["plan"] |= {"start": str(start.date()), "periods": MONTHS}
    (work / "mapping.yaml").write_text(json.dumps(data, default=str), encoding="utf-8")
    return fit(work / export, work / "plan", work / "mapping.yaml").folder


def facts_by_month(work: Path, export: str, plan: Path) -> pd.DataFrame:
    """Revenue of the quarter by month and market; sellers are left out, because some are new in it.

    A quarter in which a label is sold that no quarter before it knows is told for the company only.
    """
    made = load_plan(plan)
    table = crm_facts(work / export, work / "mapping.yaml", made, None)
    keys = [name for name in table.labels if name != "seller"]
    known = market_dimensions(made.tables["markets"])
    if any(set(table.frame[name]) - set(known[name]) for name in keys):
        keys = []
    return table.frame.groupby(["period", *keys], as_index=False)["revenue"].sum()


def quarter(
    data: str, folder: Path, files: Sequence[str], export: str, mapping: Path, start: pd.Timestamp
) -> list[Tracked]:
    """One quarter after one and after two months."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        plan = plan_of_quarter(folder, files, export, mapping, start, work)
        facts = facts_by_month(work, export, plan)
        sold = facts.groupby("period")["revenue"].sum()
        shares = last_year_shares(plan)
        for months in range(1, MONTHS):
            closed = sorted(sold.index)[:months]
            facts[facts["period"].isin(closed)].to_csv(work / "facts.csv", index=False)
            standing = next(
                one
                for one in tracked(plan, work / "facts.csv").tracking.standings
                if one.metric == "revenue" and not one.scope
            )
            to_date = float(sold[closed].sum())
            expected = {
                "forecast": standing.forecast,
                "run rate": standing.run_rate,
                "last year's share": to_date / float(shares[:months].sum()),
            }
            found.append(Tracked(data, start, months, float(sold.sum()), expected))
    return found


def last_year_shares(plan: Path) -> np.ndarray:
    """Share of each month in last year's quarter, as the fitted plan knows it (3,)."""
    from optimizer.plan.inputs import resolve

    last_year = np.nansum(resolve(load_plan(plan)).markets.last_year_revenue, axis=0)
    return np.asarray(last_year / last_year.sum())


def backtest(adventureworks: Path, crm: Path) -> list[Tracked]:
    """Every quarter of both data sets."""
    found: list[Tracked] = []
    for at in range(LEAST_HISTORY, QUARTERS):
        start = FIRST + pd.DateOffset(months=3 * at)
        files = ("SalesTerritory.csv", "vSalesPerson.csv")
        found += quarter("AdventureWorks", adventureworks, files, ORDERS, MAPPING, start)
    files = ("products.csv", "accounts.csv", "sales_teams.csv")
    found += quarter("CRM", crm, files, CRM_EXPORT, CRM_MAPPING, pd.Timestamp("2017-10-01"))
    return found


def report(found: list[Tracked]) -> str:
    """The table of errors, and the mean absolute error of each method; who wins is not left out."""
    lines = ["Error of the quarter's total after each month", ""]
    lines.append(
        f"{'data':16s}{'quarter':12s}{'months':>7s}{'sold':>14s}" + "".join(f"{m:>20s}" for m in METHODS)
    )
    for one in found:
        errors = "".join(f"{one.error(method):19.1%} " for method in METHODS)
        lines.append(f"{one.data:16s}{one.start.date()!s:12s}{one.months:7d}{one.sold:14,.0f}{errors}")
    lines.append("")
    for months in range(1, MONTHS):
        own = [one for one in found if one.months == months]
        mean = {method: float(np.mean([abs(one.error(method)) for one in own])) for method in METHODS}
        shown = "".join(f"{mean[method]:19.1%} " for method in METHODS)
        lines.append(f"mean absolute error after {months} of 3 months" + " " * 7 + shown)
        lines.append(f"  smallest: {min(METHODS, key=lambda method: mean[method])}")
    return "\n".join(lines)


def rows(found: Sequence[Tracked]) -> list[dict[str, Any]]:
    """What each method expected of each quarter after each month, for a file."""
    return [
        {
            "data": one.data,
            "start": str(one.start.date()),
            "months": one.months,
            "sold": one.sold,
            **one.expected,
        }
        for one in found
    ]


def main(arguments: list[str]) -> None:
    """Print the report, and write the figures where asked."""
    found = backtest(Path(arguments[0]), Path(arguments[1]))
    print(report(found))
    if "--json" in arguments:
        target = Path(arguments[arguments.index("--json") + 1])
        target.write_text(json.dumps(rows(found), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
