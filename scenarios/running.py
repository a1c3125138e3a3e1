"""One run of one plan: read, solve, say, and keep; what `apportion solve` does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optimizer.comparing import PlanComparison, compare_solvers
from optimizer.plan.load import load_plan
from optimizer.quotas.precheck import refuse_quotas
from optimizer.quotas.run import quota_letters
from optimizer.report.compose import page
from optimizer.result.solution import Solution
from optimizer.result.tables import tables
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.keeping import keep
from scenarios.store import Inputs, left_out, refuse_foreign, save_run, summary

FILE_WIDTH = 100
"""Columns of the page that is kept in the run folder."""


@dataclass(frozen=True)
class Run:
    """A plan with its answer."""

    solution: Solution
    summary: dict[str, Any]
    """What summary.json holds."""


def run_plan(
    file: Path,
    out: Path | None = None,
    settings: SolveSettings | None = None,
    on_phase: Callable[[str], None] | None = None,
    kept: Path | None = None,
) -> Run:
    """Read a plan file, solve it, and put the run folder in the place of `out`.

    With `kept`, a run folder, its plan is kept in this one instead of looking for a better one. `on_phase` is
    called with read and write before these. Raises `InputError` where the plan cannot be read or `out` not be
    written; whatever comes of the solve itself is in the run.
    """
    settings = settings or SolveSettings()
    announce = on_phase or (lambda name: None)
    started = time.perf_counter()
    if out is not None:
        refuse_foreign(out)
    announce("read")
    plan = load_plan(file)
    refuse_quotas(plan)
    inputs = Inputs.of(plan)
    read_seconds = time.perf_counter() - started
    log = [f"{plan.spec.name}: {file.name}"]
    settings_used = replace(settings, log=_both(log, settings.log))
    solution = solve(plan, settings_used) if kept is None else keep(plan, kept, settings_used)
    found = summary(solution, settings, {"read": read_seconds})
    found["kept"] = None if kept is None else kept.name
    if out is not None:
        announce("write")
        frames = tables(solution)
        found["workbook_leaves_out"] = left_out(frames)
        text = page(solution, FILE_WIDTH, folder=out.name)
        save_run(out, plan, inputs, frames, text, found, log, quota_letters(solution))
    return Run(solution, found)


def _both(lines: list[str], other: Callable[[str], None] | None) -> Callable[[str], None]:
    """Keep each line, and hand it on."""

    def take(line: str) -> None:
        lines.append(line)
        if other is not None:
            other(line)

    return take


def compare_file(
    file: Path,
    solvers: Sequence[str],
    *,
    stage: str | None = None,
    time_limit: float | None = None,
    relax: bool = False,
    interrupt: threading.Event | None = None,
    on_solver: Callable[[str], None] | None = None,
) -> PlanComparison:
    """Read a plan file and solve one of its stages by several solvers; raises like `compare_solvers`."""
    settings = SolveSettings(time_limit=time_limit, interrupt=interrupt)
    return compare_solvers(load_plan(file), solvers, settings, relax=relax, stage=stage, on_start=on_solver)
