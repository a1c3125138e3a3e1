"""One run of `track`: compare, say it on the Monday page, and keep it beside the runs before it."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Place
from optimizer.io.write import write_workbook
from optimizer.quotas.run import quota_letters
from optimizer.report.decisions import decision_section
from optimizer.report.monday import Before, MondayPage, monday_page
from optimizer.report.monday_files import monday_html, monday_sheets, monday_text
from optimizer.result.kpis import COMPANY
from optimizer.settings import SolveSettings
from scenarios.replan import Replanned, replan_frames, replan_page, replan_summary, replanned
from scenarios.store import MARKER, Inputs, left_out, save_run
from scenarios.tracking import FILE_WIDTH, Tracked, refuse_taken, save_tracking, tracked, tracking_summary

HTML_FILE, BOOK_FILE = "monday.html", "monday.xlsx"


@dataclass(frozen=True)
class MondayRun:
    """A tracking with its page."""

    tracked: Tracked
    page: MondayPage
    summary: dict[str, Any]

    def text(self, width: int = FILE_WIDTH, colour: bool = False) -> str:
        """The page for a terminal."""
        return monday_text(self.page, width, colour)


def track_run(
    path: Path,
    actuals: Path | None = None,
    *,
    mapping: Path | None = None,
    as_of: datetime.date | None = None,
    since: Path | None = None,
    out: Path | None = None,
    interrupt: threading.Event | None = None,
    on_phase: Callable[[str], None] | None = None,
) -> MondayRun:
    """Track a plan or run and put the run folder where nothing stands yet.

    Raises `InputError` for what cannot be read or written, and `NoPlanError` where the plan has no solution.
    """
    if out is not None:
        refuse_taken(out)
    before = None if since is None else last_run(since)
    settings = None if interrupt is None else SolveSettings(interrupt=interrupt)
    found = tracked(path, actuals, as_of, settings, on_phase, mapping)
    decide = decision_section(found.solution, found.comparison.inputs.past)
    page = monday_page(found.tracking, before, (decide,), found.assumed)
    if out is not None:
        text = monday_text(page, FILE_WIDTH)
        save_tracking(out, found, text, {HTML_FILE: monday_html(page)})
        write_workbook(monday_sheets(page), out / BOOK_FILE)
    return MondayRun(found, page, tracking_summary(found))


@dataclass(frozen=True)
class ReplanRun:
    """A plan of the rest with its page."""

    replanned: Replanned
    page: MondayPage
    summary: dict[str, Any]

    def text(self, width: int = FILE_WIDTH, colour: bool = False) -> str:
        """The page for a terminal."""
        return monday_text(self.page, width, colour)


def replan_run(
    path: Path,
    actuals: Path | None = None,
    *,
    mapping: Path | None = None,
    as_of: datetime.date | None = None,
    since: Path | None = None,
    out: Path | None = None,
    stable: bool = True,
    settings: SolveSettings | None = None,
    on_phase: Callable[[str], None] | None = None,
) -> ReplanRun:
    """Track a plan or run, plan the rest again, and put the new run where nothing stands yet.

    Raises like `track_run`, and `NoPlanError` where the rest has no plan.
    """
    if out is not None:
        refuse_taken(out)
    chosen = settings or SolveSettings(marginal_values=False, leverage=False)
    before = None if since is None else last_run(since)
    found = replanned(tracked(path, actuals, as_of, chosen, on_phase, mapping), chosen, stable)
    frames = replan_frames(found)
    page = replan_page(found, frames, before)
    told = replan_summary(found, chosen)
    if out is not None:
        told["workbook_leaves_out"] = left_out(frames)
        letters = {**quota_letters(found.solution), HTML_FILE: monday_html(page)}
        text = monday_text(page, FILE_WIDTH)
        save_run(out, found.solution.plan, Inputs(found.files), frames, text, told, letters=letters)
        write_workbook(monday_sheets(page), out / BOOK_FILE)
    return ReplanRun(found, page, told)


def last_run(folder: Path) -> Before:
    """What an earlier tracking said; raises `InputError` where the folder holds none."""
    import pandas as pd

    marker, table = folder / MARKER, folder / "tables" / "tracking.parquet"
    if not marker.is_file() or not table.is_file():
        raise InputError("tracking.since_no_run", Place(file=folder.name))
    frame = pd.read_parquet(table)
    revenue = frame[frame["metric"] == "revenue"]
    scopes = ["" if scope == COMPANY else str(scope) for scope in revenue["scope"]]
    keys = zip(scopes, revenue["member"].astype(str), strict=True)
    summary = json.loads(marker.read_text(encoding="utf-8"))
    alerts = {(one["rate"], one["scope"], one["member"]) for one in summary["alerts"]}
    return Before(dict(zip(keys, revenue["forecast"].tolist(), strict=True)), frozenset(alerts))
