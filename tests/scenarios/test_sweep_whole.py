"""A sweep of a plan with an S-curve, whole starts and whole units: the start of a solve changes no answer."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from scenarios.sweep import sweep
from scenarios.worker import SweepSettings

FILES = {
    "plan.yaml": """\
name: Whole
calendar: {start: 2027-01-01, periods: 3, every: month}
tables:
  markets: markets.csv
  sellers: sellers.csv
  marketing: marketing.csv
  curves: curves.csv
  yields: yields.csv
  stages: stages.csv
  initiatives: initiatives.csv
  effects: effects.csv
targets:
  - {name: Year, metric: revenue, at_least: 300, priority: 1}
budgets: [{name: Spend, metric: marketing_cost, at_most: 70}]
""",
    "markets.csv": "product,customer_type,price,margin_rate,whole_units\nmachine,new,50,0.5,yes\n",
    "sellers.csv": "seller,capacity,capacity_unit\nLi,40,hours\n",
    "marketing.csv": "channel,max_spend,carryover_rate\nads,60,0.3\n",
    "curves.csv": "channel,family,top,bottom,half,slope\nads,hill,30,0,15,2\n",
    "yields.csv": "channel,product,opportunities\nads,machine,1\n",
    "stages.csv": "product,stage,conversion,days,hours\nmachine,lead,0.4,0,1\nmachine,quote,0.5,30.4375,2\n",
    "initiatives.csv": "initiative,cost,latest\ntraining,40,2027-01\n",
    "effects.csv": "initiative,changes,likely,after,product\ntraining,conversion,0.2,0,machine\n",
    "dear.yaml": "name: dear\nchanges: [{table: curves, column: top, multiply: 0.8}]\n",
    "busy.yaml": "name: busy\nchanges: [{table: sellers, column: capacity, multiply: 0.6}]\n",
    "good.yaml": "name: good\nchanges: [{table: stages, column: conversion, multiply: 1.2}]\n",
}
NAMES = ("dear", "busy", "good")


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """The folder of the plan and its scenarios."""
    folder = tmp_path / "plan"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def league(
    folder: Path, out: Path, names: tuple[str, ...], engine: str = "serial", warm: bool = True
) -> pd.DataFrame:
    """The league table of a sweep."""
    settings = SweepSettings(warm=warm, gap=1e-6)
    found = sweep(folder, [folder / f"{name}.yaml" for name in names], out, settings, engine)
    assert found.exit_code == 0
    return pd.read_parquet(found.folder / "league.parquet").set_index("scenario")


@pytest.mark.slow
def test_warm_and_cold_give_the_same_answers_in_any_order(whole: Path, tmp_path: Path) -> None:
    """From the base's plan, in another order, and cold: the same statuses and figures, within the gap asked."""
    first = league(whole, tmp_path / "first", NAMES)
    again = league(whole, tmp_path / "again", NAMES[::-1])
    cold = league(whole, tmp_path / "cold", NAMES, warm=False)
    figures = ["worth", "revenue", "units", "kept", "reacting", "kept_rules_missed", "targets_met"]
    pd.testing.assert_frame_equal(first[figures], again[figures].loc[first.index], rtol=1e-9, atol=1e-9)
    pd.testing.assert_frame_equal(first[figures], cold[figures], rtol=1e-5, atol=1e-6)
    assert (first["status"] == "optimal").all() and (first["gap"] <= 1e-6).all()
    assert (first["kept"].dropna() <= first["reacting"].dropna() + 1e-6).all()
    assert first["units"].iloc[1:].nunique() > 1


@pytest.mark.slow
def test_processes_give_the_same_answers(whole: Path, tmp_path: Path) -> None:
    """Two processes give the tables of one, with whole numbers and curves as well."""
    first = league(whole, tmp_path / "first", NAMES)
    processes = league(whole, tmp_path / "processes", NAMES, engine="process:2")
    pd.testing.assert_frame_equal(first, processes, rtol=1e-9, atol=1e-9)
