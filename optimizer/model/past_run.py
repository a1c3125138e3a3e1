"""Figures of another run, from the sales table of its folder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.io.paths import resolve_inside
from optimizer.model.scopes import Members
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan

FloatArray = NDArray[np.float64]

SALES_TABLE = "tables/sales.parquet"
SUMS = ("units", "deals", "revenue", "margin", "commission", "hours")


def run_figures(plan: Plan, run: str, metric: str, by: Sequence[str], members: Members) -> FloatArray:
    """A metric of another run for each member (K,), in the periods of its scope; 0 where that run sold
    nothing.

    `run` is a run folder inside the plan's folder. Raises `InputError` when it is not one, when the metric
    is not a column of its sales table, or when it has no such column.
    """
    name = f"{run.rstrip('/')}/{SALES_TABLE}"
    path = resolve_inside(plan.folder, name)
    if not path.is_file():
        raise InputError("model.run_missing", Place(file=plan.file, value=run), run=run, table=SALES_TABLE)
    if metric not in SUMS:
        raise InputError("model.run_metric", Place(file=name), metric=metric, known=", ".join(SUMS))
    frame = pd.read_parquet(path)
    if "period" in members.where and "period" in frame.columns:
        frame = frame[frame["period"].astype(str).isin(members.where["period"])]
    missing = [column for column in by if column not in frame.columns]
    if missing:
        raise InputError(
            "model.run_column",
            Place(file=name),
            column=missing[0],
            nearest=nearest(missing[0], frame.columns),
        )
    totals = frame.groupby([frame[column].astype(str) for column in by])[metric].sum()
    keys = [label if len(by) > 1 else label[0] for label in members.labels]
    return np.asarray(totals.reindex(pd.Index(keys, tupleize_cols=len(by) > 1)).fillna(0.0), dtype=np.float64)
