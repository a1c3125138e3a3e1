"""Random plans with a funnel that come true: they track at zero and are planned again to themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from found_funnels import FUNNELS, REST_GAINS
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from strategies import RandomPlan
from strategies_funnel import funnel_plans

from optimizer import InputError, SolveSettings, load_plan, solve
from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution
from optimizer.result.tables import sales
from optimizer.standing import KEPT
from scenarios.replan import Replanned, replanned
from scenarios.tracking import tracked

QUIET = SolveSettings(marginal_values=False, leverage=False)
SAME = 1e-5
"""Relative; stages are locked within 1e-7 of their reach, which moves those behind them by a multiple."""


def comes_true(solution: Solution, past: int) -> pd.DataFrame:
    """The plan of the first periods as facts would tell it in full: by seller what was sold, by market what came."""
    keys = ["period", "sku", *(["seller"] if "sellers" in solution.plan.tables else [])]
    frame = sales(solution).groupby(keys, as_index=False)[["units", "revenue"]].sum()
    every = [solution.plan.calendar.period, *(sorted(set(frame[name])) for name in keys[1:])]
    sold = frame.set_index(keys).reindex(pd.MultiIndex.from_product(every, names=keys)).fillna(0.0)
    came = [
        {"sku": sku, "period": period, "seller": "*", "opportunities": value}
        for (sku, period), value in figures(solution, "opportunities", ["sku", "period"])
    ]
    told = pd.concat([sold.reset_index(), pd.DataFrame(came)[[*keys, "opportunities"]]])
    told = told.groupby(keys, as_index=False).sum(min_count=1)
    return told[told["period"].isin(solution.plan.calendar.period[:past])]


def coarser(facts: pd.DataFrame, detail: str) -> pd.DataFrame:
    """Those facts by market, of revenue by market alone, or of what the company sold."""
    if detail == "seller":
        return facts
    keys = ["period"] if detail == "company" else ["period", "sku"]
    measures = {
        "market": ["units", "revenue", "opportunities"],
        "revenue": ["revenue"],
        "company": ["units", "revenue"],
    }
    return facts.groupby(keys, as_index=False)[measures[detail]].sum(min_count=1)


class NoFactsError(Exception):
    """A random plan that has no facts to tell."""


def again(folder: Path, detail: str = "seller") -> Replanned:
    """The plan of the rest when the first half of its horizon has come true and is told in some detail; raises
    `NoFactsError` where it tells of nothing."""
    try:
        base = solve(load_plan(folder / "plan.yaml"), QUIET)
    except InputError as error:
        raise NoFactsError from error
    if not base.has_plan:
        raise NoFactsError
    past = base.plan.calendar.size // 2
    facts = comes_true(base, past)
    # What negative yields take away is nothing that a CRM counts, and a plan that sells nothing has no facts.
    if (facts["opportunities"] < 0).any() or not len(facts.dropna(subset="units")):
        raise NoFactsError
    coarser(facts, detail).to_csv(folder / "facts.csv", index=False)
    return replanned(tracked(folder / "plan.yaml", folder / "facts.csv", settings=QUIET))


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(funnel_plans(), st.sampled_from(["seller", "market", "revenue", "company"]))
def test_a_plan_that_comes_true_is_the_plan_again(plan: RandomPlan, detail: str) -> None:
    """Whatever the detail of its facts, causes are zero, the forecast is the plan, and every open cell and the
    contribution stay as they were."""
    calendar = plan.plan["calendar"]
    calendar["periods"] = 6 if calendar["every"] == "month" else 4
    with plan.folder() as folder:
        try:
            found = again(folder, detail)
        except NoFactsError:
            assume(False)
    whole = tracks_at_zero(found)
    stays(found, whole)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNNELS)
def test_a_plan_that_was_another_once_is_the_plan_again(name: str) -> None:
    """The same of each funnel that a longer search has found, run-out periods included."""
    with FUNNELS[name].folder() as folder:
        found = again(folder)
    stays(found, tracks_at_zero(found))
    before, after = (
        next(one.value for one in solution.stages if one.stage.kind == "money")
        for solution in (found.tracked.solution, found.solution)
    )
    assert after == pytest.approx(before, rel=SAME)


@pytest.mark.slow
@pytest.mark.parametrize("name", REST_GAINS)
def test_a_plan_that_comes_true_stays_where_the_rest_alone_gains(name: str) -> None:
    """Nothing has changed, so that the last plan is kept, and the run says that the rest alone could be better; with a
    tenth more sold it is planned anew."""
    with REST_GAINS[name].folder() as folder:
        found = again(folder)
        facts = pd.read_csv(folder / "facts.csv")
        facts[["units", "revenue"]] *= 1.1
        facts.to_csv(folder / "facts.csv", index=False)
        other = replanned(tracked(folder / "plan.yaml", folder / "facts.csv", settings=QUIET))
    stays(found, tracks_at_zero(found))
    assert (KEPT, {"run": "last_plan"}) in found.solution.notes and not found.softened
    assert found.solution.keeps == "last_plan" and not other.solution.keeps
    assert not any(key == KEPT for key, _ in other.solution.notes)


def tracks_at_zero(found: Replanned) -> float:
    """Assert that causes are zero, nothing drifts and the forecast is the plan; the revenue of the year."""
    run, old = found.tracked, found.tracked.solution
    assert all(abs(value) <= 1 for split in run.comparison.splits for value in split.causes.values())
    assert not any(one.alert for one in run.comparison.drifts) and not found.softened
    whole = max(float(old.figure("revenue")), 1.0)
    for metric in ("revenue", "contribution"):
        assert run.tracking.forecast.figure(metric) == pytest.approx(old.figure(metric), abs=SAME * whole)
    return whole


def stays(found: Replanned, whole: float) -> None:
    """Assert that open cells and the contribution are those of the plan that came true."""
    run, old, new = found.tracked, found.tracked.solution, found.solution
    open_cells = slice(run.comparison.facts.past, None)
    moved = np.abs(np.asarray(new.sales) - np.asarray(old.sales)) * old.metrics.coefficient("revenue")
    assert moved[:, open_cells].sum() <= SAME * whole
    assert new.figure("contribution") == pytest.approx(old.figure("contribution"), abs=SAME * whole)
