"""One run of `track` or `replan`: compare, say it on the Monday page, keep it beside the runs before it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.errors import InputError, Place
from optimizer.io.write import write_workbook
from optimizer.plan.plan import Plan
from optimizer.quotas.run import quota_letters
from optimizer.report.changed import Before, changed_section
from optimizer.report.monday import MondayPage, monday_page
from optimizer.report.monday_files import monday_html, monday_sheets, monday_text
from optimizer.result.kpis import COMPANY
from optimizer.settings import SolveSettings
from optimizer.tracking.tables import tracking_frames
from scenarios.moving import read_moves
from scenarios.replan import Replanned, replan_frames, replan_page, replan_summary, replanned
from scenarios.store import MARKER, Inputs, left_out, save_run
from scenarios.tracking import FILE_WIDTH, Tracked, input_files, refuse_taken, tracked, tracking_summary
from scenarios.week import week_of

if TYPE_CHECKING:
    import pandas as pd

HTML_FILE, BOOK_FILE = "monday.html", "monday.xlsx"


@dataclass(frozen=True)
class Asked:
    """What `track` and `replan` are asked: the facts, the run to compare with, the folder, and how much is
    solved for what delays cost."""

    actuals: Path | None = None
    mapping: Path | None = None
    """Mapping of `fit`, when the facts are a CRM or order export."""
    as_of: datetime.date | None = None
    since: Path | None = None
    out: Path | None = None
    moves: Path | None = None
    """Table of accounts, territories and sellers that move; the plan's own if not given."""
    delays: int | None = None
    """Solves at most for what a delay costs and what assumptions weigh; None for as many as the size of the
    plan lets the page afford."""
    settings: SolveSettings | None = None
    on_phase: Callable[[str], None] | None = None


@dataclass(frozen=True)
class MondayRun:
    """A tracking, or a plan of the rest, with its page."""

    tracked: Tracked
    page: MondayPage
    summary: dict[str, Any]
    replanned: Replanned | None = None
    """None for `track`."""

    def text(self, width: int = FILE_WIDTH, colour: bool = False, height: int | None = None) -> str:
        """The page, or one screen of so many lines of it."""
        return monday_text(self.page, width, colour, height)


def monday_settings(**given: Any) -> SolveSettings:
    """The settings of a solve whose figures alone are wanted."""
    return SolveSettings(marginal_values=False, leverage=False, **given)


def track_run(path: Path, asked: Asked) -> MondayRun:
    """Track a plan or run and put the run folder where nothing stands yet.

    Raises `InputError` for what cannot be read or written, and `NoPlanError` where the plan has no solution.
    """
    before, found = _begun(path, asked)
    week = week_of(found, None, asked.delays)
    changed = changed_section(found.tracking, before, week.frames["decisions"])
    since = None if before is None else before.forecast
    page = monday_page(found.tracking, week.closing, since, (changed, *week.sections), found.assumed)
    frames = {**tracking_frames(found.tracking), **week.frames}
    run = MondayRun(found, page, tracking_summary(found))
    if asked.out is not None:
        _save(asked.out, run, found.comparison.inputs.plan, input_files(found), frames)
    return run


def replan_run(path: Path, asked: Asked, stable: bool = True) -> MondayRun:
    """Track a plan or run, plan the rest again, and put the new run where nothing stands yet.

    Raises like `track_run`, and `NoPlanError` where the rest has no plan.
    """
    before, run = _begun(path, asked)
    found = replanned(run, stable, read_moves(run.source, asked.moves))
    run = found.tracked
    week = week_of(run, found.solution, asked.delays)
    frames = {**replan_frames(found), **week.frames}
    page = replan_page(found, frames, before, week)
    again = MondayRun(run, page, replan_summary(found, run.settings), found)
    if asked.out is not None:
        plan = found.solution.plan
        _save(asked.out, again, plan, found.files, frames, quota_letters(found.solution))
    return again


def _save(
    folder: Path,
    run: MondayRun,
    plan: Plan,
    files: Mapping[str, bytes],
    frames: Mapping[str, pd.DataFrame],
    letters: Mapping[str, str] | None = None,
) -> None:
    """Write the run folder, which names its parent: page as text, HTML and workbook, letters, tables, and the
    plan with its facts as inputs.

    Raises `InputError` where it cannot be written.
    """
    summary = {**run.summary, "workbook_leaves_out": left_out(frames)}
    texts = {**(letters or {}), HTML_FILE: monday_html(run.page)}
    save_run(folder, plan, Inputs(files), frames, monday_text(run.page, FILE_WIDTH), summary, letters=texts)
    write_workbook(monday_sheets(run.page), folder / BOOK_FILE)


def _begun(path: Path, asked: Asked) -> tuple[Before | None, Tracked]:
    """What the last run said, and the tracking of this one; a folder that is taken is refused first."""
    if asked.out is not None:
        refuse_taken(asked.out)
    before = None if asked.since is None else last_run(asked.since)
    found = tracked(path, asked.actuals, asked.as_of, asked.settings, asked.on_phase, asked.mapping)
    return before, found


def last_run(folder: Path) -> Before:
    """What an earlier tracking said; raises `InputError` where the folder holds none."""
    import pandas as pd

    marker, table = folder / MARKER, folder / "tables" / "tracking.parquet"
    if not marker.is_file() or not table.is_file():
        raise InputError("tracking.since_no_run", Place(file=folder.name))
    summary = json.loads(marker.read_text(encoding="utf-8"))
    tracking = pd.read_parquet(table)
    revenue = _by_member(tracking[tracking["metric"] == "revenue"])
    ends = {key: float(row["forecast"]) for key, row in revenue.items()}
    again = folder / "tables" / "replan.parquet"
    if again.is_file():
        # A plan that was made anew is what its run saw the year end with.
        ends |= {key: float(row["new_total"]) for key, row in _by_member(pd.read_parquet(again)).items()}
    rows = pd.read_parquet(folder / "tables" / "decisions.parquet").to_dict("records")
    as_of = datetime.date.fromisoformat(summary["as_of"])
    return Before(
        forecast=ends,
        alerts=frozenset((one["rate"], one["scope"], one["member"]) for one in summary["alerts"]),
        last_day=str(as_of - datetime.timedelta(days=1)),
        fact=float(revenue["", ""]["fact"]),
        lights={key: str(row["light"]) for key, row in revenue.items()},
        planned={(str(row["kind"]), str(row["name"])): str(row["planned"]) for row in rows},
    )


def _by_member(frame: pd.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of a table by (scope, member), the company with two blanks."""
    return {
        ("" if row["scope"] == COMPANY else str(row["scope"]), str(row["member"])): row
        for row in frame.to_dict("records")
    }
