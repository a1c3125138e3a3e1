"""What a plan had in closed periods, by seller and market, where facts are coarser: the table `planned`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.plan.actuals import Facts
from optimizer.plan.scopes import market_dimensions
from optimizer.plan.tables import ALL, Table
from optimizer.result.activities import NOISE
from optimizer.result.solution import Solution

PLANNED_FILE = "planned.csv"


def planned_table(solution: Solution, facts: Facts) -> Table | None:
    """A row for each seller, market and closed period in which the plan sells, of pairs that share a pool of
    facts with others; what the plan itself kept of earlier plans stays. None where nothing is open."""
    rows = _rows(solution, facts)
    before = solution.plan.tables.get("planned")
    frames = [] if before is None else [before.frame]
    if len(rows):
        frames.append(rows)
    if not frames:
        return None
    frame = pd.concat(frames, ignore_index=True)
    labels = tuple(name for name in frame.columns if name not in ("period", "units"))
    for name in labels:
        frame[name] = frame[name].fillna(ALL).astype("str")
    return Table("planned", frame, file=PLANNED_FILE, rows=np.arange(len(frame)) + 2, labels=labels)


def _rows(solution: Solution, facts: Facts) -> pd.DataFrame:
    """Period, keys and units of what the plan sells in its own closed periods."""
    pool, pair = facts.pairs
    shared = np.zeros(solution.sellers.num_pairs, dtype=np.bool_)
    shared[pair[np.bincount(pool, minlength=facts.size)[pool] > 1]] = True
    first = solution.inputs.past
    sold = np.where(shared[:, None], np.asarray(solution.sales)[:, first : facts.past], 0.0)
    at, step = np.nonzero(sold > NOISE)
    plan, cube = solution.plan, solution.sellers
    columns = {"period": [plan.calendar.period[first + one] for one in step]}
    sellers = cube.inputs.selling.sellers.labels if "sellers" in plan.tables else {}
    if sellers:
        seller = cube.groups.first[cube.pair_seat[at]]
        columns["seller"] = [sellers["seller"][one] for one in seller]
    for name, labels in market_dimensions(plan.tables["markets"]).items():
        key = f"market.{name}" if name in sellers else name
        columns[key] = [labels[one] for one in cube.pair_market[at]]
    return pd.DataFrame({**columns, "units": sold[at, step]})
