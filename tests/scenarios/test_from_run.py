"""A quarter's plan that takes its targets and opening states from the run of the year."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.running import run_plan

PLAIN = SolveSettings(marginal_values=False, leverage=False)
MARKETING = "channel,min_spend,max_spend,carryover_rate,pacing\nads,40,400,0.5,even\nposters,10,100,,\n"
CURVES = "channel,family,slope\nads,linear,2\nposters,linear,1\n"


@pytest.fixture
def quarter(small: Path, tmp_path: Path) -> Path:
    """The plan of the second quarter, with the run of the year in its folder."""
    (small / "marketing.csv").write_text(MARKETING)
    (small / "curves.csv").write_text(CURVES)
    plan = small / "plan.yaml"
    text = plan.read_text().replace(
        "uses: uses.csv\n", "uses: uses.csv\n  marketing: marketing.csv\n  curves: curves.csv\n"
    )
    plan.write_text(
        text.replace(
            "targets:\n", "targets:\n  - {name: Growth, metric: growth, at_least: -0.9, priority: 3}\n"
        )
    )
    folder = tmp_path / "quarter"
    shutil.copytree(small, folder)
    run_plan(plan, folder / "runs" / "year", PLAIN)
    start, targets = text.index("targets:"), text.index("budgets:")
    own = text[:start].replace("periods: 4", "periods: 1").replace("2027-01-01", "2027-04-01")
    (folder / "plan.yaml").write_text(f"{own}from: runs/year\n{text[targets:]}")
    profiles = (folder / "profiles.csv").read_text()
    (folder / "profiles.csv").write_text(
        profiles.replace("2027-Q1,0.2", "2027-Q2,1").replace(
            "flat,2027-Q2,0.3\nflat,2027-Q3,0.3\nflat,2027-Q4,0.2\n", ""
        )
    )
    return folder


def test_targets_are_what_the_year_plans(quarter: Path) -> None:
    """Amounts become those of the quarter, member by member; other targets hold as they are written."""
    sales = pd.read_parquet(quarter / "runs" / "year" / "tables" / "sales.parquet")
    inside = sales[sales["period"] == "2027-Q2"]
    rules = {rule.name: rule for rule in load_plan(quarter).rules}
    assert rules["Year"].lower == pytest.approx(inside["revenue"].sum())
    by_line = inside.groupby("line")["revenue"].sum()
    assert rules["Lines premium"].lower == pytest.approx(by_line["premium"])
    assert (rules["Lines premium"].priority, rules["Lines standard"].must) == (2, False)
    assert rules["Growth"].lower == pytest.approx(-0.9)


def test_opening_states_are_those_of_the_year(quarter: Path) -> None:
    """The stock of marketing at the start of the quarter is what the year's plan leaves there."""
    spend = pd.read_parquet(quarter / "runs" / "year" / "tables" / "marketing.parquet")
    first = spend[(spend["channel"] == "ads") & (spend["period"] == "2027-Q1")]["marketing_cost"].sum()
    table = load_plan(quarter).tables["marketing"]
    assert table.numbers("opening_stock")[0] == pytest.approx(first)
    assert first >= 10


def test_the_run_is_an_input(quarter: Path, tmp_path: Path) -> None:
    """The run's files are inputs with digests, and the quarter's own run folder can be solved again."""
    plan = load_plan(quarter)
    assert "runs/year/tables/sales.parquet" in plan.inputs
    run_plan(quarter / "plan.yaml", tmp_path / "out", PLAIN)
    again = solve(load_plan(tmp_path / "out" / "inputs"), PLAIN)
    assert again.figure("revenue") == pytest.approx(solve(plan, PLAIN).figure("revenue"))


def test_own_targets_come_first(quarter: Path) -> None:
    """A target of the same name in the quarter's plan is kept, and the run's is left out."""
    plan = quarter / "plan.yaml"
    plan.write_text(
        plan.read_text() + "targets:\n  - {name: Year, metric: revenue, at_least: 5, priority: 1}\n"
    )
    assert [rule.lower for rule in load_plan(quarter).rules if rule.name == "Year"] == [5]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("from: runs/year", "from: runs/yaer", "“runs/yaer” is no run"),
        ("from: runs/year", "from: ../plan", "outside the plan's folder"),
        ("2027-04-01", "2028-04-01", "plans nothing in 2028-Q2"),
    ],
)
def test_faults_have_their_place(quarter: Path, old: str, new: str, expected: str) -> None:
    """A run that is not there, lies outside, or covers other periods is refused with the line."""
    plan = quarter / "plan.yaml"
    plan.write_text(plan.read_text().replace(old, new))
    with pytest.raises(InputError, match=rf"plan\.yaml, line \d+.*{expected}"):
        load_plan(quarter)
