"""Monday on the pack of the whole chain: five months of facts, tracked and planned again, with the seconds.

The facts are made from the plan of the pack, so that they fit whatever its data are: 12 % more opportunities
of the premium line, a quarter fewer of its quotes signed from February on, orders of customers as planned
within 2 %, and rounding to whole deals with a little noise (seed 20270531). The windows of customer training
and after-sales service stay open until August: a plan that is told in May that quotes are missed still has
something to decide.

    python -m benchmarks.monday [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.tracking.moves import starts_frame
from optimizer.tracking.stageflow import entering_stages, opportunities_by_market
from scenarios.factplan import open_source
from scenarios.monday import Asked, replan_run, track_run

PACK = Path(__file__).parent.parent / "scenarios" / "examples" / "premium_chain"
MONTHS = 5
OPEN = ("Customer training", "After-sales service")
LATEST = "2027-08-31"
MORE_LEADS, FEWER_SIGNED = 1.12, 0.75
FloatArray = NDArray[np.float64]


def story(folder: Path) -> Solution:
    """The pack in a folder with the initiatives still open and five months of facts; gives its plan."""
    shutil.copytree(PACK, folder)
    initiatives = pd.read_csv(folder / "initiatives.csv", dtype=str, keep_default_na=False)
    initiatives.loc[initiatives["initiative"].isin(OPEN), "latest"] = LATEST
    initiatives.to_csv(folder / "initiatives.csv", index=False)
    solution = solve(open_source(folder).base, SolveSettings(marginal_values=False, leverage=False))
    facts(solution).to_csv(folder / "actuals.csv", index=False)
    return solution


def facts(solution: Solution) -> pd.DataFrame:
    """Units, revenue, opportunities and quotes of the first months, a row a market and month."""
    random = np.random.default_rng(20270531)
    cube, funnel = solution.sellers, solution.inputs.funnel
    assert funnel is not None and solution.sales is not None
    markets, quote = cube.markets, funnel.stages.names.index("quote")
    sold = np.zeros((len(markets.names), MONTHS))
    np.add.at(sold, cube.pair_market, solution.sales[:, :MONTHS])
    premium = np.array(markets.labels["line"]) == "premium"
    led = markets.is_new & funnel.led
    more = np.where(premium, MORE_LEADS, 1.0)
    entered = entering_stages(solution)[:, quote, :MONTHS] * _grown(funnel.stages.days[:, :quote], more)
    won = _grown(funnel.stages.days, more)
    won[:, 1:] *= np.where(premium, FEWER_SIGNED, 1.0)[:, None]
    growth = np.where(led[:, None], won, np.where(premium, 1.02, 0.995)[:, None])
    per_deal = markets.units_per_deal[:, :MONTHS]
    units = np.round(_noisy(sold / per_deal * growth, 0.35, random) * per_deal)
    came = _noisy(opportunities_by_market(solution)[:, :MONTHS] * more[:, None], 0.3, random)
    quotes = _noisy(entered, 0.2, random)
    rows: list[dict[str, Any]] = []
    for market, month in np.ndindex(sold.shape):
        keys = {name: labels[market] for name, labels in markets.labels.items()}
        row = {"period": solution.plan.calendar.period[month], **keys}
        revenue = round(float(units[market, month] * markets.price[market, month] * 0.998), -2)
        told = {"opportunities": came[market, month]} if led[market] else {}
        rows.append({**row, "units": units[market, month], "revenue": revenue, **told, "stage": ""})
        if led[market]:
            rows.append({**row, "stage": "quote", "opportunities": quotes[market, month]})
    return pd.DataFrame(rows)


def _grown(days: FloatArray, more: FloatArray) -> FloatArray:
    """What has grown of what comes out of some stages in each month, as more go in from January on (M, T)."""
    through = np.clip(np.arange(1, MONTHS + 1)[None, :] - days.sum(axis=1)[:, None] / 30.4375, 0.0, 1.0)
    return np.asarray(1.0 + (more[:, None] - 1.0) * through)


def _noisy(mean: FloatArray, share: float, random: np.random.Generator) -> FloatArray:
    """Whole numbers around a mean, with a share of the noise that counts have."""
    return np.maximum(np.round(mean + share * np.sqrt(mean) * random.standard_normal(mean.shape)), 0.0)


def run() -> dict[str, Any]:
    """The seconds of `track` and `replan`, the cause, and what the plan of the rest starts."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pack"
        story(folder)
        asked = Asked(folder / "actuals.csv")
        started = time.perf_counter()
        tracked = track_run(folder, asked)
        middle = time.perf_counter()
        again = replan_run(folder, asked)
        ended = time.perf_counter()
    assert again.replanned is not None
    whole = next(split for split in tracked.tracked.comparison.splits if not split.scope)
    company = next(one for one in tracked.tracked.tracking.standings if one.metric == "revenue")
    starts = starts_frame(again.tracked.solution, again.replanned.solution)
    moved = starts[~starts["state"].isin(["kept", "started"])]
    return {
        "track_seconds": middle - started,
        "replan_seconds": ended - middle,
        "deviation": (whole.fact - whole.plan) / 100,
        "causes": {name: value / 100 for name, value in whole.causes.items() if value},
        "target": company.target,
        "forecast": company.forecast,
        "replanned": float(again.replanned.solution.figure("revenue")),
        "starts": moved[["initiative", "old_start", "new_start", "state"]].to_dict("records"),
        "page": again.text(),
    }


def main() -> None:
    """Print what was found, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path)
    chosen, found = parser.parse_args(), run()
    print(found.pop("page"))
    text = json.dumps(found, indent=2)
    print(text)
    if chosen.json is not None:
        chosen.json.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
