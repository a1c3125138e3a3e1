"""`track`: forecast, page, files, and runs that name their parent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cli import main
from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.report.layout import Column
from optimizer.report.monday import MondayPage, Section, monday_page
from optimizer.report.monday_files import monday_html, monday_sheets
from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.tracking.steps import Closing
from scenarios.monday import Asked, track_run
from scenarios.tracking import tracked

MARKETS = """region,line,last_year_revenue,price,margin_rate
East,a,12000,10,0.5
East,b,6000,20,0.4
West,a,6000,10,0.5
"""
PLAN = """name: Test
calendar: {start: 2027-01-01, periods: 12, every: month}
tables: {markets: markets.csv}
targets: [{name: Year, metric: revenue, growth: 0.2}, {name: R, metric: revenue, each: region, growth: 0.1}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan with facts of three months that equal it, in facts.csv."""
    (tmp_path / "markets.csv").write_text(MARKETS, encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    solution = solve(load_plan(tmp_path), SolveSettings(marginal_values=False, leverage=False))
    frame = sales(solution)
    frame = frame[frame["period"] <= "2027-03"]
    frame = frame.groupby(["period", "region", "line"], as_index=False)[["units", "revenue"]].sum()
    frame.to_csv(tmp_path / "facts.csv", index=False)
    return tmp_path


def test_the_page_says_in_which_shares_closed_periods_count_as_planned(folder: Path) -> None:
    """Facts by market leave open whose sales they are: in Anna's half of the East they are shared as the plan had them,
    and the section of what was not told says so."""
    (folder / "sellers.csv").write_text("seller\nAnna\nBen\n", encoding="utf-8")
    shares = "seller,region,share_max\nAnna,East,0.5\nAnna,West,\nBen,*,\n"
    (folder / "territories.csv").write_text(shares, encoding="utf-8")
    plan = PLAN.replace("markets.csv}", "markets.csv, sellers: sellers.csv, territories: territories.csv}")
    (folder / "plan.yaml").write_text(plan, encoding="utf-8")
    run = tracked(folder, folder / "facts.csv", settings=SolveSettings(marginal_values=False, leverage=False))
    page = monday_page(run.tracking, Closing())
    said = "so that in these shares of territories closed months count as planned: Anna/East."
    assert any(note.endswith(said) for section in page.sections for note in section.notes)


def test_a_plan_that_comes_true_forecasts_itself(folder: Path) -> None:
    """Facts that equal the plan leave plan, run rate and forecast the same on every level."""
    run = tracked(folder, folder / "facts.csv")
    revenue = [one for one in run.tracking.standings if one.metric == "revenue"]
    assert {one.scope for one in revenue} >= {"", "region", "line"}
    for one in revenue:
        assert one.deviation == pytest.approx(0.0, abs=1e-6 * one.plan)
        assert one.forecast == pytest.approx(one.plan, rel=1e-6)
        assert one.run_rate == pytest.approx(one.plan, rel=1e-6)
    assert revenue[0].light == "green"


def test_lost_sales_stay_lost_and_bands_turn(folder: Path) -> None:
    """A quarter at half the plan is missing at the end; the light follows the band of the plan file."""
    facts = pd.read_csv(folder / "facts.csv")
    facts[["units", "revenue"]] *= 0.9
    facts.to_csv(folder / "facts.csv", index=False)
    run = tracked(folder, folder / "facts.csv")
    whole = next(one for one in run.tracking.standings if one.metric == "revenue" and not one.scope)
    # A tenth of the 90 days of the quarter, in weeks of the planned pace.
    assert whole.weeks == pytest.approx(-0.1 * 90 / 7, rel=1e-6)
    assert whole.forecast <= whole.plan - 0.0999 * whole.plan_to_date
    assert whole.target is not None and whole.light is not None
    (folder / "plan.yaml").write_text(PLAN + "tracking: {green: 0.5, amber: 0.6}\n", encoding="utf-8")
    again = tracked(folder, folder / "facts.csv")
    assert next(one for one in again.tracking.standings if one.metric == "revenue").light == "green"


def test_a_run_names_its_parent_and_replaces_nothing(folder: Path) -> None:
    """The run folder holds page, workbook, tables and the plan with its facts; a second run there is
    refused."""
    out, before = folder / "monday", {file: file.read_bytes() for file in folder.iterdir()}
    track_run(folder, Asked(folder / "facts.csv", out=out, delays=0))
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["kind"] == "track" and summary["parent"]["path"] == str(folder)
    assert {file: file.read_bytes() for file in before} == before
    for name in ("monday.html", "monday.xlsx", "page.txt", "tables/causes.csv", "inputs/actuals.csv"):
        assert (out / name).is_file()
    assert load_plan(out / "inputs").calendar.past == 3
    with pytest.raises(InputError) as error:
        track_run(folder, Asked(folder / "facts.csv", out=out, delays=0))
    assert error.value.key == "tracking.folder_taken"


def test_the_page_tells_what_changed_since_the_last_run(folder: Path) -> None:
    """With --since, the forecast that moved is a line, and the column shows by how much."""
    track_run(folder, Asked(folder / "facts.csv", out=folder / "one", delays=0))
    facts = pd.read_csv(folder / "facts.csv")
    facts["revenue"] = np.where(facts["region"] == "West", 0.5, 1.0) * facts["revenue"]
    facts.to_csv(folder / "facts.csv", index=False)
    run = track_run(folder, Asked(folder / "facts.csv", since=folder / "one", delays=0))
    text = run.text()
    assert "West: forecast -" in text and "Facts since 2027-03-31: revenue -" in text
    assert "since last" in text


def test_bad_facts_end_the_command_with_their_place(folder: Path) -> None:
    """The command names file, row and value, and exits with 3."""
    (folder / "facts.csv").write_text("period,region,revenue\n2027-01,Nord,5\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["track", str(folder), "--actuals", str(folder / "facts.csv")])
    assert result.exit_code == 3
    assert "facts.csv, row 2" in result.output and "Nord" in result.output


def test_the_html_page_escapes_what_it_shows() -> None:
    """A label with markup is shown and never run; the file has no scripts and loads nothing."""
    evil = "<script>alert(1)</script>"
    section = Section(evil, [Column(evil), Column("n", True)], [[evil, "1"]], ["red"], [evil])
    text = monday_html(MondayPage(evil, "x & y", "en", (section,)))
    assert "<script" not in text and "&lt;script&gt;" in text and "x &amp; y" in text
    assert "http://" not in text and "src=" not in text.replace("default-src", "").replace("style-src", "")


def test_the_workbook_neutralises_formulas(tmp_path: Path) -> None:
    """A label that a spreadsheet would run is text in monday.xlsx."""
    import openpyxl

    from optimizer.io.write import write_workbook

    section = Section("Sheet", [Column("who")], [["=1+1"]])
    write_workbook(monday_sheets(MondayPage("t", "s", "en", (section,))), tmp_path / "monday.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "monday.xlsx").worksheets[0]
    assert sheet["A2"].value == "'=1+1"
