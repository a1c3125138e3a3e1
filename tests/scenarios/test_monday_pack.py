"""The pack with facts tells its story: conversion of quotes is the cause, training and after-sales come forward."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from optimizer.plan.load import load_plan
from optimizer.report.monday import main_cause
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.tracking.moves import starts_frame
from scenarios.monday import Asked, replan_run

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
    import shutil

    from optimizer.plan.scopes import market_dimensions
    from optimizer.result.evaluate import figures
    from optimizer.result.tables import sales
    from optimizer.solving import solve
    from scenarios.factplan import open_source

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


def stays(old: Solution, new: Solution, past: int, price: NDArray[np.float64]) -> bool:
    """Whether two plans have the same decisions, and the same open cells within the 1e-7 of their revenue that the lock of
    nearness leaves."""
    cells = [np.asarray(one.sales)[:, past:] * price[:, past:] for one in (old, new)]
    decided = [name for name in ("start", "spend", "opened", "used", "hire") if name in old.activities.blocks]
    ahead = [[one.activities.blocks[name].values(one.x)[:, past:] for name in decided] for one in (old, new)]
    same = all(np.allclose(before, after, rtol=1e-9, atol=1e-9) for before, after in zip(*ahead, strict=True))
    return same and bool(np.abs(cells[1] - cells[0]).sum() <= 2e-7 * cells[0].sum())
