"""Plans near last year or another run: how many members may change, and by how much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import InputError
from optimizer.plan.plan import Plan
from optimizer.solving import solve

MakePlan = Callable[..., Plan]
LINES = "line,price,unit_cost,potential,last_year_units\nA,10,5,100,10\nB,10,9,100,10\n"
NEAR_A_RUN = {
    "name": "few",
    "by": ["seller"],
    "metric": "units",
    "to": {"run": "before"},
    "changes_at_most": 1,
}


def a_run(folder: Path) -> None:
    """A run in which two people sold 5 each."""
    sold = [{"seller": name, "period": "2027-01", "line": "A", "units": 5.0} for name in ("Li", "Xu")]
    (folder / "before" / "tables").mkdir(parents=True)
    pd.DataFrame(sold).to_parquet(folder / "before" / "tables" / "sales.parquet")


def test_what_may_change_may_change_altogether(make_plan: MakePlan) -> None:
    """Both lines may change, so the 100 that somebody can sell are all of the better one, five times what both sold last
    year; a change was bounded by last year's total (found by random plans)."""
    plan = make_plan(
        markets=LINES,
        sellers="seller,capacity,capacity_unit,capacity_per\nLi,100,units,period\n",
        stay_near=[{"name": "few", "by": ["line"], "changes_at_most": 2}],
        objective=[{"maximize": "contribution"}],
    )
    assert solve(plan).stages[0].value == pytest.approx(500.0, rel=1e-6)


def test_one_seller_may_take_a_market(make_plan: MakePlan, tmp_path: Path) -> None:
    """Both sold 5, one may change: he sells 55 of the 60; a change was bounded by his part of the potential."""
    a_run(tmp_path)
    plan = make_plan(
        markets="line,price,unit_cost,potential\nA,10,5,60\n",
        sellers="seller\nLi\nXu\n",
        stay_near=[NEAR_A_RUN],
        objective=[{"maximize": "contribution"}],
    )
    solution = solve(plan)
    units = sorted(solution.figure("units", {"seller": name}) for name in ("Li", "Xu"))
    assert units == pytest.approx([5.0, 55.0], rel=1e-4)


def test_changes_need_a_limit(make_plan: MakePlan, tmp_path: Path) -> None:
    """Where nothing says how much a seller can come to, no row can say what no change is."""
    a_run(tmp_path)
    plan = make_plan(
        markets="line,price\nA,10\n",
        sellers="seller\nLi\nXu\n",
        targets=[{"metric": "revenue", "at_least": 300}],
        stay_near=[NEAR_A_RUN],
    )
    with pytest.raises(InputError, match="“few” allows so many changes"):
        solve(plan)
