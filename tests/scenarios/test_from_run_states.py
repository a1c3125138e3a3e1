"""A quarter goes on where the year's run is: stocks, customers, people on open seats, running initiatives."""

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
TABLES = {
    "markets": "product,customer_type,price,margin_rate,potential,organic\n"
    "machine,new,100,0.5,60,\nservice,existing,10,0.5,,\n",
    "customers": "product,customers,retention,orders,revenue_per_order\nservice,100,0.5,12,10\n",
    "sellers": "seller,status,capacity,capacity_unit,capacity_per,ramp,cost,hiring_cost\n"
    "Ann,present,4,units,period,none,,\nSeat,open,4,units,period,steps,1,10\nLate,open,4,units,period,steps,900,\n",
    "territories": "seller,product\n*,machine\nAnn,service\n",
    "profiles": "profile,period_or_age,value\nsteps,0,0\nsteps,2,0.5\nsteps,4,1\n"
    "echo,0,1\necho,1,0.5\necho,2,0.25\n" + "".join(f"season,{month},{1 / 12!r}\n" for month in range(1, 13)),
    "marketing": "channel,min_spend,max_spend,pacing,carryover_profile\nradio,{spend},{spend},even,echo\n",
    "curves": "channel,family,slope\nradio,linear,1\n",
    "initiatives": "initiative,cost,running_cost,latest,duration\ntraining,20,1,2027-01,5\nfair,5,,2027-01,2\n"
    "never,9000,,,\n",
    "effects": "initiative,changes,kind,likely,after,lasts,seller\ntraining,capacity,multiply,1.5,1,4,Ann\n"
    "fair,capacity,multiply,1.25,0,2,Ann\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_months: Callable[..., Path]) -> Path:
    """The second quarter's plan, with the run of the half year in its folder."""
    root = tmp_path_factory.mktemp("from_run")
    run_plan(
        write_months(root / "half", TABLES, "2027-01-01", 6, {"spend": 60}, ""), root / "quarter_run", PLAIN
    )
    write_months(root / "quarter", TABLES, "2027-04-01", 3, {"spend": 30}, "from: runs/half\n")
    shutil.copytree(root / "quarter_run", root / "quarter" / "runs" / "half")
    return root / "quarter"


def test_a_profile_of_carryover_goes_on(folder: Path) -> None:
    """Ten spent in each month before leave 5 + 2.5 in the first month, 2.5 in the second, and then nothing."""
    marketing = resolve(load_plan(folder)).marketing
    assert marketing is not None
    assert marketing.opening[0, :3] == pytest.approx([7.5, 2.5, 0.0])


def test_customers_are_those_of_the_year(folder: Path) -> None:
    """The quarter starts with the customers that the run has at the end of March."""
    states = pd.read_parquet(folder / "runs" / "half" / "tables" / "openings.parquet")
    april = states[(states["table"] == "customers") & (states["period"] == "2027-04")]["value"]
    assert load_plan(folder).tables["customers"].numbers("customers") == pytest.approx(april.to_numpy())
    assert april.iloc[0] == pytest.approx(100 * 0.5 ** (3 / 12))


def test_people_on_open_seats_stay_and_learn_on(folder: Path) -> None:
    """Who came in January is there, four months on; a seat that was not filled is still open."""
    plan = load_plan(folder)
    assert plan.tables["sellers"].choices("status") == ["present", "present", "open"]
    sellers = resolve(plan).selling.sellers
    assert sellers.presence[1] == pytest.approx([0.5, 1.0, 1.0])
    assert sellers.open_seats is not None and sellers.open_seats.seller.tolist() == [2]


def test_what_runs_goes_on_and_is_paid(folder: Path) -> None:
    """Training runs for two months more and works on, without a second price; the fair is over."""
    plan = load_plan(folder)
    rules = {rule.name: rule for rule in plan.rules}
    assert rules["initiative:training"].must and "initiative:fair" not in rules
    found = solve(plan, PLAIN)
    start = found.activities.blocks["start"].values(found.x)
    assert start[:, 0] == pytest.approx([1, 0, 0]) and start[:, 1:].sum() == pytest.approx(0)
    assert found.figure("initiative_cost") == pytest.approx(2.0)


def test_the_quarter_sells_what_the_year_planned(folder: Path) -> None:
    """Month by month the quarter's own plan is that of the run."""
    year = pd.read_parquet(folder / "runs" / "half" / "tables" / "sales.parquet")
    planned = year[year["period"] >= "2027-04"].groupby("period")["units"].sum()
    found = solve(load_plan(folder), PLAIN)
    assert found.sales is not None
    assert found.sales.sum(axis=0) == pytest.approx(planned.to_numpy(), rel=1e-4)
    assert np.ptp(planned) > 1
