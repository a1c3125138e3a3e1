"""People without names over `as_of`: who was hired and let go before it is there behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimizer import SolveSettings, load_plan, solve
from optimizer.result.tables import sales
from scenarios.replan import Replanned, replanned
from scenarios.tracking import tracked

QUIET = SolveSettings(marginal_values=False, leverage=False)
FILES = {
    "plan.yaml": """name: Agents
calendar: {start: 2027-01-01, periods: 6, every: month}
tables: {markets: markets.csv, sellers: sellers.csv, territories: territories.csv, roles: roles.csv}
targets: [{metric: revenue, at_least: 20000}]
""",
    "markets.csv": "sku,price,margin_rate,potential\na,10,0.8,6000\n",
    "sellers.csv": "seller,capacity,capacity_unit,capacity_per,status\nagents,100,units,period,open\n",
    "territories.csv": "seller,sku\nagents,*\n",
    "roles.csv": "role,headcount,hire_max,headcount_max,attrition,lead_time,ramp,cost,hiring_cost\n"
    "agents,2,3,5,0.2,1,none,300,100\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan that hires three agents in January, who come in February, and its first three months as facts."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    solution = solve(load_plan(tmp_path), QUIET)
    sold = sales(solution).groupby(["period", "sku", "seller"], as_index=False)[["units", "revenue"]].sum()
    sold[sold["period"] <= "2027-03"].to_csv(tmp_path / "facts.csv", index=False)
    return tmp_path


def rest(folder: Path) -> Replanned:
    """The plan of the rest."""
    return replanned(tracked(folder, folder / "facts.csv", settings=QUIET))


def test_hires_of_closed_periods_are_there_behind_them(folder: Path) -> None:
    """Where facts say nothing of hires those of the plan count: heads, sales and cost go on, and it is said."""
    found = rest(folder)
    old, new = found.tracked.solution, found.solution
    heads = old.activities.blocks["role_heads"].values(old.x)
    assert heads[0, 1] == pytest.approx(4.963, abs=1e-3) and found.tracked.assumed == ("staff",)
    assert new.activities.blocks["role_heads"].values(new.x) == pytest.approx(heads, abs=1e-6)
    for metric in ("revenue", "contribution", "hiring_cost"):
        assert found.tracked.tracking.forecast.figure(metric) == pytest.approx(old.figure(metric), rel=1e-6)
        assert new.figure(metric) == pytest.approx(old.figure(metric), rel=1e-5)
    splits = found.tracked.comparison.splits
    assert all(abs(value) <= 1 for split in splits for value in split.causes.values())


def test_told_hires_and_leavers_take_the_place_of_planned_ones(folder: Path) -> None:
    """One agent was hired instead of three and half a head has left: the rest may hire the other two."""
    told = pd.DataFrame({"period": ["2027-01", "2027-02"], "role": "agents", "hires": [1, None]})
    told["leavers"] = [None, 0.5]
    facts = pd.concat([pd.read_csv(folder / "facts.csv"), told])
    keys = {name: facts[name].fillna("*") for name in ("sku", "seller", "role")}
    facts.assign(**keys).to_csv(folder / "facts.csv", index=False)
    found = rest(folder)
    blocks, x = found.solution.activities.blocks, found.solution.x
    stay = 0.8 ** (1 / 12)
    heads = [2.0, 2 * stay + 0.5, (2 * stay + 0.5) * stay]
    assert blocks["role_heads"].values(x)[0, :3] == pytest.approx(heads, abs=1e-6)
    assert blocks["role_hire"].values(x)[0] == pytest.approx([1, 0, 0, 2, 0, 0], abs=1e-6)
    assert np.nansum(blocks["role_leave"].values(x)) == pytest.approx(0.5)
    assert found.tracked.assumed == ()
