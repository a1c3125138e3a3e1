"""Whether anything has changed: facts as planned within rounding, and everything that is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.tracking.unchanged import is_unchanged
from scenarios.factplan import open_source
from scenarios.tracking import tracked

QUIET = SolveSettings(marginal_values=False, leverage=False)
PLAN = """name: Test
calendar: {start: 2027-01-01, periods: 6, every: month}
tables: {markets: markets.csv, sellers: sellers.csv, marketing: marketing.csv, yields: yields.csv, curves: curves.csv,
  initiatives: initiatives.csv}
targets: [{name: Year, metric: revenue, at_least: 900}]
"""
TABLES = {
    "markets": "region,price,margin_rate,organic\nEast,10,0.5,40\nWest,20,0.4,20\n",
    "sellers": "seller,region\nLi,East\nXu,East\nMa,West\n",
    "marketing": "channel,max_spend\nads,60\n",
    "curves": "channel,family,slope\nads,linear,1\n",
    "yields": "channel,region,opportunities\nads,East,0.5\n",
    "initiatives": "initiative,cost,benefit,earliest,latest\nfair,1,5,2027-02-01,2027-05-31\n",
}
KEYS = ["period", "seller", "region"]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the plan."""
    folder = tmp_path_factory.mktemp("unchanged")
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def told(plan: Path) -> pd.DataFrame:
    """Three months of the plan, told in full."""
    solution = solve(open_source(plan).base, QUIET)
    blocks, periods = solution.activities.blocks, solution.plan.calendar.period
    sold = sales(solution).groupby(KEYS, as_index=False)[["units", "revenue", "margin"]].sum()
    spent = pd.DataFrame(
        {"period": periods, "channel": "ads", "spend": blocks["spend"].values(solution.x)[0]}
    )
    begun = pd.DataFrame(
        {"period": periods, "initiative": "fair", "starts": blocks["start"].values(solution.x)[0].round()}
    )
    frame = pd.concat([sold, spent, begun])
    for name in ("seller", "region", "channel", "initiative"):
        frame[name] = frame[name].fillna("*")
    return frame[frame["period"] <= "2027-03"].reset_index(drop=True)


def _as_told(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(revenue=frame["revenue"].round(2))


def _by_region(frame: pd.DataFrame) -> pd.DataFrame:
    sold = frame[frame["units"].notna()].groupby(["period", "region"], as_index=False)[["units", "revenue"]]
    return sold.sum()


def _one_price(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(revenue=frame["revenue"].where(frame.index > 0, frame["revenue"] * 1.01))


def _spent(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(spend=frame["spend"] + 1.0)


def _later(frame: pd.DataFrame) -> pd.DataFrame:
    begun = frame["starts"].notna()
    return frame.assign(starts=frame["starts"].where(~begun, (frame["period"] == "2027-03").astype(float)))


def _dearer(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(margin=frame["margin"] * 0.99)


@pytest.mark.parametrize(
    ("changed", "same"),
    [(_as_told, True), (_rounded, True), (_by_region, True), (_one_price, False), (_spent, False), (_later, False),
     (_dearer, False)],
)  # fmt: skip
def test_facts_are_those_of_the_plan_or_not(
    plan: Path,
    told: pd.DataFrame,
    tmp_path: Path,
    changed: Callable[[pd.DataFrame], pd.DataFrame],
    same: bool,
) -> None:
    """Rounding and less detail change nothing; a price, money spent, a later start and a lower margin do."""
    changed(told).to_csv(tmp_path / "facts.csv", index=False)
    run = tracked(plan, tmp_path / "facts.csv", settings=QUIET)
    assert is_unchanged(run.comparison) is same
