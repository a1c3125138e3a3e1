"""Monday on the pack of the whole chain: five months of facts, tracked and planned again, with the seconds.

The facts of the pack were made here, from its own plan: 12 % more opportunities of the premium line, a
quarter fewer of its quotes signed from February on, orders of customers as planned within 2 %, and rounding
to whole deals with a little noise (seed 20270531). `--write` makes them again after its data have changed.

    python -m benchmarks.monday [--write] [--json FILE]
    python -m benchmarks.monday --same

With `--same` the facts equal the plan, and nothing may move.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution
from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.standing import STANDS
from optimizer.tracking.moves import starts_frame
from optimizer.tracking.stageflow import entering_stages, opportunities_by_market
from scenarios.factplan import open_source
from scenarios.monday import Asked, replan_run, track_run

PACK = Path(__file__).parent.parent / "scenarios" / "examples" / "premium_chain"
FACTS = PACK / "actuals.csv"
MONTHS = 5
SAME = ((), ("sales_channel",), ("seller",))
"""Columns that facts which equal the plan have beside the market."""
MORE_LEADS, FEWER_SIGNED = 1.12, 0.75
FloatArray = NDArray[np.float64]


def write_facts() -> None:
    """Write five months of facts into the pack, from its plan without them."""
    solution = solve(open_source(PACK).base, SolveSettings(marginal_values=False, leverage=False))
    facts(solution).to_csv(FACTS, index=False)


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
    paid = 1.0 + 0.01 * random.standard_normal(units.shape)
    rows: list[dict[str, Any]] = []
    for market, month in np.ndindex(sold.shape):
        keys = {name: labels[market] for name, labels in markets.labels.items()}
        row = {"period": solution.plan.calendar.period[month], **keys}
        price = markets.price[market, month] * paid[market, month]
        revenue = round(float(units[market, month] * price), -2)
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
    started = time.perf_counter()
    tracked = track_run(PACK, Asked(FACTS))
    middle = time.perf_counter()
    again = replan_run(PACK, Asked(FACTS))
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


def same_facts(solution: Solution, more: Sequence[str]) -> pd.DataFrame:
    """The first months of a plan as facts would tell them: what was sold by market and `more` columns, and
    the opportunities that came."""
    keys = ["period", *solution.sellers.markets.labels]
    frame = sales(solution).rename(columns={"market.region": "region"})
    sold = frame.loc[:, ~frame.columns.duplicated()]
    sold = sold.groupby([*keys, *more], as_index=False)[["units", "revenue"]].sum()
    came = [
        {**dict(zip(keys, label, strict=True)), **dict.fromkeys(more, "*"), "opportunities": value}
        for label, value in figures(solution, "opportunities", keys)
    ]
    closed = solution.plan.calendar.period[:MONTHS]
    found = pd.concat([sold, pd.DataFrame(came)]).groupby([*keys, *more], as_index=False).sum(min_count=1)
    return found[found["period"].isin(closed)]


def run_same() -> dict[str, Any]:
    """What moves when the facts equal the plan, by the columns that facts have beside the market."""
    solution = solve(open_source(PACK).base, SolveSettings(marginal_values=False, leverage=False))
    return {" and ".join(["market", *more]): _same(solution, more) for more in SAME}


def _same(solution: Solution, more: Sequence[str]) -> dict[str, Any]:
    """Causes, decisions, open revenue, contribution of the year."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "same.csv"
        same_facts(solution, more).to_csv(file, index=False)
        again = replan_run(PACK, Asked(file)).replanned
    assert again is not None
    old, new = again.tracked.solution, again.solution
    price = old.metrics.coefficient("revenue")[:, MONTHS:]
    cells = [np.asarray(one.sales)[:, MONTHS:] * price for one in (old, new)]
    decided = [
        np.abs(np.subtract(*(one.activities.blocks[name].values(one.x)[:, MONTHS:] for one in (new, old))))
        for name, block in old.activities.blocks.items()
        if block.decision and name != "sales"
    ]
    causes = [abs(value) for split in again.tracked.comparison.splits for value in split.causes.values()]
    return {
        "stands": any(key == STANDS for key, _ in new.notes),
        "largest_cause": max(causes) / 100,
        "largest_change_of_a_decision": max(float(change.max(initial=0.0)) for change in decided),
        "open_revenue": float(cells[0].sum()),
        "open_revenue_moved": float(np.abs(cells[1] - cells[0]).sum()),
        "contribution": float(new.figure("contribution") - old.figure("contribution")),
    }


def main() -> None:
    """Print what was found, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="make the facts of the pack again")
    parser.add_argument("--same", action="store_true", help="facts that equal the plan")
    chosen = parser.parse_args()
    if chosen.write:
        write_facts()
    found = run_same() if chosen.same else run()
    print(found.pop("page", ""))
    text = json.dumps(found, indent=2)
    print(text)
    if chosen.json is not None:
        chosen.json.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
