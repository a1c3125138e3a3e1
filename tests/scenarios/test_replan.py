"""`replan`: the rest planned again, near the last plan, with quotas that carry what is earned."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.quotas.assignment import assign
from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.tracking.moves import moves_of
from scenarios.monday import Asked, last_run, replan_run
from scenarios.replan import Replanned

MARKETS = """region,line,last_year_revenue,price,margin_rate
East,a,12000,10,0.5
East,b,6000,20,0.4
West,a,6000,10,0.5
"""
SELLERS = """seller,region,capacity,capacity_unit,capacity_per
Li,East,14000,revenue,year
Xu,East,12000,revenue,year
Ma,West,9000,revenue,year
"""
INITIATIVES = """initiative,cost,benefit,earliest,latest,owner
fair,100,150,2027-02-01,2027-03-31,Ada
shop,100,400,2027-06-01,2027-12-31,Bo
"""
LOCKS = "quota,seller,value,reason\nRevenue,Ma,7000,agreed with Ma\n"
PLAN = """name: Test
calendar: {start: 2027-01-01, periods: 12, every: month}
tables:
  {markets: markets.csv, sellers: sellers.csv, initiatives: initiatives.csv, locks: locks.csv}
targets: [{name: Year, metric: revenue, growth: 0.2}]
budgets: [{name: Money, metric: initiative_cost, at_most: 500}]
limits: [{name: Line b, metric: revenue, where: {line: b}, at_most: 9000}]
quotas: [{name: Revenue, metric: revenue, by: [region, seller], over_assignment: {seller: 0.1}, round_to: 10}]
"""
QUIET = SolveSettings(marginal_values=False, leverage=False)
KEYS = ["period", "region", "line", "seller"]


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan with facts of four months that equal it, in facts.csv."""
    tmp_path = tmp_path_factory.mktemp("equal")
    texts = {"markets": MARKETS, "sellers": SELLERS, "initiatives": INITIATIVES, "locks": LOCKS}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    frame = sales(solve(load_plan(tmp_path), QUIET))
    frame = frame[frame["period"] <= "2027-04"]
    frame.groupby(KEYS, as_index=False)[["units", "revenue"]].sum().to_csv(
        tmp_path / "facts.csv", index=False
    )
    return tmp_path


@pytest.fixture
def folder(equal: Path, tmp_path: Path) -> Path:
    """The same in a folder whose facts a test may change."""
    return Path(shutil.copytree(equal, tmp_path / "plan"))


@pytest.fixture(scope="module")
def came_true(equal: Path) -> Replanned:
    """The plan of the rest when the facts equal the plan."""
    return again(equal)


def again(folder: Path) -> Replanned:
    """The plan of the rest."""
    found = replan_run(folder, Asked(folder / "facts.csv", delays=0)).replanned
    assert found is not None
    return found


def test_a_plan_that_comes_true_replans_to_itself(came_true: Replanned) -> None:
    """Facts that equal the plan leave every open cell, start and quota as it was."""
    found = came_true
    old, new = found.tracked.solution, found.solution
    assert old.sales is not None and new.sales is not None
    past = new.inputs.past
    assert past == 4
    np.testing.assert_allclose(new.sales[:, past:], old.sales[:, past:], atol=1e-4 * old.sales.max())
    for name in ("start", "active"):
        before, after = (one.activities.blocks[name].values(one.x) for one in (old, new))
        np.testing.assert_allclose(after, before, atol=1e-6)
    for before_quota, after_quota in zip(assign(old), assign(new), strict=True):
        assert np.abs(after_quota.year - before_quota.year).max() <= 10.0
    assert not found.softened


def test_every_quota_that_moves_says_why_and_its_parts_add_up(folder: Path) -> None:
    """A weak seller's quota moves, with parts that add up to the change; locks hold on the whole year."""
    facts = pd.read_csv(folder / "facts.csv")
    facts[["units", "revenue"]] *= np.where(facts["seller"] == "Li", 0.6, 1.0)[:, None]
    facts.to_csv(folder / "facts.csv", index=False)
    found = again(folder)
    moves = moves_of(found.tracked.solution, found.solution)
    assert any(one.change for one in moves)
    for one in moves:
        assert sum(one.parts.values()) == pytest.approx(one.change, abs=1e-6)
        assert bool(one.reason)
    by_node = {one.node: one for one in moves}
    assert by_node["West / Ma"].new == pytest.approx(7000.0)
    li = by_node["East / Li"]
    assert li.parts["earned"] < 0 and "sold to date" in li.reason
    earned = facts.groupby("seller")["revenue"].sum()
    assert li.earned == pytest.approx(earned["Li"], rel=1e-6)
    assert li.new >= li.earned


def test_sales_that_are_told_of_the_level_above_are_no_move(folder: Path) -> None:
    """Facts by region stand beside the sellers' numbers; the page tells by how much the rest moves and why, and
    that first."""
    facts = pd.read_csv(folder / "facts.csv").groupby(["period", "region"], as_index=False)[["revenue"]].sum()
    facts["revenue"] *= np.where(facts["region"] == "East", 0.7, 1.0)
    facts.to_csv(folder / "facts.csv", index=False)
    run = replan_run(folder, Asked(folder / "facts.csv", delays=0))
    assert run.replanned is not None
    moves = moves_of(run.replanned.tracked.solution, run.replanned.solution)
    li = next(one for one in moves if one.node == "East / Li")
    assert li.untold == li.parts["earned"] < 0 and li.change != li.untold
    assert li.reason.split("; ")[-1].endswith("stand beside it") and "rest of the horizon" in li.reason
    assert f"East / Li: {li.change - li.untold:+,.0f}".replace("+", "") in run.text(width=200).replace(
        "+", ""
    )


def test_targets_keep_their_amount_and_started_initiatives_stay(came_true: Replanned) -> None:
    """The year's target is the full one; the fair that began in February stays, the shop may still move."""
    found = came_true
    assert found.solution.outcomes[0].lower == pytest.approx(1.2 * 24000)
    begun = found.solution.activities.blocks["start"].values(found.solution.x)
    planned = found.tracked.solution.activities.blocks["start"].values(found.tracked.solution.x)
    assert begun[0].argmax() == planned[0].argmax() < 4


def test_what_stability_costs_is_shown(folder: Path) -> None:
    """A plan near the last one has no more contribution than a free one."""
    facts = pd.read_csv(folder / "facts.csv")
    facts[["units", "revenue"]] *= 0.8
    facts.to_csv(folder / "facts.csv", index=False)
    run = replan_run(folder, Asked(folder / "facts.csv", delays=0))
    assert run.summary["stability"]["contribution"] <= 0.1
    assert "near the last plan" in " ".join(run.text().split())


def test_facts_that_break_a_must_rule_make_it_give_way(folder: Path) -> None:
    """A line beyond its limit is no dead end: the limit gives way by what facts took, and is named."""
    facts = pd.read_csv(folder / "facts.csv")
    facts[["units", "revenue"]] *= np.where(facts["line"] == "b", 5.0, 1.0)[:, None]
    facts.to_csv(folder / "facts.csv", index=False)
    run = replan_run(folder, Asked(folder / "facts.csv", delays=0))
    assert run.replanned is not None and run.replanned.softened
    assert "Line b" in " ".join(run.text().split())


@pytest.mark.slow
def test_the_new_run_can_be_solved_and_tracked_again(folder: Path) -> None:
    """The folder is a run like any other: its inputs solve to the same plan, and it is the next parent."""
    out = folder / "april"
    run = replan_run(folder, Asked(folder / "facts.csv", out=out))
    assert run.replanned is not None
    again_solved = solve(load_plan(out / "inputs"), QUIET)
    assert again_solved.figure("revenue") == pytest.approx(run.replanned.solution.figure("revenue"), rel=1e-6)
    assert last_run(out).forecast["", ""] == pytest.approx(run.replanned.solution.figure("revenue"))
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["kind"] == "replan" and summary["parent"]["path"] == str(folder)
    for name in ("quota_moves", "replan", "replan_starts", "quotas", "causes"):
        assert (out / "tables" / f"{name}.csv").is_file()
    may = pd.concat([pd.read_csv(folder / "facts.csv"), _may(run.replanned)])
    may.to_csv(folder / "may.csv", index=False)
    nxt = replan_run(out, Asked(folder / "may.csv", since=out))
    assert nxt.summary["parent"]["kind"] == "run"
    whole = next(split for split in nxt.tracked.comparison.splits if not split.scope)
    assert abs(whole.fact - whole.plan) <= 100


def _may(run: Replanned) -> pd.DataFrame:
    """May as the new plan has it."""
    frame = sales(run.solution)
    frame = frame[frame["period"] == "2027-05"]
    return frame.groupby(KEYS, as_index=False)[["units", "revenue"]].sum()


def test_nothing_is_overwritten(folder: Path) -> None:
    """The folder of a run is refused by `replan` before anything is solved, and stays as it was."""
    taken = folder / "taken"
    taken.mkdir()
    (taken / "summary.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError) as error:
        replan_run(folder, Asked(folder / "facts.csv", out=taken))
    assert error.value.key == "tracking.folder_taken"
    assert [file.name for file in taken.iterdir()] == ["summary.json"]
