"""Plan and fact: causes add up on every level, facts that equal the plan track at zero, drift is told from
chance."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.result.solution import Solution
from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.tracking import Comparison, compare
from optimizer.tracking.causes import CAUSES
from optimizer.tracking.rates import rates_table

MARKETS = """region,province,line,last_year_revenue,price,margin_rate
East,Jiangsu,a,12000,10,0.5
East,Zhejiang,b,6000,20,0.4
West,Sichuan,a,6000,10,0.5
West,Sichuan,b,3000,20,0.4
"""
SELLERS = """seller,region,capacity,capacity_unit,capacity_per
Li,East,30000,revenue,year
Xu,East,30000,revenue,year
Ma,West,20000,revenue,year
"""
KEYS = ("region", "province", "line", "seller")
QUIET = SolveSettings(marginal_values=False, leverage=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of a year in a folder."""
    found = tmp_path_factory.mktemp("plan")
    (found / "markets.csv").write_text(MARKETS, encoding="utf-8")
    (found / "sellers.csv").write_text(SELLERS, encoding="utf-8")
    text = """
        name: Test
        calendar: {start: 2027-01-01, periods: 12, every: month}
        tables: {markets: markets.csv, sellers: sellers.csv}
        targets: [{name: Year, metric: revenue, growth: 0.2}]
        """
    (found / "plan.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def solved(folder: Path) -> Solution:
    """The plan, solved."""
    return solve(load_plan(folder), QUIET)


def with_facts(folder: Path, solution: Solution, facts: pd.DataFrame, months: int) -> Comparison:
    """The plan compared with facts of some months."""
    facts.to_csv(folder / "actuals.csv", index=False)
    text = (folder / "plan.yaml").read_text(encoding="utf-8")
    text = text.replace("every: month}", f"every: month, as_of: 2027-{months + 1:02d}-01}}")
    text = text.replace("sellers: sellers.csv}", "sellers: sellers.csv, actuals: actuals.csv}")
    (folder / "facts.yaml").write_text(text, encoding="utf-8")
    return compare(solution, resolve(load_plan(folder / "facts.yaml")))


def planned(solution: Solution, keys: list[str], months: int) -> pd.DataFrame:
    """The plan of the first months by some keys, as facts would tell it."""
    frame = sales(solution)
    inside = frame["period"].isin(list(solution.plan.calendar.period[:months]))
    return frame[inside].groupby(["period", *keys], as_index=False)[["units", "revenue"]].sum()


@pytest.mark.parametrize("keys", [["region"], ["province", "line"], list(KEYS)])
def test_facts_that_equal_the_plan_track_at_zero(folder: Path, solved: Solution, keys: list[str]) -> None:
    """Whatever the detail in which the plan is told as fact, every cause is 0 and no rate drifts."""
    found = with_facts(folder, solved, planned(solved, keys, 3), 3)
    assert found.splits
    assert {value for split in found.splits for value in split.causes.values()} <= {-1, 0, 1}
    assert all(split.plan == split.fact for split in found.splits)
    assert not any(one.alert for one in found.drifts)
    assert rates_table(found) is None


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Factors on units and prices, some rows left out, keys of some detail, a number of months."""
    keys = draw(st.sampled_from([["region"], ["province"], ["province", "line"], list(KEYS)]))
    return {
        "keys": keys,
        "months": draw(st.integers(1, 11)),
        "seed": draw(st.integers(0, 10_000)),
        "spread": draw(st.sampled_from([0.0, 0.1, 0.8])),
        "told": draw(st.sampled_from(["units", "revenue", "both"])),
        "dropped": draw(st.sampled_from([0.0, 0.3])),
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts())
def test_causes_add_up_on_every_level(folder: Path, solved: Solution, drawn: dict[str, Any]) -> None:
    """On random facts the causes of every member of every level add up to its deviation, to the last
    hundredth, and the members of a level that is fully told add up to the company."""
    random = np.random.default_rng(drawn["seed"])
    frame = planned(solved, drawn["keys"], drawn["months"])
    frame["units"] *= np.exp(drawn["spread"] * random.standard_normal(len(frame)))
    frame["revenue"] *= np.exp(drawn["spread"] * random.standard_normal(len(frame)))
    kept = random.random(len(frame)) >= drawn["dropped"]
    kept |= ~frame["period"].duplicated().to_numpy()
    frame = frame[kept]
    if drawn["told"] != "both":
        frame = frame.drop(columns="units" if drawn["told"] == "revenue" else "revenue")
    found = with_facts(folder, solved, frame, drawn["months"])
    whole = next(split for split in found.splits if not split.scope)
    for split in found.splits:
        assert sum(split.causes[cause] for cause in CAUSES) == split.fact - split.plan
    for scope in {split.scope for split in found.splits} - {""}:
        level = [split for split in found.splits if split.scope == scope]
        if level[0].periods == drawn["months"]:
            assert sum(split.fact for split in level) == pytest.approx(whole.fact, abs=len(level))
            assert sum(split.plan for split in level) == pytest.approx(whole.plan, abs=len(level))


def test_causes_name_what_was_changed(folder: Path, solved: Solution) -> None:
    """A price cut is price, alike growth is volume, a swap of lines at equal units is mix."""
    frame = planned(solved, ["province", "line"], 3)
    cut = frame.assign(revenue=frame["revenue"] * 0.9)
    alike = frame.assign(units=frame["units"] * 1.1, revenue=frame["revenue"] * 1.1)
    price = next(split for split in with_facts(folder, solved, cut, 3).splits if not split.scope)
    assert price.causes["price"] == pytest.approx(-0.1 * price.plan, abs=2)
    assert price.causes["volume"] == price.causes["mix"] == 0
    volume = next(split for split in with_facts(folder, solved, alike, 3).splits if not split.scope)
    assert volume.causes["volume"] == pytest.approx(0.1 * volume.plan, abs=2)
    assert abs(volume.causes["price"]) <= 1 and abs(volume.causes["mix"]) <= 1


def test_a_level_that_facts_do_not_tell_has_no_rows(folder: Path, solved: Solution) -> None:
    """Facts by region have causes for regions and the company, and none for lines or sellers."""
    found = with_facts(folder, solved, planned(solved, ["region"], 2), 2)
    assert {split.scope for split in found.splits} == {"", "region"}


def test_drift_is_told_from_chance(folder: Path, solved: Solution) -> None:
    """Half of West's deals is an alert with its exact test; noise of the size of chance is none."""
    frame = planned(solved, ["province", "line"], 6)
    random = np.random.default_rng(7)
    noisy = frame.assign(units=random.poisson(frame["units"]).astype(float))
    noisy["revenue"] = noisy["units"] * frame["revenue"] / frame["units"]
    assert not any(one.alert for one in with_facts(folder, solved, noisy, 6).drifts)
    west = frame["province"].eq("Sichuan")
    half = frame.assign(
        units=np.where(west, 0.5, 1.0) * frame["units"], revenue=np.where(west, 0.5, 1.0) * frame["revenue"]
    )
    found = with_facts(folder, solved, half, 6)
    alert = next(one for one in found.drifts if one.alert)
    assert (alert.rate, alert.test) == ("volume", "poisson")
    assert alert.member in ("West", "Sichuan", "Ma")
    assert alert.factor == pytest.approx(0.5)
    table = rates_table(found)
    assert table is not None and table.numbers("factor")[0] == pytest.approx(0.5)
