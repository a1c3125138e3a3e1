"""Questions about a run: the plan that stands in its folder is solved again as it was, and explained."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.errors import InputError, LimitReachedError, NoPlanError, Place, SolverFailedError
from optimizer.plan.load import load_plan
from optimizer.quotas.explanation import Question, explain, explain_table
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.store import MARKER, PLAN_FILE

if TYPE_CHECKING:
    import pandas as pd

INPUTS = "inputs"


def question_of(nodes: Sequence[str], rule: str | None, span: str | None) -> Question:
    """A question from what the command line was given; raises `InputError` for a node that is not
    column=label."""
    labels = {}
    for text in nodes:
        column, sign, label = text.partition("=")
        if not sign or not column.strip() or not label.strip():
            raise InputError("quotas.node_form", Place(value=text))
        labels[column.strip()] = label.strip()
    return Question(labels, rule or "", span or "")


def plan_of_run(run: Path) -> tuple[Path, SolveSettings]:
    """The plan file behind a run folder and the settings that it was solved with; a plan file or its
    folder stand for themselves with the usual settings.

    Raises `InputError` for a run that kept another's plan.
    """
    marker = run / MARKER
    if not marker.is_file():
        return (run / PLAN_FILE if run.is_dir() else run), SolveSettings()
    known = {field.name for field in fields(SolveSettings)}
    summary: dict[str, Any] = json.loads(marker.read_text(encoding="utf-8"))
    if summary.get("kept"):
        raise InputError("modes.kept_unexplained", Place(file=run.name), run=summary["kept"])
    kept: dict[str, Any] = summary.get("options", {})
    return run / INPUTS / PLAN_FILE, SolveSettings(**{name: kept[name] for name in kept if name in known})


def solved_run(
    run: Path, interrupt: threading.Event | None = None, on_stage: Callable[[str], None] | None = None
) -> tuple[Solution, SolveSettings]:
    """The run solved again, without the figures that no explanation needs.

    Raises `InputError` where the plan cannot be read, and `NoPlanError`, `LimitReachedError` or
    `SolverFailedError` where there is none to explain.
    """
    file, kept = plan_of_run(run)
    settings = replace(kept, leverage=False, marginal_values=True, interrupt=interrupt, on_stage=on_stage)
    solution = solve(load_plan(file), settings)
    if not solution.has_plan:
        kinds = {error.exit_code: error for error in (NoPlanError, LimitReachedError, SolverFailedError)}
        kind = kinds[solution.exit_code]
        raise kind("quotas.nothing_to_explain", status=str(solution.status), reason=solution.reason)
    return solution, settings


def explanation(solution: Solution, settings: SolveSettings, question: Question, **paper: Any) -> str:
    """The page; raises like `explain`."""
    return explain(solution, question, settings=settings, **paper)


def explanation_table(solution: Solution, settings: SolveSettings, question: Question) -> pd.DataFrame:
    """The table; raises like `explain_table`."""
    return explain_table(solution, question, settings)
