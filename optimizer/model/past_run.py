"""Figures and decisions of another run, from the tables of its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.io.paths import resolve_inside
from optimizer.model.blocks import ActivityBlock
from optimizer.model.cube import Cube
from optimizer.model.scopes import SALES, Members
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import market_dimensions

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SALES_TABLE = "tables/sales.parquet"
DECISIONS_TABLE = "tables/decisions.parquet"
SUMS = ("units", "deals", "revenue", "margin", "commission", "hours")


def run_figures(
    plan: Plan, run: str, metric: str, by: Sequence[str], members: Members, seats: Mapping[str, str]
) -> FloatArray:
    """A metric of another run for each member (K,), in the periods of its scope; 0 where that run sold
    nothing.

    `run` is a run folder inside the plan's folder, `seats` names the seat of each seller. Raises like
    `run_totals`.
    """
    totals = run_totals(plan, run, metric, by, members.where.get("period"), seats)
    keys = [label if len(by) > 1 else label[0] for label in members.labels]
    return np.asarray(totals.reindex(pd.Index(keys, tupleize_cols=len(by) > 1)).fillna(0.0), dtype=np.float64)


def run_totals(
    plan: Plan,
    run: str,
    metric: str,
    by: Sequence[str],
    periods: Sequence[str] | None,
    seats: Mapping[str, str],
) -> pd.Series[float]:
    """A metric of another run by the labels of some columns, in some periods (None: all); sellers under the
    names of `seats`.

    Raises `InputError` when `run` is no run folder inside the plan's folder, when the metric is not a column
    of its sales table, or when it has no such column.
    """
    name = f"{run.rstrip('/')}/{SALES_TABLE}"
    path = resolve_inside(plan.folder, name)
    if not path.is_file():
        raise InputError("model.run_missing", Place(file=plan.file, value=run), run=run, table=SALES_TABLE)
    if metric not in SUMS:
        raise InputError("model.run_metric", Place(file=name), metric=metric, known=", ".join(SUMS))
    frame = pd.read_parquet(path)
    if periods is not None and "period" in frame.columns:
        frame = frame[frame["period"].astype(str).isin(periods)]
    missing = [column for column in by if column not in frame.columns]
    if missing:
        raise InputError(
            "model.run_column",
            Place(file=name),
            column=missing[0],
            nearest=nearest(missing[0], frame.columns),
        )
    keys = [frame[column].astype(str) for column in by]
    keys = [key.map(lambda label: seats.get(label, label)) if key.name == "seller" else key for key in keys]
    return frame.groupby(keys)[metric].sum()


@dataclass(frozen=True)
class PastPlan:
    """A plan of an earlier run by labels: sales (P, T) by seller and market, decisions by their rows."""

    sellers: tuple[str, ...]
    markets: tuple[str, ...]
    periods: tuple[str, ...]
    sales: FloatArray
    decisions: Mapping[str, tuple[tuple[str, ...], FloatArray]]
    """Activity -> label of each row, and its amounts (rows, T)."""

    def cells(self, cube: Cube) -> FloatArray:
        """Planned sales of each seat group (P, T): the sum over its sellers; 0 for what was not planned."""
        names = cube.inputs.selling.sellers.names
        group = {name: int(cube.groups.group[seller]) for seller, name in enumerate(names)}
        market = {name: position for position, name in enumerate(cube.markets.names)}
        seat = np.array([group.get(name, -1) for name in self.sellers], dtype=np.int64)
        row = np.array([market.get(name, -1) for name in self.markets], dtype=np.int64)
        cells = np.zeros((cube.num_pairs, cube.num_periods))
        if not cube.num_pairs:
            return cells
        count = len(cube.markets.names)
        pair_key = cube.pair_seat * count + cube.pair_market
        order = np.argsort(pair_key)
        key = np.where((seat >= 0) & (row >= 0), seat * count + row, -1)
        slot = np.minimum(np.searchsorted(pair_key[order], key), len(order) - 1)
        found = np.flatnonzero((key >= 0) & (pair_key[order[slot]] == key))
        own, theirs = _shared(cube.calendar.period, self.periods)
        np.add.at(cells, np.ix_(order[slot[found]], own), self.sales[np.ix_(found, theirs)])
        return cells

    def knows(self, cube: Cube, block: ActivityBlock) -> bool:
        """Whether any row of a block (for sales: any cell) has labels that the run has, or the run has
        nothing."""
        if block.name == SALES:
            return not self.sales.any() or bool(self.cells(cube).any())
        names, amounts = self.decisions.get(block.name, ((), np.zeros((0, 0))))
        return not amounts.any() or bool(set(names) & set(block.row_names))

    def amounts(self, cube: Cube, block: ActivityBlock) -> FloatArray:
        """Planned amounts of a decision under the plan's own rows and periods; 0 for new rows."""
        nothing: tuple[tuple[str, ...], FloatArray] = ((), np.zeros((0, len(self.periods))))
        names, amounts = self.decisions.get(block.name, nothing)
        found = np.zeros((block.num_rows, block.num_periods))
        own, theirs = _shared(cube.calendar.period[: block.num_periods], self.periods)
        rows, source = _shared(block.row_names, names)
        found[np.ix_(rows, own)] = amounts[np.ix_(source, theirs)]
        return found


def past_plan(plan: Plan, run: str, place: Place) -> PastPlan:
    """The plan of a run folder inside the plan's folder; raises `InputError` when it is not one."""
    return read_past_plan(resolve_inside(plan.folder, run), plan, place)


def read_past_plan(folder: Path, plan: Plan, place: Place) -> PastPlan:
    """The plan that a run folder holds, its markets named as in `plan`.

    Raises `InputError` when the folder holds no plan, or its sales lack a column of the plan's markets.
    """
    for table in (SALES_TABLE, DECISIONS_TABLE):
        if not (folder / table).is_file():
            raise InputError("model.run_missing", place, run=folder.name, table=table)
    sold, decided = (pd.read_parquet(folder / table) for table in (SALES_TABLE, DECISIONS_TABLE))
    periods = plan.calendar.period
    when = {period: at for at, period in enumerate(periods)}
    markets = _market_names(sold, plan, place)
    # Without a table of sellers the only one is named like the plan, whatever the run's plan was called.
    sellers = sold["seller"].astype(str) if "sellers" in plan.tables else [plan.spec.name] * len(sold)
    keys = pd.MultiIndex.from_arrays([sellers, markets])
    code, pairs = pd.factorize(keys)
    column = sold["period"].astype(str).map(when)
    known = column.notna().to_numpy()
    sales = np.zeros((len(pairs), len(periods)))
    np.add.at(sales, (code[known], column[known].astype(np.int64)), sold["units"].to_numpy()[known])
    return PastPlan(
        sellers=tuple(pair[0] for pair in pairs),
        markets=tuple(pair[1] for pair in pairs),
        periods=periods,
        sales=sales,
        decisions=_decisions(decided, when),
    )


def _market_names(sold: pd.DataFrame, plan: Plan, place: Place) -> list[str]:
    """The name of each row's market, from the columns that the markets of `plan` have."""
    columns = [name for name in market_dimensions(plan.tables["markets"])]
    found = []
    for column in columns:
        name = f"market.{column}" if f"market.{column}" in sold.columns else column
        if name not in sold.columns:
            raise InputError(
                "model.run_column", place, column=column, nearest=nearest(column, list(sold.columns))
            )
        found.append(sold[name].astype(str))
    return ["/".join(labels) for labels in zip(*found, strict=True)]


def _decisions(
    decided: pd.DataFrame, when: Mapping[str, int]
) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    found = {}
    for activity, rows in decided.groupby("activity", sort=False):
        code, names = pd.factorize(rows["row"].astype(str))
        column = rows["period"].astype(str).map(when)
        known = column.notna().to_numpy()
        amounts = np.zeros((len(names), len(when)))
        amounts[code[known], column[known].astype(np.int64)] = rows["amount"].to_numpy()[known]
        found[str(activity)] = (tuple(names), amounts)
    return found


def _shared(names: Sequence[str], others: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Positions of the names that both have, in the one and in the other."""
    position = {name: at for at, name in enumerate(others)}
    pairs = [(at, position[name]) for at, name in enumerate(names) if name in position]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
