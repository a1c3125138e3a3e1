"""A later plan goes on where the year's run is: deals on their way, and people of roles by their tenure."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.running import run_plan

PLAIN = SolveSettings(marginal_values=False, leverage=False)
MONTH = 365.25 / 12
TABLES = {
    "markets": "product,price,margin_rate,units_per_deal,organic,organic_profile,waiting_kept\n"
    "machine,100,0.5,2,{organic},even,0.5\n",
    "stages": f"product,stage,conversion,days\nmachine,talk,0.5,{MONTH!r}\nmachine,quote,0.4,{MONTH!r}\n",
    "pipeline": "product,amount,close,probability\nmachine,6400,2027-01-10,1\nmachine,600,2027-05-10,1\n",
    "marketing": "channel,unit_cost,min_spend,max_spend,pacing\nweb,1,{spend},{spend},even\n",
    "yields": "channel,product,opportunities\nweb,machine,1\n",
    "roles": "role,headcount,attrition,ramp,lead_time,hire_max,cost,hiring_cost\nrep,1,0.4,steps,2,{hires},1,1\n",
    "sellers": "seller,capacity,capacity_unit,capacity_per\nrep,9,units,period\n",
    "territories": "seller,product\nrep,machine\n",
    "profiles": "profile,period_or_age,value\nsteps,0,0.25\nsteps,1,0.5\nsteps,3,1\n"
    + "".join(f"even,{month},{1 / 12!r}\n" for month in range(1, 13)),
}
HALF = {"organic": 30, "spend": 60, "hires": 1}
"""5 organic opportunities and 10 bought ones a month, of which a fifth is won two months later."""
REST = {"organic": 25, "spend": 50, "hires": 0}
"""The same for five months."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_months: Callable[..., Path]) -> Path:
    """The plan from February on, with the run of the half year in its folder."""
    root = tmp_path_factory.mktemp("from_run")
    run_plan(write_months(root / "half", TABLES, "2027-01-01", 6, HALF, ""), root / "run", PLAIN)
    write_months(root / "rest", TABLES, "2027-02-01", 5, REST, "from: runs/half\n")
    shutil.copytree(root / "run", root / "rest" / "runs" / "half")
    return root / "rest"


def test_deals_on_their_way_come_in(folder: Path) -> None:
    """Half of what January won beyond the 9 units that one head can sell waits; its 15 opportunities are 3
    deals in March; the deal that is open until May is 3 more."""
    funnel = resolve(load_plan(folder)).funnel
    assert funnel is not None and funnel.told.tolist() == [True]
    waiting = 0.5 * (6400 / 200 - 9 / 2)
    assert funnel.opening[0] == pytest.approx([waiting, 3.0, 0.0, 3.0, 0.0], abs=1e-5)


def test_people_of_a_role_stay_and_who_was_hired_comes(folder: Path) -> None:
    """One head is on full ramp, less what January lost; the hire of January comes in March and learns."""
    roles = resolve(load_plan(folder)).roles
    assert roles is not None
    assert roles.opening[0] == pytest.approx([0.0, 0.0, 0.0, 0.6 ** (1 / 12)])
    assert roles.joining[0] == pytest.approx([0.0, 1.0, 0.0, 0.0, 0.0])


def test_the_rest_sells_what_the_year_planned(folder: Path) -> None:
    """Month by month the later plan's own optimum is that of the run."""
    year = pd.read_parquet(folder / "runs" / "half" / "tables" / "sales.parquet")
    planned = year[year["period"] >= "2027-02"].groupby("period")["units"].sum()
    found = solve(load_plan(folder), PLAIN)
    assert found.sales is not None
    assert found.sales.sum(axis=0) == pytest.approx(planned.to_numpy(), rel=1e-6)
    assert np.ptp(planned) > 1


def test_facts_say_what_is_on_its_way_where_there_are_any(folder: Path, tmp_path: Path) -> None:
    """A plan with `as_of` takes its own pipeline, which is newer than the run."""
    shutil.copytree(folder, tmp_path / "facts")
    (tmp_path / "facts" / "actuals.csv").write_text("period,product,units\n2027-02,machine,6\n")
    (tmp_path / "facts" / "pipeline.csv").write_text(
        "product,amount,close,probability\nmachine,400,2027-04-10,1\n"
    )
    plan = tmp_path / "facts" / "plan.yaml"
    text = plan.read_text().replace("every: month", "every: month, as_of: 2027-03-01")
    plan.write_text(text.replace("tables: {", "tables: {actuals: actuals.csv, "))
    funnel = resolve(load_plan(plan)).funnel
    assert funnel is not None and funnel.opening[0] == pytest.approx([0.0, 0.0, 2.0, 0.0, 0.0])
