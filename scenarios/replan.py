"""`apportion replan`: the rest of the horizon planned again from facts, near the last plan."""

from __future__ import annotations

import copy
import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optimizer.errors import NoPlanError
from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan
from optimizer.plan.tables import ALL, Table
from optimizer.report.changed import Before, changed_section
from optimizer.report.monday import MondayPage, Section, Speaker, monday_page
from optimizer.report.replanned import replan_sections
from optimizer.result.activities import decisions
from optimizer.result.kpis import scope_columns
from optimizer.result.solution import Solution, Status
from optimizer.result.tables import label_columns, sales, tables
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.standing import KEPT, STANDS
from optimizer.tracking.moves import levels_frame, moves_frame, moves_of, starts_frame
from optimizer.tracking.tables import tracking_frames
from optimizer.tracking.unchanged import is_unchanged
from scenarios.factplan import plan_text
from scenarios.kept import money_metric
from scenarios.moving import SELLERS_FILE, Moved, moved_sales, near_columns, with_moves
from scenarios.store import PLAN_FILE, Inputs, summary
from scenarios.tracking import Tracked, input_files, tracking_summary
from scenarios.week import Week

if TYPE_CHECKING:
    import pandas as pd

LAST_PLAN = "last_plan"
"""Folder of the last plan's sales inside the inputs of a replan."""
NEAR = "near the last plan"
MOST_CELLS = 20_000
"""Cells of the open periods up to which a replan stays near each of them; beyond, near sellers and markets
apart would be a larger model than the plan itself."""


@dataclass(frozen=True, eq=False)
class Replanned:
    """The rest of the horizon planned again."""

    tracked: Tracked
    solution: Solution
    files: Mapping[str, bytes]
    """The inputs of the new run."""
    free: Solution | None
    """The same without nearness to the last plan: what stability costs; None where it was not asked."""
    softened: bool
    """Whether facts broke must-rules, so that they gave way as little as they must."""
    moved: Moved | None = None
    """Accounts, territories and sellers that moved; None where nothing did."""


def replanned(run: Tracked, stable: bool = True, moves: Table | None = None) -> Replanned:
    """Plan the rest again, with moves that came since; raises `NoPlanError` where no plan exists even with
    must-rules giving way."""
    moved = None
    if moves is not None:
        as_of = run.comparison.inputs.plan.spec.calendar.as_of
        assert as_of is not None
        moved = with_moves(run.content, moves, as_of)
        run = replace(run, content=moved.content)
    base, settings = dict(run.content.data), run.settings
    data = _near(base, run) if stable else base
    with tempfile.TemporaryDirectory() as folder:
        found, softened, files = _solved(run, data, Path(folder), settings)
        if stable and moves is None and not _stands(found) and is_unchanged(run.comparison):
            as_it_was = _files(run, _near(base, run, kept=True))
            kept = solve(_written(as_it_was, Path(folder) / "kept"), settings)
            if _stands(kept):
                found, softened, files = kept, False, as_it_was
        free = None
        if stable and found.has_plan:
            loose = _softened(base) if softened else base
            free = solve(_written(_files(run, loose), Path(folder) / "free"), settings)
    if not found.has_plan:
        raise NoPlanError("tracking.no_plan", status=str(found.status), reason=found.reason)
    return Replanned(run, found, files, free, softened, moved)


def _stands(solution: Solution) -> bool:
    """Whether a plan is the last one as it is."""
    return any(key in (STANDS, KEPT) for key, _ in solution.notes)


def _solved(
    run: Tracked, data: dict[str, Any], folder: Path, settings: SolveSettings
) -> tuple[Solution, bool, dict[str, bytes]]:
    """The plan of the rest and its files; where must-rules cannot hold any more, with them as first
    targets."""
    files = _files(run, data)
    found = solve(_written(files, folder / "plan"), settings)
    if found.status is not Status.NO_PLAN:
        return found, False, files
    files = _files(run, _softened(data))
    return solve(_written(files, folder / "soft"), settings), True, files


def _files(run: Tracked, data: Mapping[str, Any]) -> dict[str, bytes]:
    """The inputs of a replan: those of its tracking with another plan file, and the last plan's sales."""
    files = input_files(run)
    note = f"The rest planned again from {run.source.path.name}"
    files[PLAN_FILE] = plan_text(run.content.replace(data=data), note).encode()
    last = sales(run.solution)
    if "moves" in run.content.tables:
        last = moved_sales(last, run.solution, run.content)
    for name, frame in (("sales", last), ("decisions", decisions(run.solution))):
        written = io.BytesIO()
        frame.to_parquet(written, engine="pyarrow", index=False)
        files[f"{LAST_PLAN}/tables/{name}.parquet"] = written.getvalue()
    return files


def _written(files: Mapping[str, bytes], folder: Path) -> Plan:
    """The plan of some files, read from a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    Inputs(files).write(folder, PLAN_FILE)
    return load_plan(folder)


def _near(base: Mapping[str, Any], run: Tracked, kept: bool = False) -> dict[str, Any]:
    """The plan file with nearness to the last plan as the stage behind its targets; with `kept` that plan is
    the answer wherever it is possible."""
    data = copy.deepcopy(dict(base))
    solution = run.solution
    # Without a table of sellers there is one, whom the plan file does not know.
    left_out = ("unit", "status") if "sellers" in data["tables"] else ("unit", "status", "seller")
    columns = [name for name, _ in label_columns(solution) if name not in left_out]
    if "moves" in data["tables"] or SELLERS_FILE in str(data["tables"].get("sellers")):
        columns = near_columns(solution, solution.inputs.selling.sellers.labels)
    calendar = run.comparison.inputs.plan.calendar
    if solution.sellers.num_pairs * (calendar.size - calendar.past) > MOST_CELLS:
        columns = [name for name in columns if name != "seller"]
    entry: dict[str, Any] = {"name": NEAR, "metric": "revenue", "by": [*columns, "period"]}
    entry |= {"to": {"run": LAST_PLAN}, "keep": "if_possible" if kept else "if_as_good"}
    near = [part for part in data.get("stay_near", []) if part.get("name") != NEAR]
    last = max((rule.priority or 0 for rule in run.comparison.inputs.plan.rules), default=0)
    data["stay_near"] = [*near, {**entry, "priority": last + 1}]
    return data


def _softened(base: Mapping[str, Any]) -> dict[str, Any]:
    """The plan file with its must-rules as targets before all others, and without bands of balance."""
    data = copy.deepcopy(dict(base))
    for kind in ("targets", "budgets", "limits"):
        rules = data.get(kind)
        if not rules:
            continue
        data[kind] = [_soft(rule, kind) for rule in ([rules] if isinstance(rules, dict) else rules)]
    for entry in data.get("balance", []):
        entry.pop("within", None)
    for entry in data.get("stay_near", []):
        if "priority" in entry:
            entry["priority"] = int(entry["priority"]) + 1
    return data


def _soft(rule: Mapping[str, Any], kind: str) -> dict[str, Any]:
    must = rule.get("must", kind != "targets")
    if must in (True, "true"):
        return {**rule, "must": False, "priority": 1}
    if "penalty" in rule:
        return dict(rule)
    return {**rule, "priority": int(rule.get("priority", 1)) + 1}


def stability(run: Replanned) -> tuple[float, float] | None:
    """What nearness costs in contribution (revenue where the plan knows no margin), and the revenue of open
    cells that a free plan would move away from the last plan; None where it was not asked."""
    if run.free is None or not run.free.has_plan:
        return None
    metric = money_metric(run.solution.model)
    near, free = (float(found.figure(metric)) for found in (run.solution, run.free))
    past = run.solution.inputs.past
    # Where accounts move the old plan has other cells, so that the near plan stands for it.
    last = run.solution if run.moved is not None else run.tracked.solution
    cells = [found.metrics.by_cell("revenue", found.x)[:, past:] for found in (last, run.free)]
    moved = np.abs(cells[1] - cells[0])
    return near - free, float(moved.sum()) / 2.0


def replan_frames(run: Replanned) -> dict[str, pd.DataFrame]:
    """The tables of the new plan, of its tracking, and of what moved: replan, replan_starts, quota_moves."""
    old, new = run.tracked.solution, run.solution
    frames = {**tables(new), **tracking_frames(run.tracked.tracking)}
    frames["replan"] = levels_frame(old, new, scope_columns(new))
    frames["replan_starts"] = starts_frame(old, new)
    moves = moves_of(old, new)
    if moves:
        frames["quota_moves"] = moves_frame(moves)
    return frames


def replan_page(
    run: Replanned, frames: Mapping[str, pd.DataFrame], before: Before | None, week: Week
) -> MondayPage:
    """The Monday page with what planning again changes."""
    old, new = run.tracked.solution, run.solution
    sections = (
        _moves(run),
        *replan_sections(
            old,
            new,
            frames["replan"],
            frames["replan_starts"],
            moves_of(old, new),
            stability(run),
            run.softened,
        ),
    )
    tracking, since = run.tracked.tracking, None if before is None else before.forecast
    changed = changed_section(tracking, before, frames["decisions"])
    more = (changed, *sections, *week.sections)
    return monday_page(tracking, week.closing, since, more, run.tracked.assumed)


def _moves(run: Replanned) -> Section:
    """What changes hands, and from when."""
    if run.moved is None:
        return Section("")
    speaker = Speaker(run.solution)
    notes = [
        speaker.say("seller_moves", seller=seller, column=column, label=label)
        for seller, column, label in run.moved.labels
    ]
    table = run.moved.content.tables.get("moves")
    for row in range(0 if table is None else len(table)):
        assert table is not None
        keys = [table.text(name)[row] for name in table.labels]
        column = table.choices("column")[row]
        notes.append(
            speaker.say(
                "seller_will_move" if column else "account_moves",
                what=" / ".join(key for key in keys if key != ALL) or ALL,
                seller=table.text("seller")[row],
                to=table.text("to")[row],
                column=column,
                day=str(table.frame["date"][row].date()),
            )
        )
    return Section(speaker.say("title_moves"), notes=notes, rank=3)


def replan_summary(run: Replanned, settings: SolveSettings) -> dict[str, Any]:
    """summary.json of the new plan, with the parent, the tracking and the price of stability."""
    found = summary(run.solution, settings)
    tracking = tracking_summary(run.tracked)
    kept = ("parent", "as_of", "company", "causes", "alerts", "taken_from_plan")
    price = stability(run)
    more = {name: tracking[name] for name in kept}
    more["stability"] = None if price is None else {"contribution": price[0], "revenue_moved": price[1]}
    return {**found, "kind": "replan", "rules_gave_way": run.softened, **more}
