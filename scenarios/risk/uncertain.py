"""Uncertain numbers of a plan: which cells of which table each one moves, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.columns import TABLES
from optimizer.plan.names import nearest
from optimizer.plan.source import KeyPath, Source
from optimizer.plan.tables import Table
from scenarios.risk.distributions import Distribution, distribution_of, pert
from scenarios.risk.schema import FROM_COLUMNS, RiskSpec, UncertainSpec
from scenarios.rows import column_of, matching

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CATEGORIES = {
    "markets": "market", "market_size": "market", "profiles": "market",
    "stages": "customer", "yields": "customer", "customers": "customer", "pipeline": "customer",
    "sellers": "execution", "territories": "execution", "initiatives": "execution", "effects": "execution",
    "roles": "execution", "marketing": "financial", "curves": "financial", "resources": "financial",
    "uses": "execution", "tiers": "financial",
}  # fmt: skip
"""Table -> the category whose numbers move together unless the file says otherwise."""
FINANCIAL = ("price", "unit_cost", "margin_rate", "extra_price", "cost")
ACTIONS = ("multiply", "add", "shift")


@dataclass(frozen=True)
class Variable:
    """One uncertain number: `action` (multiply, add, set, shift) on `rows` of a column, by a distribution.

    `set` takes a value a row: PERT between `<column>_low` and `<column>_high` of the row.
    """

    name: str
    category: str
    table: str
    column: str
    rows: IntArray
    action: str
    distribution: Distribution

    def amounts(self, u: float) -> FloatArray:
        """The factor, amount, value a row or periods at a uniform number."""
        value = np.asarray(self.distribution.quantile(np.array([u])), dtype=np.float64)
        return value.ravel() if self.action == "set" else value[:1]

    def figure(self, u: FloatArray) -> FloatArray:
        """The number for many uniforms (N,); of values a row, their sum over that of the likely ones."""
        if self.action != "set":
            return np.asarray(self.distribution.quantile(u), dtype=np.float64)
        values = np.array([self.amounts(float(one)).sum() for one in u])
        likely = self.distribution.likely
        return values / likely if likely else values


def variables_of(
    spec: RiskSpec, tables: Mapping[str, Table], source: Source, folder: Path
) -> tuple[Variable, ...]:
    """Every uncertain number of a risk file, in its order; raises `InputError` with the place."""
    found: list[Variable] = []
    for at, entry in enumerate(spec.uncertain):
        path: KeyPath = ("uncertain", at) if len(spec.uncertain) > 1 else ("uncertain",)
        if isinstance(entry, str):
            found += _from_columns(entry, tables, source, path)
        else:
            found += _of_entry(entry, tables, source, path, folder)
    names = [variable.name for variable in found]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise InputError("risk.uncertain_twice", source.place(("uncertain",)), name=twice)
    return tuple(found)


def _from_columns(text: str, tables: Mapping[str, Table], source: Source, path: KeyPath) -> list[Variable]:
    """A variable for each column with a low and a high beside it: all rows at the same quantile."""
    if " ".join(text.split()) != FROM_COLUMNS:
        raise InputError("risk.uncertain_text", source.place(path, text), known=FROM_COLUMNS)
    found = []
    for name, table in tables.items():
        for declared in TABLES[name].columns:
            ends = (f"{declared.name}_low", declared.name, f"{declared.name}_high")
            if declared.kind not in ("number", "money") or not all(
                end in table.frame.columns for end in ends
            ):
                continue
            low, likely, high = (table.numbers(end) for end in ends)
            rows = np.flatnonzero(~np.isnan(low) & ~np.isnan(high) & ~np.isnan(likely))
            if len(rows):
                found.append(_by_row(name, declared.name, rows, (low[rows], likely[rows], high[rows])))
    if not found:
        raise InputError("risk.no_columns", source.place(path, text))
    return found


def _by_row(
    table: str, column: str, rows: IntArray, ends: tuple[FloatArray, FloatArray, FloatArray]
) -> Variable:
    distribution = Distribution("pert", lambda u: pert(u[:, None], *ends), float(ends[1].sum()))
    return Variable(f"{table}.{column}", category_of(table, column), table, column, rows, "set", distribution)


def category_of(table: str, column: str) -> str:
    """The category of a column unless the file names one."""
    return "financial" if column in FINANCIAL else CATEGORIES.get(table, "market")


def _of_entry(
    entry: UncertainSpec, tables: Mapping[str, Table], source: Source, path: KeyPath, folder: Path
) -> list[Variable]:
    given = [action for action in ACTIONS if getattr(entry, action) is not None]
    if len(given) != 1:
        raise InputError("risk.one_action", source.place(path), found=", ".join(given) or "-")
    action = given[0]
    if entry.table not in tables:
        near = nearest(entry.table, tables)
        raise InputError(
            "plan.unknown_table", source.place((*path, "table"), entry.table), name=entry.table, nearest=near
        )
    table = tables[entry.table]
    distribution = distribution_of(getattr(entry, action), source, (*path, action), folder)
    column = _column(entry, table, action, source, path)
    rows = np.flatnonzero(matching(table, entry.where, source, (*path, "where")))
    if action != "shift":
        _refuse_blanks(table, column, rows, source, path)
    base = entry.name or (f"{entry.table}.{column}" if column else f"{entry.table}.shift")
    category = entry.category or category_of(entry.table, column)
    return [
        Variable(f"{base} {label}".strip(), category, entry.table, column, part, action, distribution)
        for label, part in _members(table, entry.each, rows, source, path)
    ]


def _column(entry: UncertainSpec, table: Table, action: str, source: Source, path: KeyPath) -> str:
    if action == "shift":
        if entry.table != "profiles":
            raise InputError("scenarios.shift_profiles", source.place(path), table=entry.table)
        return ""
    if entry.column is None:
        raise InputError("scenarios.column_missing", source.place(path))
    return column_of(table, entry.column, source.place((*path, "column"), entry.column))


def _refuse_blanks(table: Table, column: str, rows: IntArray, source: Source, path: KeyPath) -> None:
    values = table.by_period[column].sum(axis=1) if column in table.by_period else table.numbers(column)
    blank = np.isnan(values[rows])
    if blank.any():
        cell = table.place(int(rows[int(blank.argmax())]), column)
        raise InputError("risk.blank_cell", source.place((*path, "column")), cell=cell)


def _members(
    table: Table, each: Sequence[str], rows: IntArray, source: Source, path: KeyPath
) -> list[tuple[str, IntArray]]:
    """The rows of each combination of labels, in the order of the table."""
    if not each:
        return [("", rows)]
    columns: list[list[Any]] = []
    for at, name in enumerate(each):
        place = source.place((*path, "each", at), name)
        column = column_of(table, name, place)
        if column not in table.frame.columns:
            known = ", ".join(table.frame.columns)
            raise InputError("scenarios.where_column", place, column=column, known=known)
        columns.append(table.frame[column].to_numpy()[rows].tolist())
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, key in zip(rows.tolist(), zip(*columns, strict=True), strict=True):
        groups.setdefault(key, []).append(row)
    return [(" / ".join(map(str, key)), np.array(part, dtype=np.int64)) for key, part in groups.items()]
