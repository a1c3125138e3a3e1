"""The pack with facts tells its story: conversion of quotes is the cause, training and after-sales come forward."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from optimizer.plan.load import load_plan
from optimizer.plan.scopes import market_dimensions
from optimizer.report.monday import main_cause
from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution
from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.tracking.moves import starts_frame
from scenarios.factplan import open_source
from scenarios.monday import Asked, replan_run
from scenarios.tracking import tracked

QUIET = SolveSettings(marginal_values=False, leverage=False)


def test_the_pack_tells_its_story(examples: Path, root: Path) -> None:
    """`track` names the conversion of quotes with its amount, `replan` brings training forward, starts the after-sales
    service and gains on the forecast, and the README tells it with these figures."""
    run = replan_run(examples / "premium_monday", Asked())
    again, tracked = run.replanned, run.tracked
    assert again is not None
    whole = next(split for split in tracked.comparison.splits if not split.scope)
    assert min(whole.causes, key=lambda cause: whole.causes[cause]) == "conversion:quote"
    assert "conversion of quote" in main_cause(tracked.solution, whole, tracked.comparison.drifts)
    starts = starts_frame(tracked.solution, again.solution).set_index("initiative")
    assert starts.loc["Customer training", "state"] == "forward"
    assert starts.loc["After-sales service", "state"] == "added"
    assert starts.loc["Spring fair", "state"] == "started"
    text = " ".join(run.text().split())
    assert "Customer training ! Zhao Min 2027-06 2027-11" in text
    revenue = next(one for one in tracked.tracking.standings if one.metric == "revenue")
    ends = again.solution.figure("revenue")
    assert revenue.forecast < ends < 20_600_000
    text = (root / "README.md").read_text(encoding="utf-8")
    for figure in (whole.causes["conversion:quote"] / 1e5, (whole.fact - whole.plan) / 1e5):
        assert f"{figure:,.1f} k" in text
    assert f"{revenue.forecast / 1e6:.2f} M" in text and f"{ends / 1e6:.2f} M" in text


@pytest.mark.slow
def test_facts_that_equal_a_plan_with_a_funnel_replan_to_it(examples: Path, tmp_path: Path) -> None:
    """Without any deviation the last plan stands: every start and all spending stay exactly, every open cell within what
    the rounding of a run leaves, the page says so, and the run that is written solves to the same."""
    pack = tmp_path / "pack"
    shutil.copytree(examples / "premium_monday", pack)
    base = solve(open_source(pack).base, QUIET)
    keys = list(market_dimensions(base.plan.tables["markets"]))
    frame = sales(base).groupby(["period", *keys], as_index=False)[["units", "revenue"]].sum()
    came = {label: value for label, value in figures(base, "opportunities", [*keys, "period"])}
    labels = zip(*(frame[name] for name in keys), frame["period"], strict=True)
    frame["opportunities"] = [came.get(label) for label in labels]
    frame[frame["period"] <= "2027-05"].to_csv(pack / "actuals.csv", index=False)
    run = replan_run(pack, Asked(out=tmp_path / "june"))
    again = run.replanned
    assert again is not None and "The last plan stands as it is" in " ".join(run.text(200).split())
    assert all(
        abs(value) <= 2 for split in again.tracked.comparison.splits for value in split.causes.values()
    )
    old, new = again.tracked.solution, again.solution
    past, price = new.inputs.past, old.metrics.coefficient("revenue")
    assert stays(old, new, past, price)
    solved = solve(load_plan(tmp_path / "june" / "inputs"), QUIET)
    assert stays(new, solved, past, price)


@pytest.mark.slow
@pytest.mark.parametrize("signed", [1.0, 0.5])
def test_what_was_measured_in_may_is_in_force_in_july(examples: Path, tmp_path: Path, signed: float) -> None:
    """When June comes true as it was planned again, its plan is tracked at zero and forecast, with the conversion that was
    measured by May; when half as many sign in June alone, the conversion is halved from July on."""
    june = tmp_path / "june"
    again = replan_run(examples / "premium_monday", Asked(out=june, delays=0)).replanned
    assert again is not None
    plan, measured = again.solution, again.tracked.rates
    assert measured is not None
    lower = float(measured.numbers("factor")[measured.choices("rate").index("conversion")])
    _told_of_june(plan, june, signed).to_csv(tmp_path / "facts.csv", index=False)
    run = tracked(june, tmp_path / "facts.csv", settings=QUIET)
    carried = run.content.tables["rates"]
    found = [
        factor
        for rate, line, factor in zip(
            carried.choices("rate"), carried.text("line"), carried.numbers("factor").tolist(), strict=True
        )
        if (rate, line) == ("conversion", "premium")
    ]
    assert found == pytest.approx([lower * signed], rel=1e-6)
    if signed == 1.0:
        assert all(abs(value) <= 2 for split in run.comparison.splits for value in split.causes.values())
        assert run.tracking.forecast.figure("revenue") == pytest.approx(plan.figure("revenue"), rel=1e-7)


def _told_of_june(plan: Solution, run: Path, signed: float) -> pd.DataFrame:
    """The facts of a run, and the month behind them as its plan has it, with another share of premium quotes signed."""
    period, past = plan.plan.calendar.period, plan.inputs.past
    keys = list(market_dimensions(plan.plan.tables["markets"]))
    sold = sales(plan).groupby(["period", *keys], as_index=False)[["units", "revenue"]].sum()
    came = dict(figures(plan, "opportunities", [*keys, "period"]))
    labels = zip(*(sold[name] for name in keys), sold["period"], strict=True)
    sold["opportunities"] = [came.get(label) for label in labels]
    sold = sold[sold["period"] == period[past]]
    fewer = (sold["line"] == "premium") & (sold["customer_type"] == "new")
    sold[["units", "revenue"]] *= np.where(fewer, signed, 1.0)[:, None]
    begun = plan.activities.blocks["start"].values(plan.x)[:, past] > 0.5
    names = [
        name
        for name, one in zip(plan.activities.blocks["start"].labels["initiative"], begun, strict=True)
        if one
    ]
    starts = pd.DataFrame({"period": period[past], "initiative": names, "starts": 1.0})
    found = pd.concat([pd.read_csv(run / "inputs" / "actuals.csv"), sold, starts])
    texts = [name for name in found if name not in ("units", "revenue", "opportunities", "starts")]
    return found.fillna({name: "*" for name in texts if name in (*keys, "initiative", "seller")})


def stays(old: Solution, new: Solution, past: int, price: NDArray[np.float64]) -> bool:
    """Whether two plans have the same decisions, and the same open cells within the 1e-7 of their revenue that the lock of
    nearness leaves."""
    cells = [np.asarray(one.sales)[:, past:] * price[:, past:] for one in (old, new)]
    decided = [name for name in ("start", "spend", "opened", "used", "hire") if name in old.activities.blocks]
    ahead = [[one.activities.blocks[name].values(one.x)[:, past:] for name in decided] for one in (old, new)]
    same = all(np.allclose(before, after, rtol=1e-9, atol=1e-9) for before, after in zip(*ahead, strict=True))
    return same and bool(np.abs(cells[1] - cells[0]).sum() <= 2e-7 * cells[0].sum())
