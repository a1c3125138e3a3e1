"""`from: RUN`: a plan of part of a year takes targets and opening states from the run of the whole year.

    target of a rule = what the run plans in this plan's periods, for each member with a target there
    opening state    = what the run plans at the start of this plan's first period

Sums over sales become amounts of these periods; every other target (a ratio, a share, an upper bound) holds
as it is written in the run's plan. A target of this plan with the same name is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import InputError, Place
from optimizer.io.paths import resolve_inside
from optimizer.io.yaml import load_yaml
from optimizer.plan.calendar import Calendar
from optimizer.plan.rowchecks import key_columns
from optimizer.plan.tables import Table

KEY = "from"
SUMS = ("units", "deals", "revenue", "margin", "commission", "hours")
"""Metrics whose amounts by period are read from the run's sales table."""
LOWER = ("at_least", "growth", "equals", "between")
TIME = ("period", "quarter", "year")
STATES = {("marketing", "opening_stock"), ("customers", "customers")}
"""Table and column of a plan that an opening state is written into."""
FILES = ("summary.json", "inputs/plan.yaml", "tables/sales.parquet", "tables/openings.parquet")


@dataclass(frozen=True)
class AnnualRun:
    """The folder of a run inside the plan's own."""

    name: str
    folder: Path
    place: Place
    files: Mapping[str, Path] = field(default_factory=dict)
    """Name relative to the plan's folder -> file, of everything that is read."""

    @classmethod
    def find(cls, folder: Path, name: str, place: Place) -> AnnualRun:
        """The run; raises `InputError` where there is none inside the plan's folder."""
        root = resolve_inside(folder, name, place)
        if not (root / "tables" / "sales.parquet").is_file() or not (root / "inputs" / "plan.yaml").is_file():
            raise InputError("batch.from_no_run", place, name=name)
        found = {f"{name.rstrip('/')}/{file}": root / file for file in FILES if (root / file).is_file()}
        return cls(name, root, place, found)

    def targets(self, own: Mapping[str, Any], calendar: Calendar) -> list[dict[str, Any]]:
        """The targets of the run's plan for these periods, without those that the plan has itself.

        Raises `InputError` where the run does not cover the periods.
        """
        document = load_yaml(self.folder / "inputs" / "plan.yaml", f"{self.name}/inputs/plan.yaml")
        sales = self._sales(calendar)
        given = document.data.get("targets") or []
        rules = [given] if isinstance(given, dict) else given if isinstance(given, list) else []
        taken = {rule.get("name") for rule in own.get("targets") or [] if isinstance(rule, dict)}
        return [one for rule in rules if rule.get("name") not in taken for one in _of_rule(rule, sales, self)]

    def _sales(self, calendar: Calendar) -> pd.DataFrame:
        sales = pd.read_parquet(self.folder / "tables" / "sales.parquet")
        known = set(sales["period"].astype(str))
        missing = [period for period in calendar.period if period not in known]
        if missing:
            raise InputError("batch.from_other_periods", self.place, name=self.name, period=missing[0])
        return sales[sales["period"].astype(str).isin(calendar.period)]

    def opened(self, tables: Mapping[str, Table], calendar: Calendar) -> dict[str, Table]:
        """The tables with the run's states at the start of the first period put in, row by key."""
        path, found = self.folder / "tables" / "openings.parquet", dict(tables)
        if not path.is_file():
            return found
        openings = pd.read_parquet(path)
        openings = openings[openings["period"].astype(str) == calendar.period[0]]
        for (table, column), rows in openings.groupby(["table", "column"]):
            if (table, column) in STATES and table in found:
                values = dict(zip(rows["row"].astype(str), rows["value"].astype(float), strict=True))
                found[str(table)] = _with_states(found[str(table)], str(column), values)
        return found


def _with_states(table: Table, column: str, values: Mapping[str, float]) -> Table:
    numbers = table.numbers(column).copy()
    for row, key in enumerate(row_keys(table)):
        numbers[row] = values.get(key, numbers[row])
    if np.isnan(numbers).all():
        return table
    return table.replace(frame=table.frame.assign(**{column: numbers}))


def row_keys(table: Table) -> list[str]:
    """What tells the rows of a table apart, as one text each."""
    names = sorted(key_columns(table))
    columns = [table.frame[name].astype(str).tolist() for name in names]
    return [" / ".join(parts) for parts in zip(*columns, strict=True)]


def _of_rule(rule: Mapping[str, Any], sales: pd.DataFrame, run: AnnualRun) -> list[dict[str, Any]]:
    """One target of the run's plan as targets of these periods: one a member of its columns."""
    kept = {key: value for key, value in rule.items() if key != "each"}
    each = rule.get("each") or []
    columns = [name for name in ([each] if isinstance(each, str) else each) if name not in TIME]
    bounds = [name for name in LOWER if name in rule]
    if rule.get("metric") not in SUMS or not bounds or "of" in rule:
        maps = [value for key, value in rule.items() if isinstance(value, dict) and key != "where"]
        # A map by quarter names quarters that this plan does not have.
        return [] if maps and len(columns) < len([each] if isinstance(each, str) else each) else [
            {**kept, **({"each": columns} if columns else {})}
        ]  # fmt: skip
    inside = _in_scope(sales, rule.get("where") or {}, run)
    plain = {key: value for key, value in kept.items() if key not in LOWER}
    name = str(rule.get("name") or rule["metric"])
    if not columns:
        return [{**plain, "name": name, "at_least": _amount(inside[rule["metric"]].sum())}]
    missing = [column for column in columns if column not in inside.columns]
    if missing:
        raise InputError("batch.from_no_column", run.place, name=run.name, column=missing[0])
    found = []
    for labels, value in inside.groupby(columns, sort=True)[rule["metric"]].sum().items():
        members = labels if isinstance(labels, tuple) else (labels,)
        where = {**(rule.get("where") or {}), **dict(zip(columns, map(str, members), strict=True))}
        member = " / ".join(map(str, members))
        found.append({**plain, "name": f"{name} {member}", "where": where, "at_least": _amount(value)})
    return found


def _amount(value: float) -> float:
    # A hair less than the run plans, so that the rounding of its solver is not asked for.
    return float(value) * (1.0 - 1e-9)


def _in_scope(sales: pd.DataFrame, where: Mapping[str, Any], run: AnnualRun) -> pd.DataFrame:
    inside = np.ones(len(sales), dtype=np.bool_)
    for column, wanted in where.items():
        if column in TIME:
            continue
        if column not in sales.columns:
            raise InputError("batch.from_no_column", run.place, name=run.name, column=column)
        labels = [wanted] if not isinstance(wanted, list) else wanted
        inside &= sales[column].astype(str).isin([str(label) for label in labels]).to_numpy()
    return sales[inside]
