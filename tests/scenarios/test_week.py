"""The week of the Monday page: what is decided until when and what delay costs, cover, activities, seats."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from optimizer.plan.lags import DAYS_A_YEAR
from optimizer.report.changed import Before, changed_section
from optimizer.result.evaluate import figures
from optimizer.result.tables import sales
from optimizer.solving import solve
from optimizer.tracking.decisions import decisions
from optimizer.tracking.seats import seats_frame
from scenarios.factplan import open_source
from scenarios.forecast import Forecaster, affordable
from scenarios.monday import Asked, MondayRun, monday_settings, track_run
from scenarios.pricing import moved

TABLES = {
    "markets": """region,customer_type,price,margin_rate,organic,potential
East,new,100,0.5,2400,900
East,existing,100,0.5,,4000
""",
    "stages": f"customer_type,stage,conversion,days,hours\nnew,quote,0.25,{DAYS_A_YEAR / 12},\n",
    "customers": "region,customer_type,customers,retention,orders\nEast,existing,300,0.8,2\n",
    "sellers": """seller,region,capacity,capacity_unit,capacity_per,status,from,cost
Li,East,240000,revenue,year,present,,
Xu,East,120000,revenue,year,present,,
Vacancy,East,60000,revenue,year,open,2027-09-01,100
""",
    "initiatives": """initiative,cost,running_cost,earliest,latest,owner,milestone,due,excludes
Training,0,0,2027-07-01,2027-12-31,Ada,books ready,2027-03-31,
Portal,500000,0,2027-02-01,2027-12-31,Bo,,,
Stand,900000,0,2027-02-01,2027-02-28,Cy,stand booked,2027-01-20,
Rival,0,0,2027-06-01,2027-12-31,Di,,,Training
""",
    "effects": """initiative,changes,kind,region,customer_type,likely,after,lasts
Training,conversion,add,East,new,0.05,1,
Training,price,multiply,East,new,1.1,1,
Portal,repeat,multiply,East,existing,1.2,1,
Stand,repeat,multiply,East,existing,1.2,1,
Rival,repeat,multiply,East,existing,1.001,1,
""",
}
PLAN = """name: Week
calendar: {start: 2027-01-01, periods: 12, every: month}
tables:
  {markets: markets.csv, stages: stages.csv, customers: customers.csv, sellers: sellers.csv,
   initiatives: initiatives.csv, effects: effects.csv}
targets:
  - {name: Year, metric: revenue, at_least: 200000}
  - {name: Third, metric: revenue, each: quarter, at_least: {2027-Q3: 58000}, priority: 2}
  - {name: Li, metric: revenue, where: {seller: Li}, at_least: 20000, priority: 3}
budgets: [{name: Initiatives, metric: initiative_cost, at_most: 1000}]
quotas: [{name: Revenue, metric: revenue, by: [region, seller], round_to: 10}]
"""
PAST = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan with five months of facts a tenth below it, tracked into the folder `may`."""
    found = tmp_path_factory.mktemp("week")
    for name, text in TABLES.items():
        (found / f"{name}.csv").write_text(text, encoding="utf-8")
    (found / "plan.yaml").write_text(PLAN, encoding="utf-8")
    base = solve(open_source(found).base, monday_settings())
    frame = sales(base).groupby(["period", "customer_type"], as_index=False)[["units", "revenue"]].sum()
    came = dict(figures(base, "opportunities", ["period"]))
    frame["opportunities"] = [
        came[(period,)] if kind == "new" else np.nan
        for period, kind in zip(frame["period"], frame["customer_type"], strict=True)
    ]
    frame[["units", "revenue"]] *= 0.9
    frame[frame["period"] <= "2027-05"].to_csv(found / "facts.csv", index=False)
    return found


@pytest.fixture(scope="module")
def run(folder: Path) -> MondayRun:
    """The tracking, with room for every solve."""
    return track_run(folder, Asked(folder / "facts.csv", out=folder / "may", delays=12))


def table(folder: Path, name: str) -> pd.DataFrame:
    """A table of the run."""
    return pd.read_parquet(folder / "may" / "tables" / f"{name}.parquet")


def test_every_decision_has_its_last_date_and_what_a_delay_costs(folder: Path, run: MondayRun) -> None:
    """The start in July counts until November, the last month with an effect; a month later is solved again
    and loses revenue; what the plan leaves out has no delay."""
    found = table(folder, "decisions").set_index("name")
    assert found.loc["Training", ["planned", "last"]].tolist() == ["2027-07", "2027-11"]
    assert found.loc["Portal", ["planned", "last"]].tolist() == ["", "2027-11"]
    assert found.loc["Vacancy", "kind"] == "hire" and found.loc["Vacancy", "last"]
    assert np.isnan(found.loc["Portal", "delay_revenue"]) and found.loc["Stand", "last"] == ""
    cost = found.loc["Training", "delay_revenue"]
    tracked = run.tracked
    decision = next(one for one in decisions(tracked.solution, PAST) if one.name == "Training")
    later = Forecaster(tracked.tracking.forecast.inputs, np.asarray(tracked.solution.sales)).kept(
        tracked.solution, moved(tracked.solution, decision, PAST, 1)
    )
    block = later.activities.blocks["start"].values(later.x)
    assert block[0].argmax() == 7
    assert cost < 0


def test_the_step_that_closes_most_of_a_gap_stands_beside_it(folder: Path, run: MondayRun) -> None:
    """The company is short; the portal, which the plan leaves out, brings most, by as much as solving by hand says;
    what is excluded or too late is no step. Page, HTML, workbook and table say the same."""
    found = table(folder, "steps")
    own = found[found["scope"] == "company"]
    assert set(own["step"]) <= {"Portal", "Training", "Vacancy", ""}
    best = own[own["most"]].iloc[0]
    assert best["step"] == "Portal" and best["brings"] == own["brings"].max()
    assert best["share"] == pytest.approx(best["brings"] / -best["gap"])
    plan, inputs = run.tracked.solution, run.tracked.tracking.forecast.inputs
    decision = next(one for one in decisions(plan, PAST) if one.name == "Portal")
    free = Forecaster(inputs, np.full_like(np.asarray(plan.sales), np.inf))
    started, without = free.kept(plan, moved(plan, decision, PAST, None)), free.kept(plan)
    for metric, column in (("revenue", "brings"), ("contribution", "contribution")):
        assert best[column] == pytest.approx(started.figure(metric) - without.figure(metric), abs=1e-6)
    assert "> start “Portal” now: up to +" in run.text(width=140)
    html = (folder / "may" / "monday.html").read_text(encoding="utf-8")
    assert "start “Portal” now: up to +" in html and '<th class="t">step</th>' in html
    sheet = openpyxl.load_workbook(folder / "may" / "monday.xlsx").worksheets[0]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[0][-1] == "step" and "Portal" in str(cells[1][-1])


def test_every_target_that_is_missed_has_its_step(folder: Path, run: MondayRun) -> None:
    """A target of a quarter stands with its gap on the page, and the step that misses it least; a seller, whom facts by
    kind of customer do not tell, is no target that facts can be compared with."""
    goals, steps = table(folder, "goals").set_index("rule"), table(folder, "steps")
    assert set(goals.index) == {"Year", "Third"}
    third = goals.loc["Third"]
    assert third["gap"] == pytest.approx(third["forecast"] - 58_000) and third["gap"] < 0
    own = steps[(steps["scope"] == "target") & (steps["member"] == "Third: 2027-Q3")]
    assert own.iloc[0]["most"] and own.iloc[0]["brings"] > 0
    assert own["gap"].iloc[0] == pytest.approx(third["gap"])
    text = " ".join(run.text(width=140).split())
    assert "Other targets, with the plan kept" in text and "Third: 2027-Q3 58 k" in text


def test_the_page_says_what_was_not_solved(folder: Path) -> None:
    """With --delays 0 no delay is solved, and the page says how to ask for it; steps are named all the same, and
    by itself the page affords every solve of a small plan."""
    asked = Asked(folder / "facts.csv", delays=0)
    text = " ".join(track_run(folder, asked).text(width=140).split())
    assert "--delays 4" in text and "start “Portal”" in text
    assert affordable(1000, 60) == 60 and affordable(10**6, 60) == 1 and affordable(10**7, 60) == 0
    left = track_run(folder, replace(asked, delays=1)).text(width=140)
    assert "--delays" in left and "1 solves were used" in left


def test_cover_counts_what_is_open_and_when_the_rest_has_to_come(folder: Path, run: MondayRun) -> None:
    """A stage of one month: May's opportunities close in June, the rest has to be opened a month ahead; prices are
    those that the training in July makes of them from August on."""
    found = table(folder, "pipeline_cover")
    june = found[(found["scope"] == "company") & (found["period"] == "2027-06")].iloc[0]
    facts = pd.read_csv(folder / "facts.csv")
    came = facts.loc[facts["period"].eq("2027-05"), "opportunities"].sum()
    factor = {one.rate: one.factor for one in run.tracked.comparison.drifts if one.alert and not one.scope}
    won = 0.25 * factor.get("conversion", 1.0)
    assert june["pipeline"] == pytest.approx(came * won * 100.0, rel=1e-6)
    assert june["missing"] >= june["plan"] - june["orders"] - june["pipeline"] - 1e-6
    later = found[(found["scope"] == "company") & (found["period"] == "2027-09")].iloc[0]
    assert later["pipeline"] == 0.0
    assert later["to_open"] == pytest.approx(later["missing"] / 110.0 / won, rel=1e-6)
    sold = dict(figures(run.tracked.solution, "revenue", ["period"]))
    assert later["plan"] == pytest.approx(sold[("2027-09",)], rel=1e-9)
    assert later["open_by"] == "2027-08-31" and not later["late"]


def test_activities_are_told_by_seller_and_week(folder: Path, run: MondayRun) -> None:
    """Quotes a week of the open months, at the measured conversion."""
    found = table(folder, "week_activities")
    assert found["period"].min() == "2027-06" and set(found["stage"]) == {"quote"}
    assert {"Li", "Xu"} <= set(found["seller"]) and (found["deals_a_week"] > 0).all()
    assert "Activities a seller and week, 2027-06" in run.text()


def test_open_seats_say_who_carries_their_share(folder: Path, run: MondayRun) -> None:
    """The share of the vacancy by capacity is carried by the two who are there, two to one in capacity."""
    found = table(folder, "open_seats")
    assert set(found["seat"]) == {"Vacancy"} and set(found["carrier"]) <= {"Li", "Xu"}
    assert (found["amount"] > 0).all() and "Vacancy (East)" in " ".join(run.text().split())


def test_without_quotas_open_seats_are_carried_in_planned_revenue(run: MondayRun) -> None:
    """A seventh of the capacity is a seventh of what the others sell until it starts, at the prices of the plan."""
    plan = run.tracked.solution
    spec = plan.plan.spec.model_copy(update={"quotas": []})
    bare = replace(plan, plan=plan.plan.replace(spec=spec))
    found = seats_frame(bare, PAST)
    until = found["start"].iloc[0] or "9999"
    sold = figures(plan, "revenue", ["seller", "period"])
    ahead = [value for (who, when), value in sold if who != "Vacancy" and "2027-06" <= when < until]
    assert found["amount"].sum() == pytest.approx(sum(ahead) / 7)


def test_late_milestones_name_their_owner(folder: Path, run: MondayRun) -> None:
    """A milestone due in March of an initiative that starts in July is late; one of an initiative that the plan
    never starts is not."""
    found = table(folder, "milestones")
    assert found.to_dict("records") == [
        {
            "initiative": "Training", "owner": "Ada", "milestone": "books ready", "due": "2027-03-31",
            "start": "2027-07", "state": "late",
        },
        {
            "initiative": "Stand", "owner": "Cy", "milestone": "stand booked", "due": "2027-01-20",
            "start": "", "state": "none",
        },
    ]  # fmt: skip
    text = " ".join(run.text().split())
    assert "was due on 2027-03-31" in text and "stand booked" not in text
    assert "Too late to bring anything within the horizon: Stand." in text


def test_ten_lines_say_what_changed(run: MondayRun, folder: Path) -> None:
    """New facts, alerts that came and went, decisions that moved, then the forecasts, the company first."""
    tracking, decided = run.tracked.tracking, table(folder, "decisions")
    revenue = [one for one in tracking.standings if one.metric == "revenue"]
    before = Before(
        forecast={(one.scope, one.member): one.forecast - 1e3 for one in revenue},
        alerts=frozenset([("price", "region", "East")]),
        last_day="2027-04-30",
        fact=revenue[0].fact - 5e4,
        lights={("", ""): "green"},
        planned={("initiative", "Training"): "", ("initiative", "Portal"): ""},
    )
    fresh = [one for one in tracking.comparison.drifts if one.alert]
    lines = list(changed_section(tracking, before, decided).notes)
    assert len(lines) <= 10 and lines[0] == "Facts since 2027-04-30: revenue +50 k."
    known = min(len(fresh), 3)
    assert lines[known + 1] == "price, East: no longer off its plan by more than chance."
    assert lines[known + 2] == "Training: now planned for 2027-07, before for no period."
    assert lines[known + 3].startswith("Company: forecast +1,000, now ")
    assert lines[known + 3].endswith("Now red, before green.")
    same = Before({(one.scope, one.member): one.forecast for one in revenue}, frozenset(), "2027-05-31")
    quiet = replace(
        same, alerts=frozenset((one.rate, one.scope, one.member) for one in fresh), fact=revenue[0].fact
    )
    assert changed_section(tracking, quiet, decided).notes == ["Nothing of note."]


def test_one_screen_and_the_whole_page(folder: Path, run: MondayRun) -> None:
    """A screen has no more lines than asked and counts what it leaves out; files show everything."""
    screen = run.text(height=50)
    assert len(screen.splitlines()) <= 50 and " of " in screen and len(run.text().splitlines()) > 60
    page = (folder / "may" / "page.txt").read_text(encoding="utf-8")
    assert "monday.html" not in page and " of 1" not in page
    assert json.loads((folder / "may" / "summary.json").read_text(encoding="utf-8"))["kind"] == "track"
