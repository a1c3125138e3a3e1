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
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.io.paths import resolve_inside
from optimizer.io.yaml import load_yaml
from optimizer.plan.calendar import Calendar
from optimizer.plan.rowchecks import key_columns
from optimizer.plan.tables import Table

KEY = "from"
_NEVER = np.datetime64("NaT", "D")
SUMS = ("units", "deals", "revenue", "margin", "commission", "hours")
"""Metrics whose amounts by period are read from the run's sales table."""
LOWER = ("at_least", "growth", "equals", "between")
TIME = ("period", "quarter", "year")
STATES = {("marketing", "opening_stock"), ("customers", "customers")}
"""Table and column of a plan that an opening state is written into."""
SPENT = "spent_before"
"""Spend of the periods before the plan, the last one last: what carryover by a profile starts from."""
DEALS = "deals_on_their_way"
"""Deals that a market's opportunities of earlier periods bring in each period from the first on; NaN in the
rows of markets that opportunities do not lead."""
HEADS = "heads_by_tenure"
"""Heads of a role at the start, by the periods that they have been there."""
JOINING = "joining"
"""Heads of a role that were hired before the plan and come in each of its periods."""
STARTED = "started"
"""Periods since an initiative started."""
BY_AGE = {"markets": (DEALS,), "roles": (HEADS, JOINING)}
"""Table -> its states that have a value for each period before or after the start."""
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
        now = openings["period"].astype(str) == calendar.period[0]
        for (table, column), rows in openings[now].groupby(["table", "column"]):
            values = dict(zip(rows["row"].astype(str), rows["value"].astype(float), strict=True))
            if table not in found:
                continue
            if (table, column) in STATES:
                found[str(table)] = _with_states(found[str(table)], str(column), values)
            elif (table, column) == ("sellers", "from"):
                found["sellers"] = _with_people(found["sellers"], values)
            elif (table, column) == ("initiatives", STARTED):
                found |= with_running(found, values, calendar)
        if "marketing" in found:
            found["marketing"] = _with_spent(found["marketing"], openings, calendar)
        # Facts are newer than the run: with them the pipeline says what is on its way at the day of `as_of`.
        known = {name: columns for name, columns in BY_AGE.items() if name != "markets" or not calendar.past}
        for name, columns in known.items():
            if name in found and "after" in openings:
                found[name] = _with_ages(found[name], openings[now & (openings["table"] == name)], columns)
        if "markets" in found and DEALS in found["markets"].by_period:
            # Open deals of the day on which the year began are among them, or closed.
            found.pop("pipeline", None)
        return found

    def running(self, tables: Mapping[str, Table], calendar: Calendar) -> list[dict[str, Any]]:
        """Must-rules that let initiatives which are running go on: they start on the first day."""
        path = self.folder / "tables" / "openings.parquet"
        if not path.is_file() or "initiatives" not in tables:
            return []
        openings = pd.read_parquet(path)
        now = (openings["period"].astype(str) == calendar.period[0]) & (openings["column"] == STARTED)
        ages = dict(zip(openings["row"][now].astype(str), openings["value"][now], strict=True))
        left = left_of(tables["initiatives"], ages)
        return [
            {
                "name": f"initiative:{name}",
                "metric": "starts",
                "where": {"initiative": name},
                "at_least": 1,
                "must": True,
            }
            for name, periods in left.items()
            if periods > 0
        ]


def _with_states(table: Table, column: str, values: Mapping[str, float]) -> Table:
    numbers = table.numbers(column).copy()
    for row, key in enumerate(row_keys(table)):
        numbers[row] = values.get(key, numbers[row])
    if np.isnan(numbers).all():
        return table
    return table.replace(frame=table.frame.assign(**{column: numbers}))


def _with_people(table: Table, days: Mapping[str, float]) -> Table:
    """Seats that were filled are people, present since their first day."""
    frame, keys = table.frame.copy(), row_keys(table)
    filled = np.array([key in days for key in keys])
    first = np.array([int(days.get(key, 0)) for key in keys], dtype="datetime64[D]")
    frame["status"] = np.where(filled, "present", frame["status"].astype(object))
    given = (
        np.asarray(frame["from"], dtype="datetime64[D]") if "from" in frame else np.full(len(keys), _NEVER)
    )
    frame["from"] = np.where(filled, first, given)
    return table.replace(frame=frame)


def fitted(values: NDArray[np.float64], periods: int) -> NDArray[np.float64]:
    """States (rows, any) as (rows, periods): what lies behind is left out, what is missing is 0."""
    known = values[:, :periods]
    return np.pad(known, ((0, 0), (0, periods - known.shape[1])))


def _with_ages(table: Table, states: pd.DataFrame, columns: tuple[str, ...]) -> Table:
    """States by row and periods before or after the start as arrays; NaN for rows without any."""
    more = {}
    for column in columns:
        rows = states[states["column"] == column]
        if len(rows):
            wide = rows.pivot(index="row", columns="after", values="value")
            known = wide.reindex(columns=range(int(wide.columns.max()) + 1)).fillna(0.0)
            more[column] = known.reindex(row_keys(table)).to_numpy()
    return table.replace(by_period={**table.by_period, **more}) if more else table


def _with_spent(table: Table, openings: pd.DataFrame, calendar: Calendar) -> Table:
    """The spend of earlier periods as a column by period, for rows whose carryover is a profile."""
    rows = openings[(openings["table"] == "marketing") & (openings["column"] == SPENT)]
    if not len(rows):
        return table
    wide = rows.pivot(index="row", columns="period", values="value")[list(dict.fromkeys(rows["period"]))]
    earlier = list(wide.columns).index(calendar.period[0]) if calendar.period[0] in wide.columns else 0
    spent = wide.reindex(row_keys(table)).fillna(0.0).to_numpy()[:, :earlier]
    return table.replace(by_period={**table.by_period, SPENT: spent}) if earlier else table


def left_of(initiatives: Table, ages: Mapping[str, float]) -> dict[str, float]:
    """Periods that initiatives which started so many periods ago still run; inf to the end of the plan."""
    lasts = np.nan_to_num(initiatives.numbers("duration"), nan=np.inf)
    names = initiatives.text("initiative")
    return {name: float(lasts[row]) - ages[name] for row, name in enumerate(names) if name in ages}


def with_running(
    tables: Mapping[str, Table], ages: Mapping[str, float], calendar: Calendar
) -> dict[str, Table]:
    """Initiatives and effects as they are at the first period when these initiatives started earlier.

    What runs starts on the first day, is paid, has proved what it required, and runs and works for what is
    left; what is over may not start again.
    """
    table, names = tables["initiatives"], tables["initiatives"].text("initiative")
    left = left_of(table, ages)
    frame, running = table.frame.copy(), np.array([left.get(name, 0.0) > 0 for name in names])
    begun = np.array([name in left for name in names])
    first = calendar.starts[0].astype("datetime64[D]")
    for column in ("earliest", "latest"):
        given = np.asarray(frame[column], "datetime64[D]") if column in frame else np.full(len(names), _NEVER)
        frame[column] = np.where(running, first, np.where(begun, first - np.timedelta64(1, "D"), given))
    for column in ("cost", "benefit"):
        if column in frame:
            frame[column] = np.where(begun, 0.0, frame[column])
    if "requires" in frame:
        frame["requires"] = np.where(begun, "", frame["requires"].astype(object))
    if "duration" in frame:
        frame["duration"] = [
            left[name] if go else old for name, go, old in zip(names, running, frame["duration"], strict=True)
        ]
    found = {"initiatives": table.replace(frame=frame)}
    if "effects" in tables:
        found["effects"] = _later(tables["effects"], ages)
    return found


def _later(effects: Table, ages: Mapping[str, float]) -> Table:
    """Effects counted from the first period: what has worked already lasts so much less."""
    frame = effects.frame.copy()
    age = np.array([ages.get(name, 0.0) for name in effects.text("initiative")])
    after = np.nan_to_num(effects.numbers("after")) - age
    lasts = effects.numbers("lasts") + np.minimum(after, 0.0)
    frame["after"], frame["lasts"] = np.maximum(after, 0.0), lasts
    over = np.flatnonzero(lasts <= 0)
    kept = np.setdiff1d(np.arange(len(frame)), over)
    rows = effects.rows[kept] if len(effects.rows) == len(frame) else effects.rows
    return effects.replace(frame=frame.iloc[kept].reset_index(drop=True), rows=rows)


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
