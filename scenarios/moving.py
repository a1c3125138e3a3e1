"""Moves of accounts, territories and sellers on a day, put into the plan of the rest."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optimizer.errors import InputError, Place
from optimizer.plan.load import Content, plan_of
from optimizer.plan.moves import handovers
from optimizer.plan.names import nearest
from optimizer.plan.read import read_table
from optimizer.plan.schema import TableSpec
from optimizer.plan.tables import ALL, Table
from optimizer.result.solution import Solution
from scenarios.factplan import Source

if TYPE_CHECKING:
    import pandas as pd

MOVES_FILE = "moves.csv"
SELLERS_FILE = "sellers_of_today.csv"


@dataclass(frozen=True)
class Moved:
    """The plan of the rest with its moves, and those of sellers that are in force by now."""

    content: Content
    labels: tuple[tuple[str, str, str], ...]
    """(seller, column of sellers, new label)."""


def read_moves(source: Source, file: Path | None) -> Table | None:
    """The table of moves: a file of its own, or the plan's; None without. Raises `InputError`."""
    if file is None:
        return source.moves
    return read_table(
        "moves", TableSpec(file=file.name), file.parent, source.base.calendar, Place(file=file.name)
    )


def with_moves(content: Content, table: Table, as_of: datetime.date) -> Moved:
    """The content in which accounts and territories move on their day, and sellers whose day has come have
    their new label; those of later days wait for the replan that comes after it.

    Raises `InputError` for sellers, columns and labels that the plan does not know.
    """
    data, tables = copy.deepcopy(dict(content.data)), dict(content.tables)
    about_sellers = np.array([bool(name) for name in table.choices("column")], dtype=np.bool_)
    due = np.asarray(table.frame["date"], dtype="datetime64[D]") <= np.datetime64(as_of)
    labels = []
    for row in np.flatnonzero(about_sellers & due).tolist():
        tables["sellers"], change = _relabelled(tables.get("sellers"), table, row)
        labels.append(change)
    if labels:
        data["tables"]["sellers"] = {"file": SELLERS_FILE}
    rest = _joined(tables.get("moves"), table.some_rows(~(about_sellers & due)))
    if len(rest):
        tables["moves"] = rest
        data["tables"]["moves"] = {"file": MOVES_FILE}
    found = content.replace(data=data, tables=tables)
    plan_of(found)
    return Moved(found, tuple(labels))


def _joined(first: Table | None, second: Table) -> Table:
    """Both tables, the earlier moves first; keys that one has not are `*` in it."""
    import pandas as pd

    if first is None:
        return second
    names = tuple(dict.fromkeys([*first.labels, *second.labels]))
    frame = pd.concat([first.frame, second.frame], ignore_index=True)
    for name in names:
        frame[name] = frame[name].fillna(ALL).astype("str")
    if "column" in frame.columns:
        frame["column"] = frame["column"].fillna("").astype("str")
    return second.replace(frame=frame, rows=np.concatenate([first.rows, second.rows]), labels=names)


def _relabelled(sellers: Table | None, moves: Table, row: int) -> tuple[Table, tuple[str, str, str]]:
    """The sellers with the new label of one of them, and the change."""
    seller, column, label = (moves.text(name)[row] for name in ("seller", "column", "to"))
    place = moves.place(row, "column", column)
    known = [] if sellers is None else [name for name in sellers.labels if name != "seller"]
    if sellers is None or column not in known:
        raise InputError("moves.column_unknown", place, column=column, known=", ".join(known) or "-")
    if sellers.by_period:
        raise InputError("moves.sellers_by_period", Place(file=sellers.file), column=column)
    names, labels = sellers.text("seller"), sellers.text(column)
    if seller not in names:
        where = moves.place(row, "seller", seller)
        raise InputError("plan.unknown_label", where, column="seller", nearest=nearest(seller, names))
    if label not in labels:
        where, told = moves.place(row, "to", label), ", ".join(dict.fromkeys(labels))
        raise InputError("moves.label_unknown", where, label=label, column=column, known=told)
    labels = [label if name == seller else old for name, old in zip(names, labels, strict=True)]
    return sellers.replace(frame=sellers.frame.assign(**{column: labels})), (seller, column, label)


def moved_sales(frame: pd.DataFrame, old: Solution, content: Content) -> pd.DataFrame:
    """The last plan's table of sales with what moves under the seller who has it then, so that the plan of
    the rest stays near to it there."""
    plan = plan_of(content)
    sellers, markets = old.inputs.selling.sellers, old.inputs.markets
    known = list(markets.labels)
    keys = list(zip(*(frame[_column(frame, name)].astype(str) for name in known), strict=True))
    found = frame.copy()
    period = {label: at for at, label in enumerate(plan.calendar.period)}
    at = np.array([period[str(label)] for label in frame["period"]])
    for move in handovers(plan, sellers.names, markets):
        own = {tuple(labels[row] for labels in markets.labels.values()) for row in move.markets.tolist()}
        rows = np.array([key in own for key in keys], dtype=np.bool_) & (at >= move.first)
        rows &= (found["seller"] == sellers.names[move.giver]).to_numpy()
        found.loc[rows, "seller"] = sellers.names[move.taker]
    return found


def _column(frame: pd.DataFrame, name: str) -> str:
    return name if name in frame.columns else f"market.{name}"


def near_columns(old: Solution, new: Mapping[str, list[str]]) -> list[str]:
    """Columns by which the plan of the rest stays near when something moves: the seller, and the columns of
    markets that sellers have not, whose labels may part from the markets' by a move."""
    return ["seller", *(name for name in old.inputs.markets.labels if name not in new)]
