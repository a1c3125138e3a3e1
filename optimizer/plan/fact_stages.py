"""Facts by stage: how many opportunities entered each stage of a pool in each closed period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.tables import ALL, Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Entered:
    """What entered a stage later than the first, E rows over T periods."""

    pool: IntArray
    """Pool of facts of each row (E,)."""
    stage: IntArray
    """Place of its stage among those of the plan (E,)."""
    told: FloatArray
    """Opportunities that entered it (E, T); NaN where nothing is told."""


NOTHING_ENTERED = Entered(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, 0)))


def stage_rows(table: Table) -> NDArray[np.bool_]:
    """Rows of `actuals` that tell of one stage (rows,); the others tell of all that is sold."""
    return np.array([name not in ("", ALL) for name in table.choices("stage")], dtype=np.bool_)


def entered_stages(plan: Plan, table: Table, pools: Table, period: IntArray) -> Entered:
    """The rows of stages (rows of `table`, in periods `period`) by pool and stage.

    Raises `InputError` for a stage that the plan does not know, for a row without opportunities, and for keys
    under which nothing else is told.
    """
    if not len(table):
        return NOTHING_ENTERED
    known = list(dict.fromkeys(plan.tables["stages"].text("stage"))) if "stages" in plan.tables else []
    pool_of = {key: at for at, key in enumerate(_keys(pools))}
    cells: dict[tuple[int, int], FloatArray] = {}
    counts = table.numbers("opportunities")
    for row, (name, key) in enumerate(zip(table.text("stage"), _keys(table), strict=True)):
        if name not in known:
            place = table.place(row, "stage", name)
            raise InputError("funnel.stage_unknown", place, stage=name, nearest=nearest(name, known))
        if np.isnan(counts[row]) or key not in pool_of:
            raise InputError("tracking.stage_alone", table.place(row, "stage", name), stage=name)
        empty = np.full(plan.calendar.size, np.nan)
        cells.setdefault((pool_of[key], known.index(name)), empty)[period[row]] = counts[row]
    pool, stage = np.array(list(cells), dtype=np.int64).T
    return Entered(pool, stage, np.array(list(cells.values())))


def _keys(table: Table) -> list[tuple[str, ...]]:
    if not table.labels:
        return [()] * len(table)
    return list(zip(*(table.text(name) for name in table.labels), strict=True))
