"""Moves of accounts, territories and sellers: effective on their day, and their quota goes with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.quotas.assignment import assign
from optimizer.quotas.moves import QuotaMove
from optimizer.result.tables import sales
from optimizer.solving import solve
from optimizer.tracking.moves import moves_of
from scenarios.monday import Asked, MondayRun, monday_settings, replan_run

MARKETS = """province,line,last_year_revenue,price,margin_rate
Jiangsu,a,12000,10,0.5
Zhejiang,a,8000,10,0.5
Sichuan,a,6000,10,0.5
"""
SELLERS = """seller,team,capacity,capacity_unit,capacity_per
Li,East,40000,revenue,year
Xu,East,30000,revenue,year
Ma,West,30000,revenue,year
"""
TERRITORIES = "seller,province\nLi,Jiangsu\nXu,Zhejiang\nMa,Sichuan\n"
PLAN = """name: Test
calendar: {start: 2027-01-01, periods: 12, every: month}
tables: {markets: markets.csv, sellers: sellers.csv, territories: territories.csv}
targets: [{name: Year, metric: revenue, growth: 0.1}]
quotas: [{name: Revenue, metric: revenue, by: [team, seller], over_assignment: {seller: 0.1}, round_to: 10}]
"""
KEYS = ["period", "province", "line", "seller"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan with facts of four months that equal it, in facts.csv."""
    found = tmp_path_factory.mktemp("moves")
    texts = {"markets": MARKETS, "sellers": SELLERS, "territories": TERRITORIES}
    for name, text in texts.items():
        (found / f"{name}.csv").write_text(text, encoding="utf-8")
    (found / "plan.yaml").write_text(PLAN, encoding="utf-8")
    frame = sales(solve(load_plan(found), monday_settings()))
    frame = frame[frame["period"] <= "2027-04"].groupby(KEYS, as_index=False)[["units", "revenue"]].sum()
    frame.to_csv(found / "facts.csv", index=False)
    return found


def moved(folder: Path, rows: str, out: Path | None = None) -> MondayRun:
    """The plan of the rest with a table of moves."""
    (folder / "moves.csv").write_text(rows, encoding="utf-8")
    return replan_run(folder, Asked(folder / "facts.csv", moves=folder / "moves.csv", out=out, delays=0))


def by_node(run: MondayRun) -> dict[str, QuotaMove]:
    """The moves of quotas by node."""
    assert run.replanned is not None
    found = {one.node: one for one in moves_of(run.tracked.solution, run.replanned.solution)}
    for one in found.values():
        assert sum(one.parts.values()) == pytest.approx(one.change, abs=1e-6)
    return found


def test_an_account_carries_its_quota_from_its_day_on(folder: Path, tmp_path: Path) -> None:
    """Jiangsu goes from Li to Ma in August: until July Li sells there, then Ma; the quota of its rest leaves Li
    and East and comes to Ma and West, and says so; the run can be solved again as it is."""
    out = tmp_path / "june"
    run = moved(folder, "date,province,seller,to,reason\n2027-08-01,Jiangsu,Li,Ma,load\n", out)
    assert run.replanned is not None
    frame = sales(run.replanned.solution)
    own = frame[(frame["province"] == "Jiangsu") & (frame["revenue"] > 1e-6) & (frame["period"] > "2027-04")]
    assert set(own.loc[own["period"] < "2027-08", "seller"]) == {"Li"}
    assert set(own.loc[own["period"] >= "2027-08", "seller"]) == {"Ma"}
    old = sales(run.tracked.solution)
    carried = old.loc[old["province"].eq("Jiangsu") & old["period"].ge("2027-08"), "revenue"].sum()
    moves = by_node(run)
    assert moves["East / Li"].parts["moved"] == pytest.approx(-carried, abs=0.1)
    assert moves["West / Ma"].parts["moved"] == pytest.approx(carried, abs=0.1)
    assert moves["East"].parts["moved"] == -moves["West"].parts["moved"] < 0
    assert moves["East / Xu"].parts["moved"] == 0.0 and abs(moves["East / Xu"].change) <= 10.0
    assert "what moves between sellers" in moves["West / Ma"].reason
    assert "Jiangsu: from Li to Ma on 2027-08-01" in " ".join(run.text().split())
    again = solve(load_plan(out / "inputs"), monday_settings())
    assert again.figure("revenue") == pytest.approx(run.replanned.solution.figure("revenue"), rel=1e-6)


def test_a_seller_takes_the_quota_to_another_team(folder: Path, tmp_path: Path) -> None:
    """Xu joins West in April: the own number stays, East's falls by it and West's rises by it."""
    run = moved(folder, "date,seller,column,to,reason\n2027-04-15,Xu,team,West,reorganised\n", tmp_path / "r")
    moves = by_node(run)
    assert run.replanned is not None
    before = {quota.tree.paths[node]: quota.year[node] for quota in assign(run.tracked.solution)
              for node in range(quota.tree.size)}  # fmt: skip
    xu = moves["West / Xu"]
    assert xu.old == before["East", "Xu"] and abs(xu.change) <= 10.0
    assert moves["East"].parts["moved"] == -moves["West"].parts["moved"] < 0
    assert -moves["East"].parts["moved"] == pytest.approx(before["East", "Xu"], abs=0.1)
    assert "Xu: now West (team)" in " ".join(run.text().split())
    assert load_plan(tmp_path / "r" / "inputs").tables["sellers"].text("team") == ["East", "West", "West"]


def test_a_seller_who_moves_later_waits(folder: Path) -> None:
    """A new team from September on changes nothing in May, and the page says when it will."""
    run = moved(folder, "date,seller,column,to,reason\n2027-09-01,Xu,team,West,reorganised\n")
    assert "East / Xu" in by_node(run)
    assert "Xu: West (team) from 2027-09-01 on" in " ".join(run.text().split())


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("plan.unknown_label", "date,province,seller,to,reason\n2027-08-01,Jiangsu,Li,Mo,x\n"),
        ("moves.nothing", "date,province,seller,to,reason\n2027-08-01,Sichuan,Li,Ma,x\n"),
        ("moves.column_unknown", "date,seller,column,to,reason\n2027-02-01,Xu,squad,West,x\n"),
        ("moves.label_unknown", "date,seller,column,to,reason\n2027-02-01,Xu,team,North,x\n"),
    ],
)
def test_moves_that_cannot_be_are_errors_with_their_place(folder: Path, key: str, rows: str) -> None:
    """Unknown sellers, columns and labels, and what its seller has not, are refused with the row."""
    with pytest.raises(InputError) as error:
        moved(folder, rows)
    assert error.value.key == key and error.value.place.row == 2
