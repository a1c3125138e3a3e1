"""`apportion track`: the plan solved as it was, compared with its facts, and carried to the end of the
horizon."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.errors import InputError, NoPlanError, Place
from optimizer.io.write import csv_text
from optimizer.plan.inputs import resolve
from optimizer.plan.load import Content, plan_of
from optimizer.plan.tables import Table
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.tracking import Tracking, compare, track
from optimizer.tracking.planned import PLANNED_FILE
from optimizer.tracking.rates import carried_rates, rates_table
from optimizer.tracking.tracking import Comparison, as_expected
from scenarios.crmfacts import crm_facts
from scenarios.factplan import (
    ACTUALS_FILE,
    CUSTOMERS_FILE,
    PIPELINE_FILE,
    RATES_FILE,
    Source,
    as_of_facts,
    completed,
    facts_frame,
    of_today,
    open_source,
    plan_text,
    quiet,
    read_facts,
    with_facts,
    with_planned,
    with_rates,
)
from scenarios.forecast import Forecaster
from scenarios.moving import MOVES_FILE, SELLERS_FILE
from scenarios.store import FORMAT, PLAN_FILE, Inputs, refuse_foreign

if TYPE_CHECKING:
    import pandas as pd

FILE_WIDTH = 100
WRITTEN = {
    "customers": CUSTOMERS_FILE, "pipeline": PIPELINE_FILE, "planned": PLANNED_FILE,
    "sellers": SELLERS_FILE, "moves": MOVES_FILE,
}  # fmt: skip
"""Tables that a new run has other than its parent, and their files."""


@dataclass(frozen=True)
class Tracked:
    """A plan with its facts, compared and carried on."""

    source: Source
    settings: SolveSettings
    solution: Solution
    """The plan as it was promised."""
    content: Content
    """The plan with facts and measured rates, as its run folder keeps it."""
    facts: Table
    rates: Table | None
    assumed: tuple[str, ...]
    """Measures that were taken from the plan because facts do not tell them."""
    tracking: Tracking
    seconds: Mapping[str, float]

    @property
    def comparison(self) -> Comparison:
        """Plan and fact to date."""
        return self.tracking.comparison


def tracked(
    path: Path,
    actuals: Path | None = None,
    as_of: datetime.date | None = None,
    settings: SolveSettings | None = None,
    on_phase: Callable[[str], None] | None = None,
    mapping: Path | None = None,
) -> Tracked:
    """Compare a plan or run with its facts and forecast the end of its horizon.

    With a mapping of `fit`, `actuals` is a CRM or order export.
    Raises `InputError` for what cannot be read, and `NoPlanError` where the plan itself has no solution.
    """
    announce, started = on_phase or (lambda name: None), time.perf_counter()
    announce("read")
    source = open_source(path)
    if mapping is not None and actuals is not None:
        given = crm_facts(actuals, mapping, source.base, as_of)
    else:
        given = read_facts(source, actuals)
    day = as_of_facts(source, given, as_of)
    # Facts are checked before the plan is solved, so that a slip costs no minute.
    plan_with = plan_of(with_facts(source, given, day))
    given_facts = resolve(plan_with).facts
    assert given_facts is not None
    chosen = _settings(source, settings)
    solution = solve(source.base, chosen)
    if not solution.has_plan:
        raise NoPlanError("tracking.no_plan", status=str(solution.status), reason=solution.reason)
    past = plan_with.calendar.past
    facts, assumed = completed(given, solution, past)
    plan_told = with_planned(with_facts(source, facts, day), solution, given_facts)
    told = resolve(plan_of(plan_told)).facts
    assert told is not None
    inputs = resolve(plan_of(of_today(plan_told, solution, told)))
    comparison = compare(solution, inputs, assumed)
    rates = rates_table(comparison)
    in_force = carried_rates(source.base.tables.get("rates"), rates)
    content = of_today(with_rates(plan_told, in_force), solution, told)
    ends = Forecaster(resolve(plan_of(content)), as_expected(comparison)).kept(solution)
    found = track(comparison, ends)
    seconds = {**solution.seconds, "track": time.perf_counter() - started}
    return Tracked(source, chosen, solution, content, facts, rates, assumed, found, seconds)


def _settings(source: Source, given: SolveSettings | None) -> SolveSettings:
    """The settings of a run where it is one: what was promised is solved as it was, with who listens."""
    if given is None or not source.is_run:
        return quiet(given or source.settings)
    return quiet(source.settings, interrupt=given.interrupt, on_stage=given.on_stage)


def input_files(run: Tracked) -> dict[str, bytes]:
    """The files of the plan with its facts: those of the source, the plan file and the new tables."""
    base = run.source.base
    files = dict(Inputs.of(base).files)
    files.pop(base.file, None)
    note = f"Plan with facts to {run.comparison.inputs.plan.spec.calendar.as_of}; from {run.source.path.name}"
    files[PLAN_FILE] = plan_text(run.content, note).encode()
    files[ACTUALS_FILE] = csv_text(facts_frame(run.facts)).encode("utf-8-sig")
    for name, file in WRITTEN.items():
        if file in str(run.content.data["tables"].get(name)):
            files[file] = csv_text(_as_written(run.content.tables[name])).encode("utf-8-sig")
    if run.rates is not None:
        files[RATES_FILE] = csv_text(run.rates.frame).encode("utf-8-sig")
    return files


def _as_written(table: Table) -> pd.DataFrame:
    """The rows of a table as its file would have them: days without a time, yes for flags."""
    frame = table.frame.copy()
    for name in frame.columns:
        if frame[name].dtype.kind == "M":
            frame[name] = frame[name].dt.strftime("%Y-%m-%d")
        elif frame[name].dtype.kind == "b":
            frame[name] = ["yes" if value else "" for value in frame[name]]
    return frame


def tracking_summary(run: Tracked) -> dict[str, Any]:
    """What a program wants to know of a tracking."""
    plan = run.comparison.inputs.plan
    company = [one for one in run.tracking.standings if not one.scope]
    whole = next((split for split in run.comparison.splits if not split.scope), None)
    return {
        "format": FORMAT,
        "kind": "track",
        "name": plan.spec.name,
        "currency": plan.spec.currency,
        "language": plan.spec.language,
        "parent": parent_of(run.source),
        "as_of": str(plan.spec.calendar.as_of),
        "taken_from_plan": list(run.assumed),
        "company": [
            {
                "metric": one.metric, "plan_to_date": one.plan_to_date, "fact": one.fact,
                "forecast": one.forecast, "run_rate": one.run_rate, "target": one.target, "light": one.light,
            }
            for one in company
        ],
        "causes": {} if whole is None else {name: value / 100 for name, value in whole.causes.items()},
        "alerts": [
            {"rate": one.rate, "scope": one.scope, "member": one.member, "factor": one.factor}
            for one in run.comparison.drifts
            if one.alert
        ],
        "seconds": dict(run.seconds),
        "inputs": dict(plan.inputs),
    }  # fmt: skip


def parent_of(source: Source) -> dict[str, str]:
    """The plan or run that a new run comes from: its kind and name."""
    return {"kind": "run" if source.is_run else "plan", "path": str(source.path)}


def refuse_taken(folder: Path) -> None:
    """Raise `InputError` where a folder holds anything: a tracking is kept beside the runs before it."""
    refuse_foreign(folder)
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError("tracking.folder_taken", Place(file=folder.name))
