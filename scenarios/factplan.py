"""A plan and what has happened: the plan as it was solved, and the same plan with its facts."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from optimizer.errors import InputError, Place
from optimizer.io.yaml import load_yaml
from optimizer.plan.actuals import Facts
from optimizer.plan.calendar import Calendar
from optimizer.plan.fact_staff import STAFF, staff_rows
from optimizer.plan.fact_stages import stage_rows
from optimizer.plan.load import Content, as_written, plan_of, read_content
from optimizer.plan.plan import Plan
from optimizer.plan.read import read_table
from optimizer.plan.schema import TableSpec
from optimizer.plan.tables import ALL, Table
from optimizer.result.activities import NOISE
from optimizer.result.by_channel import by_channel
from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution
from optimizer.result.tables import label_columns
from optimizer.settings import SolveSettings
from optimizer.tracking.planned import PLANNED_FILE, planned_table
from optimizer.tracking.today import customers_today, opened_on, pipeline_today
from scenarios.explaining import plan_of_run
from scenarios.store import MARKER

if TYPE_CHECKING:
    import pandas as pd

ACTUALS_FILE = "actuals.csv"
RATES_FILE = "rates.csv"
CUSTOMERS_FILE = "customers_of_today.csv"
PIPELINE_FILE = "pipeline_of_today.csv"
ADDED = ("starts", "spend", "opportunities", *STAFF)
"""Measures that are taken from the plan where facts do not have them."""
FACT_TABLES = ("actuals", "rates", "planned")


@dataclass(frozen=True)
class Source:
    """What is tracked: a plan, or a run of one."""

    path: Path
    content: Content
    """The plan file and its tables as they were read."""
    base: Plan
    """The plan that was promised: of a plan file without its facts, of a run as it was solved."""
    settings: SolveSettings
    moves: Table | None = None
    """Moves that came after the plan was promised: those of its own table; those of a run are in it."""

    @property
    def is_run(self) -> bool:
        """Whether the source is a run folder."""
        return (self.path / MARKER).is_file()


def open_source(path: Path) -> Source:
    """Read a plan or the inputs of a run; raises `InputError` where it cannot be read."""
    file, settings = plan_of_run(path)
    document = load_yaml(file, file.name)
    content = read_content(as_written(document), file.parent, file.name, document.lines)
    if (path / MARKER).is_file():
        return Source(path, content, plan_of(content), settings)
    moves = content.tables.get("moves")
    content = _without(content, ("moves",))
    return Source(path, content, plan_of(without_facts(content)), settings, moves)


def _without(content: Content, names: tuple[str, ...]) -> Content:
    """The content without some tables."""
    data = copy.deepcopy(dict(content.data))
    data["tables"] = {name: table for name, table in data["tables"].items() if name not in names}
    return content.replace(
        data=data, tables={name: table for name, table in content.tables.items() if name not in names}
    )


def without_facts(content: Content) -> Content:
    """The content of a plan file without `as_of` and the tables about facts."""
    found = _without(content, FACT_TABLES)
    data = dict(found.data)
    data["calendar"] = {key: value for key, value in data["calendar"].items() if key != "as_of"}
    return found.replace(data=data)


def read_facts(source: Source, file: Path | None) -> Table:
    """The table of facts: a file of its own, read as the plan says it reads `actuals`, or the plan's own.

    Raises `InputError` where there is none or it cannot be read.
    """
    written = source.content.data["tables"].get("actuals")
    if file is None:
        if "actuals" not in source.content.tables:
            raise InputError("tracking.no_facts", Place(file=source.content.source.file))
        return source.content.tables["actuals"]
    options = {} if not isinstance(written, Mapping) else dict(written)
    spec = TableSpec.model_validate({**options, "file": file.name})
    return read_table("actuals", spec, file.parent, source.base.calendar, Place(file=file.name))


def as_of_facts(source: Source, table: Table, as_of: datetime.date | None) -> datetime.date:
    """The first day that is not a fact: as asked, else as the plan says, else behind the last period that the
    facts name."""
    if as_of is not None:
        return as_of
    calendar = source.base.calendar
    written = source.content.data["calendar"].get("as_of")
    if written is not None and not source.is_run:
        return datetime.date.fromisoformat(str(written))
    last = 0
    for row, label in enumerate(table.text("period")):
        try:
            last = max(last, int(calendar.positions(label)[-1]))
        except InputError as error:
            raise InputError(error.key, table.place(row, "period", label), **error.fields) from None
    day: datetime.date = calendar.ends[last].astype(object)
    return day


def with_facts(source: Source, table: Table, as_of: datetime.date) -> Content:
    """The content of the plan with facts."""
    content = without_facts(source.content)
    data = copy.deepcopy(dict(content.data))
    data["calendar"] = {**data["calendar"], "as_of": as_of.isoformat()}
    tables = {**content.tables, "actuals": table}
    if "pipeline" in tables:
        # What was open when the plan was made is timed from there.
        calendar = source.base.calendar
        tables["pipeline"] = opened_on(tables["pipeline"], calendar.starts[calendar.past])
    data["tables"] = {**data["tables"], "actuals": {"file": ACTUALS_FILE}}
    return content.replace(data=data, tables=tables)


def with_rates(content: Content, rates: Table | None) -> Content:
    """The content with measured rates, where there are any."""
    if rates is None or not len(rates):
        return content
    data = copy.deepcopy(dict(content.data))
    data["tables"]["rates"] = {"file": RATES_FILE}
    return content.replace(data=data, tables={**content.tables, "rates": rates})


def with_planned(content: Content, solution: Solution, facts: Facts) -> Content:
    """The content with what the plan had in closed periods, where facts leave open whose their sales are."""
    table = planned_table(solution, facts)
    if table is None:
        return content
    data = copy.deepcopy(dict(content.data))
    data["tables"]["planned"] = {"file": PLANNED_FILE}
    return content.replace(data=data, tables={**content.tables, "planned": table})


def of_today(content: Content, solution: Solution, facts: Facts) -> Content:
    """The content with the customers of `as_of`, as facts tell them or else as the plan expects them, and
    with what the plan knows of the deals that are open then."""
    tables = dict(content.tables)
    data = copy.deepcopy(dict(content.data))
    if facts.past:
        pipeline = pipeline_today(tables.pop("pipeline", None), solution, facts.past)
        data["tables"].pop("pipeline", None)
        if pipeline is not None:
            tables["pipeline"] = pipeline
            data["tables"]["pipeline"] = {"file": PIPELINE_FILE}
    expected = customers_today(solution, facts)
    if "customers" in tables and expected is not None:
        table = tables["customers"]
        told = dict(zip(("customers", "reached"), expected, strict=True))
        if solution.inputs.effects is None:
            del told["reached"]
        tables["customers"] = table.replace(frame=table.frame.assign(**told))
        data["tables"]["customers"] = {"file": CUSTOMERS_FILE}
    return content.replace(data=data, tables=tables)


def completed(table: Table, solution: Solution, past: int) -> tuple[Table, tuple[str, ...]]:
    """The facts with starts, hires, leavers and spend as planned where they say nothing of these at all.

    Returns the measures that were taken from the plan, so that they can be said.
    """
    rows: list[dict[str, Any]] = []
    assumed = []
    blocks = solution.activities.blocks
    for measure, block in (("starts", "start"), ("spend", "spend")):
        if block not in blocks or table.has(measure):
            continue
        if measure == "starts":
            amounts = np.round(blocks[block].values(solution.x)[:, :past])
        else:
            amounts = by_channel(solution, "marketing_cost")[:, :past]
        for at, period in np.argwhere(amounts > NOISE):
            labels = {name: values[at] for name, values in blocks[block].labels.items() if name != "owner"}
            rows.append(
                {**labels, "period": solution.plan.calendar.period[period], measure: amounts[at, period]}
            )
        if rows:
            assumed.append(measure)
    filled = _filled(table, solution, past)
    if filled:
        rows += filled
        assumed.append("hires")
    people = _staff(solution, past) if not any(table.has(name) for name in STAFF) else []
    if people:
        rows += people
        assumed.append("staff")
    came = _opportunities(solution, past) if not table.has("opportunities") else []
    if came:
        assumed.append("opportunities")
    return _extended(table, [*rows, *came], solution.plan.calendar), tuple(assumed)


def _filled(table: Table, solution: Solution, past: int) -> list[dict[str, Any]]:
    """Starts of the open seats that the plan fills in closed periods; none where facts tell of any seat."""
    block, seats = solution.activities.blocks.get("hire"), solution.inputs.selling.sellers.open_seats
    if block is None or seats is None:
        return []
    names = block.labels["seller"]
    told = table.text("seller") if table.has("starts") and "seller" in table.labels else []
    if any(seller in names and not np.isnan(table.numbers("starts")[row]) for row, seller in enumerate(told)):
        return []
    named = (seats.role < 0)[:, None]
    begun = np.argwhere((block.values(solution.x)[:, :past] > 0.5) & named).tolist()
    periods = solution.plan.calendar.period
    return [{"seller": names[at], "period": periods[period], "starts": 1.0} for at, period in begun]


def _staff(solution: Solution, past: int) -> list[dict[str, Any]]:
    """Hires and leavers of each role that the plan has in closed periods."""
    roles, blocks = solution.inputs.roles, solution.activities.blocks
    if roles is None:
        return []
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for measure, name in zip(STAFF, ("role_hire", "role_leave"), strict=True):
        amounts = blocks[name].values(solution.x)
        by_role = amounts.reshape(len(roles.names), -1, amounts.shape[1]).sum(axis=1)[:, :past]
        for role, at in np.argwhere(by_role > NOISE).tolist():
            keys = {"role": roles.names[role], "period": solution.plan.calendar.period[at]}
            found.setdefault((keys["role"], keys["period"]), dict(keys))[measure] = float(by_role[role, at])
    return list(found.values())


def _opportunities(solution: Solution, past: int) -> list[dict[str, Any]]:
    """The planned opportunities of each market and closed period, but where negative yields take more away
    than comes, which nobody counts; none without a funnel."""
    if solution.inputs.funnel is None:
        return []
    columns = [name for name, _ in label_columns(solution) if name in solution.sellers.markets.labels]
    found = figures(solution, "opportunities", [*columns, "period"])
    closed = set(solution.plan.calendar.period[:past])
    return [
        {**dict(zip([*columns, "period"], label, strict=True)), "opportunities": value}
        for label, value in found
        if label[-1] in closed and value >= 0
    ]


def _extended(table: Table, rows: list[dict[str, Any]], calendar: Calendar) -> Table:
    """The table with further rows, in which every key that they do not name is `*`; what a row of the table
    with the same keys leaves blank is written there."""
    import pandas as pd

    table, rows = _filled_in(table, rows, calendar)
    if not rows:
        return table
    known = {"period", *ADDED}
    labels = dict.fromkeys([*table.labels, *(name for row in rows for name in row if name not in known)])
    more = pd.DataFrame(rows)
    frame = pd.concat([table.frame, more], ignore_index=True)
    for name in labels:
        frame[name] = frame[name].fillna(ALL).astype("str")
    if "returned" in frame:
        frame["returned"] = [value is True or value == 1 for value in frame["returned"]]
    if "stage" in frame:
        frame["stage"] = frame["stage"].fillna("").astype("str")
    number = int(table.rows.max(initial=1))
    rows_of = np.concatenate([table.rows, number + 1 + np.arange(len(rows))])
    return table.replace(frame=frame, rows=rows_of, labels=tuple(labels))


def _filled_in(
    table: Table, rows: list[dict[str, Any]], calendar: Calendar
) -> tuple[Table, list[dict[str, Any]]]:
    """The table with the measures of those rows whose period and keys it has already, and all other rows."""
    apart = table.yes("returned") | stage_rows(table) | staff_rows(table)
    keys = zip(*(table.text(name) for name in ("period", *table.labels)), strict=True)
    place = {
        (int(calendar.positions(period)[0]), *labels): at
        for at, (period, *labels) in enumerate(keys)
        if not apart[at]
    }
    frame, left = table.frame.copy(), []
    for row in rows:
        told = {name: row[name] for name in ADDED if name in row}
        at = place.get(
            (int(calendar.positions(row["period"])[0]), *(row.get(name, ALL) for name in table.labels))
        )
        if at is None or not {*row} <= {"period", *table.labels, *told}:
            left.append(row)
            continue
        for name, value in told.items():
            frame[name] = frame.get(name, np.nan)
            frame.loc[frame.index[at], name] = value
    return table.replace(frame=frame), left


def facts_frame(table: Table) -> pd.DataFrame:
    """The facts as they are written into a run folder."""
    columns = ["period", *table.labels]
    rest = [name for name in table.frame.columns if name not in columns]
    frame = table.frame[[*columns, *rest]].copy()
    if "returned" in frame:
        frame["returned"] = ["yes" if value else "" for value in frame["returned"]]
    return frame


def plan_text(content: Content, note: str) -> str:
    """The plan file of a content, with a line that says where it comes from."""
    data = {key: _plain(value) for key, value in content.data.items()}
    body = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=100)
    return f"# {note}\n{body}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def quiet(settings: SolveSettings, **changes: Any) -> SolveSettings:
    """The settings of a solve whose figures alone are wanted."""
    return replace(settings, marginal_values=False, leverage=False, **changes)
